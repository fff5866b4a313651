import { describe, expect, it } from 'vitest';
import { preAnnotate } from '../../src/domain/predicting.ts';
import { Refusal } from '../../src/domain/refusals.ts';
import { decodeVerdicts, encodeVerdicts } from '../../src/domain/verdicts.ts';
import { MINUTE, pool, project, type Scenario } from './scenario.ts';

const ordinals = (...values: number[]) => Uint32Array.from(values);
const auditAll = { share: 1, cap: 100, errorLimit: 0.05 };

/** As many samples, all as sure as that. */
const allSure = (count: number, sure: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, sample) => [sample, { sure }]));

describe('pre-annotation', () => {
  it('is the most probable class and its probability; of equals the first', () => {
    const verdicts = preAnnotate(ordinals(4, 7), Float32Array.of(0.1, 0.7, 0.2, 0.4, 0.2, 0.4), 3);
    expect([...verdicts.labels]).toEqual([1, 0]);
    expect([...verdicts.confidences]).toEqual([Math.fround(0.7), Math.fround(0.4)]);
  });

  it('names the first rows that are no probabilities, and counts all', () => {
    const rows = [
      [0.5, 0.5],
      [Number.NaN, 1],
      [1.2, -0.2],
      [0.5, 0.4],
      [0, Number.POSITIVE_INFINITY],
    ];
    try {
      preAnnotate(ordinals(0, 1, 2, 3, 4), Float32Array.from(rows.flat()), 2);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect(error).toMatchObject({
        code: 'BAD_PROBABILITIES',
        details: {
          count: 4,
          badRows: [
            { row: 1, problem: 'class 0 has NaN' },
            { row: 2, problem: expect.stringMatching(/^class 0 has 1.2/) },
            { row: 3, problem: 'the sum is 0.900000, not 1' },
            { row: 4, problem: 'class 1 has Infinity' },
          ],
        },
      });
    }
  });

  it('names ten rows of many', () => {
    const bad = () => preAnnotate(new Uint32Array(50), new Float32Array(100), 2);
    expect(bad).toThrow(
      expect.objectContaining({ details: { count: 50, badRows: expect.objectContaining({ length: 10 }) } }),
    );
  });

  it('takes the softmax of a thousand classes in float32', () => {
    const logits = Array.from({ length: 1_000 }, (_, i) => Math.exp(Math.sin(i) * 5));
    const sum = logits.reduce((a, b) => a + b);
    expect(() =>
      preAnnotate(
        ordinals(0),
        Float32Array.from(logits, (x) => x / sum),
        1_000,
      ),
    ).not.toThrow();
  });

  it('is kept as bytes, which may come back at any offset of any kind of buffer', () => {
    const verdicts = preAnnotate(ordinals(4, 7), Float32Array.of(0.1, 0.9, 0.3, 0.7), 2);
    const bytes = encodeVerdicts(verdicts);
    expect(decodeVerdicts(bytes)).toEqual(verdicts);
    const shifted = Buffer.alloc(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeVerdicts(shifted.subarray(3))).toEqual(verdicts);
    expect(decodeVerdicts(new Uint8Array(shifted.buffer, shifted.byteOffset + 3, bytes.length))).toEqual(
      verdicts,
    );
    expect(() => decodeVerdicts(bytes.subarray(1))).toThrow(RangeError);
  });
});

