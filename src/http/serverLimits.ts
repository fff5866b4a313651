import { readFile } from 'node:fs/promises';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { DEFAULT_LIMITS, type DocumentLimits } from '../graphql/limits.ts';
import type { Viewer } from '../service/access.ts';

/** What the service lets anybody do, beyond what an operation may ask for. 0 in a rate or a count: any number. */
export interface ServerLimits extends DocumentLimits {
  /** Operations a second that one token may send, over all its connections to this node. */
  readonly rate: number;
  /** Connections that one address may have open, HTTP and WebSocket. */
  readonly connections: number;
  /** Operations that one WebSocket may have open. */
  readonly operations: number;
  /** The largest body of a request, in MiB. */
  readonly bodyMiB: number;
  /** How long a WebSocket may take to show its token, in seconds. */
  readonly initSeconds: number;
  /** How long a connection is kept that asks nothing, in seconds. */
  readonly idleSeconds: number;
  /** The only documents that are run; null: any. */
  readonly documents: ReadonlySet<string> | null;
}

export const DEFAULT_SERVER_LIMITS: ServerLimits = {
  ...DEFAULT_LIMITS,
  rate: 1_000,
  connections: 0,
  operations: 200,
  bodyMiB: 32,
  initSeconds: 3,
  idleSeconds: 65,
  documents: null,
};

/** A token may save up so many seconds of its rate, for who has nothing to do and then much. */
const BURST_SECONDS = 2;
/** Tokens whose rates are kept; who is forgotten begins anew with all of it. */
const KEPT = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/** A token bucket for each bearer token: so many operations a second, and twice as many at once. */
export class Rates {
  readonly #rate: number;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: KEPT });

  /**
   * @param rate operations a second; 0: any number
   * @param now milliseconds since whenever
   */
  constructor(rate: number, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /**
   * Takes one operation of a token's.
   * @throws {GraphQLError} RATE_LIMITED: there is none left; it says when there will be
   */
  take({ token }: Viewer): void {
    if (this.#rate === 0) return;
    const now = this.#now();
    const most = this.#rate * BURST_SECONDS;
    let bucket = this.#buckets.get(token);
    if (bucket === undefined) {
      bucket = { left: most, at: now };
      this.#buckets.set(token, bucket);
    }
    bucket.left = Math.min(most, bucket.left + ((now - bucket.at) / 1_000) * this.#rate);
    bucket.at = now;
    if (bucket.left < 1) throw this.#limited((1 - bucket.left) / this.#rate);
    bucket.left--;
  }

  #limited(seconds: number): GraphQLError {
    const retryAfter = Math.max(1, Math.ceil(seconds));
    const message = `This token sends more than ${this.#rate} operations a second. Go on in ${retryAfter} s.`;
    const http = { status: 429, headers: { 'retry-after': String(retryAfter) } };
    return new GraphQLError(message, {
      extensions: { code: 'RATE_LIMITED', limit: this.#rate, retryAfter, http },
    });
  }
}

/** How many connections each address has open. */
export class Addresses {
  readonly #limit: number;
  readonly #open = new Map<string, number>();

  /** @param limit connections of an address; 0: any number */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts a connection in.
   * @returns counts it out; null: the address has as many as it may
   */
  enter(address: string): (() => void) | null {
    const open = this.#open.get(address) ?? 0;
    if (this.#limit > 0 && open >= this.#limit) return null;
    this.#open.set(address, open + 1);
    return () => {
      const left = (this.#open.get(address) ?? 0) - 1;
      if (left > 0) this.#open.set(address, left);
      else this.#open.delete(address);
    };
  }
}

/**
 * The documents of a manifest, as `npm run generate` writes one for the SDK: a JSON object of texts by any names.
 * @throws {Error} it cannot be read, or holds something else
 */
export async function trustedDocuments(file: string): Promise<ReadonlySet<string>> {
  const manifest: unknown = JSON.parse(await readFile(file, 'utf8'));
  const texts = typeof manifest === 'object' && manifest !== null ? Object.values(manifest) : [];
  if (texts.length === 0 || !texts.every((text) => typeof text === 'string')) {
    throw new Error(`${file} is no manifest: an object whose values are the texts of documents`);
  }
  return new Set(texts as string[]);
}
