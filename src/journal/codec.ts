import { crc32 } from 'node:zlib';
import { addExtension, Packr } from 'msgpackr';
import { type Commit, type StoredValue, StoreError } from './port.ts';

/*
 * Values are kept as MessagePack, so that any language can read a store without Concord. Two extensions
 * go beyond it: msgpackr's own for typed arrays ("t", one byte for the element type, then the elements in
 * little-endian order), and NEGATIVE_ZERO for the one number that msgpackr would change.
 */

/** Stands for -0 on its way into msgpackr, which takes every zero for an unsigned integer. */
class NegativeZero {}
const NEGATIVE_ZERO = new NegativeZero();
const NEGATIVE_ZERO_TYPE = 0x30;

addExtension({
  Class: NegativeZero,
  type: NEGATIVE_ZERO_TYPE,
  pack: () => Uint8Array.of(0),
  unpack: () => -0,
});

const packr = new Packr({
  moreTypes: true,
  useRecords: false,
  variableMapSize: true,
  useToJSON: false,
});

/** @throws {TypeError} the value is none that a store keeps: see {@link StoredValue} */
export function encodeValue(value: StoredValue): Uint8Array {
  return packr.pack(packable(value));
}

/** @throws {StoreError} the bytes are not an encoded value */
export function decodeValue(bytes: Uint8Array): StoredValue {
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new StoreError('a stored value cannot be read: the store is damaged', { cause });
  }
}

const SEAL_BYTES = 4;

/**
 * Encodes what the key of a commit does not already say, and behind it the CRC-32 of that, in little-endian order. Half
 * a commit can read as a whole one: what a disk has lost are zeros, and so may be many a number in a typed array.
 */
export function encodeCommit({ id, time, events }: Commit): Uint8Array {
  const bytes = encodeValue([id, time, events]);
  const sealed = Buffer.allocUnsafe(bytes.length + SEAL_BYTES);
  sealed.set(bytes);
  sealed.writeUInt32LE(crc32(bytes), bytes.length);
  return sealed;
}

/** @throws {StoreError} the bytes are not an encoded commit, or not all that was encoded */
export function decodeCommit(journal: string, seq: number, sealed: Uint8Array): Commit {
  const end = sealed.length - SEAL_BYTES;
  const bytes = sealed.subarray(0, Math.max(end, 0));
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.length);
  if (end < 0 || view.getUint32(end, true) !== crc32(bytes)) {
    throw new StoreError(
      `commit ${seq} of journal ${journal} cannot be read: the store is damaged; restore it from a backup`,
    );
  }
  const [id, time, events] = decodeValue(bytes) as [string, number, StoredValue[]];
  return { seq, id, time, events };
}

/**
 * The value as msgpackr must be given it to come back as it was: the value itself wherever that will do.
 * Everything that would come back changed is refused here, before it is acknowledged, and not found out at
 * the replay.
 */
function packable(value: StoredValue | undefined): unknown {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? NEGATIVE_ZERO : value;
    case 'string':
      return wellFormed(value);
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return value;
      if (ArrayBuffer.isView(value)) return packableArray(value);
      return isArray(value) ? packableItems(value) : packableFields(value);
    default:
      throw new TypeError(`a store cannot keep a value of type ${typeof value}`);
  }
}

/** `Array.isArray`, which TypeScript does not let narrow a readonly array. */
function isArray(value: object): value is readonly StoredValue[] {
  return Array.isArray(value);
}

const TYPED_ARRAYS: readonly unknown[] = [
  Uint8Array,
  Uint16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
];

function packableArray(view: ArrayBufferView): ArrayBufferView {
  if (TYPED_ARRAYS.includes(view.constructor)) return view;
  // A Buffer comes back as what it is to the port, a Uint8Array.
  if (view instanceof Uint8Array) return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  throw new TypeError(`a store cannot keep a ${view.constructor.name}`);
}

function packableItems(items: readonly StoredValue[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const packed = packable(item);
    if (packed === item) continue;
    copy ??= [...items];
    copy[i] = packed;
  }
  return copy ?? items;
}

function packableFields(fields: { readonly [key: string]: StoredValue | undefined }): object {
  const prototype: unknown = Object.getPrototypeOf(fields);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`a store cannot keep a ${fields.constructor?.name ?? 'class instance'}`);
  }
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(fields)) {
    if (key === '__proto__') throw new TypeError('a store cannot keep a key named __proto__');
    wellFormed(key);
    const field = fields[key];
    const packed = field === undefined ? undefined : packable(field);
    if (packed === field) continue;
    copy ??= { ...fields };
    copy[key] = packed;
  }
  return copy ?? fields;
}

/** UTF-8 has no way to write half of a surrogate pair: it would come back as another character. */
function wellFormed(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('a store cannot keep a string with a lone surrogate');
  return text;
}
