import type { Role } from '../domain/directory.ts';
import { access } from '../service/access.ts';
import * as members from '../service/members.ts';
import { builder, viewerOf } from './builder.ts';
import { page } from './connections.ts';
import { parseId } from './ids.ts';
import { MemberKindEnum, MemberType } from './member.ts';
import { ProjectType, RoleEnum } from './project.ts';
import { mutation } from './refusals.ts';
import { NewTokenType, TOKEN_DAYS, TOKEN_LABEL } from './tokenTypes.ts';
import { projectById } from './visibility.ts';

interface ProjectMember {
  readonly member: string;
  readonly role: Role;
}

const ProjectMemberType = builder.objectRef<ProjectMember>('ProjectMember').implement({
  description: 'A member with a role in a project.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Who.' }),
    role: t.expose('role', { type: RoleEnum, description: 'What they may do.' }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: MemberType,
    description: 'You.',
    resolve: (_, __, context) => viewerOf(context).member,
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
      tokenDays: t.float({ description: TOKEN_DAYS }),
      tokenLabel: t.string({ description: TOKEN_LABEL }),
    }),
  }),
  success: NewTokenType,
  resolve: async ({ project, tokenDays, tokenLabel, ...input }, context) => {
    const owned = await projectById(context, project, ['OWNER']);
    const token = { tokenDays: tokenDays ?? null, label: tokenLabel ?? '' };
    return members.addMember(context.concord, owned, { ...input, ...token });
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
  refusals: ['ERASED'],
  resolve: async (input, context) => {
    const owned = await projectById(context, input.project, ['OWNER']);
    const [member = ''] = parseId(input.member, 'Member');
    await members.grantRole(context.concord, owned, { member, role: input.role ?? null });
    return access(context.concord, viewerOf(context), owned.live.id);
  },
});
