import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementTrend } from '../../src/domain/agreementTrend.ts';
import { answerColumns } from '../../src/domain/answerColumns.ts';
import { type AnswerTallies, median, tallyAnswers } from '../../src/domain/answerTallies.ts';
import { classPairs } from '../../src/domain/classPairs.ts';
import type { Draw } from '../../src/domain/events.ts';
import { type JointRatings, jointRatings } from '../../src/domain/jointRatings.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { type PersonFigures, personFigures } from '../../src/domain/personFigures.ts';
import type { Project } from '../../src/domain/project.ts';
import { projectReport, type Standing, standingOf } from '../../src/domain/report.ts';
import { revealedEffect, type SuggestionEffect, shownEffect } from '../../src/domain/suggestionEffect.ts';
import { timeBin } from '../../src/domain/timeSketch.ts';
import { Work } from '../../src/domain/workLog.ts';
import { pool } from './scenario.ts';
import { story, Tale } from './story.ts';

/** Samples that two people have labelled, one after another. */
function labelled(pairs: readonly (readonly [number, number])[], draw: Draw = 'RANDOM'): JointRatings[] {
  return pairs.map((labels, sample) =>
    labels.map((label, annotator) => ({
      row: 2 * sample + annotator,
      sample,
      annotator,
      label,
      at: sample,
      draw,
    })),
  );
}

function repeated<T>(value: T, times: number): T[] {
  return Array.from({ length: times }, () => value);
}

function reportOf(project: Project) {
  const people = project.annotators.map((annotator) => personFigures(project, annotator));
  return projectReport(standingOf(project), tallyAnswers(answerColumns(project)), people);
}

