import { describe, expect, it } from 'vitest';
import { announcedAt, roundProgress } from '../../src/domain/announced.ts';
import { candidatePool, mayOpenRound } from '../../src/domain/rounds.ts';
import { chosen, MINUTE, pool, project, START } from './scenario.ts';

describe('opening a round', () => {
  it('records what was chosen, in its order', () => {
    const scenario = project({}, { samples: 5 });
    const outcome = scenario.when('openRound', { by: 'driver', choice: chosen([4, 0, 2]), deadline: null });
    outcome.thenEvents({
      type: 'roundOpened',
      round: 1,
      run: null,
      seed: 7,
      samples: Uint32Array.of(4, 0, 2),
      scores: Float64Array.of(-0, -1, -2),
      random: Uint8Array.of(0, 0, 0),
      audits: Uint32Array.of(),
    });
    expect(outcome.result).toMatchObject({ number: 1, size: 3, unsettled: 3, isOpen: true, openedAt: START });
    expect(scenario.claims('ann', 3)).toEqual([4, 0, 2]);
  });

  it('says of each sample whether it is of the random share', () => {
    const scenario = project({}, { samples: 3 }).opened([2, 0, 1], { random: Uint8Array.of(0, 1, 0) });
    scenario.claims('ann', 3);
    const { assignments } = scenario.project;
    expect([0, 1, 2].map((row) => assignments.draw(row))).toEqual(['UNCERTAIN', 'RANDOM', 'UNCERTAIN']);
  });

  it('leaves out what was taken or given up while the strategy ran', () => {
    const scenario = pool(5, { skipLimit: 1 });
    scenario.labels('ann');
    scenario.claims('ann', 2);
    scenario.given('skip', { by: 'ann', assignment: scenario.idOf('ann', 2), reason: '' });
    const choice = chosen([0, 4, 1, 2, 3], { random: Uint8Array.of(0, 1, 0, 0, 0) });
    scenario.when('openRound', { by: 'driver', choice, deadline: null }).thenEvents({
      type: 'roundOpened',
      samples: Uint32Array.of(4, 3),
      scores: Float64Array.of(-1, -4),
      normalised: Float64Array.of(0.8, 1 - 4 / 5),
      random: Uint8Array.of(1, 0),
    });
  });

  it('is refused when nothing of the choice is left', () => {
    const scenario = pool(2);
    scenario.labels('ann');
    const choice = chosen([0]);
    scenario
      .when('openRound', { by: 'driver', choice, deadline: null })
      .thenRefused('NOTHING_TO_SELECT', { unlabelled: 1 });
  });

  it('is refused while another is open', () => {
    const scenario = project({}, { samples: 3 }).opened([0]);
    scenario
      .when('openRound', { by: 'driver', choice: chosen([1]), deadline: null })
      .thenRefused('ROUND_OPEN', { round: 1 });
    expect(() => mayOpenRound(scenario.project, 1, null, START)).toThrow(/Round 1 is open/);
  });

  it('is refused early for a size or a deadline that cannot be', () => {
    const { project: empty } = project();
    expect(() => mayOpenRound(empty, 0, null, START)).toThrow(/size/);
    expect(() => mayOpenRound(empty, 100_001, null, START)).toThrow(/size/);
    expect(() => mayOpenRound(empty, 5, START, START)).toThrow(/deadline/);
    expect(() => mayOpenRound(empty, 5, START + 1, START)).not.toThrow();
  });
});

describe('what a strategy may choose from', () => {
  it('is what nobody has answered, holds or has given up; the auto-accepted are marked', () => {
    const scenario = pool(6, { autoAcceptThreshold: 0.9, skipLimit: 1 });
    scenario.labels('ann');
    scenario.claims('ann', 2);
    scenario.given('skip', { by: 'ann', assignment: scenario.idOf('ann', 1), reason: '' });
    scenario.predicted({ 0: { sure: 1 }, 4: { sure: 1 } });
    const { ordinals, accepted } = candidatePool(scenario.project);
    expect([...ordinals]).toEqual([3, 4, 5]);
    expect([...accepted]).toEqual([0, 1, 0]);
  });
});

