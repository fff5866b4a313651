import type { Environment } from './environment.ts';

/**
 * Wakes those who follow a project. It carries no values: who is woken looks at the projection or the journal
 * and takes what is new to them. So a slow reader holds nothing but one bit, however much happens meanwhile.
 */
export class Hub {
  readonly #followers = new Map<string, Set<Follower>>();

  /** Wakes everybody who follows a topic. */
  wake(topic: string): void {
    for (const follower of this.#followers.get(topic) ?? []) follower.wake();
  }

  /** Follows topics from now on, until closed; `onEnd` is called then. */
  follow(topics: readonly string[], onEnd?: () => void): Follower {
    const follower: Follower = new Follower(() => {
      for (const topic of topics) this.#leave(topic, follower);
      onEnd?.();
    });
    for (const topic of topics) {
      const followers = this.#followers.get(topic);
      if (followers) followers.add(follower);
      else this.#followers.set(topic, new Set([follower]));
    }
    return follower;
  }

  #leave(topic: string, follower: Follower): void {
    const followers = this.#followers.get(topic);
    followers?.delete(follower);
    if (followers?.size === 0) this.#followers.delete(topic);
  }

  /** How many follow anything: what is left after everybody has gone must be 0. */
  get size(): number {
    let size = 0;
    for (const followers of this.#followers.values()) size += followers.size;
    return size;
  }

  /** Ends every stream, at shutdown. */
  close(): void {
    for (const followers of [...this.#followers.values()])
      for (const follower of [...followers]) follower.close();
  }
}

/** One reader's bell: it remembers that it rang, not how often. */
export class Follower {
  #rang = false;
  #closed = false;
  #waiting: ((open: boolean) => void) | null = null;
  readonly #leave: () => void;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  wake(): void {
    this.#rang = true;
    this.#waiting?.(true);
  }

  /** Resolves to true when something has happened since the last call, to false when closed. */
  changed(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const open = new Promise<boolean>((resolve) => {
      this.#waiting = resolve;
      if (this.#rang) resolve(true);
    });
    return open.then((value) => {
      this.#waiting = null;
      this.#rang = false;
      return value && !this.#closed;
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    this.#waiting?.(false);
  }
}

/**
 * A stream of a state: first the state as it is, then again whenever it has changed, coalesced to the newest.
 *
 * @param look gives the state, or undefined to end the stream
 * @param same whether two states would look alike to the reader
 * @param pauseMs the least time between two pushes
 */
export function stateStream<T>(
  environment: Environment,
  follower: Follower,
  {
    look,
    same,
    pauseMs,
  }: {
    readonly look: () => Promise<T | undefined>;
    readonly same: (a: T, b: T) => boolean;
    readonly pauseMs: number;
  },
): AsyncIterableIterator<T> {
  let last: { readonly state: T } | null = null;
  return handWritten(follower, async () => {
    for (;;) {
      if (last !== null) {
        if (!(await follower.changed())) return undefined;
        await new Promise<void>((resolve) => {
          environment.setTimer(resolve, pauseMs);
        });
      }
      const state = await look();
      if (state === undefined) return undefined;
      if (last !== null && same(last.state, state)) continue;
      last = { state };
      return state;
    }
  });
}

/**
 * An iterator over what `next` gives, until it gives undefined. An async generator would not do: its `return`
 * waits until the pending `next` has ended, so a reader who leaves would be let go only at the next change.
 */
export function handWritten<T>(
  follower: Follower,
  next: () => Promise<T | undefined>,
): AsyncIterableIterator<T> {
  const end = (): IteratorResult<T> => {
    follower.close();
    return { done: true, value: undefined };
  };
  return {
    async next() {
      try {
        const value = await next();
        return value === undefined ? end() : { done: false, value };
      } catch (error) {
        follower.close();
        throw error;
      }
    },
    async return() {
      return end();
    },
    async throw(error: unknown) {
      follower.close();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
