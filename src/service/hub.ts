import type { Environment } from './environment.ts';

/**
 * Wakes those who follow a project. It carries no values: who is woken looks at the projection and takes what is
 * new to them. So a slow reader holds nothing but one bit, however much happens meanwhile.
 */
export class Hub {
  readonly #topics = new Map<string, Set<Follower>>();
  readonly #followers = new Set<Follower>();
  #isClosed = false;
  /** Rings that came while an earlier one was not heard yet: both are told together. */
  coalesced = 0;

  /**
   * Wakes those who follow a topic.
   * @param concerns whether what has happened may concern who follows for one member only; default: it may
   */
  wake(topic: string, concerns: (member: string, since: number) => boolean = () => true): void {
    for (const follower of this.#topics.get(topic) ?? []) {
      const { interest } = follower;
      if (interest !== null && !concerns(interest.member, interest.since)) continue;
      if (follower.hasRung) this.coalesced++;
      follower.wake();
    }
  }

  /**
   * To be called now and then: wakes those whose time has passed, so that they look whether they may still look, and
   * those who hear of little, for what concerns them may have changed by what did not.
   */
  tick(now: number): void {
    for (const follower of this.#followers) {
      if (follower.until <= now || follower.interest !== null) follower.wake();
    }
  }

  /**
   * Follows topics from now on, until closed.
   * @param options `until`: when to be woken at the latest, in milliseconds since 1970; `onEnd`: called once,
   * when it is closed; `interest`: null, which is the default, to hear of everything
   */
  follow(
    topics: readonly string[],
    {
      until = Number.POSITIVE_INFINITY,
      onEnd,
      interest = null,
    }: {
      readonly until?: number;
      readonly onEnd?: () => void;
      readonly interest?: Readonly<Interest> | null;
    } = {},
  ): Follower {
    const follower = new Follower(until, interest, () => {
      this.#leave(topics, follower);
      onEnd?.();
    });
    this.#followers.add(follower);
    for (const topic of topics) {
      const followers = this.#topics.get(topic);
      if (followers) followers.add(follower);
      else this.#topics.set(topic, new Set([follower]));
    }
    if (this.#isClosed) follower.close();
    return follower;
  }

  #leave(topics: readonly string[], follower: Follower): void {
    this.#followers.delete(follower);
    for (const topic of topics) {
      const followers = this.#topics.get(topic);
      followers?.delete(follower);
      if (followers?.size === 0) this.#topics.delete(topic);
    }
  }

  /** How many follow anything: after everybody has gone, 0. */
  get size(): number {
    return this.#followers.size;
  }

  /** Ends every stream, those begun later too: at shutdown. */
  close(): void {
    this.#isClosed = true;
    for (const follower of [...this.#followers]) follower.close();
  }
}

/** What a reader wants to hear of: what concerns one member, and happened after a commit. */
export interface Interest {
  readonly member: string;
  /** The `seq` that the reader has seen; the reader moves it on. */
  since: number;
}

/** One reader's bell: it remembers that it rang, not how often. */
export class Follower {
  /** When it is woken at the latest, in milliseconds since 1970. */
  readonly until: number;
  readonly interest: Readonly<Interest> | null;
  readonly #leave: () => void;
  #rang = false;
  #isClosed = false;
  #waiting: (() => void)[] = [];
  readonly #pauses = new Set<() => void>();

  constructor(until: number, interest: Readonly<Interest> | null, leave: () => void) {
    this.until = until;
    this.interest = interest;
    this.#leave = leave;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether it has rung, and nobody has heard it yet. */
  get hasRung(): boolean {
    return this.#rang;
  }

  wake(): void {
    this.#rang = true;
    this.#letGo();
  }

  /** Resolves to true when something has happened since it last did, to false when closed. */
  async changed(): Promise<boolean> {
    if (!this.#rang && !this.#isClosed) await this.#bell();
    this.#rang = false;
    return !this.#isClosed;
  }

  /** Resolves after a time, or at once when closed. */
  async pause(environment: Environment, ms: number): Promise<void> {
    if (this.#isClosed) return;
    const { promise, resolve } = promiseToKeep();
    const cancel = environment.setTimer(resolve, ms);
    this.#pauses.add(resolve);
    await promise;
    this.#pauses.delete(resolve);
    cancel();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const resolve of this.#pauses) resolve();
    this.#letGo();
    this.#leave();
  }

  #bell(): Promise<void> {
    const { promise, resolve } = promiseToKeep();
    this.#waiting.push(resolve);
    return promise;
  }

  #letGo(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function promiseToKeep() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}

/**
 * An iterator over what `next` gives, until it gives undefined or the follower is closed. An async generator
 * would not do: its `return` waits until the pending `next` has ended, so a reader who leaves would be let go
 * only at the next change.
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
      if (follower.isClosed) return end();
      try {
        const value = await next();
        return value === undefined || follower.isClosed ? end() : { done: false, value };
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
