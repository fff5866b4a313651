import { describe, expect, it } from 'vitest';
import { MAX_HOLD } from '../../src/domain/claim.ts';
import { MINUTE, pool, project, START } from './scenario.ts';

describe('a claim', () => {
  it('puts the next in order into hands, with a time', () => {
    pool(3)
      .when('claim', { by: 'ann', hold: 1 })
      .thenEvents({
        type: 'granted',
        member: 'ann',
        sample: 0,
        draw: 'POOL',
        until: START + 10 * MINUTE,
        suggestion: -1,
        predicted: -1,
      });
  });

  it('tops up to what is asked, and no further: two tabs share one queue', () => {
    const scenario = pool(5);
    expect(scenario.claims('ann', 3)).toEqual([0, 1, 2]);
    scenario.when('claim', { by: 'ann', hold: 3 }).thenNothing();
    scenario.when('claim', { by: 'ann', hold: 2 }).thenNothing();
    scenario.when('claim', { by: 'ann', hold: 4 }).thenEvents({ type: 'granted', sample: 3 });
    scenario.submits('ann', 1);
    expect(scenario.claims('ann', 4)).toEqual([0, 2, 3, 4]);
  });

  it('tops up with a submit, in the same commit', () => {
    const scenario = pool(5);
    scenario.claims('ann', 2);
    const outcome = scenario.submits('ann', 0, 'cat', 3);
    outcome.thenEvents({ type: 'submitted' }, { type: 'granted', sample: 2 }, { type: 'granted', sample: 3 });
    expect(outcome.result.claim?.held.map((row) => scenario.sampleOf(row))).toEqual([1, 2, 3]);
    expect(scenario.submits('ann', 0, 'cat', 3).thenNothing().result.claim?.held).toHaveLength(3);
  });

  it.each([0, -1, 1.5, Number.NaN, MAX_HOLD + 1])('refuses to hold %s', (hold) => {
    pool(1).when('claim', { by: 'ann', hold }).thenRefused('INVALID_INPUT', { field: 'hold' });
  });

  it('gives each sample to as many as its overlap, and to nobody twice', () => {
    const scenario = project({ overlap: 2, overlapShare: 1 }, { samples: 3 }).opened([2, 0, 1]);
    expect(scenario.claims('ann', 2)).toEqual([2, 0]);
    expect(scenario.claims('bob', 1)).toEqual([2]);
    expect(scenario.claims('cy', 3)).toEqual([0, 1]);
    expect(scenario.claims('bob', 3)).toEqual([2, 1]);
    expect(scenario.claims('ann', 3)).toEqual([2, 0]);
  });

  it('follows the order, whoever gave back what', () => {
    const scenario = project({}, { samples: 6 }).opened([5, 4, 3, 2, 1, 0]);
    expect(scenario.claims('ann', 2)).toEqual([5, 4]);
    expect(scenario.claims('bob', 2)).toEqual([3, 2]);
    scenario.given('release', { by: 'ann', assignment: scenario.idOf('ann', 4) });
    scenario.given('release', { by: 'bob', assignment: scenario.idOf('bob', 3) });
    expect(scenario.claims('cy', 3)).toEqual([4, 3, 1]);
  });

  it('gives back to the same person what they lost, even where there was room for others all the time', () => {
    const scenario = project({ overlap: 2, overlapShare: 1 }, { samples: 2 }).opened([1, 0]);
    scenario.claims('ann', 2);
    const assignment = scenario.idOf('ann', 1);
    scenario.given('release', { by: 'ann', assignment });
    scenario.when('claim', { by: 'ann', hold: 2 }).thenEvents({ type: 'granted', sample: 1, assignment });
  });

  it('serves the pool in the order of import, without what the model is sure of', () => {
    const scenario = pool(4, { autoAcceptThreshold: 0.9, audit: { share: 0 } });
    scenario.predicted({ 1: { sure: 1 }, 2: { sure: 0.6 } });
    expect(scenario.claims('ann', 4)).toEqual([0, 2, 3]);
  });

  it('serves what is imported later', () => {
    const scenario = pool(1);
    scenario.labels('ann');
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'DONE' });
    expect(scenario.imported(2).claims('ann', 5)).toEqual([1, 2]);
  });
});

