import { describe, expect, it } from 'vitest';
import { answersOf } from '../../src/domain/consensusEstimate.ts';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { settledLabel } from '../../src/domain/rulings.ts';
import { NONE } from '../../src/domain/sampleTable.ts';
import { heldOutAnswers } from '../../src/domain/suggestedThreshold.ts';
import { annotationViews, assignmentView, queueView } from '../../src/service/views.ts';
import { LABELS, pool, type Scenario } from './scenario.ts';

/**
 * A suggestion that comes after the first answer: nothing tells it before, the answer may follow it, and everything that
 * measures people or models keeps to what was said without it.
 */

const [CAT, DOG, OWL] = LABELS;

/** The model says owl of everything. */
function revealing(samples: number, policy: PolicyChange = {}): Scenario {
  const scenario = pool(samples, { suggestions: 'AFTER_FIRST_ANSWER', hiddenShare: 0, ...policy });
  return scenario.predicted(allOwls(samples));
}

function allOwls(samples: number, sure = 0.6) {
  return Object.fromEntries(Array.from({ length: samples }, (_, i) => [i, { label: 2, sure }]));
}

function seen({ project, now }: Scenario, by: string) {
  return queueView(project, by, now);
}

function viewOf(scenario: Scenario, by: string, sample: number) {
  const { project } = scenario;
  return assignmentView(project, project.assignments.ids.indexOf(scenario.idOf(by, sample)));
}

function revises(scenario: Scenario, by: string, sample: number, label: string) {
  const assignment = scenario.idOf(by, sample);
  return scenario.when('submit', { by, assignment, label, milliseconds: null, hold: null, revise: true });
}

describe('a suggestion after the first answer', () => {
  it('is told with the answer and not before, and stays in the queue as long as the answer may be changed', () => {
    const scenario = revealing(1);
    scenario.claims('ann');
    expect(seen(scenario, 'ann').held).toMatchObject([{ suggestion: null }]);
    expect(seen(scenario, 'ann').revealed).toEqual([]);
    scenario.submits('ann', 0, CAT);
    expect(viewOf(scenario, 'ann', 0)).toMatchObject({ suggestion: OWL, label: CAT });
    expect(seen(scenario, 'ann').revealed).toMatchObject([{ suggestion: OWL, label: CAT }]);
    scenario.given('rule', { by: 'owner', sample: 0, label: CAT, reason: 'seen' });
    expect(seen(scenario, 'ann').revealed).toEqual([]);
  });

  it('may be followed in one step, which is safe to repeat; the answer keeps its time', () => {
    const scenario = revealing(1);
    scenario.labels('ann', CAT);
    const answeredAt = annotationViews(scenario.project, 0)[0]?.answeredAt;
    scenario.after(9_000);
    revises(scenario, 'ann', 0, OWL).thenEvents({ type: 'revised', label: 2 });
    revises(scenario, 'ann', 0, OWL).thenNothing();
    expect(annotationViews(scenario.project, 0)).toMatchObject([
      { mode: 'AFTER_FIRST_ANSWER', label: OWL, suggestion: OWL, firstLabel: CAT, movedToSuggestion: true },
    ]);
    expect(annotationViews(scenario.project, 0)[0]?.answeredAt).toBe(answeredAt);
    // Back again, or to something else: no move to what was suggested.
    revises(scenario, 'ann', 0, DOG);
    expect(annotationViews(scenario.project, 0)).toMatchObject([
      { label: DOG, firstLabel: CAT, movedToSuggestion: false },
    ]);
  });

  it('is not what a first answer was that said the same', () => {
    const scenario = revealing(1);
    scenario.labels('ann', OWL);
    expect(annotationViews(scenario.project, 0)).toMatchObject([
      { firstLabel: OWL, movedToSuggestion: false },
    ]);
  });

  it('cannot be had and then answered blind: an answer that is undone is still not the first', () => {
    const scenario = revealing(1);
    scenario.labels('ann', CAT);
    scenario.given('undo', { by: 'ann', assignment: scenario.idOf('ann', 0) });
    expect(viewOf(scenario, 'ann', 0)).toMatchObject({ state: 'HELD', suggestion: OWL, label: null });
    scenario.submits('ann', 0, OWL);
    expect(annotationViews(scenario.project, 0)).toMatchObject([{ label: OWL, firstLabel: CAT }]);
    expect(scenario.project.currentRun?.peopleAgainstModel()).toMatchObject([{ answers: 1, agreeing: 0 }]);
  });

  it('stays revealed when the sample is given back and comes again, whatever the policy is by then', () => {
    const scenario = revealing(1);
    scenario.labels('ann', CAT);
    const own = { by: 'ann', assignment: scenario.idOf('ann', 0) };
    scenario.given('undo', own).given('release', own);
    scenario.given('changePolicy', { by: 'owner', change: { suggestions: 'HIDDEN' } });
    scenario.claims('ann');
    expect(seen(scenario, 'ann').held).toMatchObject([{ suggestion: OWL }]);
    scenario.submits('ann', 0, OWL);
    expect(annotationViews(scenario.project, 0)).toMatchObject([
      { mode: 'AFTER_FIRST_ANSWER', firstLabel: CAT },
    ]);
  });

  it('is hidden from a share of all work, before and after', () => {
    const scenario = revealing(200, { hiddenShare: 0.3 });
    for (let i = 0; i < 200; i++) scenario.labels('ann', CAT);
    const all = Array.from({ length: 200 }, (_, sample) => viewOf(scenario, 'ann', sample).suggestion);
    const hidden = all.filter((suggestion) => suggestion === null).length;
    expect(hidden / 200).toBeGreaterThan(0.2);
    expect(hidden / 200).toBeLessThan(0.4);
    expect(annotationViews(scenario.project, all.indexOf(null))).toMatchObject([
      { mode: 'AFTER_FIRST_ANSWER', suggestion: null, firstLabel: null, movedToSuggestion: false },
    ]);
  });
});

