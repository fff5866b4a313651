import { UnknownEventError } from '../domain/events.ts';
import type { ProjectState } from '../domain/projectState.ts';
import {
  type Commit,
  type Store,
  type StoredValue,
  StoreError,
  StoreUnavailableError,
} from '../journal/port.ts';
import { mustGetChunk } from './chunks.ts';
import { type Manifest, readManifest, readState } from './snapshotFormat.ts';

/** State that is folded from a journal's events. */
export interface Projection<E> {
  readonly seq: number;
  readonly time: number;
  fold(event: E, seq: number, time: number, chunks: (id: string) => Uint8Array): void;
}

/** How a projection is kept, so that not every start folds its journal from the first commit. */
export interface StateForm<P> {
  /** State of another version is not read. */
  readonly version: number;
  /** The state over the projection's own memory: good until the next event is folded. */
  save(projection: P): ProjectState;
  /** Takes the state over. It gives way now and then. */
  restore(state: ProjectState): Generator<void, P, void>;
}

/** A journal of one kind: how its projection begins, and which chunks its events need to be folded. */
export interface JournalKind<P extends Projection<E>, E> {
  empty(): P;
  /**
   * An event of whatever release in today's form.
   * @throws {UnknownEventError} a newer release has written it
   */
  current(event: unknown): E;
  chunksToFold(event: E): readonly string[];
  /** It follows by itself, as when a time has run out: it stands, though the command that met it is refused. */
  isFact(event: E): boolean;
  /** What it costs to fold, in ordinary events: those of one person and one sample. */
  workOf(event: E): number;
  /** Null: its journals are short, and are folded from their beginning. */
  readonly form: StateForm<P> | null;
}

/** A journal cannot be folded: its store has lost something, or it was written by other rules. */
export class DamagedJournalError extends Error {
  override name = 'DamagedJournalError';
}

/** A newer version of Concord has written the journal, and this one must not guess what it meant. */
export class JournalTooNewError extends Error {
  override name = 'JournalTooNewError';
}

export interface FoldOptions {
  /** Lets other work have a turn. It may throw, to end the work. */
  readonly pause: () => Promise<void>;
  /** Told of a snapshot that is of no use, and why: the journal is folded from its beginning then. */
  readonly onUselessSnapshot: (problem: string) => void;
  /** The last commit to fold; by default as many as there are. */
  readonly upTo?: number;
  /** Told of each commit that was folded. */
  readonly onCommit?: (commit: Commit) => void;
}

/** Between two pauses of a fold: some milliseconds' worth. */
const COMMITS_PER_TURN = 500;

/**
 * The projection of a journal: from its snapshot and the commits after that, or from all commits.
 * @throws {JournalTooNewError} a newer version of Concord has written it
 * @throws {DamagedJournalError} it cannot be folded; the message names the commit and what is missing
 * @throws {StoreError} the store cannot be read
 */
export async function loadProjection<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  kind: JournalKind<P, E>,
  options: FoldOptions,
): Promise<P> {
  const projection = (await fromSnapshot(store, journal, kind, options)) ?? kind.empty();
  return foldTail(store, journal, kind, projection, options);
}

/** The projection of a journal, from all its commits. Throws as {@link loadProjection} does. */
export function foldFromZero<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  kind: JournalKind<P, E>,
  options: Omit<FoldOptions, 'onUselessSnapshot'>,
): Promise<P> {
  return foldTail(store, journal, kind, kind.empty(), options);
}

async function fromSnapshot<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  { form }: JournalKind<P, E>,
  { pause, onUselessSnapshot, upTo = Number.POSITIVE_INFINITY }: FoldOptions,
): Promise<P | null> {
  if (form === null) return null;
  let isStopped = false;
  const turn = async () => {
    try {
      await pause();
    } catch (error) {
      isStopped = true;
      throw error;
    }
  };
  for (;;) {
    let manifest: Manifest | null = null;
    try {
      manifest = await readManifest(store, journal);
      if (manifest === null || manifest.version !== form.version || manifest.seq > upTo) return null;
      if ((await commitIdAt(store, journal, manifest.seq)) !== manifest.commit) {
        throw new Error(`it is of another journal: commit ${manifest.seq} is another one`);
      }
      const work = form.restore(await readState(store, journal, manifest, turn));
      for (let step = work.next(); ; step = work.next()) {
        if (step.done) return step.value;
        await turn();
      }
    } catch (error) {
      // Neither says anything of the snapshot: to be told to stop, and a store in which the journal cannot be read either.
      if (isStopped || error instanceof StoreUnavailableError) throw error;
      // Whoever took the next one meanwhile has deleted the chunks of this one.
      if (manifest !== null && (await isFollowed(store, journal, manifest))) continue;
      onUselessSnapshot(error instanceof Error ? error.message : String(error));
      return null;
    }
  }
}

