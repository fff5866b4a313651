import { chunksForgotten, chunksNamed } from '../domain/events.ts';
import type { ChunkId, Store } from '../journal/port.ts';
import { DIRECTORY_JOURNAL } from './directoryKind.ts';
import { eventsOf } from './folding.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { chunksOf, readManifest } from './snapshotFormat.ts';

export interface SweepReport {
  /** Chunks that the store held. */
  readonly chunks: number;
  /** Those that nothing named, and that are gone. */
  readonly deleted: number;
}

/**
 * A chunk is stored before the commit that names it, be it by a moment (an import) or by as long as a tool takes between
 * uploading predictions and publishing them. What nobody has named within a day is taken for left behind.
 */
const DAY_MS = 86_400_000;

const DELETED_AT_A_TIME = 100;
const COMMITS_PER_TURN = 500;

/**
 * Deletes the chunks that no commit and no snapshot names and that were last put or renewed more than a day ago.
 *
 * What a commit under way is about to name stays: whoever commits has put or renewed the chunk just before, and the
 * store looks at its age in the same step in which it would delete it. The ages are read first, and the journals after
 * that, so that whatever was named meanwhile is either too young or found to be named.
 *
 * @throws {UnknownEventError} a newer Concord has written a journal: what it names cannot be told, so nothing is deleted
 * @throws {StoreError} the store cannot be read or written, or a snapshot's manifest cannot be read: likewise
 */
export async function sweepChunks(
  store: Store,
  { now, pause }: { readonly now: () => number; readonly pause: () => Promise<void> },
): Promise<SweepReport> {
  const before = now() - DAY_MS;
  const unnamed = new Set<ChunkId>();
  let chunks = 0;
  for await (const { id, putAt } of store.chunks()) {
    if (++chunks % COMMITS_PER_TURN === 0) await pause();
    if (putAt < before) unnamed.add(id);
  }
  for (const journal of await store.journals()) {
    if (unnamed.size === 0) break;
    if (journal === DIRECTORY_JOURNAL) continue;
    let commits = 0;
    const named = new Set<ChunkId>();
    for await (const commit of store.read(journal, 0)) {
      if (++commits % COMMITS_PER_TURN === 0) await pause();
      for (const event of eventsOf(PROJECT_KIND, commit)) {
        for (const id of chunksNamed(event)) if (unnamed.has(id)) named.add(id);
        for (const id of chunksForgotten(event)) named.delete(id);
      }
    }
    for (const id of named) unnamed.delete(id);
    for (const id of chunksOf(await readManifest(store, journal))) unnamed.delete(id);
  }
  let deleted = 0;
  const left = [...unnamed];
  for (let first = 0; first < left.length; first += DELETED_AT_A_TIME) {
    await pause();
    deleted += await store.deleteChunks(left.slice(first, first + DELETED_AT_A_TIME), before);
  }
  return { chunks, deleted };
}
