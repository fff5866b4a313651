import { setTimeout as pause } from 'node:timers/promises';
import { type Client, createClient } from '@concord/sdk/client';
import { parseId } from '../../src/graphql/ids.ts';
import type { Dice } from '../simulation/dice.ts';
import type { Ledger } from './ledger.ts';

/** How long an answer may take: far longer than it does, and than a start after a crash. */
const TIMEOUT_MS = 60_000;
/** Attempts of one call: as many as a server takes to come back. */
const ATTEMPTS = 10_000;

/** What all share who use the service in a run. */
export interface Scene {
  readonly url: string;
  readonly ledger: Ledger;
  /** The one project, by its global id. */
  readonly project: string;
  readonly labels: readonly string[];
  /** Whoever works stops then. */
  readonly isOver: () => boolean;
}

/** The run is over: what was not answered is not sent again. */
class Over extends Error {
  override name = 'Over';
}

/** The SDK's client. It sends again, over all crashes, what may be sent twice and was not answered. */
export function clientOf({ url, isOver }: Pick<Scene, 'url' | 'isOver'>, token: string): Client {
  return createClient({
    url,
    token() {
      if (isOver()) throw new Over();
      return token;
    },
    timeoutMs: TIMEOUT_MS,
    retry: { attempts: ATTEMPTS, minDelayMs: 20, maxDelayMs: 150 },
  });
}

/** Takes one step after another until the run is over. */
export async function repeat({ isOver }: Scene, step: () => Promise<void>): Promise<void> {
  try {
    while (!isOver()) await step();
  } catch (error) {
    if (!(error instanceof Over)) throw error;
  }
}

/** What paces the load: nobody waits for anything by it. */
export function think(dice: Dice, longestMs: number): Promise<void> {
  return pause(dice.between(0, longestMs));
}

/** What the journal calls something whose global id is given. */
export function localId(id: string, type: 'Project' | 'Member' | 'Assignment'): string {
  return parseId(id, type).at(-1) ?? '';
}

/** The data that the sample of a key is imported with. */
export function dataOf(key: string): string {
  return `the data of ${key}`;
}
