import { describe, expect, it } from 'vitest';
import { hash32, sampleWithoutReplacement, stringSeed, uniform } from '../../src/domain/random.ts';

/** MurmurHash3_x86_32 over bytes, written out from Appleby's reference, as a check on the one over words. */
function murmur3(bytes: Uint8Array, seed: number): number {
  const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  let hash = seed;
  let block = 0;
  for (const [i, byte] of bytes.entries()) {
    block |= byte << (8 * (i % 4));
    const isLast = i === bytes.length - 1;
    if (i % 4 !== 3 && !isLast) continue;
    hash ^= Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
    if (i % 4 === 3) hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
    block = 0;
  }
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Pearson's statistic in standard deviations from its mean, near enough normal for many cells. */
function chiSquareDeviation(observed: readonly number[], expected: number): number {
  const freedom = observed.length - 1;
  const statistic = observed.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

function tally(cells: number, values: Iterable<number>): number[] {
  const counts = new Array<number>(cells).fill(0);
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe('stringSeed', () => {
  // Vectors in circulation since the reference implementation, e.g. Wikipedia "MurmurHash", seed 0.
  it.each([
    ['', 0],
    ['test', 0xba6bd213],
    ['Hello, world!', 0xc0363e43],
    ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ])('%j is the published MurmurHash3', (text, expected) => {
    expect(stringSeed(text)).toBe(expected);
  });

  it('reads UTF-8 of any length', () => {
    for (let length = 0; length < 20; length++) {
      const text = 'aé中😀'.repeat(3).slice(0, length);
      expect(stringSeed(text)).toBe(murmur3(new TextEncoder().encode(text), 0));
    }
  });
});

describe('hash32', () => {
  it('is MurmurHash3 of its two words, little-endian', () => {
    const words = [0, 1, 255, 2 ** 31, 2 ** 32 - 1];
    for (const seed of words) {
      for (const a of words) {
        for (const b of words) {
          const bytes = new Uint8Array(Uint32Array.of(a, b).buffer);
          expect(hash32(seed, a, b)).toBe(murmur3(bytes, seed));
        }
      }
    }
  });

  it('never ties under one seed', () => {
    expect(new Set(Array.from({ length: 200_000 }, (_, a) => hash32(42, a))).size).toBe(200_000);
  });

  it('flips each bit of the result half of the time when one bit of any argument flips', () => {
    const trials = 4_000;
    for (const argument of [0, 1, 2]) {
      for (const bit of [0, 7, 16, 31]) {
        const flips = new Array<number>(32).fill(0);
        for (let i = 0; i < trials; i++) {
          const from = [i, 3 * i, 5 * i] as const;
          const to = from.map((word, at) => (at === argument ? word ^ (1 << bit) : word));
          const change = hash32(...from) ^ hash32(...(to as [number, number, number]));
          for (let out = 0; out < 32; out++) flips[out] = (flips[out] ?? 0) + ((change >>> out) & 1);
        }
        // Five standard deviations of a fair coin.
        for (const count of flips) expect(Math.abs(count - trials / 2)).toBeLessThan(2.5 * Math.sqrt(trials));
      }
    }
  });
});

describe('uniform', () => {
  it.each([0, 1, 2, 0xffffffff])('fills [0, 1) evenly under seed %d, also in pairs', (seed) => {
    const n = 100_000;
    const draws = Array.from({ length: n }, (_, i) => uniform(seed, i));
    expect(Math.min(...draws.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws.slice(0, 50_000))).toBeLessThan(1);
    const single = draws.map((draw) => Math.floor(draw * 100));
    expect(Math.abs(chiSquareDeviation(tally(100, single), n / 100))).toBeLessThan(4);
    const successive = draws
      .slice(1)
      .map((draw, i) => Math.floor(draw * 20) * 20 + Math.floor((draws[i] ?? 0) * 20));
    expect(Math.abs(chiSquareDeviation(tally(400, successive), (n - 1) / 400))).toBeLessThan(4);
  });

  it('is unrelated between seeds next to each other', () => {
    const n = 100_000;
    const pairs = Array.from(
      { length: n },
      (_, i) => Math.floor(uniform(7, i) * 20) * 20 + Math.floor(uniform(8, i) * 20),
    );
    expect(Math.abs(chiSquareDeviation(tally(400, pairs), n / 400))).toBeLessThan(4);
  });
});

describe('sampleWithoutReplacement', () => {
  it('gives distinct members, ascending, and the same ones for the same seed', () => {
    for (const [population, count] of [
      [10, 0],
      [10, 1],
      [10, 10],
      [1_000_000, 1_000],
      [2 ** 32, 100],
      [0, 0],
    ] as const) {
      const drawn = sampleWithoutReplacement(5, population, count);
      expect(drawn.length).toBe(count);
      for (const [i, member] of drawn.entries()) {
        expect(member).toBeLessThan(population);
        if (i > 0) expect(member).toBeGreaterThan(drawn[i - 1] ?? -1);
      }
      expect(sampleWithoutReplacement(5, population, count)).toEqual(drawn);
    }
  });

  it('draws every set equally often', () => {
    const runs = 21_000;
    const draws = Array.from({ length: runs }, (_, seed) => [...sampleWithoutReplacement(seed, 7, 3)].join());
    const counts = new Map<string, number>();
    for (const draw of draws) counts.set(draw, (counts.get(draw) ?? 0) + 1);
    expect(counts.size).toBe(35);
    expect(Math.abs(chiSquareDeviation([...counts.values()], runs / 35))).toBeLessThan(4);
  });

  it('draws every part of a large population equally often', () => {
    const drawn = sampleWithoutReplacement(11, 3_000_000_000, 50_000);
    const parts = [...drawn].map((member) => Math.floor(member / 30_000_000));
    expect(Math.abs(chiSquareDeviation(tally(100, parts), 500))).toBeLessThan(4);
  });

  it.each([
    [10, 11],
    [10, -1],
    [10, 0.5],
    [-1, 0],
    [2 ** 32 + 1, 1],
    [Number.NaN, 0],
  ])('refuses: from %d draw %d', (population, count) => {
    expect(() => sampleWithoutReplacement(1, population, count)).toThrow(RangeError);
  });
});
