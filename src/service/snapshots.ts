import { type Store, StoreUnavailableError } from '../journal/port.ts';
import { type FoldOptions, type JournalKind, loadProjection, type Projection } from './folding.ts';
import {
  bytesOf,
  chunksOf,
  type Manifest,
  readManifest,
  writeManifest,
  writeState,
} from './snapshotFormat.ts';

/** A snapshot that stands. */
export interface SnapshotTaken {
  /** The commit at which it stands. */
  readonly seq: number;
  readonly bytes: number;
}

/**
 * Takes a snapshot of a journal, from the store alone: it loads the snapshot before and what was committed since, and
 * keeps what that comes to. So it can run in any thread, and whoever decides for the journal need not know of it: the
 * commits up to one place are the one consistent copy.
 *
 * @param options `pause` may throw, to end it; the snapshot before stands then
 * @returns null: there is nothing new since the last
 */
export async function takeSnapshot<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  kind: JournalKind<P, E>,
  options: Omit<FoldOptions, 'upTo' | 'onCommit'> & { readonly now: () => number },
): Promise<SnapshotTaken | null> {
  const { form } = kind;
  if (form === null) return null;
  const { now, pause } = options;
  const began = now();
  const before = await standing(store, journal);
  let isUseful = before?.version === form.version;
  let commit = before?.commit ?? '';
  const projection = await loadProjection(store, journal, kind, {
    ...options,
    onUselessSnapshot: (problem) => {
      isUseful = false;
      options.onUselessSnapshot(problem);
    },
    onCommit: ({ id }) => {
      commit = id;
    },
  });
  const { seq } = projection;
  if (seq === 0 || (isUseful && before?.seq === seq)) return null;
  // A chunk that is damaged would be taken for one that is there already.
  if (!isUseful) await store.deleteChunks([...chunksOf(before)], began + 1);
  const head = { version: form.version, seq, commit };
  const manifest = await writeState(store, journal, form.save(projection), head, { now, between: pause });
  await writeManifest(store, journal, manifest);
  const named = chunksOf(manifest);
  // Another node may be taking one as well: what it has put since this began stays.
  await store.deleteChunks(
    [...chunksOf(before)].filter((id) => !named.has(id)),
    began + 1,
  );
  return { seq, bytes: bytesOf(manifest) };
}

/** The manifest that stands, or null: there is none, or it is damaged, which whoever loads the snapshot hears of. */
async function standing(store: Store, journal: string): Promise<Manifest | null> {
  try {
    return await readManifest(store, journal);
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    return null;
  }
}
