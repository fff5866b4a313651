import type { MemberKind, Role } from '../domain/directory.ts';
import type { LabelScale } from '../domain/labelScale.ts';
import type { PolicyChange, PolicyPreset } from '../domain/policy.ts';
import { notFound, refuse } from '../domain/refusals.ts';
import { isServiceOwner, newSecret, type ProjectAccess, type Viewer } from './access.ts';
import type { Concord } from './concord.ts';
import { keeping, labelOf, NAMES, nameOf, textAt, tokenLabels } from './labels.ts';
import type { LiveProject } from './liveProject.ts';
import { expiryIn, type IssuedToken, tokenFor } from './tokens.ts';

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
  const secret = token ?? newSecret(concord);
  await concord.direct(
    'admitServiceOwner',
    tokenFor(concord, concord.newId(), secret, { expires: null }),
    () => undefined,
  );
  return token === null ? secret : null;
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
  const allowed = await concord.directory.read((directory) => isServiceOwner(directory, viewer));
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
    label = '',
  }: {
    readonly name: string;
    readonly kind: MemberKind;
    readonly role: Role;
    readonly tokenDays: number | null;
    readonly label?: string;
  },
): Promise<IssuedToken> {
  const expires = expiryIn(concord, tokenDays);
  const member = concord.newId();
  const secret = newSecret(concord);
  const token = tokenFor(concord, member, secret, { expires });
  const input = { project: live.id, kind, role, by: viewer.member, token };
  await keeping(
    concord,
    [
      [NAMES, member, nameOf(name)],
      [tokenLabels(member), token.token, labelOf(label)],
    ],
    () => concord.direct('addMember', input, () => undefined),
  );
  return { member, secret, id: token.token };
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
    (directory) => isServiceOwner(directory, viewer) || directory.projects.get(live.id)?.members.has(member),
  );
  if (!isKnown) throw notFound('member');
  const input = { project: live.id, member, role, by: viewer.member };
  await concord.direct('grantRole', input, () => undefined);
}

/** What a member is called, or null: the name was deleted, or there never was one. */
export function memberName(concord: Concord, member: string): Promise<string | null> {
  return textAt(concord, NAMES, member);
}
