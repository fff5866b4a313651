import { describe, expect, it } from 'vitest';
import { meanOfPasses } from '../../src/domain/passes.ts';
import type { Refusal } from '../../src/domain/refusals.ts';

describe('passes', () => {
  it('have a mean', () => {
    const passes = [
      Float32Array.of(1, 0, 0.5, 0.5),
      Float32Array.of(0.5, 0.5, 0.5, 0.5),
      Float32Array.of(0, 1, 0.5, 0.5),
    ];
    expect([...meanOfPasses(passes, 2)]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  it('that are no probabilities are named, pass and row, and not more than ten', () => {
    const bad = new Float32Array(40).fill(Number.NaN);
    const good = new Float32Array(40).fill(0.5);
    expect.assertions(3);
    try {
      meanOfPasses([good, bad], 2);
    } catch (error) {
      const { code, details } = error as Refusal<'BAD_PROBABILITIES'>;
      expect([code, details.count]).toEqual(['BAD_PROBABILITIES', 20]);
      expect(details.badRows).toHaveLength(10);
      expect(details.badRows[1]).toEqual({ row: 1, problem: 'pass 1: class 0 has NaN' });
    }
  });
});
