import type { MemberKind, Role } from '../domain/directory.ts';
import type { LabelScale } from '../domain/labelScale.ts';
import type { PolicyChange, PolicyPreset } from '../domain/policy.ts';
import { refuse } from '../domain/refusals.ts';
import { newToken, type ProjectAccess, tokenHash, type Viewer } from './access.ts';
import { type Concord, notFound } from './concord.ts';
import type { LiveProject } from './liveProject.ts';
import { checkStorable } from './storable.ts';
import { orRefusal } from './trouble.ts';

/** Names of people and tools are documents beside the journals, so that they can be deleted. */
export const NAMES = 'member-names';
const DAY_MS = 86_400_000;

/**
 * Lets the holder of a token in as the first owner of the service.
 * @param token the token to accept; null makes one
 * @returns the new token if one was made
 */
export async function admitOwner(concord: Concord, token: string | null): Promise<string | null> {
  const hasOwner = await concord.directory.read((directory) =>
    [...directory.members.values()].some((member) => member.serviceOwner),
  );
  if (hasOwner && token === null) return null;
  const secret = token ?? newToken(concord);
  await concord.direct(
    'admitServiceOwner',
    tokenFor(concord, concord.newId(), secret, null),
    () => undefined,
  );
  return token === null ? secret : null;
}

function tokenFor(concord: Concord, member: string, secret: string, days: number | null) {
  const expires = days === null ? null : concord.environment.now() + days * DAY_MS;
  return { token: concord.newId(), member, hash: tokenHash(secret), expires };
}

/** Creates a project; its creator is its first owner. */
export async function createProject(
  concord: Concord,
  viewer: Viewer,
  input: {
    readonly name: string;
    readonly labels: readonly string[];
    readonly scale: LabelScale;
    readonly guidelines: string;
    readonly preset: PolicyPreset;
    readonly policy: PolicyChange;
    readonly seed: number | null;
  },
): Promise<LiveProject> {
  const by = viewer.member;
  const allowed = await concord.directory.read((directory) => directory.members.get(by)?.serviceOwner);
  if (!allowed) throw refuse('FORBIDDEN', { allowed: ['owner of the service'] });
  if (input.name.trim() === '' || input.name.length > 200) {
    throw refuse('INVALID_INPUT', { field: 'name', problem: 'a project is named by 1 to 200 characters' });
  }
  const seed = input.seed ?? new DataView(concord.environment.randomBytes(4).buffer).getUint32(0);
  const project = concord.project(concord.newId());
  // The journal first: a crash between the two leaves a journal that nobody knows, never a project without one.
  try {
    await project.execute('createProject', { ...input, seed, by }, () => undefined);
  } catch (error) {
    concord.forget(project);
    throw error;
  }
  await concord.direct('addProject', { project: project.id, name: input.name, by }, () => undefined);
  return project;
}

/** Adds a person or a tool to a project. The token is shown this once. */
export async function addMember(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  {
    name,
    kind,
    role,
    tokenDays,
  }: {
    readonly name: string;
    readonly kind: MemberKind;
    readonly role: Role;
    readonly tokenDays: number | null;
  },
): Promise<{ readonly member: string; readonly token: string }> {
  if (name.trim() === '' || name.length > 200) {
    throw refuse('INVALID_INPUT', { field: 'name', problem: 'a member is named by 1 to 200 characters' });
  }
  checkStorable(name, 'name');
  checkDays(tokenDays);
  const member = concord.newId();
  const secret = newToken(concord);
  await orRefusal(concord.store.putDocument(NAMES, member, name));
  const token = tokenFor(concord, member, secret, tokenDays);
  const input = { project: live.id, kind, role, by: viewer.member, token };
  try {
    await concord.direct('addMember', input, () => undefined);
  } catch (error) {
    // A name of nobody is to be kept least of all; if that fails too, nothing more can be done here.
    await concord.store.deleteDocument(NAMES, member).catch(() => undefined);
    throw error;
  }
  return { member, token: secret };
}

function checkDays(days: number | null): void {
  if (days !== null && !(days > 0 && days <= 3_650)) {
    throw refuse('INVALID_INPUT', {
      field: 'tokenDays',
      problem: `${days} is not a number of days up to 3,650`,
    });
  }
}

/**
 * Changes a member's role in a project; null takes it away. Whoever is in no project with the viewer is unknown to
 * them, so that nobody is drawn into a project by a stranger: that is for the owner of the service.
 */
export async function grantRole(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  { member, role }: { readonly member: string; readonly role: Role | null },
): Promise<void> {
  const isKnown = await concord.directory.read(
    (directory) =>
      directory.members.get(viewer.member)?.serviceOwner ||
      directory.projects.get(live.id)?.members.has(member),
  );
  if (!isKnown) throw notFound('member');
  const input = { project: live.id, member, role, by: viewer.member };
  await concord.direct('grantRole', input, () => undefined);
}

/** A further token for a member of the project, shown this once. */
export async function issueToken(
  concord: Concord,
  access: ProjectAccess,
  { member, tokenDays }: { readonly member: string; readonly tokenDays: number | null },
): Promise<string> {
  checkDays(tokenDays);
  await mustMayAct(concord, access, member, 'EVERY');
  const secret = newToken(concord);
  await concord.direct('issueToken', tokenFor(concord, member, secret, tokenDays), () => undefined);
  return secret;
}

/**
 * Revokes every token of a member of the project; live streams of theirs end. An owner of any of the member's
 * projects may: a token that has leaked must not stay good because somebody else is to be asked.
 */
export async function revokeTokens(concord: Concord, access: ProjectAccess, member: string): Promise<number> {
  await mustMayAct(concord, access, member, 'SOME');
  return concord.direct('revokeTokens', { member }, (_, count) => count);
}

/**
 * A token opens every project that its member is in, so only who owns every one of those may hand it out. The tokens
 * of the service's owner are their own business.
 * @param owned whether the viewer must own every project of the member, or this one
 */
async function mustMayAct(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  member: string,
  owned: 'EVERY' | 'SOME',
): Promise<void> {
  await concord.directory.read((directory) => {
    const projects = [...directory.projects.values()].filter(({ members }) => members.has(member));
    if (!projects.some(({ id }) => id === live.id)) throw notFound('member');
    const isServiceOwner = (id: string) => directory.members.get(id)?.serviceOwner === true;
    const ownsAll = projects.every(({ id }) => directory.role(id, viewer.member) === 'OWNER');
    if ((owned === 'EVERY' && !ownsAll) || (isServiceOwner(member) && !isServiceOwner(viewer.member))) {
      throw refuse('FORBIDDEN', { allowed: ['owner of every project of this member'] });
    }
  });
}

/** What a member is called, or null: the name was deleted, or there never was one. */
export async function memberName(concord: Concord, member: string): Promise<string | null> {
  const name = await orRefusal(concord.store.getDocument(NAMES, member));
  return typeof name === 'string' ? name : null;
}
