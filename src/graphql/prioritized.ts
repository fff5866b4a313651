import { NONE } from '../domain/sampleTable.ts';
import { type Audience, STEERING } from '../service/access.ts';
import { type FeedItem, prioritizedSource } from '../service/feed.ts';
import { mapSource } from '../service/source.ts';
import { builder } from './builder.ts';
import { DrawEnum, finite, PriorityEnum } from './draws.ts';
import { FEED_CURSOR, FeedResetType } from './feeds.ts';
import { SampleType, sampleView } from './samples.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { maySee } from './visibility.ts';

type Samples = Extract<FeedItem, { kind: 'samples' }>;
type Announced = Samples['samples'][number] & { readonly access: Audience };

const PrioritizedSampleType = builder.objectRef<Announced>('PrioritizedSample').implement({
  extensions: SHARED,
  description:
    'A sample that is worth labelling now. What would tell an audit or gold from other work is null to those who label.',
  fields: (t) => ({
    rank: t.exposeInt('rank', { description: 'Its place in the order of the round, from 0.' }),
    priority: t.expose('priority', { type: PriorityEnum, description: 'How much it is worth asking.' }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What is to be labelled; null to viewers, and of gold, for which sample it is depends on who comes to it. In a round with gold, null to annotators throughout: they would know it by what was not announced.',
      resolve: ({ payload, access, isVeiled }, _, { answer }) =>
        payload !== null && maySee(access, isVeiled ? STEERING : ['OWNER', 'DRIVER', 'ANNOTATOR'])
          ? answer.payload(payload)
          : null,
    }),
    sample: t.field({
      type: SampleType,
      nullable: true,
      description: 'The sample; null for gold. For owners and drivers.',
      resolve: ({ access, sample }) =>
        sample !== NONE && maySee(access, STEERING) ? sampleView(access, sample) : null,
    }),
    draw: t.field({
      type: DrawEnum,
      nullable: true,
      description: 'Why it is asked. For owners and drivers.',
      resolve: ({ access, draw }) => (maySee(access, STEERING) ? draw : null),
    }),
    score: t.float({
      nullable: true,
      description: "The strategy's raw score. For owners and drivers.",
      resolve: ({ access, score }) => (maySee(access, STEERING) ? finite(score) : null),
    }),
    normalisedScore: t.float({
      nullable: true,
      description: 'The score brought to 0…1. For owners and drivers.',
      resolve: ({ access, normalised }) => (maySee(access, STEERING) ? finite(normalised) : null),
    }),
    reason: t.string({
      nullable: true,
      description: 'Why the strategy chose it, in its words. For owners and drivers.',
      // To annotators it would tell what is predicted; and a sample without one, that it was drawn at random.
      resolve: ({ access, reasons, sample }, _, { concord }) =>
        sample !== NONE && maySee(access, STEERING) ? concord.reasons.of(reasons, sample) : null,
    }),
  }),
});

const PrioritizedSamplesType = builder
  .objectRef<{ readonly access: Audience; readonly item: Samples }>('PrioritizedSamples')
  .implement({
    extensions: SHARED,
    description: 'The next samples of the feed, at most 50.',
    fields: (t) => ({
      round: t.int({ description: 'The number of their round.', resolve: ({ item }) => item.round }),
      samples: t.field({
        type: [PrioritizedSampleType],
        description: 'In the order of rank.',
        resolve: ({ item, access }) => item.samples.map((sample) => ({ ...sample, access })),
      }),
      cursor: t.string({ description: FEED_CURSOR, resolve: ({ item }) => item.cursor }),
    }),
  });

const PrioritizedType = builder.unionType('Prioritized', {
  description: 'A push of the feed of newly prioritized samples.',
  types: [PrioritizedSamplesType, FeedResetType],
  resolveType: ({ item }) => (item.kind === 'samples' ? 'PrioritizedSamples' : 'FeedReset'),
});

builder.subscriptionField('prioritized', (t) =>
  t.field({
    type: PrioritizedType,
    description:
      'Feed: newly prioritized samples, every one once and in order. Without `after` it begins with the open round.',
    args: {
      project: t.arg.id({ required: true, description: 'The project.' }),
      after: t.arg.string({ description: 'The cursor of the last push that you have dealt with.' }),
    },
    ...sharedStream({
      open: (concord, access) =>
        mapSource(
          prioritizedSource(concord, access),
          (item) => ({ access, item }) as { access: Audience; item: Samples },
        ),
    }),
  }),
);
