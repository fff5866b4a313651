import { isDeepStrictEqual } from 'node:util';
import type { Client, FeedReset, PrioritizedSamples } from '@concord/sdk/client';
import type { Project } from '../../src/domain/project.ts';
import type { Dice } from '../simulation/dice.ts';
import { type Ledger, Violation } from './ledger.ts';
import type { Announced } from './truth.ts';

/** Follows the newly prioritized samples over all crashes, by the SDK, which takes up where the connection broke. */
export class FeedReader {
  readonly #client: Client;
  readonly #project: string;
  readonly #leaves: Dice | null;
  readonly #received: Announced[] = [];
  #checked = 0;
  #cursor: string | null = null;

  /** @param leaves says after how many pushes it leaves, to come back with its cursor; null: it stays */
  constructor(client: Client, project: string, leaves: Dice | null) {
    this.#client = client;
    this.#project = project;
    this.#leaves = leaves;
  }

  get received(): number {
    return this.#received.length;
  }

  /** Reads until the client is closed. */
  async live(): Promise<void> {
    for (let hasLeft = true; hasLeft; ) {
      hasLeft = false;
      let pushes = this.#leaves?.between(1, 5) ?? Number.POSITIVE_INFINITY;
      for await (const push of this.#client.followPrioritized({
        project: this.#project,
        after: this.#cursor,
      })) {
        this.#receive(push);
        hasLeft = --pushes === 0;
        if (hasLeft) break;
      }
    }
  }

  #receive(push: PrioritizedSamples | FeedReset): void {
    if (push.__typename === 'FeedReset') throw new Violation(`a reader was sent back: ${push.reason}`);
    this.#cursor = push.cursor;
    for (const { rank, sample } of push.samples) {
      this.#received.push({ round: push.round, rank, key: sample?.key ?? '' });
    }
  }

  /**
   * @param announced all that was announced, of which it may have seen the beginning
   * @throws {Violation} it has missed something, or was given something twice, out of order, or that is not there
   */
  check(announced: readonly Announced[]): void {
    for (; this.#checked < this.#received.length; this.#checked++) {
      const [is, should] = [this.#received[this.#checked], announced[this.#checked]];
      if (isDeepStrictEqual(is, should)) continue;
      throw new Violation(
        `item ${this.#checked} of a feed was announced as ${JSON.stringify(is)}, and is ${JSON.stringify(should)}`,
      );
    }
  }
}

/** Follows a state until the client is closed. It never goes back, whatever becomes of the server. */
export async function followState<T extends { readonly seq: number }>(
  what: string,
  states: AsyncIterable<T>,
  ledger: Ledger,
  { shown, look }: { shown: (state: T) => unknown; look: (project: Project) => unknown },
): Promise<void> {
  let last = 0;
  for await (const state of states) {
    const { seq } = state;
    if (seq < last) throw new Violation(`${what} goes back from commit ${last} to ${seq}`);
    last = seq;
    ledger.saw({ what, seq, atEnd: true, seen: shown(state), look });
  }
}
