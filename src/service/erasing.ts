import type { Member } from '../domain/directory.ts';
import { notErased } from '../domain/erasingSamples.ts';
import type { ErasureReason } from '../domain/erasure.ts';
import type { ReplacedChunk } from '../domain/events.ts';
import type { Project } from '../domain/project.ts';
import { notFound, Refusal, refuse } from '../domain/refusals.ts';
import type { ChunkId, StoredValue } from '../journal/port.ts';
import { isServiceOwner, type ProjectAccess, roleOf, type Viewer } from './access.ts';
import type { Concord } from './concord.ts';
import { DIRECTORY_JOURNAL } from './directoryKind.ts';
import { foldFromZero } from './folding.ts';
import { INVITATION_LABELS, NAMES } from './labels.ts';
import type { LiveProject } from './liveProject.ts';
import { blankPayloads, isSalted, saltedIn } from './payloads.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { forgetLabels, OWNER_OF_EVERY } from './tokens.ts';
import { orRefusal } from './trouble.ts';

/*
 * Erasure. A journal is never rewritten, so what may have to go lies beside it, in documents and chunks. The event says
 * that it is gone, when, by whom and why, and only then are the bytes deleted: of what was refused or lost, nothing is
 * missing. A document says from before the event until after the deletion that an erasure is under way, so that one which
 * a crash has cut short is brought to its end by whoever finds it.
 */

/** Erasures that are under way, by an id of their own. */
export const ERASURES = 'erasures';

/** What is being erased. It names nothing that is to go but by ids. */
type Subject =
  | { readonly kind: 'member'; readonly member: string }
  | {
      readonly kind: 'samples';
      readonly project: string;
      /** The blocks that others take the place of. */
      readonly chunks: readonly ChunkId[];
    };
type UnderWay = Subject & { readonly begunAt: number };

/** Longer than it takes to have a command decided: what no event speaks of by then was never decided. */
const UNDECIDED_MS = 3_600_000;
/** How often blocks are read again because something else in them was erased meanwhile. */
const MAX_TRIES = 10;

/**
 * Erases a person: their name and what tokens and invitations said of them is deleted, their tokens are revoked, and they
 * leave every project. What they have done stays, under an id that nobody can tell to be theirs. Erased already, they
 * stay as they are. For the owner of the service, and for who owns every project that they are or were in.
 */
export async function erasePerson(
  concord: Concord,
  viewer: Viewer,
  { member, reason }: { readonly member: string; readonly reason: ErasureReason },
): Promise<Member> {
  await mustMayErase(concord, viewer, member);
  return erasing(concord, { kind: 'member', member }, () =>
    concord.direct('eraseMember', { member, reason, by: viewer.member }, (_, erased) => erased),
  );
}

async function mustMayErase(concord: Concord, viewer: Viewer, member: string): Promise<void> {
  await concord.directory.read((directory) => {
    const known = directory.members.get(member);
    if (known === undefined) throw notFound('member');
    if (isServiceOwner(directory, viewer)) return;
    const projects = known.erased?.projects ?? directory.projectsOf(member).map(({ id }) => id);
    const owned = projects.filter((id) => roleOf(concord, directory, viewer, id) === 'OWNER');
    if (owned.length === 0 && !projects.some((id) => roleOf(concord, directory, viewer, id) !== undefined))
      throw notFound('member');
    if (owned.length < projects.length || known.serviceOwner)
      throw refuse('FORBIDDEN', { allowed: [OWNER_OF_EVERY] });
  });
}

/**
 * Erases samples: what they held is deleted, what is in people's hands of them is taken back, and nobody is asked about
 * them again. Answers stay, and every figure that comes of them. Those erased already stay as they are.
 * @returns how many were erased now
 */
export async function erasePayloads(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  { samples, reason }: { readonly samples: readonly number[]; readonly reason: ErasureReason },
): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const blocks = await live.read((project) => blocksOf(project, samples));
    const replaced = await blanked(concord, blocks);
    if (replaced === null) {
      await live.host.follow();
      continue;
    }
    const input = { by: viewer.member, samples, replaced, reason };
    const subject = { kind: 'samples', project: live.id, chunks: replaced.map(({ from }) => from) } as const;
    let erased: number | null = null;
    try {
      erased = await erasing(concord, subject, () =>
        live.execute('eraseSamples', input, (_, count) => count),
      );
    } finally {
      // What came to nothing still holds what another erasure has taken out meanwhile.
      if (erased === null) await forgetUnnamed(concord, live, replaced);
    }
    if (erased !== null) return erased;
  }
  throw refuse('STORE_UNAVAILABLE', {});
}

interface Block {
  readonly first: number;
  readonly chunk: ChunkId;
  /** Which of it are to be erased. */
  readonly indices: Set<number>;
}

/** The blocks without what is to be erased, stored; null: one of them is not there any more. */
async function blanked(concord: Concord, blocks: readonly Block[]): Promise<ReplacedChunk[] | null> {
  const { store, environment } = concord;
  const replaced: ReplacedChunk[] = [];
  for (const { first, chunk, indices } of blocks) {
    const to = await blankPayloads(store, chunk, indices, saltedIn(environment));
    if (to === null) return null;
    replaced.push({ first, from: chunk, to });
  }
  return replaced;
}

