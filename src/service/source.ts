import { followAs, type ProjectAccess, stillHolds } from './access.ts';
import type { Concord } from './concord.ts';
import type { Environment } from './environment.ts';
import { type Follower, handWritten } from './hub.ts';

/** What comes next to a reader at a place. */
export interface Step<E, P> {
  readonly event: E;
  /** Where the reader is when it has read the event. */
  readonly place: P;
  /** Steps of one source with the same key have the same event. */
  readonly key: string | number;
}

/**
 * What a stream reads from: readers pull, each from its own place, so that one source serves any number of them
 * and keeps nothing for any.
 *
 * @typeParam E what is pushed
 * @typeParam P a place in the stream, compared as a key of a Map is
 */
export interface Source<E, P = unknown> {
  /** A feed gives every event once and in order; a state the newest, at once, and at most every `pauseMs` milliseconds. */
  readonly kind: 'feed' | 'state';
  /** The least time between two looks for a reader that is up to date, and so between two pushes, in milliseconds. */
  readonly pauseMs: number;
  /** How long a reader waits after a change, for more to follow, in milliseconds; default: not at all. */
  readonly settleMs?: number | undefined;
  /** The topic of the hub that wakes its readers; default: the changes of the project. */
  readonly topic?: string | undefined;
  /**
   * Where a reader begins.
   * @param after the cursor of what it has read, or null; states have none
   * @throws {Refusal} BAD_CURSOR
   */
  start(after: string | null): Promise<P>;
  /** What comes next at a place; null: nothing until something changes. */
  next(place: P): Promise<Step<E, P> | null>;
}

/**
 * A state: its place is a version, which counts up whenever it looks otherwise than before.
 *
 * @param look gives the state
 * @param same whether two states would look alike to a reader
 * @param pauseMs see {@link Source.pauseMs}; asked after each look
 */
export function stateSource<T>({
  look,
  same,
  pauseMs,
  settleMs,
  topic,
}: {
  readonly look: () => Promise<T>;
  readonly same: (a: T, b: T) => boolean;
  readonly pauseMs: number | (() => number);
  readonly settleMs?: number;
  readonly topic?: string;
}): Source<T, number> {
  let version = 0;
  let newest: T | null = null;
  return {
    kind: 'state',
    get pauseMs() {
      return typeof pauseMs === 'number' ? pauseMs : pauseMs();
    },
    settleMs,
    topic,
    start: async () => 0,
    async next(place) {
      const state = await look();
      if (newest === null || !same(newest, state)) {
        newest = state;
        version++;
      }
      return version > place ? { event: newest, place: version, key: version } : null;
    },
  };
}

/**
 * One reader's stream of a source.
 *
 * @param follower wakes it; it ends with it
 * @param mayRead asked before every look; false ends the stream
 */
export function readSource<E, P>(
  environment: Environment,
  follower: Follower,
  {
    source,
    start,
    mayRead = async () => true,
  }: { readonly source: Source<E, P>; readonly start: P; readonly mayRead?: () => Promise<boolean> },
): AsyncIterableIterator<E> {
  let place = start;
  let lookedAt = Number.NEGATIVE_INFINITY;
  return handWritten(follower, async () => {
    // A state that was pushed waits for a change; what a feed has in store does not.
    let mustWait = source.kind === 'state' && lookedAt > Number.NEGATIVE_INFINITY;
    for (;;) {
      if (mustWait) {
        if (!(await follower.changed())) return undefined;
        // The first change in a while goes at once; what follows on its heels is coalesced.
        const rest = Math.max(lookedAt + source.pauseMs - environment.monotonic(), source.settleMs ?? 0);
        if (source.kind === 'state' && rest > 0) await follower.pause(environment, rest);
        if (follower.isClosed) return undefined;
      }
      if (!(await mayRead())) return undefined;
      const step = await source.next(place);
      lookedAt = environment.monotonic();
      if (step !== null) {
        place = step.place;
        return step.event;
      }
      mustWait = true;
    }
  });
}

/**
 * A source of a project for one viewer, until they may not see it any more.
 *
 * @param after the cursor of what they have read; null without one
 * @throws {Refusal} BAD_CURSOR
 */
export async function readAs<E, P>(
  concord: Concord,
  access: ProjectAccess,
  source: Source<E, P>,
  after: string | null = null,
): Promise<AsyncIterableIterator<E>> {
  // Follows before it looks, so that nothing can fall in between.
  const follower = followAs(concord, access, { topic: source.topic });
  try {
    const start = await source.start(after);
    const mayRead = () => stillHolds(concord, access);
    return readSource(concord.environment, follower, { source, start, mayRead });
  } catch (error) {
    follower.close();
    throw error;
  }
}

/** A source whose events are turned into others. */
export function mapSource<E, F, P>(source: Source<E, P>, turn: (event: E) => F): Source<F, P> {
  return {
    kind: source.kind,
    get pauseMs() {
      return source.pauseMs;
    },
    settleMs: source.settleMs,
    topic: source.topic,
    start: (after) => source.start(after),
    async next(place) {
      const step = await source.next(place);
      return step === null ? null : { ...step, event: turn(step.event) };
    },
  };
}
