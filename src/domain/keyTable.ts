/**
 * An exact table from string keys to dense indices 0, 1, 2… in the order of insertion, for a million keys and
 * more at a few bytes a key above the key's own.
 *
 * A `Map<string, number>` holds the same at three times the memory and puts a million objects in the way of
 * the garbage collector. Here keys are bytes in one arena and a lookup allocates nothing.
 *
 * Bytes: each UTF-16 unit is written as UTF-8 writes a character of that number, one to three bytes (the
 * CESU-8 of Unicode Technical Report 26). For text of the basic plane that is UTF-8; a character outside it
 * takes six bytes rather than four. In return every string has a form of its own: UTF-8 proper would store
 * all lone surrogates as U+FFFD, and two distinct keys would be taken for one.
 *
 * Slots: open addressing with linear probing over a power of two of 32-bit words (Knuth, The Art of Computer
 * Programming 3, 6.4). The lowest bits of a key's hash say where probing starts; a slot holds index + 1 in as
 * many lowest bits (0: empty) and the remaining bits of the hash above. So most keys that are not the one
 * looked for are passed over without touching the arena; the others are compared byte by byte.
 */

const MINIMUM_SLOTS = 64;
const MINIMUM_ARENA = 1024;
const MAXIMUM_ARENA = 2 ** 32 - 1;
const BYTES_PER_UNIT = 3;

/** Keys that are hashed between two turns of whoever adopts them: some milliseconds' worth. */
const KEYS_PER_TURN = 10_000;

/** The keys of a table as two arrays; how they are found again follows from them. */
export interface KeyBytes {
  /** The keys' bytes one after another. */
  readonly bytes: Uint8Array;
  /** Where each key ends, after a 0: one number more than there are keys. */
  readonly ends: Uint32Array;
}

