import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agreementByMode } from '../../src/domain/agreementByMode.ts';
import { answerColumns } from '../../src/domain/answerColumns.ts';
import { tallyAnswers } from '../../src/domain/answerTallies.ts';
import { jointRatings } from '../../src/domain/jointRatings.ts';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { projectReport, standingOf } from '../../src/domain/report.ts';
import { differenceOf, pairedDifference } from '../../src/domain/shareDifference.ts';
import { revealedEffect, shownEffect } from '../../src/domain/suggestionEffect.ts';
import { LABELS, pool, type Scenario } from './scenario.ts';

const [CAT, DOG, OWL] = LABELS;

describe('the interval of a difference', () => {
  it.each([
    // R. G. Newcombe 1998, "Interval estimation for the difference between independent proportions", method 10, as it is
    // quoted in the tests of the R package propint: ci.two.indep.props.
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    // M. W. Fagerland, S. Lydersen and P. Laake 2017, "Statistical Analysis of Contingency Tables", ch. 4, high against standard
    // dose of epinephrine; digits: the authors' R package contingencytables, Newcombe_hybrid_score_CI_2x2.
    [7, 34, 1, 34, 0.0189, 0.3404],
  ])('of %d of %d and %d of %d is as published', (a, n, b, m, lower, upper) => {
    const { value, interval } = differenceOf({ answers: m, agreeing: b }, { answers: n, agreeing: a });
    expect(value).toBeCloseTo(a / n - b / m, 12);
    expect(interval.lower).toBeCloseTo(lower, 4);
    expect(interval.upper).toBeCloseTo(upper, 4);
  });

  it.each([
    // R. G. Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions based on paired
    // data", method 10, as it is quoted in the tests of the R package propint: ci.two.dep.props.
    [36, 12, 2, 0, 0.0569, 0.3404],
    [18, 12, 2, 18, 0.0562, 0.329],
    [53, 0, 0, 1, -0.0729, 0.0729],
    [0, 30, 0, 0, 0.8395, 1],
    // Fagerland, Lydersen and Laake 2017, ch. 8: complete response before and after consolidation therapy, whose difference is
    // taken the other way round there; digits: contingencytables, Newcombe_square_and_add_CI_paired_2x2.
    [59, 16, 6, 80, 0.0046, 0.1186],
  ])('of %d both times, %d only in the end, %d only at first, and %d never is as published', (...given) => {
    const [both, onlyLast, onlyFirst, neither, lower, upper] = given;
    const { value, interval } = pairedDifference({ both, onlyFirst, onlyLast, neither });
    expect(value).toBeCloseTo((onlyLast - onlyFirst) / (both + onlyFirst + onlyLast + neither), 12);
    expect(interval.lower).toBeCloseTo(lower, 4);
    expect(interval.upper).toBeCloseTo(upper, 4);
  });

  it('of the same answers twice takes into account that they are the same', () => {
    const found = pairedDifference({ both: 59, onlyFirst: 6, onlyLast: 16, neither: 80 });
    const asIfOthers = differenceOf({ answers: 161, agreeing: 65 }, { answers: 161, agreeing: 75 });
    expect(found.interval.lower).toBeGreaterThan(0);
    expect(asIfOthers.interval.lower).toBeLessThan(0);
  });

  it('holds the difference, keeps within −1 and 1, and turns round with it', () => {
    const count = fc.nat({ max: 60 });
    fc.assert(
      fc.property(count, count, count, count, (both, onlyFirst, onlyLast, neither) => {
        fc.pre(both + onlyFirst + onlyLast + neither > 0);
        const { value, interval } = pairedDifference({ both, onlyFirst, onlyLast, neither });
        expect(interval.lower).toBeLessThanOrEqual(value);
        expect(interval.upper).toBeGreaterThanOrEqual(value);
        expect(interval.lower).toBeGreaterThanOrEqual(-1);
        expect(interval.upper).toBeLessThanOrEqual(1);
        const turned = pairedDifference({ both, onlyFirst: onlyLast, onlyLast: onlyFirst, neither });
        expect(turned.interval.lower).toBeCloseTo(-interval.upper, 12);
      }),
    );
  });

  it('is held back below thirty on either side', () => {
    const few = { answers: 29, agreeing: 20 };
    const many = { answers: 300, agreeing: 20 };
    expect(shownEffect(few, many).difference).toEqual({ withheld: 'TOO_FEW', n: 29, needed: 30 });
    expect(shownEffect(many, few).difference).toEqual({ withheld: 'TOO_FEW', n: 29, needed: 30 });
    const counts = { both: 10, onlyFirst: 0, onlyLast: 10, neither: 9 };
    expect(revealedEffect(counts).difference).toEqual({ withheld: 'TOO_FEW', n: 29, needed: 30 });
  });
});

