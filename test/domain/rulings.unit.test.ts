import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answersOf, classesOf } from '../../src/domain/consensusEstimate.ts';
import { dawidSkene } from '../../src/domain/dawidSkene.ts';
import { costOf } from '../../src/domain/disagreements.ts';
import { labelledSamples } from '../../src/domain/labelled.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { trainingLabel } from '../../src/domain/trainingSet.ts';
import { project, type Scenario } from './scenario.ts';
import { story, Tale } from './story.ts';

/** A project in which everybody labels everything, and what they say of each sample. */
function answered(...samples: readonly (readonly string[])[]): Scenario {
  const scenario = project({
    overlap: 5,
    overlapShare: 1,
    suggestions: 'HIDDEN',
    withoutRound: 'POOL',
  }).imported(samples.length);
  for (const [person, by] of ['ann', 'bob', 'cy', 'dee', 'eve'].entries()) {
    const { held } = scenario.when('claim', { by, hold: samples.length }).result;
    for (const row of held) {
      const { assignments } = scenario.project;
      const label = samples[assignments.sample.get(row)]?.[person];
      if (label === undefined) continue;
      const assignment = assignments.ids.keyAt(row);
      scenario.given('submit', { by, assignment, label, milliseconds: null, hold: null });
    }
  }
  return scenario;
}

const options = { provisional: false, estimate: null };
const ruling = { by: 'owner', sample: 0, label: 'owl', reason: 'look at the ears' };

describe('a ruling', () => {
  it('takes the place of the consensus, with its reason, until it is reopened', () => {
    const scenario = answered(['cat', 'cat', 'owl'], ['cat', 'cat', 'cat']);
    const { project } = scenario;
    expect(trainingLabel(project, 0, options)).toMatchObject({ label: 0, source: 'CONSENSUS', votes: 2 });
    scenario.when('rule', ruling).thenEvents({ type: 'ruled', sample: 0, label: 2, by: 'owner' });
    expect(project.rulings.get(0)).toMatchObject({ label: 2, reason: 'look at the ears', at: scenario.now });
    expect(trainingLabel(project, 0, options)).toMatchObject({
      ...{ label: 2, source: 'RULING', votes: 1, of: 3, confidence: 1 },
    });
    expect([...labelledSamples(project).labels]).toEqual([2, 0]);

    // The same again does nothing; another takes its place.
    scenario.when('rule', ruling).thenNothing();
    scenario.when('rule', { ...ruling, label: 'dog' }).thenEvents({ type: 'ruled', label: 1 });
    expect(trainingLabel(project, 0, options)).toMatchObject({ label: 1, votes: 0 });

    const reason = 'the photograph was another one';
    scenario
      .when('reopenRuling', { by: 'owner', sample: 0, reason })
      .thenEvents({ type: 'rulingReopened', sample: 0, reason });
    expect(trainingLabel(project, 0, options)).toMatchObject({ label: 0, source: 'CONSENSUS' });
    scenario.when('reopenRuling', { by: 'owner', sample: 0, reason }).thenNothing();
  });

  it('closes undo, as long as it stands', () => {
    const scenario = answered(['cat', 'owl']);
    const { assignments, annotators } = scenario.project;
    const [first, second] = annotators.map(({ id: by, undoable }) => ({
      by,
      assignment: assignments.ids.keyAt(undoable[0] ?? 0),
    }));
    if (!first || !second) throw new Error('two have answered');
    scenario.given('rule', ruling);
    scenario.when('undo', first).thenRefused('UNDO_CLOSED');
    scenario.given('reopenRuling', { by: 'owner', sample: 0, reason: 'again' });
    scenario.when('undo', first).thenEvents({ type: 'undone' });
  });

  it('is refused on what nobody has answered, on what is not there, and without a reason', () => {
    const scenario = answered(['cat', 'owl'], []);
    scenario.when('rule', { ...ruling, sample: 1 }).thenRefused('INVALID_INPUT', { field: 'sample' });
    for (const sample of [2, -1, 0.5, Number.NaN]) {
      scenario.when('rule', { ...ruling, sample }).thenRefused('NOT_FOUND');
      scenario.when('reopenRuling', { by: 'owner', sample, reason: 'r' }).thenRefused('NOT_FOUND');
    }
    for (const reason of ['', '  ', 'x'.repeat(1_001)]) {
      scenario.when('rule', { ...ruling, reason }).thenRefused('INVALID_INPUT', { field: 'reason' });
    }
    scenario.when('rule', { ...ruling, label: 'elk' }).thenRefused('UNKNOWN_LABEL', { label: 'elk' });
  });

  it('tells the estimate who errs', () => {
    const scenario = answered(...Array.from({ length: 8 }, () => ['cat', 'cat', 'owl']));
    const accuracyOf = (annotator: number) => {
      const fit = dawidSkene(answersOf(scenario.project));
      return fit.confusion[annotator * 9 + 2 * 3 + 2] as number;
    };
    // Of three, two say cat: that the third knows owls, nobody can know.
    const before = accuracyOf(2);
    for (let sample = 0; sample < 8; sample++) scenario.given('rule', { ...ruling, sample });
    expect(accuracyOf(2)).toBeGreaterThan(Math.max(0.95, before - 0.05));
    expect(accuracyOf(0)).toBeLessThan(0.2);
    const fit = dawidSkene(answersOf(scenario.project));
    expect([...(classesOf(scenario.project, fit, 0) ?? [])]).toEqual([0, 0, 1]);
  });
});

