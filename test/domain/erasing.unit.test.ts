import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersOf } from '../../src/domain/consensusEstimate.ts';
import type { ReplacedChunk } from '../../src/domain/events.ts';
import { goldLeft } from '../../src/domain/nextSample.ts';
import type { Project } from '../../src/domain/project.ts';
import { restoreProject, saveProject } from '../../src/domain/projectState.ts';
import { NONE } from '../../src/domain/sampleTable.ts';
import { trainingLabel } from '../../src/domain/trainingSet.ts';
import { dump } from './dump.ts';
import { LABELS, pool, project, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

const { FC_NUM_RUNS } = process.env;
const OPTIONS = { numRuns: Number(FC_NUM_RUNS ?? 100) };
const TIMEOUT = Math.max(30_000, OPTIONS.numRuns * 100);

const by = 'owner';
const reason = 'OBJECTION';
let blocks = 0;

/** The blocks of samples, each with one in its place. */
function replacedFor({ samples }: Project, erased: readonly number[]): ReplacedChunk[] {
  const found = new Map<number, ReplacedChunk>();
  for (const sample of erased) {
    if (samples.isErased(sample)) continue;
    const { chunk, index } = samples.payload(sample);
    if (!found.has(sample - index)) {
      found.set(sample - index, { first: sample - index, from: chunk, to: `blank ${++blocks}` });
    }
  }
  return [...found.values()];
}

function erase(scenario: Scenario, samples: readonly number[]) {
  const replaced = replacedFor(scenario.project, samples);
  return scenario.when('eraseSamples', { by, samples, replaced, reason });
}

/** Every figure that comes of answers, and no word of what can be asked. */
function figures(of: Project) {
  const { agreement, rulings, gold, labelled, answers, checks, annotators } = dump(of);
  return {
    agreement,
    rulings,
    gold,
    labelled,
    answers,
    checks,
    estimate: answersOf(of),
    consensus: Array.from({ length: of.samples.size }, (_, sample) => of.countedLabels(sample).sort()),
    accepted: Array.from({ length: of.samples.size }, (_, sample) => of.isAutoAccepted(sample)),
    people: annotators.map(({ id, answers: given, skips, attention, judged, pausedAt }) => {
      return { id, given, skips, attention, judged, pausedAt };
    }),
    work: of.annotators.map(({ work }) => [...work.stretches]),
    consistency: of.annotators.map((annotator) => of.consistencyOf(annotator)),
    runs: of.runs.map(({ audited, errors }) => ({ audited, errors })),
  };
}

/** How many gold samples may still come to somebody, counted one by one. */
function goldToCome(of: Project, annotator: number): number {
  return [...of.gold.known.keys()].filter((sample) => {
    const row = of.assignmentOf(sample, annotator);
    const had = row !== NONE && (!of.assignments.mayComeAgain(row) || of.assignments.isRevealed(row));
    return !had && !of.samples.isErased(sample);
  }).length;
}

describe('samples that are erased, whatever has happened', () => {
  it('leave every figure as it was, and are asked of nobody', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(
        story,
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        ({ steps, ...beginning }, picks) => {
          const tale = new Tale(beginning);
          for (const step of steps) tale.play(step);
          const { scenario, members } = tale;
          scenario.onEvent = () => {};
          // What has run out runs out first, as before any command.
          scenario.when('sweep', {});
          const erased = [...new Set(picks.map((pick) => pick % scenario.project.samples.size))];
          const before = figures(scenario.project);
          const { refusal } = erase(scenario, erased);
          expect(refusal).toBeNull();
          expect(figures(scenario.project)).toEqual(before);
          for (const row of scenario.project.held) {
            expect(erased).not.toContain(scenario.project.assignments.sample.get(row));
          }
          for (const member of [...members, 'somebody new']) {
            for (const sample of scenario.claims(member, 100)) expect(erased).not.toContain(sample);
          }
          for (const { index } of scenario.project.annotators)
            expect(goldLeft(scenario.project, index)).toBe(goldToCome(scenario.project, index));
          for (const sample of erased) {
            const label = trainingLabel(scenario.project, sample, { provisional: true, estimate: null });
            expect(label).toBeNull();
          }
          expect(dump(scenario.replay())).toEqual(dump(scenario.project));
          const whole = restored(scenario.project);
          expect(dump(whole)).toEqual(dump(scenario.project));
          for (const { index } of whole.annotators)
            expect(goldLeft(whole, index)).toBe(goldLeft(scenario.project, index));
        },
      ),
      OPTIONS,
    );
  });
});

