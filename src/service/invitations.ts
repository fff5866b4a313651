import { type Invitation, type InvitationState, invitationState, type Role } from '../domain/directory.ts';
import { notFound, refuse } from '../domain/refusals.ts';
import { newSecret, type ProjectAccess, tokenHash } from './access.ts';
import type { Concord } from './concord.ts';
import {
  INVITATION_LABELS,
  invitationLabel,
  keeping,
  labelOf,
  NAMES,
  nameOf,
  tokenLabels,
} from './labels.ts';
import { type IssuedToken, msOfDays, tokenFor } from './tokens.ts';

/** Invitations: a code that lets one person into a project, once, without anybody handling their token. */

const CODE_PREFIX = 'cci_';
/** How an invitation's code looks, so that no other text is looked up. */
const CODE_SHAPE = /^cci_[A-Za-z0-9_-]{43}$/;
/** The longest that an invitation stays open, in days. */
const MAX_INVITATION_DAYS = 90;

/** An invitation that was just made. Its code is shown this once. */
export interface MadeInvitation {
  readonly invitation: Invitation;
  readonly code: string;
}

/** Makes a code by which one person may come into a project, in a role below its owners'. */
export async function invite(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  {
    role,
    days,
    tokenDays,
    label,
  }: {
    readonly role: Role;
    readonly days: number;
    readonly tokenDays: number | null;
    readonly label: string;
  },
): Promise<MadeInvitation> {
  // Whoever comes upon a code may use it: it is not to hand the project over.
  if (role === 'OWNER') {
    throw refuse('INVALID_INPUT', { field: 'role', problem: 'nobody is invited as an owner: use setRole' });
  }
  const lasts = msOfDays(days, 'days', MAX_INVITATION_DAYS);
  const tokenLasts = tokenDays === null ? null : msOfDays(tokenDays);
  const code = newSecret(concord, CODE_PREFIX);
  const input = {
    invitation: concord.newId(),
    project: live.id,
    role,
    hash: tokenHash(code),
    expires: concord.environment.now() + lasts,
    tokenLasts,
    by: viewer.member,
  };
  const made = await keeping(concord, [[INVITATION_LABELS, input.invitation, labelOf(label)]], () =>
    concord.direct('invite', input, (_, invitation) => invitation),
  );
  return { invitation: made, code };
}

/** Who comes in by a code is a new member, with a token that is shown this once. Nobody need be known before. */
export async function acceptInvitation(
  concord: Concord,
  { code, name }: { readonly code: string; readonly name: string },
): Promise<IssuedToken> {
  if (!CODE_SHAPE.test(code)) throw notFound('invitation');
  const hash = tokenHash(code);
  const now = concord.environment.now();
  // Before a name is kept for it: most codes that do not work are old ones.
  await concord.directory.follow();
  const known = await concord.directory.read((directory) => directory.invitationOf(hash));
  if (known === undefined) throw notFound('invitation');
  const state = invitationState(known, now);
  if (state !== 'OPEN') throw refuse('INVITATION_CLOSED', { invitationState: state });
  const member = concord.newId();
  const secret = newSecret(concord);
  const token = tokenFor(concord, member, secret, { expires: null });
  const label = await invitationLabel(concord, known);
  await keeping(
    concord,
    [
      [NAMES, member, nameOf(name)],
      [tokenLabels(member), token.token, label],
    ],
    () => concord.direct('acceptInvitation', { hash, now, token }, () => undefined),
  );
  return { member, secret, id: token.token };
}

/** The project's invitations, in the order in which they were made. */
export function invitationsInto(concord: Concord, { live }: ProjectAccess): Promise<Invitation[]> {
  return concord.directory.read((directory) => directory.invitationsInto(live.id));
}

/** Takes an invitation back that nobody has accepted. */
export async function withdrawInvitation(
  concord: Concord,
  { live }: ProjectAccess,
  id: string,
): Promise<Invitation> {
  const isOfProject = await concord.directory.read(
    (directory) => directory.invitation(id)?.project === live.id,
  );
  if (!isOfProject) throw notFound('invitation');
  return concord.direct('withdrawInvitation', { invitation: id }, (_, invitation) => invitation);
}

export function stateOf(concord: Concord, invitation: Invitation): InvitationState {
  return invitationState(invitation, concord.environment.now());
}
