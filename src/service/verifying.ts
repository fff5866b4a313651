import { chunksForgotten, chunksNamed, type ProjectEvent } from '../domain/events.ts';
import { type ChunkId, type Store, StoreUnavailableError } from '../journal/port.ts';
import { mustGetSoundChunk } from './chunks.ts';
import { differences } from './comparing.ts';
import { foldFromZero, loadProjection } from './folding.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { readManifest } from './snapshotFormat.ts';

export interface Verification {
  readonly journal: string;
  /** The commit up to which it was looked at. */
  readonly seq: number;
  /** Chunks that its commits name. */
  readonly chunks: number;
  /** The commit of its snapshot; null: it has none. */
  readonly snapshot: number | null;
  /** What is wrong, in words; empty: all is as it should be. */
  readonly problems: readonly string[];
}

export interface WorkOptions {
  readonly pause: () => Promise<void>;
  /** How far long work has come: so many of so many of something. */
  readonly onProgress: (what: string, done: number, of: number) => void;
}

const PROBLEMS_NAMED = 20;

/**
 * Looks a project through: folds its journal from the first commit, reads every chunk that a commit names, and compares
 * what the fold comes to with what a start would come to from the snapshot. The store may be in use meanwhile: commits
 * after the head of this moment are left alone.
 * @throws {StoreUnavailableError} the store cannot be read
 */
export async function verifyProject(
  store: Store,
  journal: string,
  { pause, onProgress }: WorkOptions,
): Promise<Verification> {
  // First: a snapshot is of commits that are there, so the head that is read after it is none of an earlier one.
  const before = await snapshotOf(store, journal);
  const upTo = await store.head(journal);
  const problems: string[] = [];
  const named = new Set<ChunkId>();
  if (before !== null && before > upTo)
    problems.push(`it ends at commit ${upTo}, and its snapshot is of commit ${before}: commits are lost`);
  try {
    const folded = await foldFromZero(store, journal, PROJECT_KIND, {
      pause,
      upTo,
      onCommit({ seq, events }) {
        onProgress('commits', seq, upTo);
        for (const event of events as unknown as readonly ProjectEvent[]) {
          for (const id of chunksNamed(event)) named.add(id);
          for (const id of chunksForgotten(event)) named.delete(id);
        }
      },
    });
    if (folded.seq !== upTo) problems.push(`commit ${folded.seq + 1} of ${upTo} is missing`);
    const onUselessSnapshot = (problem: string) => problems.push(`its snapshot is of no use: ${problem}`);
    const loaded = await loadProjection(store, journal, PROJECT_KIND, { pause, upTo, onUselessSnapshot });
    const differing = differences(folded, loaded);
    if (differing.length > 0) problems.push(`its snapshot differs from its commits: ${differing.join(', ')}`);
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    problems.push(messageOf(error));
  }
  problems.push(...(await damagedAmong(store, named, { pause, onProgress })));
  return { journal, seq: upTo, chunks: named.size, snapshot: before, problems };
}

async function snapshotOf(store: Store, journal: string): Promise<number | null> {
  try {
    return (await readManifest(store, journal))?.seq ?? null;
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    // Whoever loads the snapshot says what is wrong with it.
    return null;
  }
}

async function damagedAmong(
  store: Store,
  ids: ReadonlySet<ChunkId>,
  { pause, onProgress }: WorkOptions,
): Promise<string[]> {
  const problems: string[] = [];
  let done = 0;
  for (const id of ids) {
    await pause();
    onProgress('chunks', ++done, ids.size);
    try {
      await mustGetSoundChunk(store, id);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      problems.push(messageOf(error));
    }
  }
  const more = problems.length - PROBLEMS_NAMED;
  return more > 0 ? [...problems.slice(0, PROBLEMS_NAMED), `and ${more} more chunks`] : problems;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