describe('a prediction run', () => {
  it('auto-accepts what is as sure as the threshold in float32', () => {
    const scenario = project({ autoAcceptThreshold: 0.95, audit: { share: 0 } }, { samples: 4 });
    const parts = [scenario.uploaded({ 0: { sure: 0.95 }, 1: { sure: 0.9499 }, 2: { sure: 1, label: 2 } })];
    const outcome = scenario.when('publishPredictions', { by: 'driver', model: 'm1', parts });
    outcome.thenEvents({
      type: 'predictionsPublished',
      run: 1,
      model: 'm1',
      accepted: 2,
      threshold: Math.fround(0.95),
    });
    const { samples, currentRun } = scenario.project;
    expect([0, 1, 2, 3].map((sample) => scenario.project.isAutoAccepted(sample))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([...samples.predicted.view()]).toEqual([0, 0, 2, -1]);
    expect(currentRun).toMatchObject({ number: 1, rows: 3, autoAccept: 'PROVISIONAL' });
  });

  it('accepts nothing without a threshold, nor what people have answered or given up', () => {
    const without = pool(2).predicted(allSure(2, 1));
    expect(without.project.currentRun?.published).toMatchObject({ accepted: 0, threshold: null });

    const scenario = pool(3, { autoAcceptThreshold: 0.9, skipLimit: 1 });
    scenario.labels('ann');
    scenario.claims('ann');
    scenario.given('skip', { by: 'ann', assignment: scenario.idOf('ann', 1), reason: '' });
    scenario.predicted(allSure(3, 1));
    expect(scenario.project.currentRun?.published.accepted).toBe(1);
    expect([0, 2].map((sample) => scenario.project.isAutoAccepted(sample))).toEqual([false, true]);
  });

  it('takes the place of the one before: what it does not speak of has no prediction', () => {
    const scenario = pool(3, { autoAcceptThreshold: 0.9, audit: { share: 0 } }).predicted(allSure(3, 1));
    expect(scenario.emptyFor('ann')).toEqual({ reason: 'DONE' });
    scenario.predicted({ 1: { sure: 1 } });
    expect(scenario.project.currentRun?.number).toBe(2);
    expect([...scenario.project.samples.predicted.view()]).toEqual([-1, 0, -1]);
    expect(scenario.claims('ann', 5)).toEqual([0, 2]);
  });

  it('leaves what is in hands as it is', () => {
    const scenario = pool(2, { autoAcceptThreshold: 0.9, suggestions: 'SHOWN' }).predicted({
      0: { sure: 0.5 },
    });
    scenario.claims('ann');
    const before = { ...scenario.project.annotator('ann') };
    scenario.predicted({ 0: { sure: 1, label: 2 } });
    expect({ ...scenario.project.annotator('ann') }).toEqual(before);
    const [row = -1] = scenario.project.annotator('ann')?.held ?? [];
    expect(scenario.project.assignments.suggestion.get(row)).toBe(0);
    scenario.submits('ann', 0).thenEvents({ type: 'submitted', counted: true });
  });

  it('draws its audits within the budget, uniformly, in a random order', () => {
    const audits = (share: number, cap: number, seed = 1) => {
      const policy = { autoAcceptThreshold: 0.9, audit: { share, cap, errorLimit: 0.05 } };
      const scenario = project(policy, { samples: 500, seed }).predicted(allSure(400, 0.99));
      return [...(scenario.project.currentRun?.published.audits ?? [])];
    };
    expect(audits(0.05, 200)).toHaveLength(20);
    expect(audits(0.0501, 200)).toHaveLength(21);
    expect(audits(0.5, 30)).toHaveLength(30);
    expect(audits(0, 200)).toEqual([]);
    const drawn = audits(0.5, 200);
    expect(new Set(drawn).size).toBe(200);
    expect(Math.max(...drawn)).toBeLessThan(400);
    expect(drawn).not.toEqual(drawn.toSorted((a, b) => a - b));
    expect(audits(0.5, 200)).toEqual(drawn);
    expect(audits(0.5, 200, 2)).not.toEqual(drawn);
    // The first fifty are a sample of all, not of the beginning: mean 199.5, standard deviation 15.3.
    const mean = drawn.slice(0, 50).reduce((a, b) => a + b) / 50;
    expect(Math.abs(mean - 199.5)).toBeLessThan(60);
  });

  it('refuses a sample in two of its parts, and changes nothing', () => {
    const scenario = project({ autoAcceptThreshold: 0.9 }, { samples: 3 });
    const parts = [scenario.uploaded(allSure(2, 1)), scenario.uploaded({ 1: { sure: 1 }, 2: { sure: 1 } })];
    scenario
      .when('publishPredictions', { by: 'driver', model: 'm', parts })
      .thenRefused('DUPLICATE_KEYS', { count: 1, keys: ['s1'] });
    expect(scenario.project.currentRun).toBeUndefined();
  });

  it('refuses no parts and no model', () => {
    const scenario = project({}, { samples: 1 });
    const parts = [scenario.uploaded(allSure(1, 1))];
    const publish = (model: string, given = parts) =>
      scenario.when('publishPredictions', { by: 'driver', model, parts: given });
    publish('m', []).thenRefused('INVALID_INPUT', { field: 'parts' });
    publish('').thenRefused('INVALID_INPUT', { field: 'model' });
    publish('m'.repeat(201)).thenRefused('INVALID_INPUT', { field: 'model' });
  });
});

describe('people against the model', () => {
  const shown = {
    suggestions: 'SHOWN',
    hiddenShare: 0,
    audit: { share: 0, cap: 0, errorLimit: 0.05 },
  } as const;

  it('is counted by draw and by whether the prediction was shown, against the run that was current when it was asked', () => {
    const scenario = pool(6, shown).predicted({
      0: { sure: 0.6 },
      1: { sure: 0.6 },
      2: { sure: 0.6, label: 1 },
    });
    scenario.labels('ann', 'cat');
    scenario.labels('ann', 'dog');
    const [third = -1] = scenario.claims('ann');
    // Another run comes, and the answer is still to what was shown.
    scenario.predicted({ 2: { sure: 0.6, label: 2 }, 3: { sure: 0.6, label: 2 } });
    scenario.submits('ann', third, 'dog');
    scenario.labels('ann', 'owl');
    // Nothing was predicted of this one.
    scenario.labels('ann', 'owl');
    expect(scenario.project.runs.map((run) => run.peopleAgainstModel())).toMatchObject([
      [{ draw: 'POOL', mode: 'SHOWN', isOffered: true, answers: 3, agreeing: 2, kappa: { n: 3 } }],
      [{ draw: 'POOL', mode: 'SHOWN', isOffered: true, answers: 1, agreeing: 1 }],
    ]);
  });

  it('forgets what is undone, and keeps what was hidden apart', () => {
    const scenario = pool(3, { ...shown, suggestions: 'HIDDEN' }).predicted({ 0: { sure: 0.6 } });
    scenario.labels('ann', 'dog');
    const [run] = scenario.project.runs;
    expect(run?.peopleAgainstModel()).toMatchObject([
      { mode: 'HIDDEN', isOffered: false, answers: 1, agreeing: 0 },
    ]);
    scenario.given('undo', { by: 'ann', assignment: scenario.idOf('ann', 0) });
    expect(run?.peopleAgainstModel()).toEqual([]);
    scenario.submits('ann', 0, 'cat');
    expect(run?.peopleAgainstModel()).toMatchObject([
      { mode: 'HIDDEN', isOffered: false, answers: 1, agreeing: 1 },
    ]);
  });
});

describe('auto-accept', () => {
  /** Forty samples are accepted as cats, and all audited; the three hundred after them wait for people. */
  const audited = (errorLimit: number) => {
    const rows = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i, { sure: 1 }]));
    return pool(340, { autoAcceptThreshold: 0.9, audit: { ...auditAll, errorLimit } }).predicted(rows);
  };
  const isAudit = (sample: number) => sample < 40;
  /** Somebody answers until an audit is in their hands. */
  const claimAudit = (scenario: Scenario, by: string): number => {
    let [sample = Number.NaN] = scenario.claims(by);
    while (!isAudit(sample)) {
      scenario.submits(by, sample);
      [sample = Number.NaN] = scenario.claims(by);
    }
    return sample;
  };

  it('is suspended once audits show too many errors, and what it accepted goes to people', () => {
    const scenario = audited(0.05);
    while (scenario.project.currentRun?.autoAccept === 'PROVISIONAL') scenario.labels('ann', 'dog');
    const { currentRun } = scenario.project;
    expect(currentRun?.autoAccept).toBe('SUSPENDED');
    expect(currentRun?.errors).toBe(currentRun?.audited);
    expect(scenario.commits.at(-1)?.events).toMatchObject([
      { type: 'submitted' },
      { type: 'autoAcceptJudged', run: 1, verdict: 'SUSPENDED' },
    ]);
    expect(scenario.project.isAutoAccepted(0)).toBe(false);

    const unanswered: number[] = [];
    while (scenario.emptyFor('bob') === null) unanswered.push(scenario.labels('bob'));
    expect(unanswered.filter(isAudit)).toHaveLength(40 - (currentRun?.audited ?? 0));
    const { project } = scenario;
    const draws = unanswered.map((sample) => project.assignments.draw(project.assignmentOf(sample, 1)));
    expect(new Set(draws)).toEqual(new Set(['POOL']));
  });

  it('is proven once audits show few, and is suspended if later ones show many', () => {
    const scenario = audited(0.5);
    while (scenario.project.currentRun?.autoAccept === 'PROVISIONAL') scenario.labels('ann', 'cat');
    expect(scenario.project.currentRun).toMatchObject({ autoAccept: 'PROVEN', errors: 0 });
    expect(scenario.project.isAutoAccepted(0)).toBe(true);
    while (scenario.project.currentRun?.autoAccept === 'PROVEN') scenario.labels('bob', 'dog');
    expect(scenario.project.currentRun?.autoAccept).toBe('SUSPENDED');
  });

  it('is judged by a surplus answer too, once it moves up', () => {
    // By the confidence sequence, one error of one is enough against a limit of 2 %.
    const scenario = audited(0.02);
    const sample = claimAudit(scenario, 'ann');
    scenario.after(10 * MINUTE);
    expect(claimAudit(scenario, 'bob')).toBe(sample);
    scenario.submits('ann', sample, 'dog').thenEvents({ type: 'submitted', counted: false });
    scenario
      .when('release', { by: 'bob', assignment: scenario.idOf('bob', sample) })
      .thenEvents(
        { type: 'released' },
        { type: 'promoted' },
        { type: 'autoAcceptJudged', run: 1, verdict: 'SUSPENDED' },
      );
  });

  it('asks an audit again of who gave it back, though it was free for others all the time', () => {
    const scenario = audited(0.5);
    const sample = claimAudit(scenario, 'ann');
    const own = (by: string) => ({ by, assignment: scenario.idOf(by, sample) });
    scenario.after(10 * MINUTE);
    expect(claimAudit(scenario, 'bob')).toBe(sample);
    // Her surplus answer undone, Ann has it in hand without a place: for others it is free once Bob lets go.
    scenario.submits('ann', sample);
    scenario.given('undo', own('ann')).given('release', own('bob'));
    let other = scenario.claims('ann', 2).at(-1) ?? Number.NaN;
    while (!isAudit(other)) {
      scenario.submits('ann', other);
      other = scenario.claims('ann', 2).at(-1) ?? Number.NaN;
    }
    scenario.submits('ann', other);
    scenario.given('release', own('ann'));
    expect(claimAudit(scenario, 'ann')).toBe(sample);
  });

  it('judges only the run whose prediction was audited', () => {
    const scenario = audited(0.05);
    const sample = claimAudit(scenario, 'ann');
    scenario.predicted({ [sample]: { sure: 1, label: 1 } });
    scenario.submits('ann', sample, 'dog').thenEvents({ type: 'submitted', counted: true });
    expect(scenario.project.runs).toMatchObject([
      { audited: 1, errors: 1 },
      { audited: 0, errors: 0, autoAccept: 'PROVISIONAL' },
    ]);
  });

  it('takes an undone answer out of its figures', () => {
    const scenario = audited(0.05);
    const sample = claimAudit(scenario, 'ann');
    scenario.submits('ann', sample, 'cat');
    expect(scenario.project.currentRun).toMatchObject({ audited: 1, errors: 0 });
    scenario.given('undo', { by: 'ann', assignment: scenario.idOf('ann', sample) });
    expect(scenario.project.currentRun).toMatchObject({ audited: 0, errors: 0 });
    scenario.submits('ann', sample, 'dog');
    expect(scenario.project.currentRun).toMatchObject({ audited: 1, errors: 1 });
  });

  it('is checked where it leaves nothing to people: its audits are asked when nothing else is', () => {
    const all = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i, { sure: 1 }]));
    const policy = { autoAcceptThreshold: 0.9, audit: { ...auditAll, errorLimit: 0.05 } };
    const scenario = pool(40, policy).predicted(all);
    expect(scenario.emptyFor('ann')).toBeNull();
    const [held = -1] = scenario.claims('ann');
    // The others can have all but what she holds, and wait for that.
    const draws: string[] = [];
    while (scenario.project.currentRun?.autoAccept === 'PROVISIONAL' && scenario.emptyFor('bob') === null) {
      const sample = scenario.labels('bob', 'cat');
      draws.push(scenario.project.assignments.draw(scenario.project.assignmentOf(sample, 1)));
    }
    expect(new Set(draws)).toEqual(new Set(['AUDIT']));
    while (scenario.emptyFor('bob') === null) scenario.labels('bob', 'cat');
    expect(scenario.emptyFor('bob')).toEqual({ reason: 'ALL_HELD', until: scenario.now + 10 * MINUTE });
    scenario.submits('ann', held, 'cat');
    expect(scenario.emptyFor('bob')).toEqual({ reason: 'DONE' });
    expect(scenario.project.currentRun).toMatchObject({ audited: 40, errors: 0 });
    // Where work comes in rounds, so do audits.
    expect(
      pool(40, { ...policy, withoutRound: 'WAIT' })
        .predicted(all)
        .emptyFor('ann'),
    ).toEqual({
      reason: 'NO_ROUND',
    });
  });

  it('stands in no more for a sample that an audit has answered: its second label comes from people', () => {
    const scenario = pool(40, {
      autoAcceptThreshold: 0.9,
      audit: { ...auditAll, errorLimit: 0.5 },
      overlap: 2,
      overlapShare: 1,
    }).predicted(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [30 + i, { sure: 1 }])));
    let sample = scenario.labels('ann', 'cat');
    while (sample < 30) sample = scenario.labels('ann', 'cat');
    expect(scenario.project.isAutoAccepted(sample)).toBe(false);
    expect(scenario.project.poolHasRoom(sample)).toBe(true);
  });
});
