import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContingencyTables } from '../../src/domain/contingency.ts';
import { PairIndex } from '../../src/domain/pairIndex.ts';

describe('PairIndex', () => {
  it('numbers pairs as a Map of them would', () => {
    const uint32 = fc.oneof(fc.nat({ max: 5 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(uint32, uint32), { maxLength: 200 }), (pairs) => {
        const index = new PairIndex();
        const numbers = new Map<string, number>();
        for (const [a, b] of pairs) {
          const key = `${a} ${b}`;
          expect(index.indexOf(a, b)).toBe(numbers.get(key) ?? -1);
          if (!numbers.has(key)) numbers.set(key, numbers.size);
          expect(index.add(a, b)).toBe(numbers.get(key));
        }
        expect(index.size).toBe(numbers.size);
        for (const [a, b] of pairs) expect(index.indexOf(a, b)).toBe(numbers.get(`${a} ${b}`));
      }),
    );
  });
});

describe('ContingencyTables', () => {
  it('hold of each pair what was counted in and not out, in one order', () => {
    const place = fc.record({
      a: fc.nat({ max: 2 }),
      b: fc.nat({ max: 2 }),
      row: fc.nat({ max: 3 }),
      column: fc.oneof(fc.nat({ max: 3 }), fc.constant(65_535)),
    });
    const step = fc.record({ place, out: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const tables = new ContingencyTables();
        const counts = new Map<string, number>();
        for (const { place, out } of steps) {
          const { a, b, row, column } = place;
          const key = JSON.stringify([a, b, row, column]);
          const count = counts.get(key) ?? 0;
          if (out && count === 0) {
            expect(() => tables.count(a, b, row, column, -1)).toThrow(RangeError);
            continue;
          }
          tables.count(a, b, row, column, out ? -1 : 1);
          counts.set(key, count + (out ? -1 : 1));
        }
        const kept = [...counts]
          .filter(([, count]) => count > 0)
          .map(([key, count]) => [...JSON.parse(key), count]);
        const pairs = new Set(kept.map(([a, b]) => `${a} ${b}`));
        expect(tables.size).toBe(pairs.size);
        expect([...tables.pairs()].map(({ a, b }) => `${a} ${b}`).sort()).toEqual([...pairs].sort());
        for (let a = 0; a <= 2; a++) {
          for (let b = 0; b <= 2; b++) {
            const cells = kept
              .filter(([first, second]) => first === a && second === b)
              .map(([, , row, column, count]) => ({ row, column, count }))
              .sort((x, y) => x.row - y.row || x.column - y.column);
            expect(tables.cells(a, b)).toEqual(cells);
            expect(tables.shared(a, b)).toBe(cells.reduce((sum, { count }) => sum + count, 0));
          }
        }
      }),
    );
  });
});
