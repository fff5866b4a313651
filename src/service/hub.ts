import type { Environment } from './environment.ts';

/** Of those who each look by themselves, so many are woken in one turn of the event loop: a few milliseconds of work. */
const SLICE = 50;

/**
 * Wakes those who follow a project. It carries no values: who is woken looks at the projection and takes what is
 * new to them. So a slow reader holds nothing but one bit, however much happens meanwhile.
 */
export class Hub {
  readonly #environment: Environment;
  readonly #topics = new Map<string, Set<Follower>>();
  readonly #followers = new Set<Follower>();
  /** Those who are woken in a later turn. */
  readonly #due = new Set<Follower>();
  /** How many of those who are woken in turns were, in this one. */
  #woken = 0;
  /** Calls off the next turn; null: none is to come. */
  #nextTurn: (() => void) | null = null;
  #isClosed = false;
  /** Rings that came while an earlier one was not heard yet: both are told together. */
  coalesced = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /**
   * Wakes those who follow a topic: who looks for many at once, the others in turns, so that nothing else waits for long.
   * @param concerns whether what has happened may concern who follows for one member only; default: it may
   */
  wake(topic: string, concerns: (member: string, since: number) => boolean = () => true): void {
    for (const follower of this.#topics.get(topic) ?? []) {
      const { interest } = follower;
      if (interest !== null && !concerns(interest.member, interest.since)) continue;
      this.ring(follower);
    }
  }

  /** Wakes one follower, in turn. */
  ring(follower: Follower): void {
    if (follower.hasRung || this.#due.has(follower)) this.coalesced++;
    if (follower.inTurn && this.#woken >= SLICE) this.#due.add(follower);
    else follower.wake();
    if (!follower.inTurn) return;
    this.#woken++;
    this.#nextTurn ??= this.#environment.setTimer(() => this.#turn(), 0);
  }

  #turn(): void {
    this.#nextTurn = null;
    this.#woken = 0;
    for (const follower of this.#due) {
      if (this.#woken === SLICE) break;
      this.#due.delete(follower);
      this.#woken++;
      follower.wake();
    }
    if (this.#due.size > 0) this.#nextTurn = this.#environment.setTimer(() => this.#turn(), 0);
  }

  /** To be called now and then: wakes those whose time has come, see {@link Interest}, or is over. */
  tick(now: number): void {
    for (const follower of this.#followers) {
      if (follower.until <= now || (follower.interest?.due ?? Number.POSITIVE_INFINITY) <= now)
        this.ring(follower);
    }
  }

  /** Those who follow a topic for one member each. */
  interested(topic: string): (Follower & { readonly interest: Readonly<Interest> })[] {
    return [...(this.#topics.get(topic) ?? [])].filter(hasInterest);
  }

  /**
   * Follows topics from now on, until closed.
   * @param options `until`: when to be woken at the latest, in milliseconds since 1970; `onEnd`: called once,
   * when it is closed; `interest`: null, which is the default, to hear of everything; `inTurn`: there may be many such, and
   * each looks by itself (default: with an interest)
   */
  follow(
    topics: readonly string[],
    {
      until = Number.POSITIVE_INFINITY,
      onEnd,
      interest = null,
      inTurn = interest !== null,
    }: {
      readonly until?: number;
      readonly onEnd?: () => void;
      readonly interest?: Readonly<Interest> | null;
      readonly inTurn?: boolean;
    } = {},
  ): Follower {
    const follower = new Follower({ until, interest, inTurn }, () => {
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
    this.#due.delete(follower);
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
    this.#nextTurn?.();
    this.#nextTurn = null;
  }
}

/** What a reader wants to hear of: what concerns one member, and happened after a commit. The reader moves it on. */
export interface Interest {
  readonly member: string;
  /** The `seq` that the reader has seen; below 0: whatever happens may concern them. */
  since: number;
  /** When what they see changes though nothing happens, in milliseconds since 1970; `Infinity`: never. */
  due: number;
}

function hasInterest(follower: Follower): follower is Follower & { readonly interest: Readonly<Interest> } {
  return follower.interest !== null;
}

/** One reader's bell: it remembers that it rang, not how often. */
export class Follower {
  /** When it is woken at the latest, in milliseconds since 1970. */
  readonly until: number;
  readonly interest: Readonly<Interest> | null;
  /** Whether it is one of many who are woken in turns. */
  readonly inTurn: boolean;
  readonly #leave: () => void;
  #rang = false;
  #isClosed = false;
  #waiting: (() => void)[] = [];
  readonly #pauses = new Set<() => void>();

  constructor(
    { until, interest, inTurn }: Pick<Follower, 'until' | 'interest' | 'inTurn'>,
    leave: () => void,
  ) {
    this.until = until;
    this.interest = interest;
    this.inTurn = inTurn;
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
