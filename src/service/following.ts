import type { Store } from '../journal/port.ts';
import type { Environment } from './environment.ts';
import type { JournalHost } from './journalHost.ts';

/** How often the tails are read while the store tells of appends: what it did not tell of is late by as much. */
const TOLD_MS = 5_000;
/** And how often while it tells of none. */
const UNTOLD_MS = 500;
/** After so many readings the store is asked to tell again: every half a minute. */
const READINGS_UNTIL_ASKED = 60;

/** Any host: what is decided by it is of no interest here. */
export type FollowedHost = Pick<JournalHost<never, never>, 'journal' | 'follow'>;

/** The hosts that a node has. */
export interface Hosts {
  all(): Iterable<FollowedHost>;
  of(journal: string): FollowedHost | undefined;
}

/**
 * Keeps the hosts of a node where the journals are, whoever has appended to them. The store's hints make it quick;
 * that nothing is missed follows from reading the tail of every host now and then, one after another.
 */
export class Following {
  readonly #store: Store;
  readonly #environment: Environment;
  readonly #hosts: Hosts;
  #stopHints: (() => void) | null = null;
  /** After how many readings the store is asked for hints again; null while it gives them. */
  #untilAsked: number | null = null;
  #stopTimer: () => void = () => undefined;
  #isClosed = false;

  /** A store that one process alone can write is not followed: then this does nothing. */
  constructor(store: Store, environment: Environment, hosts: Hosts) {
    this.#store = store;
    this.#environment = environment;
    this.#hosts = hosts;
    if (store.watch === undefined) return;
    this.#ask();
    this.#next();
  }

  /** Whether others may append. */
  get isNeeded(): boolean {
    return this.#store.watch !== undefined;
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer();
    this.#stopHints?.();
  }

  #ask(): void {
    this.#untilAsked = null;
    this.#stopHints =
      this.#store.watch?.(
        (journal, seq) => this.#hosts.of(journal)?.follow(seq),
        () => {
          this.#stopHints = null;
          this.#untilAsked = READINGS_UNTIL_ASKED;
          if (!this.#isClosed) this.#next();
        },
      ) ?? null;
  }

  #next(): void {
    this.#stopTimer();
    const ms = this.#untilAsked === null ? TOLD_MS : UNTOLD_MS;
    this.#stopTimer = this.#environment.setTimer(() => this.#look(), ms);
  }

  async #look(): Promise<void> {
    for (const host of this.#hosts.all()) {
      await host.follow();
      if (this.#isClosed) return;
    }
    if (this.#untilAsked !== null && --this.#untilAsked === 0) this.#ask();
    this.#next();
  }
}
