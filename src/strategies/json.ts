/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The largest parameters that are taken and kept with a round: their JSON in UTF-8. */
const MAX_PARAMETER_BYTES = 64 * 1024;

/** Deeper than people nest parameters, and shallower than any store's limit. A circle is deeper than any. */
const MAX_DEPTH = 32;

/** A value that is no plain JSON object, or too large a one. The message goes on from "the parameters …". */
export class NotJsonError extends Error {
  override name = 'NotJsonError';
  /** The keys and indices that lead to what is wrong; empty for the whole. */
  readonly path: readonly string[];

  constructor(path: readonly string[], message: string) {
    super(message);
    this.path = path;
  }
}

/**
 * A copy of a plain JSON object, so that what is kept is what was checked: no getters, no prototypes, nothing
 * that changes later. Keys whose value is undefined are left out, as in JSON.
 *
 * @throws {NotJsonError} and what a getter throws
 */
export function copyJsonObject(value: unknown): JsonObject {
  if (!isPlainObject(value)) throw new NotJsonError([], `are ${nameOf(value)}, and no JSON object`);
  return new Copier().object(value, []);
}

class Copier {
  #bytes = 0;

  object(value: object, path: readonly string[]): JsonObject {
    this.#count(2);
    const copy: Record<string, Json> = {};
    for (const [key, item] of Object.entries(value)) {
      if (item === undefined) continue;
      const at = [...path, key];
      if (key === '__proto__') throw new NotJsonError(at, 'have a key named __proto__');
      this.#text(key, at);
      this.#count(2);
      copy[key] = this.#any(item, at);
    }
    return copy;
  }

  #any(value: unknown, path: readonly string[]): Json {
    if (path.length > MAX_DEPTH) {
      throw new NotJsonError(path.slice(0, 3), `are nested more than ${MAX_DEPTH} deep`);
    }
    if (typeof value === 'string') return this.#text(value, path);
    if (
      value === null ||
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value))
    ) {
      this.#count(JSON.stringify(value).length);
      // JSON knows no −0, and what is kept must be what the strategy was given.
      return value === 0 ? 0 : value;
    }
    if (Array.isArray(value)) {
      this.#count(2);
      const copy: Json[] = [];
      for (let i = 0; i < value.length; i++) {
        this.#count(1);
        copy.push(this.#any(value[i], [...path, String(i)]));
      }
      return copy;
    }
    if (isPlainObject(value)) return this.object(value, path);
    throw new NotJsonError(path, `hold ${nameOf(value)}, which JSON cannot`);
  }

  #text(text: string, path: readonly string[]): string {
    this.#count(text.length);
    if (/\p{Surrogate}/u.test(text)) throw new NotJsonError(path, 'hold half a surrogate pair');
    this.#count(Buffer.byteLength(JSON.stringify(text)) - text.length);
    return text;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MAX_PARAMETER_BYTES) {
      throw new NotJsonError([], `take more than ${MAX_PARAMETER_BYTES / 1024} KiB as JSON`);
    }
  }
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // That of another realm, such as the main thread's, has no prototype itself.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What people call it: `a Map`, `NaN`, `a function`. */
function nameOf(value: unknown): string {
  if (typeof value === 'number' || value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value === 'bigint' ? 'BigInt' : typeof value}`;
  const maker: unknown = value.constructor;
  const name = typeof maker === 'function' && maker.name !== '' ? maker.name : 'object';
  return /^[AEIOU]/i.test(name) ? `an ${name}` : `a ${name}`;
}
