import { isMongoAddress, shownAddress } from './address.ts';
import { joinLmdbStore, openLmdbStore, readLmdbStore } from './lmdb.ts';
import { type Store, StoreError } from './port.ts';

/**
 * What a store is opened for. MongoDB's can be opened by any number of processes for anything; a folder is told apart:
 * - `SERVE`: by one process, which makes it if it is missing;
 * - `JOIN`: by another thread of that process, while it has it open;
 * - `READ`: by anybody at any time; it must be there.
 */
export type StoreUse = 'SERVE' | 'JOIN' | 'READ';

const OPENERS = { SERVE: openLmdbStore, JOIN: joinLmdbStore, READ: readLmdbStore } as const;

/**
 * Opens the store at a location: `mongodb://…` and `mongodb+srv://…` are MongoDB's, all else is a folder.
 * @throws {StoreError} as {@link openLmdbStore} and `openMongoStore`; the message says what to do
 */
export async function openStore(location: string, use: StoreUse = 'SERVE'): Promise<Store> {
  if (isMongoAddress(location)) {
    // Only here, so that who has no MongoDB does not pay for its driver.
    const { openMongoStore } = await import('./mongodb.ts');
    return openMongoStore(location, use !== 'READ');
  }
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(location) ?? [];
  if (scheme !== undefined) {
    throw new StoreError(`no store is known for ${scheme}: give a folder, or an address mongodb://…`);
  }
  return OPENERS[use](location);
}

/** A location as it may be shown and logged: without a password. */
export function shownLocation(location: string): string {
  return isMongoAddress(location) ? shownAddress(location) : location;
}
