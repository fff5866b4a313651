import type { Annotator } from '../domain/annotator.ts';
import { type PersonFigures, personFigures } from '../domain/personFigures.ts';
import type { Project } from '../domain/project.ts';
import type { TimeBins } from '../domain/timeSketch.ts';
import type { Work } from '../domain/workLog.ts';

/** One person's work, taken at one instant. */
export interface PersonView extends PersonFigures {
  /** The commit that last changed any of it. */
  readonly changedAt: number;
  readonly stretchMs: number;
  /** In time. */
  readonly series: readonly StretchView[];
}

export interface StretchView {
  readonly from: number;
  readonly until: number;
  readonly work: Work;
  readonly usual: TimeBins | null;
}

/** Those whose work has changed last, at one instant. */
export interface PeopleView {
  readonly seq: number;
  /** Annotators who have been given anything. */
  readonly count: number;
  readonly people: readonly PersonView[];
}

/** The most people that are pushed. */
export const MOST_PUSHED = 50;

/** By the annotator, whom a project that is loaded anew has anew. */
const taken = new WeakMap<Annotator, PersonView>();

/** Taken anew only where something has changed. */
export function personView(project: Project, annotator: Annotator): PersonView {
  const { work } = annotator;
  const last = taken.get(annotator);
  if (last?.changedAt === work.changedAt) return last;
  const figures = personFigures(project, annotator);
  const { usual } = figures;
  const view: PersonView = {
    ...figures,
    changedAt: work.changedAt,
    stretchMs: work.stretchMs,
    series: work.inTime().map((stretch) => ({ ...stretch, work: stretch.work.copy(), usual })),
  };
  taken.set(annotator, view);
  return view;
}

/** What is pushed of a project, taken once a commit, however many look at it. */
export class PeopleViews {
  #last: { readonly project: Project; readonly view: PeopleView } | null = null;

  /** While nobody's work has changed, it is the same object. To be called between commits, as `JournalHost.read` does. */
  of(project: Project): PeopleView {
    const last = this.#last;
    if (last?.project === project && last.view.seq === project.seq) return last.view;
    const view = peopleView(project);
    const isSame =
      last?.project === project &&
      last.view.count === view.count &&
      view.people.every((person, i) => person === last.view.people[i]);
    if (isSame) return last.view;
    this.#last = { project, view };
    return view;
  }
}

function peopleView(project: Project): PeopleView {
  const { seq, annotators } = project;
  const people = annotators
    .toSorted((one, other) => other.work.changedAt - one.work.changedAt || one.index - other.index)
    .slice(0, MOST_PUSHED)
    .map((annotator) => personView(project, annotator));
  return { seq, count: annotators.length, people };
}
