import type { Erasure, ErasureReason } from './erasure.ts';
import { UnknownEventError } from './events.ts';

/** What somebody may do in a project, from most to least. One role a member and project. */
export type Role = 'OWNER' | 'DRIVER' | 'ANNOTATOR' | 'VIEWER';

/** The roles from most to least. */
export const BY_RANK: readonly Role[] = ['OWNER', 'DRIVER', 'ANNOTATOR', 'VIEWER'];

/** What a token is confined to, whatever its member may do. */
export interface Scope {
  /** The one project that it opens; null: all in which its member has a role. */
  readonly project: string | null;
  /** The most that it may do in a project; null: what its member may. */
  readonly role: Role | null;
}

/** A token that may do all that its member may. */
export const UNCONFINED: Scope = { project: null, role: null };

/**
 * With this the hash of a sign-on begins: what stands for whoever an identity provider vouches for. SHA-256 of the provider
 * and the person there follows. No bearer token has such a hash, so none opens it.
 */
export const SIGN_ON = 'sign-on:';

export function isUnconfined({ project, role }: Scope): boolean {
  return project === null && role === null;
}

/** A person, or a tool such as a trainer. */
export type MemberKind = 'PERSON' | 'TOOL';

/**
 * What happened in the directory: the one journal that holds what crosses projects. Members are opaque ids; the
 * names of people, and what tokens and invitations are called, are documents beside it, which can be deleted.
 */
export type DirectoryEvent =
  | {
      readonly type: 'memberAdded';
      readonly member: string;
      readonly kind: MemberKind;
      /** May create projects, and is an owner of every project. */
      readonly serviceOwner: boolean;
    }
  | {
      readonly type: 'tokenIssued';
      readonly token: string;
      readonly member: string;
      /** SHA-256 of the token, in hexadecimal digits; the token itself is nowhere kept. Of a sign-on: see {@link SIGN_ON}. */
      readonly hash: string;
      /** Milliseconds since 1970, or null: until revoked. */
      readonly expires: number | null;
      /** The form of this event: 1, before tokens had a scope, is brought up to it in `upcasting.ts`. */
      readonly version: 2;
      readonly scope: Scope;
    }
  /** A token ends at another time than it was issued with; a past one ends it now. */
  | { readonly type: 'tokenExpirySet'; readonly token: string; readonly expires: number | null }
  | { readonly type: 'tokenRevoked'; readonly token: string }
  /** Whoever shows the code behind `hash` may come into a project, once. */
  | ({ readonly type: 'invitationMade' } & NewInvitation)
  | { readonly type: 'invitationAccepted'; readonly invitation: string; readonly member: string }
  | { readonly type: 'invitationWithdrawn'; readonly invitation: string }
  /** What a person is called is deleted, and with it all that was written of them; what they did stays, under their id. */
  | {
      readonly type: 'memberErased';
      readonly member: string;
      readonly reason: ErasureReason;
      readonly by: string;
    }
  | { readonly type: 'projectAdded'; readonly project: string; readonly name: string; readonly by: string }
  | {
      readonly type: 'roleGranted';
      readonly project: string;
      readonly member: string;
      /** Null takes the role away. */
      readonly role: Role | null;
      readonly by: string;
    };

export interface Token {
  readonly id: string;
  readonly member: string;
  readonly expires: number | null;
  readonly issuedAt: number;
  readonly scope: Scope;
}

/** What became of an invitation. */
export type InvitationState = 'OPEN' | 'ACCEPTED' | 'EXPIRED' | 'WITHDRAWN';

export interface NewInvitation {
  readonly invitation: string;
  readonly project: string;
  readonly role: Role;
  /** SHA-256 of the code, in hexadecimal digits. */
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** For how long the token is good that whoever accepts is given, in milliseconds; null: until revoked. */
  readonly tokenLasts: number | null;
  readonly by: string;
}

export interface Invitation {
  readonly id: string;
  readonly project: string;
  readonly role: Role;
  readonly madeAt: number;
  readonly by: string;
  readonly expires: number;
  readonly tokenLasts: number | null;
  /** Who came in by it; null: nobody yet. */
  readonly member: string | null;
  readonly isWithdrawn: boolean;
}