/** Deletes blocks that were made and that no event names. */
async function forgetUnnamed(
  { store }: Concord,
  live: LiveProject,
  replaced: readonly ReplacedChunk[],
): Promise<void> {
  const named = await live.read(({ samples }) =>
    replaced.every(({ from, to }) => samples.replaced.get(from) === to),
  );
  if (!named)
    await orRefusal(
      store.deleteChunks(
        replaced.map(({ to }) => to),
        Number.MAX_SAFE_INTEGER,
      ),
    );
}

/** The blocks in which samples lie that are to be erased. */
function blocksOf(project: Project, samples: readonly number[]): Block[] {
  const blocks = new Map<number, Block>();
  for (const sample of notErased(project, samples)) {
    const { chunk, index } = project.samples.payload(sample);
    const first = sample - index;
    const block = blocks.get(first) ?? { first, chunk, indices: new Set() };
    blocks.set(first, block);
    block.indices.add(index);
  }
  return [...blocks.values()];
}

/** Has an erasure decided, and brings it to its end. */
async function erasing<T>(concord: Concord, subject: Subject, decide: () => Promise<T>): Promise<T> {
  const { store, environment } = concord;
  const id = concord.newId();
  const underWay: UnderWay = { ...subject, begunAt: environment.now() };
  await orRefusal(store.putDocument(ERASURES, id, underWay as unknown as StoredValue));
  let result: T;
  try {
    result = await decide();
  } catch (error) {
    // What became of it is not always known; what was refused was not done.
    if (error instanceof Refusal && error.code !== 'STORE_UNAVAILABLE')
      await store.deleteDocument(ERASURES, id).catch(() => undefined);
    throw error;
  }
  if (await isDecided(concord, subject)) await finish(concord, id, subject);
  else await orRefusal(store.deleteDocument(ERASURES, id));
  return result;
}

/** Brings erasures to their end that were cut short, by this node or another. */
export async function finishErasures(concord: Concord): Promise<void> {
  const { store, environment } = concord;
  for (const id of await store.documents(ERASURES)) {
    const underWay = (await store.getDocument(ERASURES, id)) as unknown as UnderWay | undefined;
    if (underWay === undefined) continue;
    await (underWay.kind === 'member' ? concord.directory : concord.project(underWay.project).host).follow();
    if (await isDecided(concord, underWay)) await finish(concord, id, underWay);
    else if (underWay.begunAt + UNDECIDED_MS < environment.now()) await store.deleteDocument(ERASURES, id);
  }
}

/** Whether an event says that it is gone. */
function isDecided(concord: Concord, subject: Subject): Promise<boolean> {
  if (subject.kind === 'member')
    return concord.directory.read(({ members }) => members.get(subject.member)?.erased != null);
  const { project, chunks } = subject;
  return concord
    .project(project)
    .read(({ samples }) => chunks.length > 0 && chunks.every((chunk) => samples.replaced.has(chunk)));
}

/** Deletes what was erased. It does no harm to do it twice, or at two nodes. */
async function finish(concord: Concord, id: string, subject: Subject): Promise<void> {
  if (subject.kind === 'member') await deleteTexts(concord, subject.member);
  else await deleteBlocks(concord, subject);
  // The file it lay in has it still.
  if (concord.store.purge) await orRefusal(concord.store.purge.mark());
  await orRefusal(concord.store.deleteDocument(ERASURES, id));
}

async function deleteTexts(concord: Concord, member: string): Promise<void> {
  const { store } = concord;
  await orRefusal(store.deleteDocument(NAMES, member));
  await forgetLabels(concord, member);
  const invitations = await concord.directory.read((directory) => directory.invitationsOf(member));
  for (const invitation of invitations)
    await orRefusal(store.deleteDocument(INVITATION_LABELS, invitation.id));
}

async function deleteBlocks(
  concord: Concord,
  { project, chunks }: Extract<Subject, { kind: 'samples' }>,
): Promise<void> {
  const { store } = concord;
  for (const chunk of chunks) {
    const block = await orRefusal(store.getChunk(chunk));
    if (block === undefined) continue;
    // Release 0.1 has stored equal blocks once for all who had them.
    if (!isSalted(block) && (await isNamedStill(concord, project, chunk))) continue;
    await orRefusal(store.deleteChunks([chunk], Number.MAX_SAFE_INTEGER));
  }
}

/** Whether a project still has a block: this one in another place, or another one. */
async function isNamedStill(concord: Concord, project: string, chunk: ChunkId): Promise<boolean> {
  const { store } = concord;
  const has = ({ samples }: Project) => samples.blocks.some((block) => block.chunk === chunk);
  if (await concord.project(project).read(has)) return true;
  for (const journal of await orRefusal(store.journals())) {
    if (journal === DIRECTORY_JOURNAL || journal === project) continue;
    if (has(await foldFromZero(store, journal, PROJECT_KIND, { pause: async () => undefined }))) return true;
  }
  return false;
}
