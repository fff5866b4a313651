import type { Strategy } from '@concord/sdk/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MissingInputError } from '../../src/strategies/errors.ts';
import type { PredictionInputs } from '../../src/strategies/pool.ts';
import { builtIns, choose, poolOf, unpredicted } from './support.ts';

const scoring: readonly Strategy[] = [builtIns.entropy, builtIns.margin, builtIns['least-confident']];

/** Rows as a model gives them: non-negative, summing to 1 in float32, certain and uniform ones among them. */
const predictions = fc
  .integer({ min: 2, max: 12 })
  .chain((classes) =>
    fc.array(
      fc.oneof(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: classes, maxLength: classes }),
        fc.nat(classes - 1).map((sure) => Array.from({ length: classes }, (_, c) => (c === sure ? 1 : 0))),
        fc.constant(new Array<number>(classes).fill(1)),
      ),
      { minLength: 1, maxLength: 40 },
    ),
  )
  .map((rows) =>
    rows.map((row) => {
      const sum = row.reduce((a, b) => a + b, 0);
      return sum === 0 ? row.map(() => 1 / row.length) : row.map((weight) => weight / sum);
    }),
  );

describe('formulas', () => {
  const ln = Math.log;
  it.each<[string, number[], { raw: number; normalised: number }]>([
    ['entropy', [0.5, 0.5], { raw: ln(2), normalised: 1 }],
    ['entropy', [0.7, 0.2, 0.1], { raw: 0.801818553, normalised: 0.801818553 / ln(3) }],
    ['entropy', [0.25, 0.25, 0.25, 0.25], { raw: ln(4), normalised: 1 }],
    ['entropy', [0, 1, 0], { raw: 0, normalised: 0 }],
    ['margin', [0.7, 0.2, 0.1], { raw: 0.5, normalised: 0.5 }],
    ['margin', [0.1, 0.2, 0.7], { raw: 0.5, normalised: 0.5 }],
    ['margin', [0.4, 0.2, 0.4], { raw: 1, normalised: 1 }],
    ['margin', [0, 1], { raw: 0, normalised: 0 }],
    ['least-confident', [0.7, 0.2, 0.1], { raw: 0.3, normalised: 0.45 }],
    ['least-confident', [0.5, 0.5], { raw: 0.5, normalised: 1 }],
    ['least-confident', [0, 0, 1], { raw: 0, normalised: 0 }],
  ])('%s of %j', async (name, row, expected) => {
    const strategy = scoring.find((one) => one.name === name) as Strategy;
    const { scores, normalised } = await choose(strategy, poolOf([row]), 1);
    // Probabilities are float32: seven digits.
    expect(scores[0]).toBeCloseTo(expected.raw, 6);
    expect(normalised[0]).toBeCloseTo(expected.normalised, 6);
  });
});