describe('a suggestion', () => {
  const suggestions = (policy: object) => {
    const scenario = pool(200, { suggestions: 'SHOWN', ...policy });
    scenario.predicted(
      Object.fromEntries(Array.from({ length: 200 }, (_, i) => [i, { sure: 0.6, label: 2 }])),
    );
    scenario.claims('ann', 100);
    return Array.from(scenario.project.assignments.suggestion.view());
  };

  it('is the predicted class, or nothing where the policy hides it', () => {
    expect(new Set(suggestions({ hiddenShare: 0, audit: { share: 0 } }))).toEqual(new Set([2]));
    expect(new Set(suggestions({ suggestions: 'HIDDEN' }))).toEqual(new Set([-1]));
  });

  it('is hidden in a random share of all work', () => {
    const hidden = suggestions({ hiddenShare: 0.3 }).filter((suggestion) => suggestion === -1).length;
    expect(hidden).toBeGreaterThan(15);
    expect(hidden).toBeLessThan(45);
  });
});

describe('audits', () => {
  const AUDITED = 30;
  const scenario = (seed = 1) => {
    const policy = { autoAcceptThreshold: 0.9, audit: { share: 1, cap: 100, errorLimit: 0.5 } };
    const sure = Object.fromEntries(Array.from({ length: AUDITED }, (_, i) => [i, { sure: 1, label: 1 }]));
    const rest = Array.from({ length: 100 }, (_, i) => AUDITED + i);
    return project({ ...policy, suggestions: 'SHOWN' }, { samples: AUDITED + 100 })
      .predicted(sure)
      .opened(rest, { seed });
  };

  it('come between the samples of a round: one at a random place in every five', () => {
    const rounds = [1, 2].map((seed) => {
      const claimed = scenario(seed);
      return Array.from({ length: 50 }, () => claimed.labels('ann', 'dog') < AUDITED);
    });
    for (const isAudit of rounds) {
      const places = Array.from({ length: 10 }, (_, block) => isAudit.slice(block * 5, block * 5 + 5));
      for (const block of places) expect(block.filter(Boolean)).toHaveLength(1);
      expect(new Set(places.map((block) => block.indexOf(true))).size).toBeGreaterThan(2);
    }
    expect(rounds[0]).not.toEqual(rounds[1]);
  });

  it('are asked in the order that was drawn, of one person each, and show no suggestion', () => {
    const claimed = scenario();
    claimed.claims('ann', 20);
    claimed.claims('bob', 20);
    const { assignments, currentRun } = claimed.project;
    const rows = Array.from({ length: assignments.size }, (_, row) => row);
    const audits = rows.filter((row) => assignments.draw(row) === 'AUDIT');
    const asked = audits.map((row) => assignments.sample.get(row));
    expect(asked).toEqual([...(currentRun?.published.audits.slice(0, 8) ?? [])]);
    for (const row of audits) {
      expect(assignments.suggestion.get(row)).toBe(-1);
      expect(assignments.predicted.get(row)).toBe(1);
      expect(assignments.run.get(row)).toBe(1);
    }
  });

  it('come at any of the five places in the pool too, another one for each person', () => {
    const claimed = pool(400, { autoAcceptThreshold: 0.9, audit: { share: 1, cap: 100, errorLimit: 0.5 } });
    claimed.predicted(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, { sure: 1, label: 1 }])));
    const placesOf = (person: string) => {
      const isAudit = Array.from({ length: 50 }, () => claimed.labels(person, 'dog') < 100);
      return Array.from({ length: 10 }, (_, block) => isAudit.slice(block * 5, block * 5 + 5).indexOf(true));
    };
    const [ann, bob] = [placesOf('ann'), placesOf('bob')];
    expect(ann).not.toContain(-1);
    expect(new Set([...ann, ...bob])).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(ann).not.toEqual(bob);
  });

  it('never come alone: with the last of the round they end too', () => {
    const policy = { autoAcceptThreshold: 0.9, audit: { share: 1, cap: 100, errorLimit: 0.5 } };
    const claimed = project(policy, { samples: 12 })
      .predicted(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [i, { sure: 1 }])))
      .opened([10, 11]);
    const samples = claimed.claims('ann', 10);
    expect(samples).toContain(10);
    expect(samples.at(-1)).toBe(11);
    expect(samples.length).toBeLessThanOrEqual(3);
  });
});

