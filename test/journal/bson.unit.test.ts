import * as fc from 'fast-check';
import { Binary, BSON } from 'mongodb';
import { expect, it } from 'vitest';
import { fromBson, toBson } from '../../src/journal/bson.ts';
import { StoreError } from '../../src/journal/port.ts';
import { value } from './contract.ts';

it('gives every value back through BSON as it was', () => {
  fc.assert(
    fc.property(value, (given) => {
      const bytes = BSON.serialize({ value: toBson(given) });
      const { value } = BSON.deserialize(bytes, { fieldsAsRaw: Object.create(null) });
      expect(fromBson(value)).toStrictEqual(given);
    }),
  );
});

it('gives no field a name that MongoDB gives a meaning, or that a path cannot name', () => {
  const names = [
    'a.b',
    '$set',
    'a$',
    '%',
    '%41',
    '_bsontype',
    '_bsontypes',
    '_id',
    'a\0',
    '',
    '%Float32Array',
  ];
  const encoded = toBson(Object.fromEntries(names.map((name) => [name, 1])));
  expect(Object.keys(encoded as object)).toStrictEqual([
    'a%2Eb',
    '%24set',
    'a$',
    '%25',
    '%2541',
    '%5Fbsontype',
    '_bsontypes',
    '_id',
    'a%00',
    '',
    '%25Float32Array',
  ]);
});

it('writes numbers in little-endian order', () => {
  const { '%Uint16Array': bytes } = toBson(Uint16Array.of(1, 0x0203)) as { '%Uint16Array': Binary };
  expect([...bytes.value()]).toStrictEqual([1, 0, 3, 2]);
});

it('keeps what it was given, whatever the caller writes to it afterwards', () => {
  const array = Float64Array.of(1);
  const encoded = toBson([array]);
  array.fill(2);
  expect(fromBson(encoded)).toStrictEqual([Float64Array.of(1)]);
});

it.each([
  ['a date', new Date(0)],
  ['undefined', undefined],
  ['a long', BSON.Long.ONE],
  ['a name that is not escaped', { '%': 1 }],
  ['an array that is cut short', { '%Float64Array': new Binary(Uint8Array.of(1, 2, 3)) }],
  ['an array that is no binary data', { '%Float64Array': 1 }],
  ['an expression', /x/],
])('refuses %s, which it did not write', (_, foreign) => {
  expect(() => fromBson({ a: [foreign] })).toThrow(StoreError);
});
