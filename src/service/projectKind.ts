import type { ProjectEvent } from '../domain/events.ts';
import { chunksToFold, Project } from '../domain/project.ts';
import { FOLD_VERSION, restoreProject, saveProject } from '../domain/projectState.ts';
import { currentProjectEvent } from '../domain/upcasting.ts';
import type { JournalKind } from './folding.ts';

/** What time brings about, and what follows from that: see `settleTime` in the domain. */
const FACTS: ReadonlySet<ProjectEvent['type']> = new Set([
  'expired',
  'promoted',
  'opinionAsked',
  'autoAcceptJudged',
  'roundClosed',
]);

/** A sample that is imported or predicted costs a fraction of an answer: measured, roughly. */
const SAMPLES_PER_EVENT = 5;

/** The journal of a project. */
export const PROJECT_KIND: JournalKind<Project, ProjectEvent> = {
  empty: () => new Project(),
  current: currentProjectEvent,
  chunksToFold,
  isFact: ({ type }) => FACTS.has(type),
  workOf(event) {
    if (event.type === 'samplesImported') return event.keys.length / SAMPLES_PER_EVENT;
    if (event.type === 'predictionsPublished') {
      return event.parts.reduce((rows, part) => rows + part.rows, 0) / SAMPLES_PER_EVENT;
    }
    return 1;
  },
  form: { version: FOLD_VERSION, save: saveProject, restore: restoreProject },
};