export class KeyTable {
  /** The keys' bytes one after another. What lies beyond the last key is scratch for the key in question. */
  #arena: Uint8Array = new Uint8Array(MINIMUM_ARENA);
  /** Key i is `arena[ends[i]]` up to, not including, `arena[ends[i + 1]]`. */
  #ends: Uint32Array = new Uint32Array(MINIMUM_SLOTS);
  #slots = new Uint32Array(MINIMUM_SLOTS);
  #size = 0;
  /** UTF-16 units of the longest key, so that a lookup of something longer need not be encoded at all. */
  #longest = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * Adds a key and returns its index, or -1, with nothing changed, if it is there already. Any string is a
   * key, the empty one too. Throws RangeError if the keys' bytes would pass 4 GiB.
   */
  add(key: string): number {
    const start = this.#end;
    const end = this.#encode(key);
    const hash = this.#hash(start, end);
    const at = this.#probe(hash, start, end);
    if (this.#slots[at] !== 0) return -1;

    const index = this.#size;
    if (index + 2 > this.#ends.length) this.#growEnds();
    this.#ends[index + 1] = end;
    this.#size = index + 1;
    this.#longest = Math.max(this.#longest, key.length);
    // Above two thirds full, probes grow long.
    if (this.#size * 3 > this.#slots.length * 2) this.#rehash(this.#slots.length * 2);
    else this.#slots[at] = slotOf(hash, index, this.#slots.length - 1);
    return index;
  }

  /** The index of a key, or -1. */
  indexOf(key: string): number {
    if (key.length > this.#longest) return -1;
    const start = this.#end;
    const end = this.#encode(key);
    const slot = this.#slots[this.#probe(this.#hash(start, end), start, end)] as number;
    return (slot & (this.#slots.length - 1)) - 1;
  }

  /** The key at an index. An index that was never given out is a programming error and throws RangeError. */
  keyAt(index: number): string {
    if (index >>> 0 !== index || index >= this.#size) {
      throw new RangeError(`Index ${index} is outside a table of ${this.#size} keys`);
    }
    return decode(this.#arena, this.#ends[index] as number, this.#ends[index + 1] as number);
  }

  /** The keys, over the table's own memory: good until the next `add` or `indexOf`. */
  view(): KeyBytes {
    return {
      bytes: this.#arena.subarray(0, this.#end),
      ends: this.#ends.subarray(0, this.#size + 1),
    };
  }

  /**
   * Has these keys, in place of those it had; the arrays are its own from then on. It gives way now and then, and
   * is of use once that has come to its end.
   */
  *adopt({ bytes, ends }: KeyBytes): Generator<void, void, void> {
    this.#arena = bytes;
    this.#ends = ends;
    this.#size = ends.length - 1;
    // As many units as the longest has bytes, which are never fewer.
    this.#longest = 0;
    for (let i = 0; i < this.#size; i++) {
      this.#longest = Math.max(this.#longest, (ends[i + 1] as number) - (ends[i] as number));
    }
    let slots = MINIMUM_SLOTS;
    while (this.#size * 3 > slots * 2) slots *= 2;
    this.#slots = new Uint32Array(slots);
    for (let first = 0; first < this.#size; first += KEYS_PER_TURN) {
      this.#index(first, Math.min(first + KEYS_PER_TURN, this.#size));
      yield;
    }
  }

  /** Where the keys' bytes end and the scratch begins. */
  get #end(): number {
    return this.#ends[this.#size] as number;
  }

  /** Writes a key's bytes into the scratch and returns where they end. */
  #encode(key: string): number {
    let end = this.#end;
    const bound = end + key.length * BYTES_PER_UNIT;
    if (bound > this.#arena.length) this.#growArena(bound);
    const arena = this.#arena;
    for (let i = 0; i < key.length; i++) {
      const unit = key.charCodeAt(i);
      if (unit < 0x80) {
        arena[end++] = unit;
      } else if (unit < 0x800) {
        arena[end++] = 0xc0 | (unit >> 6);
        arena[end++] = 0x80 | (unit & 0x3f);
      } else {
        arena[end++] = 0xe0 | (unit >> 12);
        arena[end++] = 0x80 | ((unit >> 6) & 0x3f);
        arena[end++] = 0x80 | (unit & 0x3f);
      }
    }
    return end;
  }

  /**
   * FNV-1a (Fowler, Noll & Vo) of the bytes, then the finaliser of MurmurHash3 (Appleby), because
   * FNV alone leaves its last bytes in the lowest bits, where keys that count upwards would cluster.
   */
  #hash(start: number, end: number): number {
    const arena = this.#arena;
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (arena[i] as number), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  /** The slot of the key whose bytes are given, or the empty slot where it belongs. */
  #probe(hash: number, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = slots[at] as number;
      if (slot === 0) return at;
      if (((slot ^ hash) & ~mask) === 0 && this.#equals((slot & mask) - 1, start, end)) return at;
    }
  }

  #equals(index: number, start: number, end: number): boolean {
    const from = this.#ends[index] as number;
    let own = this.#ends[index + 1] as number;
    if (own - from !== end - start) return false;
    const arena = this.#arena;
    // Backwards, since keys of one source mostly share their beginning.
    while (own > from) if (arena[--own] !== arena[--end]) return false;
    return true;
  }

  #rehash(slotCount: number): void {
    this.#slots = new Uint32Array(slotCount);
    this.#index(0, this.#size);
  }

  /** Puts the keys of these indices, of which none is there yet, into the slots. */
  #index(first: number, end: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let index = first; index < end; index++) {
      const hash = this.#hash(this.#ends[index] as number, this.#ends[index + 1] as number);
      let at = hash & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = slotOf(hash, index, mask);
    }
  }

  #growEnds(): void {
    const grown = new Uint32Array(Math.max(MINIMUM_SLOTS, this.#ends.length + (this.#ends.length >> 2)));
    grown.set(this.#ends);
    this.#ends = grown;
  }

  #growArena(bound: number): void {
    if (bound > MAXIMUM_ARENA) throw new RangeError('The keys together pass 4 GiB');
    const grown = new Uint8Array(Math.min(MAXIMUM_ARENA, bound + Math.floor(bound / 4)));
    grown.set(this.#arena);
    this.#arena = grown;
  }
}

function slotOf(hash: number, index: number, mask: number): number {
  return (hash & ~mask) | (index + 1);
}

/** `String.fromCharCode` takes its units as arguments, of which an engine bears only so many. */
const UNITS_PER_CALL = 4096;

function decode(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let units: number[] = [];
  for (let i = start; i < end; ) {
    const first = bytes[i++] as number;
    if (first < 0x80) {
      units.push(first);
    } else if (first < 0xe0) {
      units.push(((first & 0x1f) << 6) | ((bytes[i++] as number) & 0x3f));
    } else {
      const middle = (bytes[i++] as number) & 0x3f;
      units.push(((first & 0x0f) << 12) | (middle << 6) | ((bytes[i++] as number) & 0x3f));
    }
    if (units.length === UNITS_PER_CALL) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}
