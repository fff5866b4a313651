import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash32 } from '../../src/domain/random.ts';
import { RankedSamples } from '../../src/domain/rankedSamples.ts';

/** The same, sorted whenever somebody looks. */
function sorted(costs: ReadonlyMap<number, number>) {
  return [...costs]
    .map(([sample, cost]) => ({ sample, cost }))
    .sort((one, other) => other.cost - one.cost || one.sample - other.sample);
}

describe('samples by their cost', () => {
  it('are in order whatever comes, moves and goes', () => {
    const sample = fc.nat(30);
    const step = fc.oneof(
      fc.record({ sample, cost: fc.constantFrom(0.5, 1, 1, 1.5, 2) }),
      fc.record({ sample, cost: fc.constant(null) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const [ranked, costs] = [new RankedSamples(), new Map<number, number>()];
        for (const { sample, cost } of steps) {
          if (cost === null) {
            ranked.delete(sample);
            costs.delete(sample);
          } else {
            ranked.set(sample, cost);
            costs.set(sample, cost);
          }
        }
        expect(ranked.slice(0, 100)).toEqual(sorted(costs));
        expect(ranked.size).toBe(costs.size);
      }),
    );
  });

  it('stay so in many blocks, and give any page', () => {
    const [ranked, costs] = [new RankedSamples(), new Map<number, number>()];
    const put = (sample: number, cost: number) => {
      ranked.set(sample, cost);
      costs.set(sample, cost);
    };
    for (let i = 0; i < 6_000; i++) put(hash32(1, i) % 4_000, hash32(2, i) % 7);
    for (let i = 0; i < 2_000; i++) {
      const gone = hash32(3, i) % 4_000;
      ranked.delete(gone);
      costs.delete(gone);
    }
    const expected = sorted(costs);
    expect(expected.length).toBeGreaterThan(1_500);
    expect([...ranked]).toEqual(expected.map(({ sample }) => sample));
    for (const from of [0, 500, 511, 512, 1_023, expected.length - 3, expected.length])
      expect(ranked.slice(from, 10)).toEqual(expected.slice(from, from + 10));
    expect(ranked.has(expected[0]?.sample ?? -1)).toBe(true);
    for (const { sample } of expected) ranked.delete(sample);
    expect([ranked.size, ranked.slice(0, 1)]).toEqual([0, []]);
  });
});
