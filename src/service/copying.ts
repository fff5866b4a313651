import { adoptProject } from '../domain/adoptingProject.ts';
import type { Directory, DirectoryEvent } from '../domain/directory.ts';
import { chunksForgotten, chunksNamed, type ProjectEvent } from '../domain/events.ts';
import type { Commit, Store, StoredValue } from '../journal/port.ts';
import { mustGetSoundChunk } from './chunks.ts';
import { differences } from './comparing.ts';
import { DIRECTORY_JOURNAL, DIRECTORY_KIND } from './directoryKind.ts';
import { eventsOf, foldFromZero, unfoldable } from './folding.ts';
import { INVITATION_LABELS, NAMES, tokenLabels } from './labels.ts';
import { PROJECT_KIND } from './projectKind.ts';
import type { WorkOptions } from './verifying.ts';

/** The target has something else in the place of what would be copied. */
export class CopyRefusedError extends Error {
  override name = 'CopyRefusedError';
}

export interface CopyOptions extends WorkOptions {
  readonly now: () => number;
  readonly newId: () => string;
}

/** Appends that wait for one sync, each of 4 MiB at most. */
const COMMITS_PER_SYNC = 32;
const COMMITS_PER_TURN = 200;

/**
 * Copies a project's journal and the chunks that it names, up to the head of this moment, then folds both and compares.
 * Whatever the target has of it already stays, if it is the same: so a copy that was cut short can be made again.
 * @throws {CopyRefusedError} the target has another journal of that name; nothing is overwritten
 * @throws {Error} the copy is not what it was copied from
 */
export async function copyProject(
  from: Store,
  to: Store,
  journal: string,
  options: CopyOptions,
): Promise<{ readonly seq: number; readonly chunks: number }> {
  const upTo = await from.head(journal);
  const chunks = await copyJournal(from, to, journal, upTo, options);
  const { pause } = options;
  const [original, copy] = [
    await foldFromZero(from, journal, PROJECT_KIND, { pause, upTo }),
    await foldFromZero(to, journal, PROJECT_KIND, { pause }),
  ];
  const differing = differences(original, copy);
  if (differing.length > 0) {
    throw new Error(`the copy of ${journal} differs from what it was copied from: ${differing.join(', ')}`);
  }
  return { seq: upTo, chunks };
}

/**
 * Makes sure that the target can take the directory, before the projects are copied that it would know of.
 * @throws {CopyRefusedError} as {@link copyDirectory}
 */
export async function mustTakeDirectory(from: Store, to: Store, upTo: number): Promise<void> {
  await standingOf(from, to, DIRECTORY_JOURNAL, upTo);
}

/**
 * Copies the directory as it stands at a commit, and the names of those in it: for a copy of all projects.
 * @throws {CopyRefusedError} the target has another directory
 */
export async function copyDirectory(
  from: Store,
  to: Store,
  upTo: number,
  options: CopyOptions,
): Promise<void> {
  await copyJournal(from, to, DIRECTORY_JOURNAL, upTo, options);
  const { members } = await directoryOf(from, options, upTo);
  await copyNames(from, to, members.keys());
  // An earlier copy may have what was erased since.
  for (const { id, erased } of members.values()) {
    if (erased === null) continue;
    await to.deleteDocument(NAMES, id);
    for (const token of await to.documents(tokenLabels(id))) await to.deleteDocument(tokenLabels(id), token);
  }
  await copyTexts(from, to, INVITATION_LABELS, await from.documents(INVITATION_LABELS));
}

/**
 * Enters copied projects into the target's own directory: who is in them comes along, with roles, names and tokens. An
 * owner of the service they come from is an owner of the project here, and no more. What is entered already stays.
 */
export async function enterProjects(
  from: Store,
  to: Store,
  projects: readonly string[],
  options: CopyOptions,
): Promise<void> {
  const source = await directoryOf(from, options);
  const target = await directoryOf(to, options);
  const seq = target.seq + 1;
  const time = Math.max(target.time, options.now());
  const events: DirectoryEvent[] = [];
  for (const project of projects) {
    for (const event of adoptProject(target, source, project)) {
      events.push(event);
      target.fold(event, seq, time);
    }
  }
  if (events.length === 0) return;
  const added = events.flatMap((event) => (event.type === 'memberAdded' ? [event.member] : []));
  await copyNames(from, to, added);
  await to.append(DIRECTORY_JOURNAL, { seq, id: options.newId(), time, events: events as StoredValue[] });
}

