import { describe, expect, it } from 'vitest';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { MINUTE, project, type Scenario } from './scenario.ts';

const POLICY: PolicyChange = {
  overlap: 2,
  overlapShare: 1,
  extraOpinions: 1,
  withoutRound: 'POOL',
  workSession: { minutes: 0 },
};

function samples(count: number, policy: PolicyChange = {}): Scenario {
  return project({ ...POLICY, ...policy }).imported(count);
}

function claimed(scenario: Scenario, by: string): { assignment: string; draw: string } {
  const { held } = scenario.when('claim', { by, hold: 1 }).result;
  const { assignments } = scenario.project;
  const row = held[0];
  if (row === undefined) throw new Error(`there is nothing for ${by}`);
  return { assignment: assignments.ids.keyAt(row), draw: assignments.draw(row) };
}

function answered(scenario: Scenario, by: string, label: string) {
  const { assignment } = claimed(scenario, by);
  return scenario.when('submit', { by, assignment, label, milliseconds: null, hold: null });
}

const SUBMITTED = { type: 'submitted', counted: true } as const;
const ASKED = { type: 'opinionAsked', sample: 0 } as const;

describe('an extra opinion', () => {
  it('is asked of one more where two disagree, looks like any other, and stays out of agreement', () => {
    const scenario = samples(1);
    answered(scenario, 'ann', 'cat').thenEvents(SUBMITTED);
    answered(scenario, 'bob', 'dog').thenEvents(SUBMITTED, ASKED);
    expect(scenario.when('claim', { by: 'bob', hold: 1 }).result.empty).toEqual({ reason: 'ALL_HAD_BY_YOU' });
    expect(claimed(scenario, 'cy').draw).toBe('EXTRA_OPINION');
    const before = scenario.project.agreement.overall();
    answered(scenario, 'cy', 'cat').thenEvents(SUBMITTED);
    expect(scenario.project.countedLabels(0)).toEqual([0, 1, 0]);
    expect(scenario.project.agreement.overall()).toEqual(before);
    expect(before.raw).toMatchObject({ n: 1, answers: 2, value: 0 });
    // Two of three are more than half.
    expect(scenario.when('claim', { by: 'dee', hold: 1 }).result.empty).toEqual({ reason: 'DONE' });
  });

  it('is asked again and again until more than half agree, up to the cap', () => {
    const scenario = samples(1, { extraOpinions: 2 });
    answered(scenario, 'ann', 'cat');
    answered(scenario, 'bob', 'dog').thenEvents(SUBMITTED, ASKED);
    answered(scenario, 'cy', 'owl').thenEvents(SUBMITTED, ASKED);
    // Two of four are not more than half, but nobody may be asked any more.
    answered(scenario, 'dee', 'owl').thenEvents(SUBMITTED);
    expect(scenario.project.disputed.has(0)).toBe(true);
  });

  it('keeps a round open until it is in', () => {
    const scenario = samples(2, { withoutRound: 'WAIT' }).opened([1, 0]);
    for (const by of ['ann', 'bob']) answered(scenario, by, 'cat');
    answered(scenario, 'ann', 'cat');
    answered(scenario, 'bob', 'dog').thenEvents(SUBMITTED, ASKED);
    expect(scenario.project.openRound?.unsettled).toBe(1);
    answered(scenario, 'cy', 'dog').thenEvents(SUBMITTED, { type: 'roundClosed', reason: 'SETTLED' });
  });

  it.each([
    ['POOL', 'EXTRA_OPINION'],
    ['WAIT', 'NO_ROUND'],
  ] as const)(
    'that nobody can give goes with its round, and is the expert’s, or the pool’s: %s',
    (withoutRound, then) => {
      const scenario = samples(1, { withoutRound }).opened([0]);
      answered(scenario, 'ann', 'cat');
      answered(scenario, 'bob', 'dog').thenEvents(SUBMITTED, ASKED);
      scenario
        .when('closeExhaustedRound', { annotators: ['ann', 'bob'] })
        .thenEvents({ type: 'roundClosed', reason: 'EXHAUSTED', withdrawn: 1 });
      expect(scenario.project.disputed.has(0)).toBe(true);
      // It has been labelled: no round chooses it.
      expect(scenario.project.samples.isUnlabelled(0)).toBe(false);
      const { held, empty } = scenario.when('claim', { by: 'cy', hold: 1 }).result;
      const [row] = held;
      expect(row === undefined ? empty?.reason : scenario.project.assignments.draw(row)).toBe(then);
    },
  );

  it.each(['POOL', 'WAIT'] as const)(
    'comes among other work, one in five at most, and all that are left at its end: %s',
    (withoutRound) => {
      const scenario = samples(60, { withoutRound });
      if (withoutRound === 'WAIT') scenario.opened(Array.from({ length: 60 }, (_, i) => 59 - i));
      // Of half of the samples, two people say two things.
      for (const by of ['ann', 'bob']) {
        for (let i = 0; i < 30; i++) answered(scenario, by, by === 'ann' ? 'cat' : 'dog');
      }
      const draws: string[] = [];
      for (;;) {
        const { held } = scenario.when('claim', { by: 'cy', hold: 1 }).result;
        if (held[0] === undefined) break;
        const { draw } = claimed(scenario, 'cy');
        draws.push(draw);
        answered(scenario, 'cy', 'cat');
      }
      const isExtra = draws.map((draw) => draw === 'EXTRA_OPINION');
      expect(isExtra.filter(Boolean)).toHaveLength(30);
      // All of the other work is done while extra opinions come one at a time.
      const among = isExtra.slice(0, isExtra.lastIndexOf(false) + 1);
      expect(among.filter((extra) => !extra)).toHaveLength(30);
      const blocks = Array.from({ length: Math.floor(among.length / 5) }, (_, block) =>
        among.slice(5 * block, 5 * block + 5),
      );
      for (const block of blocks) expect(block.filter(Boolean)).toHaveLength(1);
      // At no place of their own.
      expect(new Set(blocks.map((block) => block.indexOf(true))).size).toBeGreaterThan(2);
    },
  );

  it('may be an answer that came late: it counts at once, and is left out of agreement all the same', () => {
    const scenario = samples(1, { assignmentMinutes: 1 });
    const late = claimed(scenario, 'ann');
    scenario.after(2 * MINUTE);
    answered(scenario, 'bob', 'cat');
    const { assignment } = claimed(scenario, 'cy');
    const submission = { label: 'dog', milliseconds: null, hold: null };
    scenario
      .when('submit', { by: 'ann', assignment: late.assignment, ...submission })
      .thenEvents({ type: 'submitted', counted: false });
    scenario
      .when('submit', { by: 'cy', assignment, ...submission })
      .thenEvents(SUBMITTED, ASKED, { type: 'promoted', assignment: late.assignment });
    const { assignments, agreement } = scenario.project;
    expect(assignments.draw(assignments.ids.indexOf(late.assignment))).toBe('EXTRA_OPINION');
    expect(agreement.overall().raw).toMatchObject({ n: 1, answers: 2 });
  });

  it('is not asked where the policy has none, people agree, somebody has ruled, or nobody would be asked', () => {
    const disagreeing = (policy: PolicyChange, last = 'dog') => {
      const scenario = samples(1, policy);
      answered(scenario, 'ann', 'cat');
      return { scenario, outcome: () => answered(scenario, 'bob', last) };
    };
    disagreeing({ extraOpinions: 0 }).outcome().thenEvents(SUBMITTED);
    disagreeing({}, 'cat').outcome().thenEvents(SUBMITTED);
    const ruled = disagreeing({});
    ruled.scenario.given('rule', { by: 'owner', sample: 0, label: 'owl', reason: 'r' });
    ruled.outcome().thenEvents(SUBMITTED);

    const waiting = samples(1, { withoutRound: 'WAIT' }).opened([0]);
    answered(waiting, 'ann', 'cat');
    const { assignment } = claimed(waiting, 'bob');
    waiting.given('closeRound', { by: 'dora', number: 1 });
    waiting
      .when('submit', { by: 'bob', assignment, label: 'dog', milliseconds: null, hold: null })
      .thenEvents(SUBMITTED);
  });

  it('is refused a cap out of range', () => {
    for (const extraOpinions of [-1, 11, 0.5]) {
      samples(1)
        .when('changePolicy', { by: 'owner', change: { extraOpinions } })
        .thenRefused('INVALID_INPUT', { field: 'policy.extraOpinions' });
    }
  });
});