/** What an invitation is at a time. */
export function invitationState({ member, isWithdrawn, expires }: Invitation, now: number): InvitationState {
  if (member !== null) return 'ACCEPTED';
  if (isWithdrawn) return 'WITHDRAWN';
  return expires > now ? 'OPEN' : 'EXPIRED';
}

export interface Member {
  readonly id: string;
  readonly kind: MemberKind;
  readonly serviceOwner: boolean;
  readonly addedAt: number;
  /** Null: they were not. */
  readonly erased: MemberErasure | null;
}

export interface MemberErasure extends Erasure {
  /** The projects that they were in until then. */
  readonly projects: readonly string[];
}

export interface DirectoryProject {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly members: Map<string, Role>;
  /** The `seq` of every commit that changed who is in it, ascending. */
  readonly changes: number[];
}

/** The projection of the directory: who is who, and who may do what where. */
export class Directory {
  seq = 0;
  time = 0;
  readonly members = new Map<string, Member>();
  readonly projects = new Map<string, DirectoryProject>();
  readonly #tokens = new Map<string, Token & { readonly hash: string }>();
  readonly #byHash = new Map<string, string>();
  /** Who has signed on, by hash: kept when the sign-on is revoked, so that nobody comes back as somebody else. */
  readonly #signOns = new Map<string, string>();
  readonly #invitations = new Map<string, Invitation>();
  readonly #invitationByHash = new Map<string, string>();

  /** The token of a hash, if it was not revoked and has not run out by `now`. */
  token(hash: string, now: number): Token | undefined {
    const id = this.#byHash.get(hash);
    return id !== undefined && this.isLive(id, now) ? this.#tokens.get(id) : undefined;
  }

  /** Whether a token is good at `now`. */
  isLive(id: string, now: number): boolean {
    const token = this.#tokens.get(id);
    return token !== undefined && (token.expires === null || token.expires > now);
  }

  tokenById(id: string): Token | undefined {
    return this.#tokens.get(id);
  }

  /** Who has signed on under a hash; those who were erased have not. */
  signedOn(hash: string): string | undefined {
    return this.#signOns.get(hash);
  }

  /** Whether a token stands for a sign-on: then it has no secret. */
  isSignOn(id: string): boolean {
    return this.#tokens.get(id)?.hash.startsWith(SIGN_ON) === true;
  }

  /** The hash of a token that was not revoked. */
  hashOf(id: string): string | undefined {
    return this.#tokens.get(id)?.hash;
  }

