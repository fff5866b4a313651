import type { Invitation, InvitationState } from '../domain/directory.ts';
import * as invitations from '../service/invitations.ts';
import { invitationLabel } from '../service/labels.ts';
import { builder, enumType } from './builder.ts';
import { page } from './connections.ts';
import { globalId, parseId } from './ids.ts';
import { MemberType } from './member.ts';
import { ProjectType, RoleEnum } from './project.ts';
import { mutation } from './refusals.ts';
import { NewTokenType, TOKEN_DAYS } from './tokenTypes.ts';
import { maySee, projectById } from './visibility.ts';

const InvitationStateEnum = enumType<InvitationState>('InvitationState', 'What became of an invitation.', {
  OPEN: 'Whoever has the code may come in.',
  ACCEPTED: 'Somebody has come in by it.',
  EXPIRED: 'Nobody came in time.',
  WITHDRAWN: 'It was taken back.',
});

const InvitationType = builder.objectRef<Invitation>('Invitation').implement({
  description: 'An invitation into a project, without its code, which nobody is shown again.',
  fields: (t) => ({
    id: t.id({
      description: 'Names it, and opens nothing.',
      resolve: ({ id }) => globalId('Invitation', id),
    }),
    role: t.expose('role', { type: RoleEnum, description: 'What whoever comes in may do.' }),
    label: t.string({
      description: 'Whom it is for; empty if nobody has said.',
      resolve: (invitation, _, { concord }) => invitationLabel(concord, invitation),
    }),
    state: t.field({
      type: InvitationStateEnum,
      description: 'Whether it can still be accepted.',
      resolve: (invitation, _, { concord }) => invitations.stateOf(concord, invitation),
    }),
    madeAt: t.expose('madeAt', { type: 'DateTime', description: 'When it was made.' }),
    expires: t.expose('expires', { type: 'DateTime', description: 'When it runs out.' }),
    by: t.expose('by', { type: MemberType, description: 'Who has made it.' }),
    member: t.expose('member', {
      type: MemberType,
      nullable: true,
      description: 'Who has come in by it; null: nobody.',
    }),
  }),
});

builder.objectField(ProjectType, 'invitations', (t) =>
  t.connection({
    type: InvitationType,
    nullable: true,
    description: 'Invitations into the project, oldest first; for owners, else null.',
    resolve: async (access, args, { concord }) => {
      if (!maySee(access, ['OWNER'])) return null;
      const all = await invitations.invitationsInto(concord, access);
      return page(args, { list: 'invitations', count: all.length }, (from, to) => all.slice(from, to));
    },
  }),
);

mutation('invite', {
  description:
    'Makes a code by which one person may come into the project, once, without anybody else handling their token. For owners.',
  input: builder.inputType('InviteInput', {
    description: 'Whom to let in, and for how long.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      role: t.field({
        type: RoleEnum,
        required: true,
        defaultValue: 'ANNOTATOR',
        description: 'What they may do; not OWNER.',
      }),
      label: t.string({ description: 'Whom it is for: at most 200 characters.' }),
      days: t.float({
        required: true,
        defaultValue: 7,
        description: 'After how many days it runs out, up to 90.',
      }),
      tokenDays: t.float({ description: TOKEN_DAYS }),
    }),
  }),
  success: builder.objectRef<invitations.MadeInvitation>('NewInvitation').implement({
    description: 'An invitation, and its code, shown this once: the service keeps only its hash.',
    fields: (t) => ({
      invitation: t.expose('invitation', { type: InvitationType, description: 'The invitation.' }),
      invitationCode: t.exposeString('code', {
        description: 'What to send to whom it is for; see `acceptInvitation`.',
      }),
    }),
  }),
  resolve: async ({ project, tokenDays, label, ...input }, context) => {
    const owned = await projectById(context, project, ['OWNER']);
    const given = { ...input, label: label ?? '', tokenDays: tokenDays ?? null };
    return invitations.invite(context.concord, owned, given);
  },
});

mutation('withdrawInvitation', {
  description: 'Takes back an invitation that nobody has accepted. For owners.',
  input: builder.inputType('WithdrawInvitationInput', {
    description: 'Which invitation.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      invitation: t.id({ required: true, description: 'The invitation.' }),
    }),
  }),
  success: InvitationType,
  refusals: ['INVITATION_CLOSED'],
  resolve: async (input, context) => {
    const owned = await projectById(context, input.project, ['OWNER']);
    const [id = ''] = parseId(input.invitation, 'Invitation');
    return invitations.withdrawInvitation(context.concord, owned, id);
  },
});

mutation('acceptInvitation', {
  description:
    'Comes into a project by an invitation, as a new member with a token of their own. It needs no token, and works once.',
  input: builder.inputType('AcceptInvitationInput', {
    description: 'Who comes in.',
    fields: (t) => ({
      invitationCode: t.string({ required: true, description: "The invitation's code." }),
      name: t.string({ required: true, description: 'What you are called: 1 to 200 characters.' }),
    }),
  }),
  success: NewTokenType,
  refusals: ['INVITATION_CLOSED'],
  isForAnybody: true,
  resolve: ({ invitationCode: code, name }, { concord }) =>
    invitations.acceptInvitation(concord, { code, name }),
});