describe('a report', () => {
  it('adds up, whatever has happened, and is held to the figures that are counted all the time', () => {
    fc.assert(
      fc.property(story, ({ steps, ...beginning }) => {
        const tale = new Tale(beginning);
        for (const step of steps) tale.play(step);
        const { project } = tale.scenario;
        const { cost, people, classPairs: pairs, trend, curve } = reportOf(project);
        expect(people.reduce((sum, { total }) => sum + total.answers, 0)).toBe(project.answers);
        const ordinals = [...project.samples.counted.view().keys()];
        expect(cost).toMatchObject({
          samples: project.samples.size,
          labelled: project.labelled,
          autoAccepted: ordinals.filter((sample) => project.isAutoAccepted(sample)).length,
          unanswerable: ordinals.filter((sample) => project.samples.isUnanswerable(sample)).length,
        });
        expect(cost.measured).toBeLessThanOrEqual(cost.answers);
        const joint = jointRatings(answerColumns(project));
        expect(joint).toHaveLength(project.agreement.overall().raw.n);
        const ratings = joint.map(({ length }) => (length * (length - 1)) / 2);
        expect(pairs.reduce((sum, { count }) => sum + count, 0)).toBe(ratings.reduce((a, b) => a + b, 0));
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
    const three = [{ row: 99, sample: 9, annotator: 2, label: 0, at: 9, draw: 'POOL' as const }];
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

describe('what to do next', () => {
  const standing = standingOf(pool(1).project);
  const tallies: AnswerTallies = {
    time: { measured: 0, hours: null, medianSeconds: null },
    answersBefore: [],
    trend: [],
    classPairs: [],
    suggestionEffects: [],
  };
  const at = (answers: number): Standing => ({
    ...standing,
    progress: { samples: 1_000, labelled: 400, autoAccepted: 0, unanswerable: 0, answers },
  });
  /** Somebody of whom this was counted. */
  const person = (counts: Partial<Work>, verdict?: 'WORSE' | 'BETTER'): PersonFigures => {
    const total = Object.assign(new Work(), { answers: 100 }, counts);
    const drift = { verdict, since: 0, change: {} } as never;
    const goldDrift = { withheld: 'TOO_FEW', n: 0, needed: 60 } as const;
    return { id: 'x', total, usual: null, kappa: standing.alpha, drift, goldDrift };
  };
  const said = (...people: readonly PersonFigures[]) =>
    projectReport(at(100 * people.length), tallies, people)
      .advice.map(({ text }) => text)
      .join('\n');
  const good = () => person({ compared: 1_000, agreeing: 900, repeats: 100, same: 95 });

  it('says nothing of people with whom all is well', () => {
    expect(said(good(), good())).not.toMatch(/person|others|the same in|at work/);
  });

  it('names drift only where it is shown to be for the worse', () => {
    expect(said(good(), person({}, 'BETTER'))).not.toContain('less with the others');
    expect(said(good(), person({}, 'WORSE'))).toContain('One person agrees less with the others than before');
    expect(said(person({}, 'WORSE'), person({}, 'WORSE'))).toContain('2 people agree less');
  });

  it('names who accepts suggestions in haste, measured by themselves', () => {
    const times = (seconds: number, count: number) => {
      const bins = new Uint32Array(64);
      bins[timeBin(seconds)] = count;
      return bins;
    };
    const hasty = (count: number) => ({
      ...person({ acceptedTimes: times(1, count).map((n, i) => n + (times(10, 60 - count)[i] as number)) }),
      usual: times(10, 60),
    });
    expect(said(good(), hasty(60))).toContain('One person accepts most suggestions');
    expect(said(good(), hasty(30))).not.toContain('suggestions');
  });

  it('names who is apart from the others, by more than chance and by much', () => {
    const apart = (agreeing: number) => person({ compared: 1_000, agreeing });
    expect(said(good(), good(), good(), apart(600))).toContain(
      'One person says what most others say much less',
    );
    expect(said(good(), good(), good(), apart(850))).not.toContain('much less');
    expect(said(good(), good(), good(), person({ compared: 29, agreeing: 0 }))).not.toContain('much less');
  });

  it('asks for clearer guidelines where people do not agree with themselves', () => {
    const same = (count: number) => person({ repeats: 200, same: count });
    expect(said(same(120), same(120))).toContain('say the same in 60 % of cases only');
    expect(said(same(155), same(155))).not.toContain('the same in');
  });

  it('says that suggestions make people agree with each other where that is more than chance', () => {
    const saidOf = (...suggestionEffects: readonly SuggestionEffect[]) =>
      projectReport(at(1_000), { ...tallies, suggestionEffects }, [])
        .advice.map(({ text }) => text)
        .join('\n');
    const hidden = { answers: 200, agreeing: 140 };
    expect(saidOf(shownEffect(hidden, { answers: 400, agreeing: 360 }))).toMatch(
      /Part of what people agree on is the model's.* 20 points more often \(13.2 points to 27.2 points\)/,
    );
    expect(saidOf(shownEffect(hidden, { answers: 400, agreeing: 290 }))).not.toContain('agree on');
    expect(saidOf(shownEffect({ answers: 20, agreeing: 0 }, { answers: 20, agreeing: 20 }))).not.toContain(
      'agree on',
    );
    const moved = revealedEffect({ both: 100, onlyFirst: 0, onlyLast: 60, neither: 40 });
    expect(saidOf(moved)).toContain('two people say the same 30 points more often');
  });

  it('tells how long what is left would take, and whether time runs out for many', () => {
    const busy = person({ answers: 200, activeMs: 7_200_000 });
    expect(said(busy)).toContain(
      'People give 100 answers an hour at work. One answer to each of the 600 samples',
    );
    expect(said(busy)).toContain('would take 6 hours');
    expect(said(person({ answers: 60_000, activeMs: 3_600_000 }))).toContain('would take a minute');
    expect(said(person({ answers: 600, activeMs: 3_600_000 }))).toContain('would take 60 minutes');
    expect(said(person({ answers: 100, expiries: 5 }))).not.toContain('runs out');
    expect(said(person({ answers: 100, expiries: 40 }))).toContain('runs out in their hands: 10 minutes');
  });
});

describe('the middle', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[3, 1], 2],
    [[5, 1, 3], 3],
  ])('the middle of %j is %j', (values, middle) => {
    expect(median(values)).toBe(middle);
  });
});