describe('what was said before it was known', () => {
  it('is what agreement takes, and what the last answer is, consensus', () => {
    const scenario = revealing(0, { overlap: 2, overlapShare: 1 }).imported(2);
    scenario.predicted(allOwls(2));
    for (const sample of [0, 1]) {
      scenario.labels('ann', CAT);
      scenario.labels('bob', sample === 0 ? CAT : DOG);
      revises(scenario, 'ann', sample, OWL);
      revises(scenario, 'bob', sample, OWL);
    }
    expect(scenario.project.agreement.overall().raw).toMatchObject({ value: 0.5, n: 2 });
    expect(settledLabel(scenario.project, 1)).toBe(2);
    expect([...scenario.project.disputed]).toEqual([]);
    // The first answer of ann counts in the agreement though it was changed before bob answered.
    expect([...answersOf(scenario.project).label]).toEqual([0, 0, 0, 1]);
  });

  it('is what a suggestion cannot sway before a peer has answered either', () => {
    const scenario = revealing(0, { overlap: 2, overlapShare: 1 }).imported(1);
    scenario.predicted(allOwls(1));
    scenario.labels('ann', CAT);
    revises(scenario, 'ann', 0, OWL);
    scenario.labels('bob', CAT);
    expect(scenario.project.agreement.overall().raw).toMatchObject({ value: 1, n: 1 });
  });

  it('is what the model is held against, and of what a threshold is suggested', () => {
    const scenario = revealing(3);
    const random = Uint8Array.from([1, 1, 1]);
    scenario.opened([0, 1, 2], { random, run: 1 });
    for (const label of [OWL, CAT, CAT]) scenario.labels('ann', label);
    revises(scenario, 'ann', 1, OWL);
    revises(scenario, 'ann', 2, DOG);
    expect(scenario.project.currentRun?.peopleAgainstModel()).toMatchObject([
      { draw: 'RANDOM', mode: 'AFTER_FIRST_ANSWER', isOffered: true, answers: 3, agreeing: 1 },
    ]);
    expect(heldOutAnswers(scenario.project).map(({ isError }) => isError)).toEqual([false, true, true]);
  });

  it('is what an audit finds', () => {
    const audit = { share: 1, cap: 10, floor: 0, errorLimit: 0.05 };
    const scenario = revealing(30, { autoAcceptThreshold: 0.9, audit });
    scenario.predicted({ ...allOwls(30), 0: { label: 2, sure: 0.95 } });
    for (let i = 0; i < 6; i++) scenario.labels('ann', CAT);
    const [row = NONE] = scenario.project.assignmentsOf(0);
    expect(scenario.project.assignments.draw(row)).toBe('AUDIT');
    // It reveals its suggestion as work does.
    expect(viewOf(scenario, 'ann', 0).suggestion).toBe(OWL);
    revises(scenario, 'ann', 0, OWL);
    expect(scenario.project.currentRun).toMatchObject({ audited: 1, errors: 1 });
  });

  it('is what gold judges', () => {
    const scenario = revealing(30, { gold: { share: 0.1, limit: 0.7, reserve: 0 } });
    scenario.given('setGold', { by: 'owner', answers: [{ sample: 29, label: OWL }], origin: 'OWNER' });
    for (let i = 0; i < 12; i++) scenario.labels('ann', CAT);
    expect(viewOf(scenario, 'ann', 29).suggestion).toBe(OWL);
    revises(scenario, 'ann', 29, OWL);
    expect(scenario.project.annotator('ann')?.attention).toEqual({ answers: 1, correct: 0 });
  });

  it('is what is compared when somebody is asked again', () => {
    const scenario = revealing(300, { repeatShare: 0.2 });
    const { project } = scenario;
    let row: number | undefined;
    for (let i = 0; i < 120 && row === undefined; i++) {
      const [next = NONE] = scenario.when('claim', { by: 'ann', hold: 1 }).result.held;
      if (project.assignments.isRepeat(next)) row = next;
      else scenario.submits('ann', scenario.sampleOf(next), CAT);
    }
    if (row === undefined) throw new Error('nothing was asked again');
    const own = { by: 'ann', assignment: project.assignments.ids.keyAt(row), milliseconds: null, hold: null };
    expect(assignmentView(project, row).suggestion).toBeNull();
    scenario.given('submit', { ...own, label: CAT });
    expect(assignmentView(project, row).suggestion).toBe(OWL);
    scenario.given('submit', { ...own, label: OWL, revise: true });
    expect(project.annotator('ann')?.work.total()).toMatchObject({ repeats: 1, same: 1 });
  });

  it('accepts nothing, so it is no rubber-stamping', () => {
    const scenario = revealing(2);
    scenario.labels('ann', OWL);
    scenario.labels('ann', CAT);
    revises(scenario, 'ann', 1, OWL);
    expect(scenario.project.annotator('ann')?.work.total()).toMatchObject({
      answers: 2,
      shown: 0,
      accepted: 0,
    });
  });
});

