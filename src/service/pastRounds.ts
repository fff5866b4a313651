import type { ProjectEvent, RoundOpened } from '../domain/events.ts';
import type { Store } from '../journal/port.ts';

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
  for await (const { seq, events } of store.read(journal, 0)) {
    for (const event of events as unknown as readonly ProjectEvent[]) {
      if (event.type === 'roundOpened' && event.round === round) return { opened: event, seq };
    }
  }
  return null;
}