describe.each(scoring.map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  it('scores within its bounds, highest first', async () => {
    await fc.assert(
      fc.asyncProperty(predictions, async (rows) => {
        const { scores, normalised } = await choose(strategy, poolOf(rows), rows.length);
        const maximum = strategy.maximum?.(rows[0]?.length ?? 2) ?? 0;
        expect(scores).toHaveLength(rows.length);
        scores.forEach((score, i) => {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(maximum + 1e-6);
          expect(normalised[i]).toBeCloseTo(score / maximum, 6);
          if (i > 0) expect(score).toBeLessThanOrEqual(scores[i - 1] as number);
        });
      }),
    );
  });

  it('gives a sample the same score in whatever company and row it stands', async () => {
    await fc.assert(
      fc.asyncProperty(predictions, fc.nat(), async (rows, pick) => {
        const all = await choose(strategy, poolOf(rows), rows.length);
        const at = pick % rows.length;
        const alone = await choose(strategy, poolOf([rows[at] as number[]], { ordinals: [at] }), 1);
        expect(alone.scores[0]).toBe(all.scores[all.ordinals.indexOf(at)]);

        const pool = poolOf(rows);
        const back = poolOf(rows.toReversed());
        const predictions = back.predictions as PredictionInputs;
        const turned = { ...pool, predictions: { ...predictions, rowOf: predictions.rowOf.toReversed() } };
        expect(await choose(strategy, turned, rows.length)).toEqual(all);
      }),
    );
  });

  it('chooses among samples that need review and have a prediction', async () => {
    const pool = poolOf([[0.5, 0.5], null, [0.6, 0.4], [0.9, 0.1]], { accepted: [0] });
    expect([...(await choose(strategy, pool, 10)).ordinals]).toEqual([2, 3]);
  });

  it('breaks ties by the seed', async () => {
    const pool = poolOf(new Array(200).fill([0.5, 0.5]));
    const one = await choose(strategy, pool, 20, { seed: 1 });
    expect(await choose(strategy, pool, 20, { seed: 1 })).toEqual(one);
    expect((await choose(strategy, pool, 20, { seed: 2 })).ordinals).not.toEqual(one.ordinals);
    expect([...one.ordinals]).not.toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  it('chooses none from an empty pool, and none of no count', async () => {
    const none = { ordinals: new Uint32Array(0), inclusionProbability: null };
    expect(await choose(strategy, poolOf([]), 5)).toMatchObject(none);
    expect(await choose(strategy, poolOf([[0.5, 0.5]]), 0)).toMatchObject(none);
    expect(await choose(strategy, poolOf([[0.5, 0.5]], { accepted: [0] }), 1)).toMatchObject(none);
  });

  it('is refused without predictions', async () => {
    await expect(choose(strategy, unpredicted(5), 1)).rejects.toThrow(MissingInputError);
  });

  it('allows for rows that sum to a hair more than 1', async () => {
    const { scores, normalised } = await choose(strategy, poolOf([[1.0005, 0]]), 1);
    expect(scores[0]).toBe(0);
    expect(normalised[0]).toBe(0);
    const most = await choose(strategy, poolOf([[0.5004, 0.5004]]), 1);
    expect(most.normalised[0]).toBeLessThanOrEqual(1);
  });
});

it('the three agree on the order of two classes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1 }),
      async (thousandths) => {
        const pool = poolOf(thousandths.map((p) => [p / 1000, 1 - p / 1000]));
        const [first, ...others] = await Promise.all(
          scoring.map(async (strategy) => (await choose(strategy, pool, 100)).ordinals),
        );
        for (const other of others) expect(other).toEqual(first);
      },
    ),
  );
});

describe('random', () => {
  const { random } = builtIns;

  it('draws from the whole pool, auto-accepted and unpredicted samples included', async () => {
    const pool = poolOf([[0.5, 0.5], null, [0.6, 0.4], [0.9, 0.1]], { accepted: [0, 3] });
    const drawn = await choose(random, pool, 10);
    expect([...drawn.ordinals].sort()).toEqual([0, 1, 2, 3]);
    expect([...drawn.random]).toEqual([1, 1, 1, 1]);
    expect(drawn.scores.every(Number.isNaN)).toBe(true);
    expect([...drawn.normalised]).toEqual([0, 0, 0, 0]);
    expect(drawn.inclusionProbability).toBe(1);
  });

  it('needs no predictions, and says how likely each sample was', async () => {
    expect((await choose(random, unpredicted(40), 10)).inclusionProbability).toBe(0.25);
    expect((await choose(random, unpredicted(0), 10)).inclusionProbability).toBeNull();
  });

  it('draws anew with another seed', async () => {
    const one = await choose(random, unpredicted(100), 10, { seed: 1 });
    expect(await choose(random, unpredicted(100), 10, { seed: 1 })).toEqual(one);
    expect(await choose(random, unpredicted(100), 10, { seed: 2 })).not.toEqual(one);
  });
});
