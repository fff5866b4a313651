import type { Role } from '../domain/directory.ts';
import { access } from '../service/access.ts';
import * as members from '../service/members.ts';
import { builder, viewerOf } from './builder.ts';
import { page } from './connections.ts';
import { globalId, parseId } from './ids.ts';
import { ProjectType, RoleEnum } from './project.ts';
import { mutation } from './refusals.ts';
import { SHARED } from './sharing.ts';
import { projectById } from './visibility.ts';

const MemberKindEnum = builder.enumType('MemberKind', {
  description: 'What a member is.',
  values: {
    PERSON: { value: 'PERSON', description: 'A person.' },
    TOOL: { value: 'TOOL', description: 'A program, such as a trainer.' },
  } as const,
});

export const MemberType = builder.objectRef<{ readonly id: string }>('Member').implement({
  extensions: SHARED,
  description: 'A person or a tool. What they do is kept under an opaque id; the name can be deleted.',
  fields: (t) => ({
    id: t.id({ description: 'The id.', resolve: ({ id }) => globalId('Member', id) }),
    name: t.string({
      nullable: true,
      description: 'What they are called; null if that was deleted or never said.',
      resolve: ({ id }, _, { concord }) => members.memberName(concord, id),
    }),
    kind: t.field({
      type: MemberKindEnum,
      description: 'Person or tool.',
      resolve: ({ id }, _, { concord }) =>
        concord.directory.read((directory) => directory.members.get(id)?.kind ?? 'PERSON'),
    }),
  }),
});

interface ProjectMember {
  readonly member: string;
  readonly role: Role;
}

const ProjectMemberType = builder.objectRef<ProjectMember>('ProjectMember').implement({
  description: 'A member with a role in a project.',
  fields: (t) => ({
    member: t.field({ type: MemberType, description: 'Who.', resolve: ({ member }) => ({ id: member }) }),
    role: t.expose('role', { type: RoleEnum, description: 'What they may do.' }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: MemberType,
    description: 'You.',
    resolve: (_, __, context) => ({ id: viewerOf(context).member }),
  }),
);

builder.objectField(ProjectType, 'members', (t) =>
  t.connection({
    type: ProjectMemberType,
    description: 'Who is in the project.',
    resolve: async ({ live }, args, { concord }) => {
      const all = await concord.directory.read((directory) =>
        [...(directory.projects.get(live.id)?.members ?? [])].map(([member, role]) => ({ member, role })),
      );
      return page(args, { list: 'members', count: all.length }, (from, to) => all.slice(from, to));
    },
  }),
);

interface NewMember {
  readonly member: string;
  readonly token: string;
}

const NewMemberType = builder.objectRef<NewMember>('NewToken').implement({
  description: 'A token, shown this once: the service keeps only its hash.',
  fields: (t) => ({
    member: t.field({
      type: MemberType,
      description: 'Whose it is.',
      resolve: ({ member }) => ({ id: member }),
    }),
    token: t.exposeString('token', { description: 'The bearer token.' }),
  }),
});

const tokenDays = 'After how many days the token runs out; default: never.';

mutation('addMember', {
  description: 'Adds a person or a tool to a project and makes a token for it. For owners.',
  input: builder.inputType('AddMemberInput', {
    description: 'A new member.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      name: t.string({ required: true, description: 'What they are called: 1 to 200 characters.' }),
      role: t.field({ type: RoleEnum, required: true, description: 'What they may do.' }),
      kind: t.field({
        type: MemberKindEnum,
        defaultValue: 'PERSON',
        required: true,
        description: 'Person or tool.',
      }),
      tokenDays: t.float({ description: tokenDays }),
    }),
  }),
  success: NewMemberType,
  resolve: async ({ project, tokenDays, ...input }, context) => {
    const owned = await projectById(context, project, ['OWNER']);
    return members.addMember(context.concord, owned, { ...input, tokenDays: tokenDays ?? null });
  },
});

mutation('setRole', {
  description:
    'Changes what a member may do in a project, or takes them out of it. For owners; the owner of the service can bring in members of other projects too.',
  input: builder.inputType('SetRoleInput', {
    description: 'A role to set.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      member: t.id({ required: true, description: 'Whose.' }),
      role: t.field({
        type: RoleEnum,
        description: 'The new role; null takes the member out of the project.',
      }),
    }),
  }),
  success: ProjectType,
  resolve: async (input, context) => {
    const owned = await projectById(context, input.project, ['OWNER']);
    const [member = ''] = parseId(input.member, 'Member');
    await members.grantRole(context.concord, owned, { member, role: input.role ?? null });
    return access(context.concord, viewerOf(context), owned.live.id);
  },
});

mutation('issueToken', {
  description: 'Makes a further token for a member. For owners of every project that the member is in.',
  input: builder.inputType('IssueTokenInput', {
    description: 'A token to make.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      member: t.id({ required: true, description: 'For whom.' }),
      tokenDays: t.float({ description: tokenDays }),
    }),
  }),
  success: NewMemberType,
  resolve: async (input, context) => {
    const owned = await projectById(context, input.project, ['OWNER']);
    const [member = ''] = parseId(input.member, 'Member');
    const token = await members.issueToken(context.concord, owned, {
      member,
      tokenDays: input.tokenDays ?? null,
    });
    return { member, token };
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
    return { revoked: await members.revokeTokens(context.concord, owned, member) };
  },
});