describe('a check', () => {
  it('is not asked of somebody to whom the suggestion was revealed', () => {
    const scenario = revealing(60, { gold: { share: 0.1, limit: 0, reserve: 0 } });
    scenario.labels('ann', CAT);
    const own = { by: 'ann', assignment: scenario.idOf('ann', 0) };
    scenario.given('undo', own).given('release', own);
    scenario.given('setGold', { by: 'owner', answers: [{ sample: 0, label: OWL }], origin: 'OWNER' });
    for (let i = 0; i < 25; i++) expect(scenario.labels('ann', CAT)).not.toBe(0);
    const asked = Array.from({ length: 25 }, () => scenario.labels('bob', CAT));
    expect(asked).toContain(0);
  });

  it('is not asked of somebody who was shown the suggestion of an audit, and gave it back', () => {
    const audit = { share: 1, cap: 10, floor: 0, errorLimit: 0.05 };
    const scenario = revealing(30, {
      suggestions: 'SHOWN',
      hiddenShare: 0.1,
      autoAcceptThreshold: 0.9,
      audit,
    });
    const [sample = NONE] = scenario.claims('ann');
    expect(seen(scenario, 'ann').held).toMatchObject([{ suggestion: OWL }]);
    scenario.given('release', { by: 'ann', assignment: scenario.idOf('ann', sample) });
    scenario.predicted({ ...allOwls(30), [sample]: { label: 2, sure: 0.95 } });
    for (let i = 0; i < 15; i++) expect(scenario.labels('ann', CAT)).not.toBe(sample);
    const asked = Array.from({ length: 14 }, () => scenario.labels('bob', CAT));
    expect(asked).toContain(sample);
  });
});

describe('a revision', () => {
  it('is open as long as undo is, in every mode, and is refused after that', () => {
    const scenario = pool(20, { suggestions: 'HIDDEN' });
    for (let i = 0; i < 11; i++) scenario.labels('ann', CAT);
    revises(scenario, 'ann', 0, DOG).thenRefused('UNDO_CLOSED', { limit: 10 });
    revises(scenario, 'ann', 1, DOG).thenEvents({ type: 'revised' });
    scenario.given('rule', { by: 'owner', sample: 2, label: CAT, reason: 'seen' });
    revises(scenario, 'ann', 2, DOG).thenRefused('UNDO_CLOSED');
    scenario.submits('ann', 3, DOG).thenRefused('ALREADY_ANSWERED', { answer: CAT });
  });

  it('of what is not answered is an answer', () => {
    const scenario = revealing(1);
    scenario.claims('ann');
    revises(scenario, 'ann', 0, CAT).thenEvents({ type: 'submitted', label: 0 });
  });

  it('may bring people together or apart: one more is asked where they tie', () => {
    const scenario = pool(0, { overlap: 2, overlapShare: 1, extraOpinions: 1 }).imported(1);
    scenario.labels('ann', CAT);
    scenario.labels('bob', CAT);
    revises(scenario, 'bob', 0, DOG).thenEvents({ type: 'revised' }, { type: 'opinionAsked', sample: 0 });
    expect([...scenario.project.disputed]).toEqual([0]);
  });
});
