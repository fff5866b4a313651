import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MissingInputError,
  StrategyParametersError,
  UnknownStrategyError,
} from '../../src/strategies/errors.ts';
import { builtIns, choose, poolOf, unpredicted } from './support.ts';

const { hybrid } = builtIns;

/** Sample i's margin falls with i; the last `accepted` are auto-accepted. */
function ramp(length: number, accepted = 0) {
  const rows = Array.from({ length }, (_, i) => [0.5 + (0.5 * i) / length, 0.5 - (0.5 * i) / length]);
  return poolOf(rows, { accepted: Array.from({ length: accepted }, (_, i) => length - 1 - i) });
}

describe('hybrid', () => {
  it('is margin with a random fifth by default', async () => {
    const chosen = await choose(hybrid, ramp(1000), 100);
    expect(chosen.ordinals).toHaveLength(100);
    expect(chosen.random.filter((flag) => flag === 1)).toHaveLength(20);
    expect(chosen.inclusionProbability).toBe(0.02);

    const drawn = chosen.ordinals.filter((_, i) => chosen.random[i] === 1);
    const based = chosen.ordinals.filter((_, i) => chosen.random[i] === 0);
    const best = Array.from({ length: 1000 }, (_, i) => i).filter((i) => !drawn.includes(i));
    expect([...based]).toEqual(best.slice(0, 80));
  });

  it('keeps the base’s scores, and gives random samples none', async () => {
    const { scores, normalised, random } = await choose(hybrid, ramp(100), 10, {
      parameters: { base: 'least-confident' },
    });
    random.forEach((flag, i) => {
      if (flag === 1) expect([scores[i], normalised[i]]).toEqual([Number.NaN, 0]);
      else expect(normalised[i]).toBeCloseTo(2 * (scores[i] as number), 12);
    });
  });

  it('never exceeds the count nor repeats a sample, and is fixed by its seed', async () => {
    const shares = fc.oneof(fc.constantFrom(0, 1, 0.2), fc.double({ min: 0, max: 1, noNaN: true }));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 60 }),
        fc.nat(60),
        fc.nat(80),
        shares,
        fc.integer({ min: 0, max: 0xffffffff }),
        async (length, accepted, count, share, seed) => {
          const pool = ramp(length, Math.min(accepted, length));
          const options = { seed, parameters: { base: 'entropy', share } };
          const chosen = await choose(hybrid, pool, count, options);
          expect(await choose(hybrid, pool, count, options)).toEqual(chosen);

          const wanted = Math.min(count, length);
          const drawn = chosen.random.reduce((sum, flag) => sum + flag, 0);
          expect(drawn).toBe(Math.round(share * wanted));
          expect(chosen.inclusionProbability).toBe(drawn === 0 ? null : drawn / length);
          expect(new Set(chosen.ordinals).size).toBe(chosen.ordinals.length);
          const left = pool.accepted.filter((flag, i) => {
            const isDrawn = chosen.ordinals.some((ordinal, at) => ordinal === i && chosen.random[at] === 1);
            return flag === 0 && !isDrawn;
          }).length;
          expect(chosen.ordinals.length).toBe(drawn + Math.min(wanted - drawn, left));
        },
      ),
    );
  });

  it('draws the random share uniformly over the whole pool, auto-accepted samples included', async () => {
    const pool = ramp(50, 30);
    const rounds = 4000;
    const drawn = new Array<number>(50).fill(0);
    const ranks = new Array<number>(10).fill(0);
    for (let seed = 0; seed < rounds; seed++) {
      const { ordinals, random } = await choose(hybrid, pool, 10, { seed });
      random.forEach((flag, rank) => {
        const ordinal = ordinals[rank] as number;
        if (flag === 0) return;
        drawn[ordinal] = (drawn[ordinal] as number) + 1;
        ranks[rank] = (ranks[rank] as number) + 1;
      });
    }
    // Two of 50 a round, at two of ten ranks: within five standard deviations of a binomial count.
    for (const count of drawn) {
      expect(Math.abs(count - rounds * 0.04)).toBeLessThan(5 * Math.sqrt(rounds * 0.04 * 0.96));
    }
    for (const count of ranks) {
      expect(Math.abs(count - rounds * 0.2)).toBeLessThan(5 * Math.sqrt(rounds * 0.2 * 0.8));
    }
  });

  it('is smaller when the base has too few samples left', async () => {
    const pool = ramp(20, 18);
    const { ordinals, random } = await choose(hybrid, pool, 10, { parameters: { share: 0.2 }, seed: 3 });
    expect(random.reduce((sum, flag) => sum + flag, 0)).toBe(2);
    expect(ordinals.length).toBeLessThanOrEqual(4);
    expect([0, 1].every((review) => ordinals.includes(review))).toBe(true);
  });

  it('takes any base, random too', async () => {
    const chosen = await choose(hybrid, unpredicted(50), 10, { parameters: { base: 'random' } });
    expect(new Set(chosen.ordinals).size).toBe(10);
    expect(chosen.random.reduce((sum, flag) => sum + flag, 0)).toBe(2);
  });

  it('refuses, before it runs, a base that is unknown, itself, or cannot be given what it needs', async () => {
    const pool = ramp(10);
    await expect(choose(hybrid, pool, 1, { parameters: { base: 'nope' } })).rejects.toThrow(
      UnknownStrategyError,
    );
    await expect(choose(hybrid, pool, 1, { parameters: { base: 'hybrid' } })).rejects.toThrow(
      /cannot ask itself: hybrid → hybrid/,
    );
    await expect(choose(hybrid, pool, 1, { parameters: { baseParameters: { beta: 1 } } })).rejects.toThrow(
      'strategy margin refuses its parameters: it takes no parameters',
    );
    await expect(choose(hybrid, unpredicted(10), 1)).rejects.toThrow(MissingInputError);
  });

  it.each([{ share: 1.1 }, { share: -0.1 }, { share: Number.NaN }, { share: '0.2' }, { shares: 0.2 }, 7])(
    'refuses the parameters %j',
    async (parameters) => {
      await expect(choose(hybrid, ramp(10), 1, { parameters })).rejects.toThrow(StrategyParametersError);
    },
  );
});