describe('a sample that is erased', () => {
  it('is erased once', () => {
    const scenario = pool(3);
    expect(erase(scenario, [1, 2]).result).toBe(2);
    expect(erase(scenario, [0, 1, 1]).result).toBe(1);
    const again = erase(scenario, [0, 1, 2]);
    expect(again.result).toBe(0);
    again.thenEvents();
  });

  it('is taken out of hands, and takes no answer', () => {
    const scenario = pool(3);
    expect(scenario.claims('ann', 2)).toEqual([0, 1]);
    erase(scenario, [0]).thenEvents({ type: 'released' }, { type: 'samplesErased', by, reason });
    expect(scenario.claims('ann', 2)).toEqual([1, 2]);
    const closed = { assignmentState: 'WITHDRAWN' };
    scenario.submits('ann', 0).thenRefused('ASSIGNMENT_CLOSED', closed);
    const own = { by: 'ann', assignment: scenario.idOf('ann', 0) };
    scenario.when('skip', { ...own, reason: '' }).thenRefused('ASSIGNMENT_CLOSED', closed);
    scenario.when('renew', own).thenRefused('ASSIGNMENT_CLOSED', closed);
    scenario.when('release', own).thenEvents();
  });

  it('keeps its answers: the same again is no error, and none is taken back', () => {
    const scenario = pool(2);
    scenario.labels('ann');
    erase(scenario, [0]);
    scenario.submits('ann', 0).thenEvents();
    const own = { by: 'ann', assignment: scenario.idOf('ann', 0) };
    scenario.when('undo', own).thenRefused('ASSIGNMENT_CLOSED', { assignmentState: 'WITHDRAWN' });
    expect(scenario.project.labelled).toBe(1);
  });

  it('lets its round go on without it, and end', () => {
    const scenario = project({}, { samples: 4 }).opened([0, 1, 2]);
    scenario.claims('ann', 1);
    erase(scenario, [0]);
    expect(scenario.project.openRound?.unsettled).toBe(2);
    expect(scenario.labels('ann')).toBe(1);
    erase(scenario, [2]).thenEvents({ type: 'samplesErased' }, { type: 'roundClosed', reason: 'SETTLED' });
  });

  it('is not ruled on and not made gold; as gold it is asked no more', () => {
    const scenario = pool(3);
    scenario.labels('ann');
    scenario.given('setGold', { by, answers: [{ sample: 2, label: LABELS[0] }], origin: 'OWNER' });
    erase(scenario, [0, 2]);
    scenario
      .when('rule', { by, sample: 0, label: LABELS[0], reason: 'r' })
      .thenRefused('ERASED', { what: 'sample' });
    scenario
      .when('setGold', { by, answers: [{ sample: 0, label: LABELS[0] }], origin: 'OWNER' })
      .thenRefused('ERASED', { what: 'sample' });
    expect(scenario.project.gold.labelOf(2)).toBe(0);
  });

  it('has to be there, and in a block that was read as it stands', () => {
    const scenario = pool(2);
    for (const samples of [[], [2], [-1], [0.5]]) {
      const { refusal } = scenario.when('eraseSamples', { by, samples, replaced: [], reason });
      expect(refusal?.code).toBe(samples.length === 0 ? 'INVALID_INPUT' : 'NOT_FOUND');
    }
    const stale = replacedFor(scenario.project, [1]);
    erase(scenario, [0]);
    const { result } = scenario.when('eraseSamples', { by, samples: [1], replaced: stale, reason });
    expect(result).toBeNull();
    expect(scenario.project.samples.isErased(1)).toBe(false);
  });
});

function restored(of: Project): Project {
  const steps = restoreProject(structuredClone(saved(of)));
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

function saved(of: Project) {
  const { columns, lists } = saveProject(of);
  return { columns: new Map(columns), lists: new Map([...lists].map(([name, list]) => [name, [...list]])) };
}
