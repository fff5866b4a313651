import { type Store, StoreUnavailableError } from '../journal/port.ts';
import {
  commitIdAt,
  DamagedJournalError,
  type FoldOptions,
  type JournalKind,
  loadProjection,
  type Projection,
} from './folding.ts';
import {
  bytesOf,
  chunksOf,
  type Manifest,
  readManifest,
  writeManifest,
  writeState,
} from './snapshotFormat.ts';

/** Longer than it takes to take a snapshot, and nodes' clocks differ: what is left over is swept one day. */
const GRACE_MS = 3_600_000;

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
  const projection = await loadProjection(store, journal, kind, {
    ...options,
    onUselessSnapshot: (problem) => {
      isUseful = false;
      options.onUselessSnapshot(problem);
    },
  });
  const { seq } = projection;
  if (seq === 0 || (isUseful && before?.seq === seq)) return null;
  // A chunk that is damaged would be taken for one that is there already.
  if (!isUseful) await store.deleteChunks([...chunksOf(before)], began + 1);
  const commit = await commitIdAt(store, journal, seq);
  if (commit === undefined) throw new DamagedJournalError(`journal ${journal} has lost its commit ${seq}`);
  const head = { version: form.version, seq, commit };
  const manifest = await writeState(store, journal, form.save(projection), head, { now, between: pause });
  // Another node may have taken one meanwhile: a later one stays.
  const meanwhile = await standing(store, journal);
  const isAhead = meanwhile?.version === form.version && meanwhile.seq >= seq;
  if (isAhead && meanwhile.commit !== before?.commit) return null;
  await writeManifest(store, journal, manifest);
  const named = chunksOf(manifest);
  // Another may be taking one now, in which chunks of the one before are named: those it has renewed stay.
  const grace = store.watch === undefined ? 0 : GRACE_MS;
  await store.deleteChunks(
    [...chunksOf(before)].filter((id) => !named.has(id)),
    began + 1 - grace,
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