describe('the queue of disagreements', () => {
  it('begins with the most costly, and loses what is ruled on', () => {
    const scenario = answered(
      ['cat', 'cat', 'cat', 'cat', 'dog'],
      ['cat', 'dog'],
      ['cat', 'cat'],
      ['cat', 'cat', 'dog', 'dog', 'owl'],
      ['dog', 'cat'],
    );
    const { disputed } = scenario.project;
    const queue = () => disputed.slice(0, 10).map(({ sample, cost }) => [sample, cost]);
    // 8 of 10 pairs differ in the fourth, 4 of 10 in the first, and one of one in those of two answers.
    expect(queue()).toEqual([
      [3, 2],
      [0, 1],
      [1, 1],
      [4, 1],
    ]);
    scenario.given('rule', { ...ruling, sample: 3 });
    expect(queue()[0]).toEqual([0, 1]);
    scenario.given('reopenRuling', { by: 'owner', sample: 3, reason: 'r' });
    expect(queue()[0]).toEqual([3, 2]);
  });

  it('takes near misses for less, where labels have an order or are numbers', () => {
    const ordinal = { kind: 'ORDINAL', values: [] } as const;
    expect(costOf([0, 1], ordinal, 5)).toBeCloseTo(1 / 16);
    expect(costOf([0, 4], ordinal, 5)).toBe(1);
    expect(costOf([0, 1], { kind: 'INTERVAL', values: [1, 2, 11] }, 3)).toBeCloseTo(1 / 100);
    expect(costOf([0, 1], NOMINAL, 5)).toBe(1);
    expect([costOf([], NOMINAL, 5), costOf([3], NOMINAL, 5)]).toEqual([0, 0]);
  });

  it('holds exactly the samples whose answers differ, whatever happens', () => {
    fc.assert(
      fc.property(story, ({ steps, ...setting }) => {
        const tale = new Tale(setting);
        for (const step of steps) {
          tale.play(step);
          const { project } = tale.scenario;
          const cost = (sample: number) =>
            costOf(project.countedLabels(sample), project.created.scale, project.labels.length);
          const expected = [...project.samples.counted.view().keys()]
            .filter(
              (sample) =>
                new Set(project.countedLabels(sample)).size > 1 &&
                !(project.rulings.has(sample) || project.samples.isGold(sample)),
            )
            .sort((one, other) => cost(other) - cost(one) || one - other);
          expect([...project.disputed]).toEqual(expected);
        }
      }),
      { numRuns: 40 },
    );
  });
});
