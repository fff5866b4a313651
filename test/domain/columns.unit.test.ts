import { describe, expect, it } from 'vitest';
import { Column, type NumberArray } from '../../src/domain/columns.ts';

const kinds: readonly (new (length: number) => NumberArray)[] = [
  Uint8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
];

describe('Column', () => {
  it.each(kinds)('%o: keeps every value across growth', (kind) => {
    const column = new Column(kind);
    const pushed = Array.from({ length: 5_000 }, (_, i) => column.push(i % 100));
    expect(pushed.every((index, i) => index === i)).toBe(true);
    expect(column.length).toBe(5_000);
    expect(pushed.every((index) => column.get(index) === index % 100)).toBe(true);
    column.set(4_999, 7);
    expect(column.get(4_999)).toBe(7);
    expect(column.view()).toBeInstanceOf(kind);
    expect(column.view().length).toBe(5_000);
  });

  it('extends with a fill, over whatever the memory held', () => {
    const column = new Column(Int32Array);
    column.push(5);
    column.extend(1_000, -1);
    column.extend(0);
    column.extend(2);
    expect(column.length).toBe(1_003);
    expect([...column.view().slice(0, 3)]).toEqual([5, -1, -1]);
    expect([...column.view().slice(-3)]).toEqual([-1, 0, 0]);
  });

  it('takes a bulk write through its view', () => {
    const column = new Column(Float32Array);
    column.extend(4);
    column.view().set([0.5, 0.25], 1);
    expect([0, 1, 2, 3].map((row) => column.get(row))).toEqual([0, 0.5, 0.25, 0]);
  });

  it('takes an array over as its rows, and grows from there', () => {
    const column = new Column(Uint16Array);
    column.extend(5, 7);
    const rows = Uint16Array.of(1, 2);
    column.adopt(rows);
    expect(column.view().buffer).toBe(rows.buffer);
    expect(column.push(3)).toBe(2);
    expect([...column.view()]).toEqual([1, 2, 3]);
    column.adopt(new Uint16Array());
    expect(column.push(4)).toBe(0);
    expect([...column.view()]).toEqual([4]);
  });

  it('takes over no array of another kind', () => {
    expect(() => new Column(Uint16Array).adopt(new Int16Array(2))).toThrow(TypeError);
  });

  it('leaves at most a quarter unused', () => {
    const column = new Column(Uint8Array);
    let most = 0;
    for (let i = 0; i < 100_000; i++) {
      column.push(1);
      if (i >= 64) most = Math.max(most, column.view().buffer.byteLength / column.length);
    }
    expect(most).toBeLessThanOrEqual(1.25);
  });

  it.each([-1, 3, 0.5, Number.NaN, 2 ** 32])('refuses row %d of three', (row) => {
    const column = new Column(Uint32Array);
    column.extend(3);
    expect(() => column.get(row)).toThrow(RangeError);
    expect(() => column.set(row, 1)).toThrow(RangeError);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to extend by %d', (count) => {
    expect(() => new Column(Uint32Array).extend(count)).toThrow(RangeError);
  });
});
