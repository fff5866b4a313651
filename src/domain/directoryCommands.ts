import {
  type Directory,
  type DirectoryEvent,
  type DirectoryProject,
  type Invitation,
  invitationState,
  type Member,
  type MemberKind,
  type NewInvitation,
  type Role,
  type Scope,
  type Token,
} from './directory.ts';
import type { ErasureReason } from './erasure.ts';
import { notFound, refuse } from './refusals.ts';

/** A step of the directory: its events, one by one, as for a project. */
export type DirectoryDecision<R> = Generator<DirectoryEvent, R, void>;

export interface NewToken {
  readonly token: string;
  readonly member: string;
  readonly hash: string;
  readonly expires: number | null;
  readonly scope: Scope;
}

/** Every command of the directory: what it is given, and what it comes to. */
export interface DirectoryCommands {
  /** The first owner of the service, or a further token for them if the hash is a new one. */
  admitServiceOwner: { input: NewToken; result: Member };
  addProject: { input: { project: string; name: string; by: string }; result: DirectoryProject };
  addMember: {
    input: { project: string; kind: MemberKind; role: Role; by: string; token: NewToken };
    result: Member;
  };
  grantRole: { input: { project: string; member: string; role: Role | null; by: string }; result: void };
  issueToken: { input: NewToken; result: Token };
  /**
   * Somebody whom an identity provider vouches for, in the roles that their groups give; `token` is for them if they are new.
   * A role of null is taken away; owners stay owners. The result is who they are; null: they are new, and have no role.
   */
  signOn: {
    input: { token: NewToken; roles: readonly { project: string; role: Role | null }[] };
    result: Member | null;
  };
  /** Ends every token of a member; the result is how many. */
  revokeTokens: { input: { member: string }; result: number };
  /** Ends one. */
  revokeToken: { input: { token: string }; result: void };
  expireToken: { input: { token: string; expires: number | null }; result: Token };
  /** A token in the place of another, which stays good until `oldExpires`, or its own end if that comes first. */
  rotateToken: { input: { old: string; oldExpires: number; token: NewToken }; result: Token };
  invite: { input: NewInvitation; result: Invitation };
  withdrawInvitation: { input: { invitation: string }; result: Invitation };
  /** Whoever has the code comes in as a new member. `token.expires` is as from now: see `Invitation.tokenLasts`. */
  acceptInvitation: { input: { hash: string; now: number; token: NewToken }; result: Token };
  /** Ends all by which somebody can come in, and has them leave every project. Erased already, they stay as they are. */
  eraseMember: { input: { member: string; reason: ErasureReason; by: string }; result: Member };
}

export type DirectoryCommand = keyof DirectoryCommands;

/** Decides a command of the directory. Who may give it was checked before. */
export function* decideDirectory<C extends DirectoryCommand>(
  directory: Directory,
  command: C,
  input: DirectoryCommands[C]['input'],
): DirectoryDecision<DirectoryCommands[C]['result']> {
  return yield* DECIDERS[command](directory, input);
}

