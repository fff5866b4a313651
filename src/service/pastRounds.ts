import type { RoundOpened } from '../domain/events.ts';
import type { Store } from '../journal/port.ts';
import { eventsOf } from './folding.ts';
import { PROJECT_KIND } from './projectKind.ts';

/** A round as its journal keeps it, and the commit that opened it. */
export interface PastRound {
  readonly opened: RoundOpened;
  readonly seq: number;
}

/**
 * A round by its number, found in the journal alone; null if there is none.
 * @throws {StoreError} the store cannot be read
 */
export async function roundOf(store: Store, journal: string, round: number): Promise<PastRound | null> {
  for await (const commit of store.read(journal, 0)) {
    for (const event of eventsOf(PROJECT_KIND, commit)) {
      if (event.type === 'roundOpened' && event.round === round) return { opened: event, seq: commit.seq };
    }
  }
  return null;
}