/** Two people label everything; the model says owl of all but the last five, of which it says nothing. */
function swayed(
  policy: PolicyChange,
  answer: (suggestion: number, who: string, i: number) => string,
): Scenario {
  const samples = 165;
  const scenario = pool(0, { overlap: 2, overlapShare: 1, ...policy }).imported(samples);
  const rows = Array.from({ length: samples - 5 }, (_, i) => [i, { label: 2, sure: 0.6 }] as const);
  scenario.predicted(Object.fromEntries(rows));
  for (let i = 0; i < samples; i++) {
    for (const who of ['ann', 'bob']) {
      const [sample = -1] = scenario.claims(who);
      const row = scenario.project.assignments.ids.indexOf(scenario.idOf(who, sample));
      scenario.submits(who, sample, answer(scenario.project.assignments.offered(row), who, i));
    }
  }
  return scenario;
}

function effectsOf({ project }: Scenario) {
  const columns = answerColumns(project);
  return {
    model: project.currentRun?.suggestionEffects(),
    people: agreementByMode(jointRatings(columns), columns),
  };
}

function adviceOf({ project }: Scenario): string {
  const report = projectReport(standingOf(project), tallyAnswers(answerColumns(project)), []);
  return report.advice.map(({ text }) => text).join('\n');
}

describe('the sway of suggestions', () => {
  it('is what people say more often beside them than where chance hid them', () => {
    const shown = { suggestions: 'SHOWN', hiddenShare: 0.5 } as const;
    // Who sees one, takes it; else they say each what they always say.
    const scenario = swayed(shown, (suggestion, who) => (suggestion === 2 ? OWL : who === 'ann' ? CAT : DOG));
    const { model, people } = effectsOf(scenario);
    const [effect] = model ?? [];
    expect(model).toMatchObject([
      { mode: 'SHOWN', without: { agreeing: 0 }, difference: { value: 1, interval: { upper: 1 } } },
    ]);
    expect((effect?.with.answers ?? 0) + (effect?.without.answers ?? 0)).toBe(2 * 160);
    // Where both saw one they agree, where neither did, never.
    expect(people).toMatchObject([{ mode: 'SHOWN', without: { agreeing: 0 }, difference: { value: 1 } }]);
    const [pairs] = people;
    expect(pairs?.with.answers).toBe(pairs?.with.agreeing);
    expect((pairs?.with.answers ?? 0) + (pairs?.without.answers ?? 0)).toBeLessThan(160);
    expect(adviceOf(scenario)).toContain('Suggestions sway people');
  });

  it('is nothing where people do not care what is shown', () => {
    const scenario = swayed({ suggestions: 'SHOWN', hiddenShare: 0.5 }, (_, __, i) => LABELS[i % 3] ?? CAT);
    const [effect] = effectsOf(scenario).model ?? [];
    if (effect === undefined || 'withheld' in effect.difference) throw new Error('withheld');
    expect(effect.difference.interval.lower).toBeLessThan(0);
    expect(effect.difference.interval.upper).toBeGreaterThan(0);
    expect(adviceOf(scenario)).not.toContain('sway');
  });

  it('is what answers have become since they were revealed', () => {
    const scenario = swayed({ suggestions: 'AFTER_FIRST_ANSWER', hiddenShare: 0.2 }, (_, who, i) =>
      i % 2 === 0 ? OWL : who === 'ann' ? CAT : DOG,
    );
    for (const { id } of scenario.project.annotators) {
      // Only the newest can be changed: all ten become owls.
      for (const row of [...(scenario.project.annotator(id)?.undoable ?? [])]) {
        const { assignments } = scenario.project;
        if (!assignments.isRevealed(row) || assignments.label.get(row) === 2) continue;
        const own = { by: id, assignment: assignments.ids.keyAt(row), milliseconds: null, hold: null };
        scenario.given('submit', { ...own, label: OWL, revise: true });
      }
    }
    const { model, people } = effectsOf(scenario);
    const [effect] = model ?? [];
    const [pairs] = people;
    expect(model).toMatchObject([{ mode: 'AFTER_FIRST_ANSWER' }]);
    expect(effect?.with.answers).toBe(effect?.without.answers);
    expect(effect?.with.agreeing).toBeGreaterThan(effect?.without.agreeing ?? 0);
    expect(people).toMatchObject([{ mode: 'AFTER_FIRST_ANSWER' }]);
    expect(pairs?.with.answers).toBe(pairs?.without.answers);
    expect(pairs?.with.agreeing).toBeGreaterThan(pairs?.without.agreeing ?? 0);
    // The agreement of people stays as it was.
    expect(scenario.project.agreement.overall().raw).toMatchObject({ value: 83 / 165 });
  });

  it('is taken back with the answer', () => {
    const scenario = pool(1, { suggestions: 'AFTER_FIRST_ANSWER', hiddenShare: 0 }).predicted({
      0: { sure: 0.6 },
    });
    scenario.labels('ann', DOG);
    const own = { by: 'ann', assignment: scenario.idOf('ann', 0) };
    scenario.given('submit', { ...own, label: CAT, milliseconds: null, hold: null, revise: true });
    const run = scenario.project.currentRun;
    expect(run?.suggestionEffects()).toMatchObject([{ without: { agreeing: 0 }, with: { agreeing: 1 } }]);
    scenario.given('undo', own);
    expect(run?.suggestionEffects()).toEqual([]);
  });
});