const DECIDERS: {
  readonly [C in DirectoryCommand]: (
    directory: Directory,
    input: DirectoryCommands[C]['input'],
  ) => DirectoryDecision<DirectoryCommands[C]['result']>;
} = {
  *admitServiceOwner(directory, input) {
    const existing = [...directory.members.values()].find((member) => member.serviceOwner);
    const member = existing?.id ?? input.member;
    if (!existing) yield { type: 'memberAdded', member, kind: 'PERSON', serviceOwner: true };
    if (directory.token(input.hash, directory.time)?.member !== member) {
      yield { type: 'tokenIssued', version: 2, ...input, member };
    }
    return existing ?? (directory.members.get(member) as Member);
  },

  *addProject(directory, { project, name, by }) {
    const existing = directory.projects.get(project);
    if (existing) return existing;
    if (name.trim() === '' || name.length > 200) {
      throw refuse('INVALID_INPUT', { field: 'name', problem: 'a project is named by 1 to 200 characters' });
    }
    yield { type: 'projectAdded', project, name, by };
    return directory.projects.get(project) as DirectoryProject;
  },

  *addMember(directory, { project, kind, role, by, token }) {
    if (!directory.projects.has(project)) throw notFound('project');
    // Asked again, because the answer was lost.
    const existing = directory.members.get(token.member);
    if (existing) return existing;
    yield { type: 'memberAdded', member: token.member, kind, serviceOwner: false };
    yield { type: 'tokenIssued', version: 2, ...token };
    yield { type: 'roleGranted', project, member: token.member, role, by };
    return directory.members.get(token.member) as Member;
  },

  *grantRole(directory, { project, member, role, by }) {
    const entry = directory.projects.get(project);
    if (entry === undefined || !directory.members.has(member)) throw notFound('member');
    if (role !== null) mustNotBeErased(directory, member);
    if (role !== 'OWNER' && isLastOwner(entry, member)) {
      throw refuse('INVALID_INPUT', { field: 'role', problem: 'this is the last owner of the project' });
    }
    if ((entry.members.get(member) ?? null) !== role) {
      yield { type: 'roleGranted', project, member, role, by };
    }
  },

  *issueToken(directory, input) {
    if (!directory.members.has(input.member)) throw notFound('member');
    mustNotBeErased(directory, input.member);
    if (!directory.tokenById(input.token)) yield { type: 'tokenIssued', version: 2, ...input };
    return directory.tokenById(input.token) as Token;
  },

  *signOn(directory, { token, roles }) {
    let member = directory.signedOn(token.hash);
    if (member === undefined) {
      if (roles.every(({ project, role }) => role === null || !directory.projects.has(project))) return null;
      member = token.member;
      yield { type: 'memberAdded', member, kind: 'PERSON', serviceOwner: false };
      yield { type: 'tokenIssued', version: 2, ...token };
    }
    for (const { project, role } of roles) {
      if (directory.needsRole(project, member, role))
        yield { type: 'roleGranted', project, member, role, by: member };
    }
    return directory.members.get(member) as Member;
  },

  *revokeTokens(directory, { member }) {
    const tokens = directory.tokensOf(member);
    for (const { id } of tokens) yield { type: 'tokenRevoked', token: id };
    return tokens.length;
  },

  *revokeToken(directory, { token }) {
    if (directory.tokenById(token) !== undefined) yield { type: 'tokenRevoked', token };
  },

  *expireToken(directory, { token, expires }) {
    const known = directory.tokenById(token);
    if (known === undefined) throw notFound('token');
    if (known.expires !== expires) yield { type: 'tokenExpirySet', token, expires };
    return directory.tokenById(token) as Token;
  },

  *rotateToken(directory, { old, oldExpires, token }) {
    const existing = directory.tokenById(token.token);
    if (existing) return existing;
    const known = directory.tokenById(old);
    if (known === undefined) throw notFound('token');
    yield { type: 'tokenIssued', version: 2, ...token };
    if (known.expires === null || known.expires > oldExpires) {
      yield { type: 'tokenExpirySet', token: old, expires: oldExpires };
    }
    return directory.tokenById(token.token) as Token;
  },

  *invite(directory, input) {
    if (!directory.projects.has(input.project)) throw notFound('project');
    if (!directory.invitation(input.invitation)) yield { type: 'invitationMade', ...input };
    return directory.invitation(input.invitation) as Invitation;
  },

  *withdrawInvitation(directory, { invitation }) {
    const known = directory.invitation(invitation);
    if (known === undefined) throw notFound('invitation');
    if (known.member !== null) throw refuse('INVITATION_CLOSED', { invitationState: 'ACCEPTED' });
    if (!known.isWithdrawn) yield { type: 'invitationWithdrawn', invitation };
    return directory.invitation(invitation) as Invitation;
  },

  *acceptInvitation(directory, { hash, now, token }) {
    const invitation = directory.invitationOf(hash);
    if (invitation === undefined) throw notFound('invitation');
    const existing = directory.tokenById(token.token);
    if (existing && invitation.member === existing.member) return existing;
    const state = invitationState(invitation, now);
    if (state !== 'OPEN') throw refuse('INVITATION_CLOSED', { invitationState: state });
    const { id, project, role, by, tokenLasts } = invitation;
    const { member } = token;
    yield { type: 'memberAdded', member, kind: 'PERSON', serviceOwner: false };
    const expires = tokenLasts === null ? null : now + tokenLasts;
    yield { type: 'tokenIssued', version: 2, ...token, expires };
    yield { type: 'roleGranted', project, member, role, by };
    yield { type: 'invitationAccepted', invitation: id, member };
    return directory.tokenById(token.token) as Token;
  },

  *eraseMember(directory, { member, reason, by }) {
    const known = directory.members.get(member);
    if (known === undefined) throw notFound('member');
    if (known.erased !== null) return known;
    if (known.serviceOwner) {
      const problem = 'the owner of the service has no name to erase: revoke their tokens instead';
      throw refuse('INVALID_INPUT', { field: 'member', problem });
    }
    const projects = directory.projectsOf(member);
    const orphan = projects.find((project) => isLastOwner(project, member));
    if (orphan !== undefined) {
      const problem = `they are the last owner of project '${orphan.name}': make somebody else an owner first`;
      throw refuse('INVALID_INPUT', { field: 'member', problem });
    }
    // First, for it keeps in which projects they were.
    yield { type: 'memberErased', member, reason, by };
    for (const { id } of directory.tokensOf(member)) yield { type: 'tokenRevoked', token: id };
    for (const { id } of directory.pendingInvitationsBy(member))
      yield { type: 'invitationWithdrawn', invitation: id };
    for (const { id } of projects) yield { type: 'roleGranted', project: id, member, role: null, by };
    return directory.members.get(member) as Member;
  },
};

function isLastOwner({ members }: DirectoryProject, member: string): boolean {
  const owners = [...members].filter(([, role]) => role === 'OWNER').map(([id]) => id);
  return owners.length === 1 && owners[0] === member;
}

function mustNotBeErased(directory: Directory, member: string): void {
  if (directory.members.get(member)?.erased) throw refuse('ERASED', { what: 'person' });
}
