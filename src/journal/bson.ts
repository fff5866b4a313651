import { Binary } from 'mongodb';
import { type StoredValue, StoreError } from './port.ts';

/*
 * Values as documents of MongoDB, for people to query and for us to read back as they were:
 *
 * - null, booleans, numbers, strings, lists and objects are what they are; a Uint8Array is binary data;
 * - another typed array is an object with one field, named `%` and its type, which holds its elements in
 *   little-endian order: `{ "%Float32Array": <binary> }`. A binary subtype would say the same where nobody
 *   sees it, and not every server keeps one;
 * - a field's name is escaped where MongoDB or its driver would not keep it, or where no query could reach it
 *   (see {@link NOT_IN_NAMES}), as in a URL: `a.b` is `a%2Eb`. So no name of a value begins like a typed array's.
 */

/** MongoDB takes 100 levels of nesting; what is around a value takes some of them. */
const MAX_DEPTH = 90;

/**
 * A dot, which parts a path; a dollar in front, which marks an operator; `_bsontype`, by which the driver knows
 * its own classes; a zero character, which ends a name in BSON; and the percent sign itself.
 */
const NOT_IN_NAMES = /[.%\0]|^\$|^_(?=bsontype$)/g;

const NUMBERS = {
  '%Uint16Array': Uint16Array,
  '%Uint32Array': Uint32Array,
  '%Int32Array': Int32Array,
  '%Float32Array': Float32Array,
  '%Float64Array': Float64Array,
} as const;

/**
 * The value as the driver must be given it, in arrays and objects of its own.
 * @param value one that `encodeValue` takes
 * @throws {TypeError} the value is nested too deep for MongoDB
 */
export function toBson(value: StoredValue): unknown {
  return encoded(value, 0);
}

/** @throws {StoreError} the value is none that {@link toBson} makes */
export function fromBson(value: unknown): StoredValue {
  try {
    return decoded(value);
  } catch (cause) {
    const what = 'a stored value cannot be read: Concord did not write it, or the store is damaged';
    throw new StoreError(what, { cause });
  }
}

function encoded(value: StoredValue, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) {
    throw new TypeError(`a store in MongoDB cannot keep a value of more than ${MAX_DEPTH} levels`);
  }
  if (isArray(value)) return value.map((item) => encoded(item, depth + 1));
  if (ArrayBuffer.isView(value)) return encodedArray(value);
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) fields[escaped(name)] = encoded(field, depth + 1);
  }
  return fields;
}

/** `Array.isArray`, which TypeScript does not let narrow a readonly array. */
function isArray(value: object): value is readonly StoredValue[] {
  return Array.isArray(value);
}

type TypedArray = Extract<StoredValue, ArrayBufferView>;

function encodedArray(array: TypedArray): unknown {
  // A copy: the driver sends it later, when the caller may have written to the array.
  const bytes = new Binary(new Uint8Array(array.buffer, array.byteOffset, array.byteLength).slice());
  const type = array[Symbol.toStringTag];
  return type === 'Uint8Array' ? bytes : { [`%${type}`]: bytes };
}

function decoded(value: unknown): StoredValue {
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'string':
      return value;
    case 'object':
      if (value === null) return value;
      if (value instanceof Binary) return bytesOf(value);
      if (Array.isArray(value)) return value.map(decoded);
      if (Object.getPrototypeOf(value) === Object.prototype) return decodedFields(value);
  }
  throw new TypeError(`no stored value is a ${typeof value} of this kind`);
}

function decodedFields(document: object): StoredValue {
  const fields = Object.entries(document);
  const [name, bytes] = fields[0] ?? [];
  if (name !== undefined && isNumbers(name) && bytes instanceof Binary) {
    return new NUMBERS[name](bytesOf(bytes).buffer);
  }
  return Object.fromEntries(fields.map(([name, field]) => [unescaped(name), decoded(field)]));
}

function isNumbers(name: string): name is keyof typeof NUMBERS {
  return Object.hasOwn(NUMBERS, name);
}

/** A copy, in a buffer of its own: the driver's are parts of whole messages, and not aligned. */
function bytesOf(binary: Binary): Uint8Array<ArrayBuffer> {
  return new Uint8Array(binary.buffer.subarray(0, binary.position));
}

function escaped(name: string): string {
  return name.replace(
    NOT_IN_NAMES,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function unescaped(name: string): string {
  return name.includes('%') ? decodeURIComponent(name) : name;
}
