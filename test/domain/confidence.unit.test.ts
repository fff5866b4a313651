import { describe, expect, it } from 'vitest';
import { confidenceSequence, type Interval, normalQuantile, wilson } from '../../src/domain/confidence.ts';

/** Mulberry32 (Tommy Ettinger): the test's own, so that a fault in ours cannot hide a fault in ours. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('normalQuantile', () => {
  it.each([
    // Wichura 1988, the check values of AS 241.
    [0.25, -0.6744897501960817],
    [0.001, -3.090232306167814],
    [1e-20, -9.262340089798409],
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.995, 2.5758293035489004],
  ])('of %d is %d', (p, expected) => {
    expect(normalQuantile(p)).toBeCloseTo(expected, 13);
  });

  it.each([0, 1, -0.1, Number.NaN])('refuses %d', (p) => {
    expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});

describe('wilson', () => {
  it.each([
    // R. G. Newcombe 1998, "Two-sided confidence intervals for the single proportion", Stat. Med. 17, Table I,
    // method 3 (score, without continuity correction).
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d is Newcombe’s [%d, %d]', (errors, n, lower, upper) => {
    const interval = wilson(errors, n);
    expect(interval.lower).toBeCloseTo(lower, 4);
    expect(interval.upper).toBeCloseTo(upper, 4);
  });

  it('ends where the score test just does not reject', () => {
    for (const [errors, n, level] of [
      [3, 40, 0.95],
      [39, 40, 0.99],
      [500_000, 1_000_000, 0.5],
    ] as const) {
      const z = normalQuantile((1 + level) / 2);
      const { lower, upper } = wilson(errors, n, level);
      for (const p of [lower, upper])
        expect(Math.abs(errors / n - p) / Math.sqrt((p * (1 - p)) / n)).toBeCloseTo(z, 6);
    }
  });

  it('says nothing of nothing, and is exact at the ends', () => {
    expect(wilson(0, 0)).toEqual({ lower: 0, upper: 1 });
    for (let n = 1; n < 200; n++) {
      expect(wilson(0, n).lower).toBe(0);
      expect(wilson(n, n).upper).toBe(1);
      expect(wilson(0, n).upper).toBeCloseTo(1 - wilson(n, n).lower, 14);
    }
  });

  it.each([
    [-1, 2],
    [3, 2],
    [0.5, 2],
    [Number.NaN, 2],
    [0, Number.NaN],
  ])('refuses %d of %d', (errors, n) => {
    expect(() => wilson(errors, n)).toThrow(RangeError);
    expect(() => confidenceSequence(errors, n)).toThrow(RangeError);
  });
});

describe('wilson, level', () => {
  it.each([0, 1, -0.5, 95, Number.NaN])('refuses %d', (level) => {
    expect(() => wilson(1, 2, level)).toThrow(RangeError);
  });
});

describe('confidenceSequence', () => {
  /** M(p) of the definition with a uniform prior, by the trapezoid rule instead of by gamma functions. */
  function mixtureByQuadrature(errors: number, n: number, p: number): number {
    const steps = 100_000;
    let sum = 0;
    for (let i = 1; i < steps; i++) {
      const q = i / steps;
      sum += Math.exp(errors * Math.log(q / p) + (n - errors) * Math.log((1 - q) / (1 - p)));
    }
    return sum / steps;
  }

  it('ends where the mixture reaches 1/alpha', () => {
    for (const [errors, n, alpha] of [
      [3, 10, 0.05],
      [1, 50, 0.05],
      [40, 80, 0.01],
      [199, 200, 0.2],
    ] as const) {
      const { lower, upper } = confidenceSequence(errors, n, { alpha, prior: { a: 1, b: 1 } });
      expect(mixtureByQuadrature(errors, n, lower) * alpha).toBeCloseTo(1, 5);
      expect(mixtureByQuadrature(errors, n, upper) * alpha).toBeCloseTo(1, 5);
    }
  });

  it('has its closed form where there are no errors', () => {
    // Uniform prior: M(p) = 1 / ((n + 1) (1 - p)^n), so the upper end is 1 - (alpha / (n + 1))^(1/n).
    for (const n of [1, 10, 1_000, 1_000_000]) {
      const { lower, upper } = confidenceSequence(0, n, { prior: { a: 1, b: 1 } });
      expect(lower).toBe(0);
      // 1e-6 of the bound itself, which for a million is about 2e-5.
      expect(upper / -Math.expm1(Math.log(0.05 / (n + 1)) / n)).toBeCloseTo(1, 6);
    }
  });

  it('says nothing of nothing, holds the observed share, and mirrors', () => {
    expect(confidenceSequence(0, 0)).toEqual({ lower: 0, upper: 1 });
    for (const n of [1, 2, 7, 100, 12_345, 1_000_000]) {
      for (const errors of new Set([0, 1, n >> 1, n - 1, n])) {
        const { lower, upper } = confidenceSequence(errors, n);
        expect(lower).toBeLessThanOrEqual(errors / n);
        expect(upper).toBeGreaterThanOrEqual(errors / n);
        expect(lower >= 0 && upper <= 1).toBe(true);
        expect(upper - lower).toBeGreaterThan(0);
        const mirrored = confidenceSequence(n - errors, n);
        expect(1 - mirrored.upper).toBeCloseTo(lower, 10);
      }
    }
    expect(confidenceSequence(5, 5).upper).toBe(1);
    expect(confidenceSequence(0, 5).lower).toBe(0);
  });

  it('is narrow where there is much to go by, and wider than what one look needs', () => {
    const sequence = confidenceSequence(100_000, 1_000_000);
    const single = wilson(100_000, 1_000_000);
    expect(sequence.upper - sequence.lower).toBeLessThan(0.003);
    expect(sequence.lower).toBeLessThan(single.lower);
    expect(sequence.upper).toBeGreaterThan(single.upper);
  });

  it.each([0.02, 0.1, 0.5])('watched over 500 looks, almost never excludes the true rate %d', (rate) => {
    const runs = 1_000;
    const looks = 500;
    const known = new Map<number, readonly [Interval, Interval]>();
    const misses = (interval: Interval) => rate < interval.lower || rate > interval.upper;
    let sequenceMissed = 0;
    let fixedMissed = 0;
    for (let run = 0; run < runs; run++) {
      const random = mulberry32(run);
      let errors = 0;
      let sequenceMisses = false;
      let fixedMisses = false;
      for (let n = 1; n <= looks; n++) {
        if (random() < rate) errors++;
        const key = errors * (looks + 1) + n;
        const intervals = known.get(key) ?? ([confidenceSequence(errors, n), wilson(errors, n)] as const);
        known.set(key, intervals);
        sequenceMisses ||= misses(intervals[0]);
        fixedMisses ||= misses(intervals[1]);
      }
      if (sequenceMisses) sequenceMissed++;
      if (fixedMisses) fixedMissed++;
    }
    // Three standard deviations above the promised 5 %.
    expect(sequenceMissed / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
    // What the sequence is for: the interval of one look, watched, is wrong many times as often as it says.
    expect(fixedMissed / runs).toBeGreaterThan(0.2);
  });

  it.each([
    { alpha: 0 },
    { alpha: 1 },
    { alpha: Number.NaN },
    { prior: { a: 0, b: 1 } },
    { prior: { a: 1, b: Number.NaN } },
  ])('refuses %j', (options) => {
    expect(() => confidenceSequence(1, 2, options)).toThrow(RangeError);
  });
});