describe('closing a round', () => {
  it('happens by itself, once each sample is answered or unanswerable', () => {
    const scenario = project({ skipLimit: 1 }, { samples: 3 }).opened([2, 0]);
    scenario.labels('ann');
    expect(scenario.project.openRound?.unsettled).toBe(1);
    scenario.claims('ann');
    scenario
      .when('skip', { by: 'ann', assignment: scenario.idOf('ann', 0), reason: '' })
      .thenEvents(
        { type: 'skipped', unanswerable: true },
        { type: 'roundClosed', round: 1, reason: 'SETTLED', withdrawn: 0 },
      );
    expect(scenario.project.openRound).toBeUndefined();
    expect(scenario.project.rounds[0]).toMatchObject({ unsettled: 0, unanswerable: 1, closedAt: START });
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'NO_ROUND' });
  });

  it('waits for as many labels as the overlap asks', () => {
    const scenario = project({ overlap: 2, overlapShare: 1 }, { samples: 1 }).opened([0]);
    scenario.labels('ann');
    expect(scenario.project.openRound?.unsettled).toBe(1);
    scenario.claims('bob');
    scenario.submits('bob', 0).thenEvents({ type: 'submitted' }, { type: 'roundClosed', reason: 'SETTLED' });
  });

  it('by a driver withdraws the rest, which go back to the pool; what is in hands may be answered', () => {
    const scenario = pool(3).opened([2, 1]);
    scenario.claims('ann');
    scenario
      .when('closeRound', { by: 'dora', number: 1 })
      .thenEvents({ type: 'roundClosed', round: 1, reason: 'WITHDRAWN', withdrawn: 2, by: 'dora' });
    expect(scenario.claims('bob', 3)).toEqual([0, 1]);
    scenario.submits('ann', 2).thenEvents({ type: 'submitted', counted: true });
    // A closed round stays as it was closed.
    expect(scenario.project.rounds[0]).toMatchObject({ unsettled: 2, isOpen: false });
  });

  it('does nothing to a closed round, and refuses one that never was', () => {
    const scenario = project({}, { samples: 1 }).opened([0]).given('closeRound', { by: 'dora', number: 1 });
    scenario.when('closeRound', { by: 'dora', number: 1 }).thenNothing();
    scenario.when('closeRound', { by: 'dora', number: 2 }).thenRefused('NOT_FOUND', { what: 'round' });
  });

  it('happens at its deadline, before anything else is decided', () => {
    const scenario = project({}, { samples: 2 }).opened([0, 1], {}, START + 5 * MINUTE);
    scenario.claims('ann');
    scenario
      .after(5 * MINUTE - 1)
      .when('sweep', {})
      .thenNothing();
    const claim = scenario.after(1).when('claim', { by: 'bob', hold: 1 });
    claim.thenEvents({ type: 'roundClosed', reason: 'DEADLINE', withdrawn: 2 });
    expect(claim.result.empty).toEqual({ reason: 'NO_ROUND' });
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
  });

  it('lets the next begin, with what is left', () => {
    const scenario = project({}, { samples: 3 }).opened([2]);
    scenario.labels('ann');
    scenario.opened([0, 2, 1]);
    expect(scenario.project.openRound).toMatchObject({ number: 2, size: 2 });
    expect(scenario.claims('ann', 3)).toEqual([0, 1]);
  });
});

describe('audits announced with a round', () => {
  const scenario = (audits: number, size: number) => {
    const sure = Object.fromEntries(Array.from({ length: audits }, (_, sample) => [sample, { sure: 1 }]));
    const policy = { autoAcceptThreshold: 0.9, audit: { share: 1, cap: 100, errorLimit: 0.05 } };
    return project(policy, { samples: audits + size })
      .predicted(sure)
      .opened(Array.from({ length: size }, (_, i) => audits + i));
  };

  it('are as many as its claims will reach, the first of the run, at places among all that is announced', () => {
    const { openRound, currentRun } = scenario(10, 20).project;
    const { audits = [], auditRanks = [] } = openRound?.opened ?? {};
    expect([...audits]).toEqual([...(currentRun?.published.audits.slice(0, 5) ?? [])]);
    expect(new Set(auditRanks).size).toBe(5);
    expect([...auditRanks]).toEqual([...auditRanks].sort((a, b) => a - b));
    // At the last rank nobody would be asked: the round closes with the last of the chosen.
    for (const rank of auditRanks) expect(rank).toBeLessThan(24);
  });

  it('never stand last, whatever the seed', () => {
    for (let seed = 0; seed < 200; seed++) {
      const policy = { autoAcceptThreshold: 0.9, audit: { share: 1, cap: 100, errorLimit: 0.05 } };
      const { openRound } = project(policy, { samples: 12, seed })
        .predicted({ 0: { sure: 1 }, 1: { sure: 1 } })
        .opened([2, 3, 4, 5, 6, 7, 8, 9]).project;
      const { audits = [], auditRanks = [], samples = [] } = openRound?.opened ?? {};
      expect(audits).toHaveLength(2);
      expect(Math.max(...auditRanks)).toBeLessThan(samples.length + audits.length - 1);
    }
  });

  it('are all of the run if the round is long, and none of what is in the round or taken', () => {
    expect(scenario(3, 40).project.openRound?.opened.audits).toHaveLength(3);
    const other = scenario(10, 20).given('closeRound', { by: 'dora', number: 1 });
    const first = other.project.currentRun?.published.audits[0] as number;
    other.opened([first, ...Array.from({ length: 19 }, (_, i) => 10 + i)]);
    expect([...(other.project.openRound?.opened.audits ?? [])]).not.toContain(first);
  });

  it('do not keep a round that closed settled from looking whole', () => {
    const round = scenario(10, 20);
    const { audits = [] } = round.project.openRound?.opened ?? {};
    const mine = Array.from({ length: 20 }, (_, i) => 10 + i);
    for (let asked = 0; asked < 30 && round.project.openRound; asked++) {
      const [row = -1] = round.when('claim', { by: 'ann', hold: 1 }).result.held;
      const sample = round.project.assignments.sample.get(row);
      const assignment = round.project.assignments.ids.keyAt(row);
      if (mine.includes(sample)) {
        round.given('submit', { by: 'ann', assignment, label: 'cat', milliseconds: null, hold: null });
      } else round.given('skip', { by: 'ann', assignment, reason: '' });
    }
    const [closed] = round.project.rounds;
    if (closed === undefined) throw new Error('unreachable');
    expect(closed.closed?.reason).toBe('SETTLED');
    expect(audits).toHaveLength(5);
    expect(roundProgress(round.project, closed)).toEqual({ total: 25, settled: 25 });
  });
});

it('a sample keeps the priority that it was announced with, whatever becomes of the policy', () => {
  const scenario = project({ priority: { threshold: 0.5, score: 'NORMALISED' } }, { samples: 4 });
  scenario.opened([0, 1, 2, 3]);
  const priorities = () => {
    const [round] = scenario.project.rounds;
    return round ? [0, 1, 2, 3].map((rank) => announcedAt(round, rank).priority) : [];
  };
  const before = priorities();
  expect(before).toEqual(['HIGH', 'HIGH', 'MEDIUM', 'MEDIUM']);
  scenario.given('changePolicy', { by: 'owner', change: { priority: { threshold: 0 } } });
  expect(priorities()).toEqual(before);
});
