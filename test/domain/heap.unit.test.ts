import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HeapEntry, MinHeap } from '../../src/domain/heap.ts';

const entry = fc.record({ priority: fc.integer({ min: -5, max: 5 }), value: fc.integer({ min: 0, max: 5 }) });

const ascending = (a: HeapEntry, b: HeapEntry) => a.priority - b.priority || a.value - b.value;

describe('MinHeap', () => {
  it('is a sorted list, whatever the interleaving of pushes and pops', () => {
    fc.assert(
      fc.property(fc.array(fc.option(entry, { nil: 'pop' as const }), { maxLength: 200 }), (steps) => {
        const heap = new MinHeap();
        const model: HeapEntry[] = [];
        for (const step of steps) {
          if (step === 'pop') {
            expect(heap.pop()).toEqual(model.shift());
          } else {
            heap.push(step.priority, step.value);
            model.push(step);
            model.sort(ascending);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toEqual(model[0]);
        }
      }),
    );
  });

  it('gives entries in one order, however they came in', () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const drain = (from: readonly HeapEntry[]) => {
          const heap = new MinHeap();
          for (const { priority, value } of from) heap.push(priority, value);
          return from.map(() => heap.pop());
        };
        expect(drain(entries)).toEqual(drain(entries.toReversed()));
        expect(drain(entries)).toEqual(entries.toSorted(ascending));
      }),
    );
  });

  it('orders times in milliseconds and infinities', () => {
    const heap = new MinHeap();
    const times = [Number.POSITIVE_INFINITY, 1_790_000_000_000, -1, 1_789_999_999_999.5];
    for (const [value, time] of times.entries()) heap.push(time, value);
    expect(times.map(() => heap.pop()?.value)).toEqual([2, 3, 1, 0]);
    expect(heap.pop()).toBeUndefined();
  });

  it('refuses NaN and stays as it was', () => {
    const heap = new MinHeap();
    expect(() => heap.push(Number.NaN, 1)).toThrow(RangeError);
    expect(() => heap.push(1, Number.NaN)).toThrow(RangeError);
    expect(heap.size).toBe(0);
  });
});
