import { type Directory, isUnconfined, type Scope, type Token, UNCONFINED } from '../domain/directory.ts';
import type { NewToken } from '../domain/directoryCommands.ts';
import { notFound, refuse } from '../domain/refusals.ts';
import { isServiceOwner, newSecret, type ProjectAccess, roleOf, tokenHash, type Viewer } from './access.ts';
import type { Concord } from './concord.ts';
import { keeping, labelOf, tokenLabel, tokenLabels } from './labels.ts';
import { orRefusal } from './trouble.ts';

/** Tokens: what lets a person or a tool in. */

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The longest that a token is good for when an end is given, in days. */
const MAX_DAYS = 3_650;
/** The longest that an old token may go on beside the one in its place, in minutes: a week. */
const MAX_OVERLAP_MINUTES = 10_080;

/** A token that was just made. Its secret is shown this once. */
export interface IssuedToken {
  readonly member: string;
  readonly secret: string;
  readonly id: string;
}

/** A token as the directory is to keep it: by the hash of its secret. */
export function tokenFor(
  concord: Concord,
  member: string,
  secret: string,
  { expires, scope = UNCONFINED }: { readonly expires: number | null; readonly scope?: Scope },
): NewToken {
  return { token: concord.newId(), member, hash: tokenHash(secret), expires, scope };
}

/**
 * So many days in milliseconds.
 * @throws {Refusal} INVALID_INPUT: they are too many, or none
 */
export function msOfDays(days: number, field = 'tokenDays', most = MAX_DAYS): number {
  if (!(days > 0 && days <= most)) {
    const problem = `${days} is not a number of days up to ${most.toLocaleString('en')}`;
    throw refuse('INVALID_INPUT', { field, problem });
  }
  return days * DAY_MS;
}

/**
 * When a token ends that is to last so many days; null: never.
 * @throws {Refusal} INVALID_INPUT
 */
export function expiryIn(concord: Concord, days: number | null): number | null {
  return days === null ? null : concord.environment.now() + msOfDays(days);
}

/** A further token for a member of the project, shown this once. */
export async function issueToken(
  concord: Concord,
  access: ProjectAccess,
  {
    member,
    tokenDays,
    label = '',
    scope = UNCONFINED,
  }: {
    readonly member: string;
    readonly tokenDays: number | null;
    readonly label?: string;
    readonly scope?: Scope;
  },
): Promise<IssuedToken> {
  const expires = expiryIn(concord, tokenDays);
  // What opens this project alone is for its owner to hand out, wherever else the member is.
  await mustMayAct(concord, access, member, scope.project === access.live.id ? 'SOME' : 'EVERY');
  await mustBeWithin(concord, access.viewer, scope);
  const secret = newSecret(concord);
  const token = tokenFor(concord, member, secret, { expires, scope });
  await keeping(concord, [[tokenLabels(member), token.token, labelOf(label)]], () =>
    concord.direct('issueToken', token, () => undefined),
  );
  return { member, secret, id: token.token };
}

/**
 * Revokes every token of a member of the project; live streams of theirs end. An owner of any of the member's
 * projects may: a token that has leaked must not stay good because somebody else is to be asked.
 */
export async function revokeTokens(concord: Concord, access: ProjectAccess, member: string): Promise<number> {
  await mustMayAct(concord, access, member, 'SOME');
  const count = await concord.direct('revokeTokens', { member }, (_, revoked) => revoked);
  await forgetLabels(concord, member);
  return count;
}

/** Revokes one token: one's own, or, as an owner of a project, that of somebody in it. */
export async function revokeToken(concord: Concord, viewer: Viewer, id: string): Promise<Token> {
  const token = await mustFind(concord, viewer, id, 'OWN');
  await concord.direct('revokeToken', { token: id }, () => undefined);
  await orRefusal(concord.store.deleteDocument(tokenLabels(token.member), id));
  return token;
}

/** Deletes what a member's tokens were for, of those that were revoked long ago too. */
export async function forgetLabels({ store }: Concord, member: string): Promise<void> {
  const collection = tokenLabels(member);
  for (const id of await orRefusal(store.documents(collection)))
    await orRefusal(store.deleteDocument(collection, id));
}

/**
 * Has a token end at another time; the past ends it now. To end it sooner takes what revoking it takes; to let it go on
 * for longer, what issuing it would.
 * @param expires milliseconds since 1970; null: never
 */
export async function expireToken(
  concord: Concord,
  viewer: Viewer,
  id: string,
  expires: number | null,
): Promise<Token> {
  const known = await concord.directory.read((directory) => directory.tokenById(id));
  const isSooner = expires !== null && (known?.expires == null || expires <= known.expires);
  await mustFind(concord, viewer, id, isSooner ? 'OWN' : 'EVERY');
  return concord.direct('expireToken', { token: id, expires }, (_, token) => token);
}

/**
 * Makes a token in the place of one that then runs out. It opens the same, under the same label. Whoever holds a token
 * may rotate it, and cannot make it last longer; who may issue tokens for its member may give it another end.
 * @param id null: the token that the viewer shows
 * @param overlapMinutes for how long the old one stays good, so that what uses it can be told the new one
 */
