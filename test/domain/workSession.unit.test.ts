import { describe, expect, it } from 'vitest';
import { MINUTE, pool, START } from './scenario.ts';

const stints = { workSession: { minutes: 30, breakMinutes: 5 }, assignmentMinutes: 60 };

describe('a work session', () => {
  it('begins with the first grant', () => {
    const scenario = pool(2, stints);
    scenario.when('claim', { by: 'ann', hold: 2 }).thenEvents(
      {
        type: 'workSessionStarted',
        member: 'ann',
        until: START + 30 * MINUTE,
        breakUntil: START + 35 * MINUTE,
      },
      { type: 'granted' },
      { type: 'granted' },
    );
    expect(scenario.project.annotator('ann')?.session).toEqual({
      startedAt: START,
      until: START + 30 * MINUTE,
      breakUntil: START + 35 * MINUTE,
      answersBefore: 0,
    });
  });

  it('does not begin when there is nothing to do', () => {
    const scenario = pool(0, stints);
    scenario.when('claim', { by: 'ann', hold: 1 }).thenNothing();
  });

  it('ends by itself; what is held may still be answered, and nothing new comes before the break is over', () => {
    const scenario = pool(3, stints);
    scenario.claims('ann', 2);
    scenario.after(30 * MINUTE);
    const outcome = scenario.submits('ann', 0, 'cat', 5);
    outcome.thenEvents({ type: 'submitted', counted: true });
    expect(outcome.result.claim).toMatchObject({ held: [1], empty: null });
    scenario.submits('ann', 1);
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'WORK_SESSION_OVER', until: START + 35 * MINUTE });
    scenario
      .after(5 * MINUTE)
      .when('claim', { by: 'ann', hold: 1 })
      .thenEvents({ type: 'workSessionStarted', until: START + 65 * MINUTE }, { type: 'granted' });
  });

  it("is everyone's own", () => {
    const scenario = pool(2, stints);
    scenario.claims('ann');
    scenario.after(30 * MINUTE);
    expect(scenario.claims('bob')).toEqual([1]);
  });

  it('can be ended early: the break begins then', () => {
    const scenario = pool(3, stints);
    scenario.claims('ann');
    scenario
      .after(10 * MINUTE)
      .when('endWorkSession', { by: 'ann' })
      .thenEvents({ type: 'workSessionEnded', member: 'ann', breakUntil: START + 15 * MINUTE });
    scenario.when('endWorkSession', { by: 'ann' }).thenNothing();
    expect(scenario.project.annotator('ann')?.session).toMatchObject({
      startedAt: START,
      until: START + 10 * MINUTE,
    });
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'WORK_SESSION_OVER', until: START + 15 * MINUTE });
    scenario.after(5 * MINUTE);
    expect(scenario.claims('ann')).toEqual([1]);
  });

  it('that never began cannot end', () => {
    pool(1, stints).when('endWorkSession', { by: 'ann' }).thenNothing();
  });

  it('has no bound where the policy sets none, even for one whose session was over', () => {
    const scenario = pool(2, stints);
    scenario.labels('ann');
    scenario.given('endWorkSession', { by: 'ann' });
    scenario.given('changePolicy', { by: 'owner', change: { workSession: { minutes: 0 } } });
    scenario.when('claim', { by: 'ann', hold: 1 }).thenEvents({ type: 'granted' });
  });
});
