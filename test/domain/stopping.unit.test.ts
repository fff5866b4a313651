import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeUncertainties,
  encodeUncertainties,
  isStable,
  StoppingCount,
  type StoppingSignals,
  uncertainties,
} from '../../src/domain/stopping.ts';

const distribution = fc
  .integer({ min: 2, max: 12 })
  .chain((classes) => fc.array(fc.nat(1_000), { minLength: classes, maxLength: classes }))
  .filter((weights) => weights.some((weight) => weight > 0))
  .map((weights) => {
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });

describe('the uncertainty of a row', () => {
  it('is its entropy over that of an even spread, closely', () => {
    fc.assert(
      fc.property(distribution, (row) => {
        const entropy = -row.reduce((sum, p) => sum + (p === 0 ? 0 : p * Math.log(p)), 0);
        const [kept = Number.NaN] = decodeUncertainties(
          encodeUncertainties(uncertainties(Float32Array.from(row), row.length)),
        );
        expect(Math.abs(kept - entropy / Math.log(row.length))).toBeLessThan(0.0004);
      }),
    );
  });

  it('is 0 of a sure one and 1 of an even one', () => {
    const rows = uncertainties(Float32Array.of(0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25), 4);
    expect([...decodeUncertainties(encodeUncertainties(rows))]).toEqual([0, expect.closeTo(1, 3)]);
  });

  it('is kept as what nobody takes for text, at any place of a buffer', () => {
    const bytes = encodeUncertainties(Uint16Array.of(0x7b22, 0x2270));
    expect([bytes[0], bytes[1]]).toEqual([0, 0]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(decodeUncertainties(shifted.subarray(1))).toEqual(decodeUncertainties(bytes));
  });
});

describe('kappa between two runs', () => {
  it('is that of their contingency table', () => {
    const table = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(table, (pairs) => {
        const count = new StoppingCount(4);
        for (const [now, before] of pairs) count.add(now, before, 0.5);
        const n = pairs.length;
        const share = (label: number, which: 0 | 1) =>
          pairs.filter((pair) => pair[which] === label).length / n;
        const same = pairs.filter(([now, before]) => now === before).length;
        const chance = [0, 1, 2, 3].reduce((sum, label) => sum + share(label, 0) * share(label, 1), 0);
        const { kappa, compared, changed } = count.signals;
        expect([compared, changed]).toEqual([n, n - same]);
        if (chance > 1 - 1e-9) expect(kappa).toBeNull();
        else expect(kappa).toBeCloseTo((same / n - chance) / (1 - chance), 9);
      }),
    );
  });

  it('is of what both speak of; of nothing there is none', () => {
    const count = new StoppingCount(2);
    expect(count.signals).toEqual({ pool: 0, meanUncertainty: null, compared: 0, changed: 0, kappa: null });
    count.add(1, -1, 1);
    count.add(0, -1, 0);
    expect(count.signals).toEqual({ pool: 2, meanUncertainty: 0.5, compared: 0, changed: 0, kappa: null });
  });
});

describe('predictions are stable', () => {
  const runs = (...kappas: (number | null)[]) => kappas.map((kappa) => ({ kappa }) as StoppingSignals);
  it.each<[(number | null)[], boolean]>([
    [[], false],
    [[1, 1], false],
    [[1, 1, 1], true],
    [[0.2, 0.99, 0.99, 0.99], true],
    [[0.98, 0.99, 1], true],
    [[0.98, 0.99, 0.99], false],
    [[null, 1, 1], false],
    [[1, 1, 1, 0.9], false],
  ])('after kappas of %j: %s', (kappas, stable) => {
    expect(isStable(runs(...kappas))).toBe(stable);
  });
});
