import { type Store, StoreFullError, StoreUnavailableError } from '../journal/port.ts';

/** Hears of a store's trouble. Clients are told by refusals; whoever runs the service must be told too. */
export interface StoreWatcher {
  /** Writes have begun to fail. */
  onTrouble(error: Error): void;
  /** A write has succeeded again. */
  onRelief(): void;
}

/** The same store, watched: it tells when writes begin to fail and when they succeed again, once each. */
export function watchStore(store: Store, { onTrouble, onRelief }: StoreWatcher): Store {
  let isInTrouble = false;

  async function watched<T>(written: Promise<T>): Promise<T> {
    try {
      const result = await written;
      if (isInTrouble) onRelief();
      isInTrouble = false;
      return result;
    } catch (error) {
      if (!isInTrouble && (error instanceof StoreFullError || error instanceof StoreUnavailableError)) {
        isInTrouble = true;
        onTrouble(error);
      }
      throw error;
    }
  }

  return {
    append: (journal, commit) => watched(store.append(journal, commit)),
    read: (journal, after) => store.read(journal, after),
    head: (journal) => store.head(journal),
    journals: () => store.journals(),
    putChunk: (bytes, now) => watched(store.putChunk(bytes, now)),
    renewChunks: (ids, now) => watched(store.renewChunks(ids, now)),
    chunks: () => store.chunks(),
    deleteChunks: (ids, before) => watched(store.deleteChunks(ids, before)),
    getChunk: (id) => store.getChunk(id),
    ...(store.peekChunk && { peekChunk: store.peekChunk.bind(store) }),
    putDocument: (collection, id, value) => watched(store.putDocument(collection, id, value)),
    getDocument: (collection, id) => store.getDocument(collection, id),
    documents: (collection) => store.documents(collection),
    deleteDocument: (collection, id) => watched(store.deleteDocument(collection, id)),
    ...(store.watch && { watch: store.watch.bind(store) }),
    ...(store.purge && { purge: store.purge }),
    ...(store.leases && { leases: store.leases }),
    close: () => store.close(),
  };
}