describe('an empty claim says why', () => {
  it('PAUSED, while what is held may be answered', () => {
    const scenario = pool(3);
    scenario.claims('ann');
    scenario.given('changePolicy', { by: 'owner', change: { paused: true } });
    expect(scenario.emptyFor('bob')).toEqual({ reason: 'PAUSED' });
    expect(scenario.emptyFor('ann')).toBeNull();
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'PAUSED' });
  });

  it('NO_ROUND, where work comes in rounds', () => {
    expect(project({}, { samples: 1 }).emptyFor('ann')).toEqual({ reason: 'NO_ROUND' });
  });

  it('DONE, when everything has its answers', () => {
    const scenario = pool(1);
    scenario.labels('ann');
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'DONE' });
    expect(pool(0).emptyFor('ann')).toEqual({ reason: 'DONE' });
  });

  it('ALL_HELD, with the time when the first comes back', () => {
    const scenario = pool(2);
    scenario.claims('ann');
    scenario.after(MINUTE).claims('bob');
    expect(scenario.emptyFor('cy')).toEqual({ reason: 'ALL_HELD', until: START + 10 * MINUTE });
    scenario.submits('ann', 0);
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'ALL_HELD', until: START + 11 * MINUTE });
    scenario.after(10 * MINUTE);
    expect(scenario.claims('ann')).toEqual([1]);
  });

  it('ALL_HELD, looking at hands that have a place to give back', () => {
    const scenario = pool(1);
    scenario.claims('ann');
    scenario.after(10 * MINUTE).claims('bob');
    scenario.submits('ann', 0);
    const own = (by: string) => ({ by, assignment: scenario.idOf(by, 0) });
    scenario.after(5 * MINUTE).given('undo', own('ann'));
    scenario.after(MINUTE).given('renew', own('bob'));
    // Ann's hand, until 25, holds no place: her answer was surplus.
    expect(scenario.emptyFor('cy')).toEqual({ reason: 'ALL_HELD', until: START + 26 * MINUTE });
  });

  it('ALL_HAD_BY_YOU, when what is left waits for others', () => {
    const scenario = project({ overlap: 2, overlapShare: 1 }, { samples: 1 }).opened([0]);
    scenario.labels('ann');
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'ALL_HAD_BY_YOU' });
    scenario.claims('bob');
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'ALL_HAD_BY_YOU' });
    expect(scenario.emptyFor('cy')).toEqual({ reason: 'ALL_HELD', until: START + 10 * MINUTE });
  });

  it('looks at the round alone while one is open', () => {
    const scenario = pool(3);
    scenario.claims('ann');
    scenario.opened([2]);
    scenario.claims('bob');
    scenario.given('skip', { by: 'bob', assignment: scenario.idOf('bob', 2), reason: '' });
    expect(scenario.emptyFor('bob')).toEqual({ reason: 'ALL_HAD_BY_YOU' });
  });
});

it('lets go a bounded number at a time of what has run out, so that a commit stays small', () => {
  const scenario = pool(2_500);
  for (let person = 0; person < 25; person++) scenario.claims(`person ${person}`, 100);
  scenario.after(24 * 60 * MINUTE);
  const held = () => scenario.project.held.size;
  scenario.given('sweep', {});
  expect(held()).toBe(1_500);
  scenario.given('sweep', {}).given('sweep', {});
  expect(held()).toBe(0);
});
