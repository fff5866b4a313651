import type { Member } from '../domain/directory.ts';
import type { ErasureReason } from '../domain/erasure.ts';
import { Refusal, refuse } from '../domain/refusals.ts';
import type { StoredValue } from '../journal/port.ts';
import { isServiceOwner, roleOf, type Viewer } from './access.ts';
import { type Concord, notFound } from './concord.ts';
import { INVITATION_LABELS, NAMES } from './labels.ts';
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

/** What is being erased. It names nothing that is to go. */
type Subject = { readonly kind: 'member'; readonly member: string };
type UnderWay = Subject & { readonly begunAt: number };

/** Longer than it takes to have a command decided: what no event speaks of by then was never decided. */
const UNDECIDED_MS = 3_600_000;

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
  await finish(concord, id, subject);
  return result;
}

/** Brings erasures to their end that were cut short, by this node or another. */
export async function finishErasures(concord: Concord): Promise<void> {
  const { store, environment } = concord;
  for (const id of await store.documents(ERASURES)) {
    const underWay = (await store.getDocument(ERASURES, id)) as unknown as UnderWay | undefined;
    if (underWay === undefined) continue;
    await concord.directory.follow();
    if (await isDecided(concord, underWay)) await finish(concord, id, underWay);
    else if (underWay.begunAt + UNDECIDED_MS < environment.now()) await store.deleteDocument(ERASURES, id);
  }
}

function isDecided({ directory }: Concord, { member }: Subject): Promise<boolean> {
  return directory.read(({ members }) => members.get(member)?.erased != null);
}

/** Deletes what was erased. It does no harm to do it twice, or at two nodes. */
async function finish(concord: Concord, id: string, { member }: Subject): Promise<void> {
  const { store } = concord;
  await orRefusal(store.deleteDocument(NAMES, member));
  await forgetLabels(concord, member);
  const invitations = await concord.directory.read((directory) => directory.invitationsOf(member));
  for (const invitation of invitations)
    await orRefusal(store.deleteDocument(INVITATION_LABELS, invitation.id));
  await orRefusal(store.deleteDocument(ERASURES, id));
}
