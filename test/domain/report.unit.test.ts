import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementTrend } from '../../src/domain/agreementTrend.ts';
import { classPairs } from '../../src/domain/classPairs.ts';
import type { Draw } from '../../src/domain/events.ts';
import { type JointRatings, jointRatings } from '../../src/domain/jointRatings.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { changeBetween, median } from '../../src/domain/peopleOverTime.ts';
import { projectReport } from '../../src/domain/report.ts';
import { story, Tale } from './story.ts';

/** Samples that two people have labelled, one after another. */
function labelled(pairs: readonly (readonly [number, number])[], draw: Draw = 'RANDOM'): JointRatings[] {
  return pairs.map((labels, sample) =>
    labels.map((label, annotator) => ({ sample, annotator, label, at: sample, draw })),
  );
}

function repeated<T>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}

describe('a report', () => {
  it('adds up, whatever has happened, and is held to the figures that are counted all the time', () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        for (const step of steps) tale.play(step);
        const { project } = tale.scenario;
        const { cost, people, classPairs: pairs, trend, curve } = projectReport(project);
        expect(people.reduce((sum, { answers }) => sum + answers, 0)).toBe(project.answers);
        expect(cost).toMatchObject({ samples: project.samples.size, labelled: project.labelled });
        expect(cost.measured).toBeLessThanOrEqual(cost.answers);
        const joint = jointRatings(project);
        expect(joint).toHaveLength(project.agreement.overall().raw.n);
        const ratings = joint.map(({ length }) => (length * (length - 1)) / 2);
        expect(pairs.reduce((sum, { count }) => sum + count, 0)).toBe(ratings.reduce((a, b) => a + b, 0));
        for (const { withOthers, early, late } of people) {
          expect(early.answers + late.answers).toBe(withOthers.answers);
          expect(early.agreeing + late.agreeing).toBe(withOthers.agreeing);
        }
        for (const { alpha } of trend) expect(alpha.n).toBeGreaterThanOrEqual(30);
        expect(curve).toHaveLength(project.runs.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('agreement over time', () => {
  it('is cut into stretches of one size, of what nothing has picked', () => {
    const good = labelled([...repeated([0, 0] as const, 20), ...repeated([1, 1] as const, 20)]);
    const bad = labelled([...repeated([0, 1] as const, 20), ...repeated([1, 1] as const, 20)]);
    expect(agreementTrend(good.slice(0, 29), 2, NOMINAL)).toEqual([]);
    const picked = labelled(repeated([0, 1] as const, 100), 'UNCERTAIN');
    const points = agreementTrend([...good.slice(5, 35), ...picked, ...bad.slice(5, 35)], 2, NOMINAL);
    expect(points.map(({ alpha }) => alpha.n)).toEqual([30, 30]);
    expect(points[0]?.alpha).toMatchObject({ value: 1 });
    expect(points[1]?.alpha).toMatchObject({ observed: 0.5 });
    // Of more there are larger ones.
    const many = agreementTrend(labelled(repeated([0, 1] as const, 1_000)), 2, NOMINAL);
    expect(many).toHaveLength(11);
    expect(new Set(many.map(({ alpha }) => alpha.n))).toEqual(new Set([84]));
  });
});

describe('what people mix up', () => {
  it('counts each two answers to a sample once, the most frequent first', () => {
    const three = [{ sample: 9, annotator: 2, label: 0, at: 9, draw: 'POOL' as const }];
    const joint = labelled([
      [0, 1],
      [1, 0],
      [2, 2],
    ]);
    expect(classPairs([...joint, [...(joint[0] ?? []), ...three]], 3)).toEqual([
      { first: 0, second: 1, count: 4 },
      { first: 0, second: 0, count: 1 },
      { first: 2, second: 2, count: 1 },
    ]);
  });
});

describe('how somebody has changed', () => {
  it('has the interval that Newcombe publishes', () => {
    // R. G. Newcombe 1998, Statistics in Medicine 17, table II, (a): 56/70 − 48/80, method 10: 0.0524, 0.3339.
    const change = changeBetween({ answers: 80, agreeing: 48 }, { answers: 70, agreeing: 56 }, 0.95);
    expect(change?.difference).toBeCloseTo(0.2, 12);
    expect(change?.interval.lower).toBeCloseTo(0.0524, 4);
    expect(change?.interval.upper).toBeCloseTo(0.3339, 4);
  });

  it('is not said of few answers', () => {
    expect(changeBetween({ answers: 29, agreeing: 29 }, { answers: 100, agreeing: 0 })).toBeNull();
  });

  it.each([
    [[], null],
    [[3], 3],
    [[3, 1], 2],
    [[5, 1, 3], 3],
  ])('the middle of %j is %j', (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});
