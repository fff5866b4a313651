import type { ErasureReason } from '../domain/erasure.ts';
import * as erasing from '../service/erasing.ts';
import { builder, viewerOf } from './builder.ts';
import { parseId } from './ids.ts';
import { MemberType } from './member.ts';
import { mutation } from './refusals.ts';

export const ErasureReasonEnum = builder.enumType('ErasureReason', {
  description:
    'Why something was erased: the grounds of article 17(1) of the GDPR. Words of your own might tell what it was.',
  values: {
    NO_LONGER_NEEDED: { description: 'It is needed no more for what it was collected for.' },
    CONSENT_WITHDRAWN: { description: 'Consent was taken back.' },
    OBJECTION: { description: 'The person objects.' },
    UNLAWFUL: { description: 'It should never have been kept.' },
    LEGAL_DUTY: { description: 'The law asks for it.' },
  } satisfies Record<ErasureReason, object>,
});

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
    return erasing.erasePerson(context.concord, viewerOf(context), { member, reason: input.reason });
  },
});
