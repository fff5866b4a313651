import type { Client as GraphQLWS } from 'graphql-ws/client';
import { resultOf } from './answers.ts';
import type { Operation } from './operation.ts';
import { delayAfter, pause, type RetryPolicy } from './retry.ts';

/** How many pushes of a feed may wait for their reader before the service is asked to stop; and to go on. */
const FULL = 64;
const LOW = 16;

export interface StreamOptions {
  readonly operation: Operation;
  readonly variables: object;
  readonly signal: AbortSignal | undefined;
  readonly retry: RetryPolicy;
  /** Gives the connection. */
  readonly connect: () => Promise<GraphQLWS>;
  /** What the reader is told of a failure that ends the stream. */
  readonly errorFor: (failure: unknown) => Error;
  readonly onEnd: () => void;
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One subscription as an iterator that outlives connections.
 *
 * A feed goes on behind the last push that came, whatever happens between: a lost connection, a service that
 * completes it to restart, a reader who is slow. (A slow reader's subscription is ended and taken up again, so
 * that nothing piles up on either side.) A state begins anew, and a reader who is slow sees the newest only.
 */
export class Stream<T> implements AsyncIterableIterator<T, undefined> {
  readonly #options: StreamOptions;
  readonly #left = new AbortController();
  #values: T[] = [];
  #readers: Reader<T>[] = [];
  #failure: { readonly error: unknown } | null = null;
  /** Where a feed goes on. */
  #cursor: string | null = null;
  /** Leaves the subscription; null while there is none, or none that counts any more. */
  #unsubscribe: (() => void) | null = null;
  #isPaused = false;
  /** How often in a row the service has ended the subscription before anything came. */
  #completions = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Subscribes. */
  begin(): void {
    const { signal } = this.#options;
    signal?.addEventListener('abort', this.#abort);
    if (signal?.aborted) this.#abort();
    else void this.#subscribe();
  }

  /** Ends the stream. What came before can still be read. */
  end(): void {
    if (this.#left.signal.aborted) return;
    this.#left.abort();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#options.onEnd();
    for (const reader of this.#readers) {
      if (this.#failure) reader.reject(this.#failure.error);
      else reader.resolve({ done: true, value: undefined });
    }
    if (this.#readers.length > 0) this.#failure = null;
    this.#readers = [];
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#values.length > 0) {
      const value = this.#values.shift() as T;
      if (this.#isPaused && this.#values.length <= LOW) {
        this.#isPaused = false;
        void this.#subscribe();
      }
      return Promise.resolve({ done: false, value });
    }
    if (this.#left.signal.aborted) {
      const failure = this.#failure;
      this.#failure = null;
      return failure ? Promise.reject(failure.error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#readers.push({ resolve, reject });
    });
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#values = [];
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #abort = (): void => this.#fail(this.#options.signal?.reason);

  async #subscribe(): Promise<void> {
    let client: GraphQLWS;
    try {
      client = await this.#options.connect();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#left.signal.aborted) return;
    const { operation, variables } = this.#options;
    const cursor = () => (this.#cursor === null ? {} : { after: this.#cursor });
    let leave: (() => void) | null = null;
    /** Whether this subscription still is the stream's: one that was left still completes. */
    const isCurrent = () => this.#unsubscribe === leave;
    leave = client.subscribe(
      {
        operationName: operation.name,
        query: operation.document,
        // The reference client writes the request anew for each connection, so a getter moves a feed's cursor on.
        get variables() {
          return { ...variables, ...cursor() };
        },
      },
      {
        next: (answer) => {
          if (!isCurrent()) return;
          try {
            this.#receive(resultOf<T>(operation, answer as Parameters<typeof resultOf>[1]));
          } catch (error) {
            this.#fail(error);
          }
        },
        error: (failure) => {
          if (isCurrent()) this.#fail(this.#options.errorFor(failure));
        },
        complete: () => {
          if (isCurrent()) void this.#resubscribe();
        },
      },
    );
    this.#unsubscribe = leave;
  }

  /** No stream of the service ends by itself: one that was completed is asked for again, or told why it ended. */
  async #resubscribe(): Promise<void> {
    this.#unsubscribe = null;
    await pause(delayAfter(++this.#completions, this.#options.retry), this.#left.signal);
    if (!this.#left.signal.aborted) await this.#subscribe();
  }

  #receive(value: T): void {
    this.#completions = 0;
    const isFeed = this.#options.operation.kind === 'feed';
    if (isFeed) this.#cursor = (value as { cursor: string }).cursor;
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value });
      return;
    }
    if (!isFeed) this.#values.length = 0;
    this.#values.push(value);
    if (this.#values.length >= FULL) {
      this.#isPaused = true;
      const unsubscribe = this.#unsubscribe;
      this.#unsubscribe = null;
      unsubscribe?.();
    }
  }

  #fail(error: unknown): void {
    if (this.#left.signal.aborted) return;
    this.#failure = { error };
    this.end();
  }
}