  /** All of a member's tokens that were not revoked, those that have run out too. */
  tokensOf(member: string): Token[] {
    return [...this.#tokens.values()].filter((token) => token.member === member);
  }

  /** A member's role in a project, or undefined: then, for them, there is no such project. */
  role(project: string, member: string): Role | undefined {
    const entry = this.projects.get(project);
    if (entry === undefined) return undefined;
    return this.members.get(member)?.serviceOwner ? 'OWNER' : entry.members.get(member);
  }

  /** Whether a member is to be given a role, or to lose theirs with null, by their groups: owners are made by owners. */
  needsRole(project: string, member: string, role: Role | null): boolean {
    const members = this.projects.get(project)?.members;
    const has = members?.get(member) ?? null;
    return members !== undefined && has !== 'OWNER' && has !== role;
  }

  /** What the holder of a token may do in a project, or undefined: then, for them, there is no such project. */
  roleWith({ member, scope }: Pick<Token, 'member' | 'scope'>, project: string): Role | undefined {
    if (scope.project !== null && scope.project !== project) return undefined;
    const role = this.role(project, member);
    if (role === undefined || scope.role === null) return role;
    return BY_RANK.indexOf(scope.role) > BY_RANK.indexOf(role) ? scope.role : role;
  }

  /** Whether a token has run out by `now` that had not at `since`. */
  hasTokenEnded(since: number, now: number): boolean {
    for (const { expires } of this.#tokens.values()) {
      if (expires !== null && expires > since && expires <= now) return true;
    }
    return false;
  }

  invitation(id: string): Invitation | undefined {
    return this.#invitations.get(id);
  }

  invitationOf(hash: string): Invitation | undefined {
    return this.#invitations.get(this.#invitationByHash.get(hash) ?? '');
  }

  /** Everybody's invitations that somebody came in by as this member. */
  invitationsOf(member: string): Invitation[] {
    return [...this.#invitations.values()].filter((invitation) => invitation.member === member);
  }

  /** The invitations that a member has made and that were neither accepted nor withdrawn. */
  pendingInvitationsBy(member: string): Invitation[] {
    return [...this.#invitations.values()].filter(
      (invitation) => invitation.by === member && invitation.member === null && !invitation.isWithdrawn,
    );
  }

  /** The projects that a member has a role in. */
  projectsOf(member: string): DirectoryProject[] {
    return [...this.projects.values()].filter(({ members }) => members.has(member));
  }

  /** All invitations into a project, in the order in which they were made. */
  invitationsInto(project: string): Invitation[] {
    return [...this.#invitations.values()].filter((invitation) => invitation.project === project);
  }

  /** The tokens that open a project, those that have run out too, in the order in which they were issued. */
  tokensInto(project: string): Token[] {
    return [...this.#tokens.values()].filter((token) => this.roleWith(token, project) !== undefined);
  }

  /** The annotators of a project who can still come in: who has a token that is good at `now`. */
  annotatorsOf(project: string, now: number): string[] {
    const comers = new Set<string>();
    for (const { member, expires } of this.#tokens.values()) {
      if (expires === null || expires > now) comers.add(member);
    }
    const members = [...(this.projects.get(project)?.members.keys() ?? [])];
    return members.filter((member) => comers.has(member) && this.role(project, member) === 'ANNOTATOR');
  }

  fold(event: DirectoryEvent, seq: number, time: number): void {
    this.seq = seq;
    this.time = time;
    switch (event.type) {
      case 'memberAdded':
        this.members.set(event.member, {
          id: event.member,
          kind: event.kind,
          serviceOwner: event.serviceOwner,
          addedAt: time,
          erased: null,
        });
        break;
      case 'memberErased': {
        const member = this.members.get(event.member);
        if (member === undefined) break;
        const projects = this.projectsOf(event.member).map(({ id }) => id);
        const erased = { at: time, by: event.by, reason: event.reason, projects };
        this.members.set(event.member, { ...member, erased });
        for (const [hash, who] of this.#signOns) if (who === event.member) this.#signOns.delete(hash);
        break;
      }
      case 'tokenIssued': {
        const { token: id, member, hash, expires, scope } = event;
        this.#tokens.set(id, { id, member, hash, expires, issuedAt: time, scope });
        this.#byHash.set(hash, id);
        if (hash.startsWith(SIGN_ON)) this.#signOns.set(hash, member);
        break;
      }
      case 'tokenExpirySet': {
        const token = this.#tokens.get(event.token);
        if (token !== undefined) this.#tokens.set(event.token, { ...token, expires: event.expires });
        break;
      }
      case 'invitationMade': {
        const { invitation: id, project, role, expires, tokenLasts, by, hash } = event;
        const rest = { by, madeAt: time, member: null, isWithdrawn: false };
        this.#invitations.set(id, { id, project, role, expires, tokenLasts, ...rest });
        this.#invitationByHash.set(hash, id);
        break;
      }
      case 'invitationAccepted':
        this.#changeInvitation(event.invitation, { member: event.member });
        break;
      case 'invitationWithdrawn':
        this.#changeInvitation(event.invitation, { isWithdrawn: true });
        break;
      case 'tokenRevoked': {
        const token = this.#tokens.get(event.token);
        if (token !== undefined) this.#byHash.delete(token.hash);
        this.#tokens.delete(event.token);
        break;
      }
      case 'projectAdded':
        this.projects.set(event.project, {
          id: event.project,
          name: event.name,
          createdAt: time,
          members: new Map([[event.by, 'OWNER']]),
          changes: [],
        });
        break;
      case 'roleGranted': {
        const project = this.projects.get(event.project);
        if (project === undefined) break;
        if (event.role === null) project.members.delete(event.member);
        else project.members.set(event.member, event.role);
        if (project.changes.at(-1) !== seq) project.changes.push(seq);
        break;
      }
      default:
        throw new UnknownEventError(event);
    }
  }

  #changeInvitation(id: string, change: Partial<Invitation>): void {
    const invitation = this.#invitations.get(id);
    if (invitation !== undefined) this.#invitations.set(id, { ...invitation, ...change });
  }
}
