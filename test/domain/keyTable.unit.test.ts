import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../src/domain/keyTable.ts';

/** Any string at all, lone surrogates and characters beyond the basic plane among them; few, so that some meet. */
const anyKey = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'b', 'é', '中', '😀', '\ud800', '\udc00', '\ufffd', '\0'),
    maxLength: 3,
  }),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

describe('KeyTable', () => {
  it('is a Map from each distinct string to the order of its insertion', () => {
    fc.assert(
      fc.property(
        fc.array(anyKey, { maxLength: 200 }),
        fc.array(anyKey, { maxLength: 20 }),
        (keys, others) => {
          const table = new KeyTable();
          const model = new Map<string, number>();
          for (const key of keys) {
            const expected = model.has(key) ? -1 : model.size;
            expect(table.add(key)).toBe(expected);
            if (expected >= 0) model.set(key, expected);
            expect(table.size).toBe(model.size);
          }
          for (const key of [...keys, ...others]) expect(table.indexOf(key)).toBe(model.get(key) ?? -1);
          for (const [key, index] of model) expect(table.keyAt(index)).toBe(key);
        },
      ),
    );
  });

  it('is the same when another has taken over its keys, and grows from there', () => {
    fc.assert(
      fc.property(
        fc.array(anyKey, { maxLength: 200 }),
        fc.array(anyKey, { maxLength: 200 }),
        (keys, others) => {
          const table = new KeyTable();
          for (const key of keys) table.add(key);
          const { bytes, ends } = table.view();
          const twin = new KeyTable();
          for (const _ of twin.adopt({ bytes: bytes.slice(), ends: ends.slice() }));
          expect(twin.size).toBe(table.size);
          for (const key of [...others, ...keys]) {
            expect(twin.indexOf(key)).toBe(table.indexOf(key));
            expect(twin.add(key)).toBe(table.add(key));
          }
          for (let i = 0; i < table.size; i++) expect(twin.keyAt(i)).toBe(table.keyAt(i));
        },
      ),
    );
  });

  it('gives way while it takes over many keys', () => {
    const table = new KeyTable();
    for (let i = 0; i < 25_000; i++) table.add(`sample-${i}`);
    const { bytes, ends } = table.view();
    const twin = new KeyTable();
    expect([...twin.adopt({ bytes: bytes.slice(), ends: ends.slice() })]).toHaveLength(3);
    for (let i = 0; i < 25_000; i++) if (twin.indexOf(`sample-${i}`) !== i) expect.fail(`index of ${i}`);
  });

  it('stays exact through every step of growth', () => {
    const table = new KeyTable();
    const keyOf = (i: number) => `sample-${String(i).padStart(9, '0')}`;
    for (let i = 0; i < 100_000; i++) if (table.add(keyOf(i)) !== i) expect.fail(`index of ${i}`);
    for (let i = 0; i < 100_000; i++) {
      if (table.indexOf(keyOf(i)) !== i || table.keyAt(i) !== keyOf(i)) expect.fail(`key ${i}`);
      if (table.add(keyOf(i)) !== -1) expect.fail(`a second key ${i}`);
      if (table.indexOf(keyOf(100_000 + i)) !== -1) expect.fail(`no key ${i}`);
    }
  });

  it('takes the empty key and keys of any length', () => {
    const table = new KeyTable();
    const keys = [
      '',
      'x'.repeat(65_536),
      '中'.repeat(65_535),
      '中'.repeat(65_536),
      'x'.repeat(4_096),
      '😀'.repeat(4_097),
    ];
    for (const [index, key] of keys.entries()) {
      expect(table.indexOf(key)).toBe(-1);
      expect(table.add(key)).toBe(index);
    }
    for (const [index, key] of keys.entries()) {
      expect(table.indexOf(key)).toBe(index);
      expect(table.keyAt(index) === key).toBe(true);
    }
  });

  it('tells distinct lone surrogates and U+FFFD apart', () => {
    const table = new KeyTable();
    expect(['\ud800', '\ud801', '\ufffd'].map((key) => table.add(key))).toEqual([0, 1, 2]);
    expect(table.keyAt(1)).toBe('\ud801');
  });

  it.each([-1, 1, 0.5, Number.NaN])('refuses index %d of one key', (index) => {
    const table = new KeyTable();
    table.add('only');
    expect(() => table.keyAt(index)).toThrow(RangeError);
  });
});