/** Whether a later snapshot stands by now. */
async function isFollowed(store: Store, journal: string, { seq }: Manifest): Promise<boolean> {
  try {
    const standing = await readManifest(store, journal);
    return standing !== null && standing.seq > seq;
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    return false;
  }
}

/** The id of a commit; undefined if there is none at that place. */
export async function commitIdAt(store: Store, journal: string, seq: number): Promise<string | undefined> {
  for await (const commit of store.read(journal, seq - 1)) return commit.id;
  return undefined;
}

/**
 * Folds the commits after the projection's own into it, and gives it back. Throws as {@link loadProjection} does.
 */
export async function foldTail<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  kind: JournalKind<P, E>,
  projection: P,
  {
    pause,
    upTo = Number.POSITIVE_INFINITY,
    onCommit = () => undefined,
  }: Omit<FoldOptions, 'onUselessSnapshot'>,
): Promise<P> {
  let commits = 0;
  if (projection.seq >= upTo) return projection;
  for await (const next of foldableTail(store, journal, kind, projection.seq)) {
    if (++commits % COMMITS_PER_TURN === 0) await pause();
    foldWhole(kind, journal, projection, next);
    onCommit(next.commit);
    if (next.commit.seq >= upTo) break;
  }
  return projection;
}

/**
 * What a commit holds, in today's form.
 * @throws {UnknownEventError} a newer release has written it
 */
export function eventsOf<E>({ current }: Pick<JournalKind<never, E>, 'current'>, { events }: Commit): E[] {
  return events.map((event) => current(event));
}

/** A commit and the chunks that folding it takes: it can be folded in one step. */
export interface FoldableCommit {
  readonly commit: Commit;
  readonly chunks: ReadonlyMap<string, Uint8Array>;
}

/**
 * The commits after a place, each with its chunks, for who folds them at a moment of its own choosing.
 * Throws as {@link loadProjection} does.
 */
export async function* foldableTail<P extends Projection<E>, E>(
  store: Store,
  journal: string,
  kind: JournalKind<P, E>,
  after: number,
): AsyncGenerator<FoldableCommit, void, void> {
  for await (const kept of store.read(journal, after)) {
    let commit: Commit;
    let chunks: ReadonlyMap<string, Uint8Array>;
    try {
      const events = eventsOf(kind, kept);
      commit = { ...kept, events: events as readonly StoredValue[] };
      chunks = await loadChunks(
        store,
        events.flatMap((event) => kind.chunksToFold(event)),
      );
    } catch (error) {
      throw unfoldable(kind, journal, kept, error);
    }
    yield { commit, chunks };
  }
}

/**
 * Folds a whole commit, in one step. After an error the projection is of no use.
 * @throws {JournalTooNewError | DamagedJournalError} as {@link loadProjection}
 */
export function foldWhole<P extends Projection<E>, E>(
  kind: JournalKind<P, E>,
  journal: string,
  projection: P,
  { commit, chunks }: FoldableCommit,
): void {
  const { seq, time, events } = commit;
  try {
    for (const event of events as readonly E[]) {
      projection.fold(event, seq, time, (id) => chunks.get(id) as Uint8Array);
    }
  } catch (error) {
    throw unfoldable(kind, journal, commit, error);
  }
}

/** Why a commit cannot be folded, or what it names cannot be told, as {@link loadProjection} throws it. */
export function unfoldable<P extends Projection<E>, E>(
  { form }: JournalKind<P, E>,
  journal: string,
  { seq }: Commit,
  error: unknown,
): unknown {
  if (error instanceof UnknownEventError) return tooNew(journal, seq, error, form?.version);
  if (error instanceof StoreError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return new DamagedJournalError(
    `journal ${journal} cannot be read at commit ${seq}: ${problem}; restore a backup`,
    { cause: error },
  );
}

function tooNew(journal: string, seq: number, cause: UnknownEventError, version: number | undefined): Error {
  const rules =
    version === undefined ? 'this version of Concord' : `this version of Concord (fold ${version})`;
  return new JournalTooNewError(
    `journal ${journal} was written by a newer version of Concord: its commit ${seq} has an event of type ${cause.type}, which ${rules} does not know; use the version that wrote it, or a newer one`,
    { cause },
  );
}

/**
 * Chunks by their ids.
 * @throws {DamagedChunkError} naming a chunk that the store lacks
 */
export async function loadChunks(store: Store, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
  const chunks = new Map<string, Uint8Array>();
  for (const id of ids) chunks.set(id, await mustGetChunk(store, id));
  return chunks;
}
