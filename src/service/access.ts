import { hash } from 'node:crypto';
import { type Directory, isUnconfined, type Role } from '../domain/directory.ts';
import { notFound, refuse } from '../domain/refusals.ts';
import type { Concord } from './concord.ts';
import type { Follower, Interest } from './hub.ts';
import type { LiveProject } from './liveProject.ts';
import { DIRECTORY_TOPIC } from './topics.ts';

/** Somebody who has shown a good token. */
export interface Viewer {
  readonly member: string;
  /** The token's id. */
  readonly token: string;
  /** When it runs out, in milliseconds since 1970, or null: never. */
  readonly expires: number | null;
  /**
   * When what was shown ends, whatever becomes of the token, in milliseconds since 1970: a token of an identity provider;
   * undefined: with the token.
   */
  readonly ends?: number;
}

/**
 * Those to whom a project looks the same: what depends on nothing more is made once for all of them. It has no
 * viewer, so that nothing of one viewer can get into it.
 */
export interface Audience {
  readonly live: LiveProject;
  readonly role: Role;
}

/** A project as one viewer may use it. */
export interface ProjectAccess extends Audience {
  readonly viewer: Viewer;
}

const TOKEN_PREFIX = 'ccd_';
const TOKEN_SHAPE = /^[A-Za-z0-9_-]{32,128}$/;

/** A new secret of 256 random bits: a bearer token, or what another prefix says. It is shown once; only its hash is kept. */
export function newSecret(concord: Concord, prefix = TOKEN_PREFIX): string {
  return prefix + Buffer.from(concord.environment.randomBytes(32)).toString('base64url');
}

/** Whether a text has the form of a token, whatever it is worth. */
export function isTokenShaped(text: string): boolean {
  return TOKEN_SHAPE.test(text);
}

/** SHA-256 in hexadecimal digits. A token is random enough that a slow hash would add nothing. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex');
}

/** Who a token belongs to, or null: unknown, revoked or run out. */
export function authenticate(concord: Concord, token: string): Promise<Viewer | null> {
  const hash = tokenHash(token);
  return found(concord, (directory) => {
    const now = concord.environment.now();
    const known = directory.token(hash, now);
    if (known === undefined) return null;
    concord.tokenUses.set(known.id, now);
    return { member: known.member, token: known.id, expires: known.expires };
  });
}

/** What the directory has of somebody, or null; what it does not have, another node may have entered just now. */
export async function found<T>(
  { directory, following }: Concord,
  look: (directory: Directory) => T | null,
): Promise<T | null> {
  const known = await directory.read(look);
  if (known !== null || !following.isNeeded) return known;
  await directory.follow();
  return directory.read(look);
}

/** Whether a viewer's token is still good. */
export function isLive(concord: Concord, viewer: Viewer): Promise<boolean> {
  return concord.directory.read((directory) => isGood(directory, viewer, concord.environment.now()));
}

/** Whether a viewer's token, and what they have shown for it, is good at `now`. */
export function isGood(
  directory: Directory,
  { token, ends = Number.POSITIVE_INFINITY }: Viewer,
  now: number,
): boolean {
  return ends > now && directory.isLive(token, now);
}

/** Every role there is. */
const ANYBODY: readonly Role[] = ['OWNER', 'DRIVER', 'ANNOTATOR', 'VIEWER'];
/** Those who steer a project and may see everything in it. */
export const STEERING: readonly Role[] = ['OWNER', 'DRIVER'];

/**
 * A project for a viewer in one of the `allowed` roles.
 * @throws {Refusal} NOT_FOUND without any role there (the project looks missing), FORBIDDEN in another role
 */
export async function access(
  concord: Concord,
  viewer: Viewer,
  project: string,
  allowed: readonly Role[] = ANYBODY,
): Promise<ProjectAccess> {
  const role = await found(concord, (directory) => roleOf(concord, directory, viewer, project) ?? null);
  if (role === null) throw notFound('project');
  if (!allowed.includes(role)) throw refuse('FORBIDDEN', { allowed });
  return { live: concord.project(project), viewer, role };
}

/** Whether what was granted at the beginning still holds: the token is good, and the role the same. */
export function stillHolds(concord: Concord, { viewer, role, live }: ProjectAccess): Promise<boolean> {
  return concord.directory.read((directory) => roleOf(concord, directory, viewer, live.id) === role);
}

/**
 * Follows a project for a viewer. It wakes at the project's changes (or at those of another `topic`), and at whatever
 * may end the viewer's access: changes of the directory, and the end of their token. Who is woken asks {@link stillHolds} first.
 */
export function followAs(
  { hub }: Concord,
  { live, viewer }: ProjectAccess,
  options: {
    readonly topic?: string | undefined;
    readonly onEnd?: (() => void) | undefined;
    readonly interest?: Interest;
  } = {},
): Follower {
  const until = viewer.expires ?? Number.POSITIVE_INFINITY;
  const { topic = live.id, onEnd = () => undefined, interest = null } = options;
  return hub.follow([topic, DIRECTORY_TOPIC], { until, onEnd, interest, inTurn: true });
}

/** A viewer's role in a project as the directory has it now; undefined without one, or without a good token. */
export function roleOf(
  concord: Concord,
  directory: Directory,
  viewer: Viewer,
  project: string,
): Role | undefined {
  const token = directory.tokenById(viewer.token);
  if (token === undefined || !isGood(directory, viewer, concord.environment.now())) return undefined;
  return directory.roleWith(token, project);
}

/** Whether a viewer is an owner of the service, and shows a token that lets them act as one. */
export function isServiceOwner(directory: Directory, { member, token }: Viewer): boolean {
  const scope = directory.tokenById(token)?.scope;
  return directory.members.get(member)?.serviceOwner === true && scope !== undefined && isUnconfined(scope);
}
