import * as tokens from '../service/tokens.ts';
import { builder, viewerOf } from './builder.ts';
import { page } from './connections.ts';
import { parseId } from './ids.ts';
import { ProjectType, RoleEnum } from './project.ts';
import { mutation } from './refusals.ts';
import { NewTokenType, TOKEN_DAYS, TOKEN_LABEL, TokenType } from './tokenTypes.ts';
import { maySee, projectById } from './visibility.ts';

builder.queryField('tokens', (t) =>
  t.connection({
    type: TokenType,
    description:
      'Your own tokens that were not revoked, oldest first. One that is confined to a project or a role sees itself alone.',
    resolve: async (_, args, context) => {
      const own = await tokens.ownTokens(context.concord, viewerOf(context));
      return page(args, { list: 'tokens', count: own.length }, (from, to) => own.slice(from, to));
    },
  }),
);

builder.objectField(ProjectType, 'tokens', (t) =>
  t.connection({
    type: TokenType,
    nullable: true,
    description:
      'The tokens that let somebody into the project and were not revoked, oldest first; for owners, else null.',
    resolve: async (access, args, { concord }) => {
      if (!maySee(access, ['OWNER'])) return null;
      const all = await tokens.tokensInto(concord, access);
      return page(args, { list: 'project-tokens', count: all.length }, (from, to) => all.slice(from, to));
    },
  }),
);

mutation('issueToken', {
  description:
    'Makes a further token for a member. For owners of every project that the member is in; of one that opens this project only, for its owners.',
  input: builder.inputType('IssueTokenInput', {
    description: 'A token to make.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      member: t.id({ required: true, description: 'For whom.' }),
      tokenDays: t.float({ description: TOKEN_DAYS }),
      label: t.string({ description: TOKEN_LABEL }),
      onlyThisProject: t.boolean({
        required: true,
        defaultValue: false,
        description: 'Whether it opens this project alone, wherever else the member is.',
      }),
      role: t.field({
        type: RoleEnum,
        description: 'The most that it may do, whatever the member may; default: what the member may.',
      }),
    }),
  }),
  success: NewTokenType,
  refusals: ['ERASED'],
  resolve: async ({ project, tokenDays, label, onlyThisProject, role, ...input }, context) => {
    const owned = await projectById(context, project, ['OWNER']);
    const [member = ''] = parseId(input.member, 'Member');
    const scope = { project: onlyThisProject ? owned.live.id : null, role: role ?? null };
    const given = { member, tokenDays: tokenDays ?? null, label: label ?? '', scope };
    return tokens.issueToken(context.concord, owned, given);
  },
});

interface Revoked {
  readonly revoked: number;
}

mutation('revokeTokens', {
  description: 'Ends all tokens of a member, and their live connections within a second. For owners.',
  input: builder.inputType('RevokeTokensInput', {
    description: 'Whose tokens to end.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      member: t.id({ required: true, description: 'Whose.' }),
    }),
  }),
  success: builder.objectRef<Revoked>('RevokedTokens').implement({
    description: 'Tokens that were ended.',
    fields: (t) => ({ count: t.exposeInt('revoked', { description: 'How many.' }) }),
  }),
  resolve: async (input, context) => {
    const owned = await projectById(context, input.project, ['OWNER']);
    const [member = ''] = parseId(input.member, 'Member');
    return { revoked: await tokens.revokeTokens(context.concord, owned, member) };
  },
});

const WHICH = 'The token, by its id.';

mutation('revokeToken', {
  description:
    'Ends one token, and its live connections within a second. For whose it is, and for owners of a project that it opens.',
  input: builder.inputType('RevokeTokenInput', {
    description: 'A token to end.',
    fields: (t) => ({ token: t.id({ required: true, description: WHICH }) }),
  }),
  success: TokenType,
  resolve: async (input, context) => {
    const [id = ''] = parseId(input.token, 'Token');
    return tokens.revokeToken(context.concord, viewerOf(context), id);
  },
});

mutation('expireToken', {
  description:
    'Has a token run out at another time. Sooner: for whose it is, and for owners of a project that it opens. Later: for owners of all of those.',
  input: builder.inputType('ExpireTokenInput', {
    description: 'When a token is to end.',
    fields: (t) => ({
      token: t.id({ required: true, description: WHICH }),
      expires: t.field({
        type: 'DateTime',
        description: 'When it runs out; what has passed ends it now; null: never.',
      }),
    }),
  }),
  success: TokenType,
  resolve: async (input, context) => {
    const [id = ''] = parseId(input.token, 'Token');
    const expires = input.expires?.getTime() ?? null;
    return tokens.expireToken(context.concord, viewerOf(context), id, expires);
  },
});

mutation('rotateToken', {
  description:
    'Makes a token in the place of one, with its label, scope and end; the old one runs out after an overlap. For whose it is; for owners of all projects that it opens, also with another end.',
  input: builder.inputType('RotateTokenInput', {
    description: 'A token to rotate.',
    fields: (t) => ({
      token: t.id({ description: 'The token, by its id; default: the one that you show.' }),
      overlapMinutes: t.float({
        required: true,
        defaultValue: 60,
        description: 'For how many minutes the old one stays good, up to 10,080 (a week).',
      }),
      tokenDays: t.float({
        description:
          'After how many days the new one runs out, up to 3,650; default: when the old one would.',
      }),
    }),
  }),
  success: NewTokenType,
  resolve: async ({ token, overlapMinutes, tokenDays }, context) => {
    const [id = null] = token == null ? [] : parseId(token, 'Token');
    const given = { id, overlapMinutes, tokenDays: tokenDays ?? null };
    return tokens.rotateToken(context.concord, viewerOf(context), given);
  },
});