export async function rotateToken(
  concord: Concord,
  viewer: Viewer,
  {
    id,
    overlapMinutes,
    tokenDays,
  }: { readonly id: string | null; readonly overlapMinutes: number; readonly tokenDays: number | null },
): Promise<IssuedToken> {
  if (!(overlapMinutes >= 0 && overlapMinutes <= MAX_OVERLAP_MINUTES)) {
    throw refuse('INVALID_INPUT', {
      field: 'overlapMinutes',
      problem: `${overlapMinutes} is not 0 to ${MAX_OVERLAP_MINUTES} minutes`,
    });
  }
  const end = expiryIn(concord, tokenDays);
  const old = id ?? viewer.token;
  if (await concord.directory.read((directory) => directory.isSignOn(old))) {
    const problem = 'a sign-on has no secret to change: your identity provider gives you new ones';
    throw refuse('INVALID_INPUT', { field: 'token', problem });
  }
  const isOwn = await concord.directory.read((directory) => {
    const token = directory.tokenById(old);
    return token !== undefined && isTheirs(directory, token, viewer);
  });
  const known = await mustFind(concord, viewer, old, isOwn && tokenDays === null ? 'OWN' : 'EVERY');
  const secret = newSecret(concord);
  const { scope, member } = known;
  const expires = tokenDays === null ? known.expires : end;
  const token = tokenFor(concord, member, secret, { scope, expires });
  const label = await tokenLabel(concord, known);
  const oldExpires = concord.environment.now() + overlapMinutes * MINUTE_MS;
  await keeping(concord, [[tokenLabels(member), token.token, label]], () =>
    concord.direct('rotateToken', { old, oldExpires, token }, () => undefined),
  );
  return { member, secret, id: token.token };
}

/** The viewer's own tokens, those that have run out too. A confined token sees itself alone. */
export function ownTokens(concord: Concord, viewer: Viewer): Promise<Token[]> {
  return concord.directory.read((directory) =>
    directory.tokensOf(viewer.member).filter((token) => isTheirs(directory, token, viewer)),
  );
}

/** The tokens that let somebody into a project, for its owners. Those of the service's owners are their own business. */
export function tokensInto(concord: Concord, { live, viewer }: ProjectAccess): Promise<Token[]> {
  return concord.directory.read((directory) => {
    const members = directory.projects.get(live.id)?.members;
    const seesAll = isServiceOwner(directory, viewer);
    return directory
      .tokensInto(live.id)
      .filter(
        ({ member }) =>
          members?.has(member) && (seesAll || directory.members.get(member)?.serviceOwner === false),
      );
  });
}

/**
 * The hour in which this node last saw a token, in milliseconds since 1970; null: not since it started. When exactly
 * somebody works is nobody's business.
 */
export function lastUse(concord: Concord, token: string): number | null {
  const at = concord.tokenUses.get(token);
  return at === undefined ? null : at - (at % HOUR_MS);
}

/** Whether a token is for its holder to look after: their own, and with a confined one that one alone. */
function isTheirs(directory: Directory, token: Token, viewer: Viewer): boolean {
  if (token.member !== viewer.member) return false;
  if (token.id === viewer.token) return true;
  const scope = directory.tokenById(viewer.token)?.scope;
  return scope !== undefined && isUnconfined(scope);
}

/**
 * A token on which the viewer may act.
 * @param owned `EVERY`: the viewer must own every project that it opens; `OWN`: one will do, or to hold it
 * @throws {Refusal} NOT_FOUND: there is none, or nobody here is to know; FORBIDDEN
 */
function mustFind(concord: Concord, viewer: Viewer, id: string, owned: Owned): Promise<Token> {
  return concord.directory.read((directory) => {
    const token = directory.tokenById(id);
    if (token === undefined) throw notFound('token');
    const isOwn = isTheirs(directory, token, viewer);
    if (isServiceOwner(directory, viewer) || (isOwn && owned === 'OWN')) return token;
    const { member, scope } = token;
    const opened = projectsOf(directory, member).filter((project) => (scope.project ?? project) === project);
    const owns = (project: string) => roleOf(concord, directory, viewer, project) === 'OWNER';
    const isKnown = isOwn || (directory.members.get(member)?.serviceOwner === false && opened.some(owns));
    if (!isKnown) throw notFound('token');
    const isFull = opened.length > 0 && opened.every(owns);
    if (owned === 'EVERY' && !isFull) throw refuse('FORBIDDEN', { allowed: [OWNER_OF_EVERY] });
    return token;
  });
}

type Owned = 'OWN' | 'EVERY';
export const OWNER_OF_EVERY = 'owner of every project of this member';

function projectsOf(directory: Directory, member: string): string[] {
  return [...directory.projects.values()].filter(({ members }) => members.has(member)).map(({ id }) => id);
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
  owned: 'SOME' | 'EVERY',
): Promise<void> {
  await concord.directory.read((directory) => {
    const projects = projectsOf(directory, member);
    if (!projects.includes(live.id)) throw notFound('member');
    const ownsAll = projects.every((id) => roleOf(concord, directory, viewer, id) === 'OWNER');
    const isForeign =
      directory.members.get(member)?.serviceOwner === true && !isServiceOwner(directory, viewer);
    if ((owned === 'EVERY' && !ownsAll) || isForeign)
      throw refuse('FORBIDDEN', { allowed: [OWNER_OF_EVERY] });
  });
}

/** A confined token hands out none that opens more than it does. */
async function mustBeWithin(concord: Concord, viewer: Viewer, scope: Scope): Promise<void> {
  const own = await concord.directory.read((directory) => directory.tokenById(viewer.token)?.scope);
  if (own?.project == null || own.project === scope.project) return;
  const problem = 'your own token opens one project only, and hands out none that opens more';
  throw refuse('INVALID_INPUT', { field: 'onlyThisProject', problem });
}
