import type { MemberKind } from '../domain/directory.ts';
import * as members from '../service/members.ts';
import { builder, enumType } from './builder.ts';
import { globalId } from './ids.ts';
import { SHARED } from './sharing.ts';

export const MemberKindEnum = enumType<MemberKind>('MemberKind', 'What a member is.', {
  PERSON: 'A person.',
  TOOL: 'A program, such as a trainer.',
});

/** A member, by the id that they have within the service. */
export const MemberType = builder.objectRef<string>('Member').implement({
  extensions: SHARED,
  description: 'A person or a tool. What they do is kept under an opaque id; the name can be erased.',
  fields: (t) => ({
    id: t.id({ description: 'The id.', resolve: (id) => globalId('Member', id) }),
    name: t.string({
      nullable: true,
      description: 'What they are called; null if that was erased or never said.',
      resolve: (id, _, { concord }) => members.memberName(concord, id),
    }),
    kind: t.field({
      type: MemberKindEnum,
      description: 'Person or tool.',
      resolve: (id, _, { concord }) =>
        concord.directory.read((directory) => directory.members.get(id)?.kind ?? 'PERSON'),
    }),
    erasedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When they were erased; null: they were not.',
      resolve: (id, _, { concord }) =>
        concord.directory.read((directory) => directory.members.get(id)?.erased?.at ?? null),
    }),
  }),
});
