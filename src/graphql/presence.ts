import { type Audience, STEERING } from '../service/access.ts';
import type { PresenceState, Present } from '../service/attendance.ts';
import { mapSource } from '../service/source.ts';
import { presenceSource } from '../service/states.ts';
import { builder, enumType } from './builder.ts';
import { MemberType } from './member.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { maySee } from './visibility.ts';

const PresenceStateEnum = enumType<PresenceState>('PresenceState', 'How somebody is in a project.', {
  ACTIVE: 'At work.',
  IDLE: 'Connected; for two minutes there was no answer, skip or the like.',
  AWAY: 'Not connected. They are forgotten after the grace period, and what they had not come to goes back.',
});

const PresentMemberType = builder.objectRef<Present>('PresentMember').implement({
  extensions: SHARED,
  description: 'An annotator who is there. It tells nothing of what they answer.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Who.' }),
    state: t.expose('state', { type: PresenceStateEnum, description: 'How.' }),
    since: t.expose('since', { type: 'DateTime', description: 'Since when they are so.' }),
  }),
});

interface Presence {
  readonly access: Audience;
  readonly people: readonly Present[];
}

const PresenceType = builder.objectRef<Presence>('Presence').implement({
  extensions: SHARED,
  description:
    'The annotators who follow their queue, on the node that answers. It is not kept in the journal, and so stands at no commit.',
  fields: (t) => ({
    connected: t.int({
      description: 'How many are connected, active or idle.',
      resolve: ({ people }) => people.filter(({ state }) => state !== 'AWAY').length,
    }),
    active: t.int({
      description: 'How many of them are active.',
      resolve: ({ people }) => people.filter(({ state }) => state === 'ACTIVE').length,
    }),
    people: t.field({
      type: [PresentMemberType],
      nullable: true,
      description:
        'Each of them, and who has just gone away, in the order in which they came. For owners and drivers: beside the counters that everybody sees, it would tell annotators whose answer had moved them.',
      resolve: ({ access, people }) => (maySee(access, STEERING) ? people : null),
    }),
  }),
});

builder.subscriptionField('presence', (t) =>
  t.field({
    type: PresenceType,
    description: 'State: who is at work in a project. To annotators and viewers, how many.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({
      open: (concord, access) => mapSource(presenceSource(concord, access), (people) => ({ access, people })),
    }),
  }),
);
