import { MAX_ERASED } from '../domain/erasingSamples.ts';
import type { ErasureReason } from '../domain/erasure.ts';
import * as erasing from '../service/erasing.ts';
import { builder, enumType, viewerOf } from './builder.ts';
import { ordinalIn, parseId } from './ids.ts';
import { MemberType } from './member.ts';
import { mutation } from './refusals.ts';
import { projectById } from './visibility.ts';

export const ErasureReasonEnum = enumType<ErasureReason>(
  'ErasureReason',
  'Why something was erased: the grounds of article 17(1) of the GDPR. Words of your own might tell what it was.',
  {
    NO_LONGER_NEEDED: 'It is needed no more for what it was collected for.',
    CONSENT_WITHDRAWN: 'Consent was taken back.',
    OBJECTION: 'The person objects.',
    UNLAWFUL: 'It should never have been kept.',
    LEGAL_DUTY: 'The law asks for it.',
  },
);

const REASON = 'Why; it is kept.';

mutation('erasePerson', {
  description:
    'Erases a person for good: their name, and what tokens and invitations say of them. Their tokens are revoked, invitations of theirs that nobody has accepted are withdrawn, and they leave every project. What they have done stays under their id, and every figure as it is. Erased already, nothing happens. For the owner of the service, and for owners of every project that they are or were in.',
  input: builder.inputType('ErasePersonInput', {
    description: 'Whom to erase.',
    fields: (t) => ({
      member: t.id({ required: true, description: 'Who.' }),
      reason: t.field({ type: ErasureReasonEnum, required: true, description: REASON }),
    }),
  }),
  success: MemberType,
  resolve: async (input, context) => {
    const [member = ''] = parseId(input.member, 'Member');
    const order = { member, reason: input.reason };
    return (await erasing.erasePerson(context.concord, viewerOf(context), order)).id;
  },
});

interface ErasedSamples {
  readonly erased: number;
}

mutation('eraseSamples', {
  description:
    'Erases what samples hold, for good. What is in hands of them is taken back, nobody is asked about them again, rounds go on without them, and the training set leaves them out, for there is nothing to learn from. What was answered stays, and every figure that comes of it. Of those erased already, nothing changes. For owners.',
  input: builder.inputType('EraseSamplesInput', {
    description: 'Samples to erase.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      samples: t.idList({ required: true, description: `1 to ${MAX_ERASED}.` }),
      reason: t.field({ type: ErasureReasonEnum, required: true, description: REASON }),
    }),
  }),
  success: builder.objectRef<ErasedSamples>('ErasedSamples').implement({
    description: 'Samples that were erased.',
    fields: (t) => ({
      count: t.exposeInt('erased', { description: 'How many; those erased before are not counted again.' }),
    }),
  }),
  resolve: async ({ project, samples, reason }, context) => {
    const access = await projectById(context, project, ['OWNER']);
    const ordinals = samples.map((sample) => ordinalIn(access, sample));
    return { erased: await erasing.erasePayloads(context.concord, access, { samples: ordinals, reason }) };
  },
});
