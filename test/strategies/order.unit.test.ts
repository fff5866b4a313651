import { draw, highest } from '@concord/sdk/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tieBreak } from '../../sdk/src/strategy/random.ts';

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

/** The definition of the order, as plainly as it can be written. */
function plainly(scores: readonly number[], ordinals: Uint32Array, count: number, seed: number): number[] {
  const tie = (place: number) => tieBreak(seed, ordinals[place] ?? 0);
  return scores
    .map((_, place) => place)
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || tie(a) - tie(b) || a - b)
    .slice(0, count);
}

describe('highest', () => {
  it('is the first of the full sort, whatever the scores', () => {
    const score = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(0, -0, 0.5, 1, 1 + Number.EPSILON, -1, Number.MIN_VALUE, -Number.MIN_VALUE),
    );
    const pool = fc.array(score, { maxLength: 200 });
    fc.assert(
      fc.property(pool, fc.nat(210), uint32, (scores, count, seed) => {
        const ordinals = Uint32Array.from(scores, (_, i) => 3 * i + 1);
        expect([...highest(Float64Array.from(scores), ordinals, count, seed)]).toEqual(
          plainly(scores, ordinals, count, seed),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('is so in pools that are too large to sort', () => {
    const ordinals = Uint32Array.from({ length: 50_000 }, (_, i) => i);
    const shapes: ((i: number) => number)[] = [
      (i) => Math.sin(i * i),
      (i) => -Math.abs(Math.sin(i)) * 1e-300,
      (i) => Math.floor(100 * Math.sin(i)),
      (i) => 1 + (i % 7) * Number.EPSILON,
      (i) => (i % 2 === 0 ? 0 : -0),
    ];
    for (const shape of shapes) {
      const scores = Float64Array.from(ordinals, (i) => shape(i));
      const expected = plainly([...scores], ordinals, ordinals.length, 3);
      for (const count of [1, 500, 25_000, 49_999, 50_000]) {
        expect([...highest(scores, ordinals, count, 3)]).toEqual(expected.slice(0, count));
      }
    }
  });

  it('takes float32 scores', () => {
    expect([...highest(Float32Array.of(0.1, 0.3, 0.2), Uint32Array.of(0, 1, 2), 2, 1)]).toEqual([1, 2]);
  });

  it('breaks ties by the seed, and not by the ordinal', () => {
    const ordinals = Uint32Array.from({ length: 1000 }, (_, i) => i);
    const one = highest(new Float64Array(1000), ordinals, 10, 1);
    expect(one).toEqual(highest(new Float64Array(1000), ordinals, 10, 1));
    expect(one).not.toEqual(highest(new Float64Array(1000), ordinals, 10, 2));
    expect(Math.max(...one)).toBeGreaterThan(100);
  });

  it('refuses arrays of different lengths', () => {
    expect(() => highest(new Float64Array(2), new Uint32Array(3), 1, 1)).toThrow(RangeError);
  });
});

describe('draw', () => {
  it('draws each once, and never more than there are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(uint32, { maxLength: 50 }), fc.nat(60), uint32, (numbers, count, seed) => {
        const ordinals = Uint32Array.from(numbers).sort();
        const drawn = draw(ordinals, count, seed);
        const size = Math.min(count, ordinals.length);
        expect(new Set(drawn.ordinals).size).toBe(size);
        expect([...drawn.ordinals].every((ordinal) => ordinals.includes(ordinal))).toBe(true);
        expect(drawn.inclusionProbability).toBe(size === 0 ? null : size / ordinals.length);
      }),
    );
  });

  it('draws every sample, in every place, equally often', () => {
    const ordinals = Uint32Array.from({ length: 20 }, (_, i) => 100 + i);
    const seeds = 20_000;
    const first = new Array<number>(20).fill(0);
    const any = new Array<number>(20).fill(0);
    for (let seed = 0; seed < seeds; seed++) {
      const drawn = draw(ordinals, 5, seed).ordinals;
      drawn.forEach((ordinal, place) => {
        any[ordinal - 100] = (any[ordinal - 100] ?? 0) + 1;
        if (place === 0) first[ordinal - 100] = (first[ordinal - 100] ?? 0) + 1;
      });
    }
    // Five standard deviations of a binomial count.
    for (const count of any)
      expect(Math.abs(count - seeds / 4)).toBeLessThan(5 * Math.sqrt(seeds * 0.25 * 0.75));
    for (const count of first)
      expect(Math.abs(count - seeds / 20)).toBeLessThan(5 * Math.sqrt(seeds * 0.05 * 0.95));
  });

  it('draws independently in each stream', () => {
    const ordinals = Uint32Array.from({ length: 1000 }, (_, i) => i);
    const one = new Set(draw(ordinals, 100, 1, 0).ordinals);
    const shared = draw(ordinals, 100, 1, 1).ordinals.filter((ordinal) => one.has(ordinal)).length;
    expect(shared).toBeLessThan(30);
  });
});
