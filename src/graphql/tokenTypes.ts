import type { Role, Scope } from '../domain/directory.ts';
import { tokenLabel } from '../service/labels.ts';
import { type IssuedToken, lastUse } from '../service/tokens.ts';
import { builder } from './builder.ts';
import { globalId } from './ids.ts';
import { MemberType } from './member.ts';
import { RoleEnum } from './project.ts';

/** A token as its members and owners see it. */
export interface ShownToken {
  readonly id: string;
  readonly member: string;
  readonly issuedAt: number;
  readonly expires: number | null;
  readonly scope: Scope;
}

export const TokenType = builder.objectRef<ShownToken>('AccessToken').implement({
  description: 'A token, without its secret, which nobody is shown again.',
  fields: (t) => ({
    id: t.id({ description: 'Names it, and opens nothing.', resolve: ({ id }) => globalId('Token', id) }),
    member: t.expose('member', { type: MemberType, description: 'Whose.' }),
    label: t.string({
      description: 'What it is for; empty if nobody has said.',
      resolve: (token, _, { concord }) => tokenLabel(concord, token),
    }),
    issuedAt: t.expose('issuedAt', { type: 'DateTime', description: 'Since when it is good.' }),
    expires: t.expose('expires', {
      type: 'DateTime',
      nullable: true,
      description: 'When it runs out, or ran out; null: not by itself.',
    }),
    project: t.id({
      nullable: true,
      description: 'The one project that it opens; null: all in which its member has a role.',
      resolve: ({ scope }) => (scope.project === null ? null : globalId('Project', scope.project)),
    }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'The most that it may do, whatever its member may; null: what the member may.',
      resolve: ({ scope }): Role | null => scope.role,
    }),
    lastUse: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'In which hour it was shown last, to the node that answers this; null: not since that started. It is kept nowhere.',
      resolve: ({ id }, _, { concord }) => lastUse(concord, id),
    }),
  }),
});

export const NewTokenType = builder.objectRef<IssuedToken>('NewToken').implement({
  description: 'A token, shown this once: the service keeps only its hash.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Whose it is.' }),
    token: t.exposeString('secret', { description: 'The bearer token.' }),
    id: t.id({
      description: 'What it is called where tokens are listed, ended and rotated.',
      resolve: ({ id }) => globalId('Token', id),
    }),
  }),
});

export const TOKEN_DAYS = 'After how many days the token runs out, up to 3,650; default: never.';
export const TOKEN_LABEL = 'What the token is for: at most 200 characters.';
