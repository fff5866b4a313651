import { hash } from 'node:crypto';
import { BY_RANK, type Directory, type Role, SIGN_ON, UNCONFINED } from '../domain/directory.ts';
import { found, type Viewer } from './access.ts';
import type { Concord } from './concord.ts';
import { NAMES, nameOf, textAt, tokenLabels } from './labels.ts';
import { orRefusal } from './trouble.ts';

/*
 * Sign-on: who an identity provider vouches for is a member, by one entry among the tokens that has no secret. So all that
 * looks after tokens looks after sign-ons: they are listed, end, and are revoked, at every node.
 */

/** Somebody, as an identity provider says. */
export interface Identity {
  readonly issuer: string;
  /** Who it is there, for good. */
  readonly person: string;
  /** What they are called; null: it does not say. */
  readonly name: string | null;
  readonly groups: readonly string[];
  /** Until when it vouches for them, in milliseconds since 1970. */
  readonly ends: number;
}

/** A group, or `*` for everybody whom the provider vouches for, has a role in a project. */
export interface RoleRule {
  readonly group: string;
  readonly project: string;
  readonly role: Exclude<Role, 'OWNER'>;
}

/** What the entry among somebody's tokens is called. */
const LABEL = 'sign-on';
const MAX_NAME = 200;

/** The hash of somebody's sign-on. What it is made of has a line break: no token has. */
function signOnHash({ issuer, person }: Pick<Identity, 'issuer' | 'person'>): string {
  return SIGN_ON + hash('sha256', `${issuer}\n${person}`, 'hex');
}

/**
 * Lets somebody in, and gives them the roles of their groups: in each project that a rule names these decide, but for owners.
 * Who is new and has no role is not entered.
 * @returns NO_ROLE: they have no role in any project, and no token but this; UNKNOWN: their sign-on was revoked, or has run out
 */
export async function signOn(
  concord: Concord,
  identity: Identity,
  rules: readonly RoleRule[],
): Promise<Viewer | 'NO_ROLE' | 'UNKNOWN'> {
  const key = signOnHash(identity);
  const roles = rolesOf(identity, rules);
  const isSettled = (directory: Directory) => {
    const member = directory.signedOn(key);
    if (member === undefined) return null;
    return roles.every(({ project, role }) => !directory.needsRole(project, member, role)) || null;
  };
  if ((await found(concord, isSettled)) === null) {
    const token = { token: concord.newId(), member: concord.newId(), hash: key, expires: null };
    const input = { token: { ...token, scope: UNCONFINED }, roles };
    const member = await concord.direct('signOn', input, (_, entered) => entered?.id ?? null);
    if (member === null) return 'NO_ROLE';
    if (member === token.member)
      await orRefusal(concord.store.putDocument(tokenLabels(member), token.token, LABEL));
  }
  const viewer = await signedOn(concord, identity);
  if (viewer === null) return 'UNKNOWN';
  await keepName(concord, viewer.member, identity.name);
  const hasRole = await concord.directory.read((directory) => directory.projectsOf(viewer.member).length > 0);
  return hasRole ? viewer : 'NO_ROLE';
}

/** Who has signed on before, or null: their sign-on was revoked, has run out, or what they have shown has. */
export function signedOn(concord: Concord, identity: Identity): Promise<Viewer | null> {
  const key = signOnHash(identity);
  const { ends } = identity;
  const now = concord.environment.now();
  if (ends <= now) return Promise.resolve(null);
  return found(concord, (directory) => {
    const token = directory.token(key, now);
    if (token === undefined) return null;
    concord.tokenUses.set(token.id, now);
    concord.signOnEnds.add(ends);
    return { member: token.member, token: token.id, expires: Math.min(token.expires ?? ends, ends), ends };
  });
}

/** What somebody is to be in each project that a rule names: the most that a group of theirs gives; null: nothing. */
function rolesOf(
  { groups }: Identity,
  rules: readonly RoleRule[],
): { readonly project: string; readonly role: Role | null }[] {
  const theirs = new Set(groups);
  const roles = new Map<string, Role | null>();
  for (const { group, project, role } of rules) {
    const has = roles.get(project) ?? null;
    const isTheirs = group === '*' || theirs.has(group);
    const isMore = has === null || BY_RANK.indexOf(role) < BY_RANK.indexOf(has);
    roles.set(project, isTheirs && isMore ? role : has);
  }
  return [...roles].map(([project, role]) => ({ project, role }));
}

/** Keeps what somebody is called, as the provider has it now. Nothing is kept of who is erased meanwhile. */
async function keepName(concord: Concord, member: string, name: string | null): Promise<void> {
  const short = name?.trim().slice(0, MAX_NAME) ?? '';
  if (short === '' || (await textAt(concord, NAMES, member)) === short) return;
  await orRefusal(concord.store.putDocument(NAMES, member, nameOf(short)));
  await concord.directory.follow();
  const isErased = await concord.directory.read((directory) => directory.members.get(member)?.erased != null);
  if (isErased) await orRefusal(concord.store.deleteDocument(NAMES, member));
}