export function directoryOf(store: Store, { pause }: WorkOptions, upTo?: number): Promise<Directory> {
  const end = upTo === undefined ? {} : { upTo };
  return foldFromZero(store, DIRECTORY_JOURNAL, DIRECTORY_KIND, { pause, ...end });
}

async function copyNames(from: Store, to: Store, members: Iterable<string>): Promise<void> {
  for (const member of members) {
    await copyTexts(from, to, NAMES, [member]);
    await copyTexts(from, to, tokenLabels(member), await from.documents(tokenLabels(member)));
  }
}

async function copyTexts(from: Store, to: Store, collection: string, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const text = await from.getDocument(collection, id);
    if (text !== undefined) await to.putDocument(collection, id, text);
  }
}

/** Copies what the target does not have yet; gives how many chunks its commits name. */
async function copyJournal(
  from: Store,
  to: Store,
  journal: string,
  upTo: number,
  options: CopyOptions,
): Promise<number> {
  const after = await standingOf(from, to, journal, upTo);
  const chunks = new Set<string>();
  const gone = await forgottenIn(from, journal, options);
  let waiting: Commit[] = [];
  const flush = async () => {
    // A commit is appended once the chunks that it names are there, and in the order of the journal.
    await Promise.all(waiting.map((commit) => to.append(journal, commit)));
    waiting = [];
  };
  for await (const commit of from.read(journal, 0)) {
    if (commit.seq > upTo) break;
    for (const id of chunksIn(journal, commit)) {
      if (chunks.has(id) || gone.has(id)) continue;
      chunks.add(id);
      await copyChunk(from, to, id, options);
    }
    if (commit.seq > after) waiting.push(commit);
    if (waiting.length >= COMMITS_PER_SYNC) await flush();
    if (commit.seq % COMMITS_PER_TURN === 0) {
      options.onProgress('commits', commit.seq, upTo);
      await options.pause();
    }
  }
  await flush();
  // An earlier copy may have what was erased since.
  await to.deleteChunks([...gone], Number.POSITIVE_INFINITY);
  return chunks.size;
}

/** The chunks that commits have taken back, which are not there any more. */
async function forgottenIn(store: Store, journal: string, { pause }: WorkOptions): Promise<Set<string>> {
  const gone = new Set<string>();
  if (journal === DIRECTORY_JOURNAL) return gone;
  for await (const commit of store.read(journal, 0)) {
    if (commit.seq % COMMITS_PER_TURN === 0) await pause();
    for (const event of projectEvents(journal, commit)) {
      for (const id of chunksForgotten(event)) gone.add(id);
    }
  }
  return gone;
}

function chunksIn(journal: string, commit: Commit): readonly string[] {
  if (journal === DIRECTORY_JOURNAL) return [];
  return projectEvents(journal, commit).flatMap(chunksNamed);
}

function projectEvents(journal: string, commit: Commit): readonly ProjectEvent[] {
  try {
    return eventsOf(PROJECT_KIND, commit);
  } catch (error) {
    throw unfoldable(PROJECT_KIND, journal, commit, error);
  }
}

async function copyChunk(from: Store, to: Store, id: string, { now }: CopyOptions): Promise<void> {
  const [missing] = await to.renewChunks([id], now());
  if (missing !== undefined) await to.putChunk(await mustGetSoundChunk(from, id), now());
}

/**
 * How many of a journal's commits the target has already. Ids of commits are random: where one is the same, so is
 * everything before it.
 * @throws {CopyRefusedError} it has others, or more
 */
async function standingOf(from: Store, to: Store, journal: string, upTo: number): Promise<number> {
  const head = await to.head(journal);
  const seq = Math.min(head, upTo);
  const [ours, theirs] = await Promise.all([from, to].map((store) => commitAt(store, journal, seq)));
  if (ours?.id !== theirs?.id) {
    throw new CopyRefusedError(`the target has another journal ${journal} already: nothing is overwritten`);
  }
  if (head > upTo) {
    throw new CopyRefusedError(
      `the target has ${head} commits of ${journal}, and what is to be copied has ${upTo}: nothing is overwritten`,
    );
  }
  return head;
}

async function commitAt(store: Store, journal: string, seq: number): Promise<Commit | undefined> {
  if (seq === 0) return undefined;
  for await (const commit of store.read(journal, seq - 1)) return commit;
  return undefined;
}
