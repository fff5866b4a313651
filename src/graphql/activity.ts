import type { GoldOrigin } from '../domain/events.ts';
import { type Audience, STEERING } from '../service/access.ts';
import { type Activity, type ActivityItem, activitySource } from '../service/activity.ts';
import { mapSource } from '../service/source.ts';
import { builder, enumType } from './builder.ts';
import { ErasureReasonEnum } from './erasure.ts';
import { FEED_CURSOR, FeedResetType } from './feeds.ts';
import { MemberType } from './member.ts';
import { PolicyType } from './policy.ts';
import { RoleEnum } from './project.ts';
import { CloseReasonEnum } from './rounds.ts';
import { SHARED, sharedStream } from './sharing.ts';

type Of<K extends Activity['kind']> = Extract<Activity, { readonly kind: K }>;

const ActivityInterface = builder.interfaceRef<Activity>('Activity').implement({
  extensions: SHARED,
  description: 'Something that was decided about a project, or that followed.',
  resolveType: ({ kind }) => kind.charAt(0).toUpperCase() + kind.slice(1),
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    by: t.expose('by', {
      type: MemberType,
      nullable: true,
      description: 'Who did it; null: it followed by itself.',
    }),
  }),
});

/** What all kinds of activity have in common. */
const kind = { extensions: SHARED, interfaces: [ActivityInterface] };

const model = 'What made them, as its publisher calls it.';
const run = 'The number of the prediction run.';

builder.objectRef<Of<'projectCreated'>>('ProjectCreated').implement({
  ...kind,
  description: 'The project was created.',
});

builder.objectRef<Of<'policyChanged'>>('PolicyChanged').implement({
  ...kind,
  description: 'The policy was changed.',
  fields: (t) => ({
    policy: t.expose('policy', { type: PolicyType, description: 'The whole policy from then on.' }),
  }),
});

builder.objectRef<Of<'samplesImported'>>('SamplesImported').implement({
  ...kind,
  description: 'A part of an import has come.',
  fields: (t) => ({
    importId: t.exposeString('importId', { description: 'The import, as its driver calls it.' }),
    part: t.exposeInt('part', { description: 'Which part of it: 0, 1, 2 …' }),
    samples: t.exposeInt('samples', { description: 'Samples in it.' }),
  }),
});

builder.objectRef<Of<'predictionsPublished'>>('PredictionsPublished').implement({
  ...kind,
  description: 'A prediction run was published.',
  fields: (t) => ({
    predictionRun: t.exposeInt('run', { description: run }),
    model: t.exposeString('model', { description: model }),
    rows: t.exposeInt('rows', { description: 'Samples of which it says something.' }),
    accepted: t.exposeInt('accepted', { description: 'Unlabelled samples that it auto-accepted.' }),
  }),
});

builder.objectRef<Of<'embeddingsPublished'>>('EmbeddingsPublished').implement({
  ...kind,
  description: 'Embeddings were published.',
  fields: (t) => ({
    model: t.exposeString('model', { description: model }),
    rows: t.exposeInt('rows', { description: 'Samples that have one.' }),
  }),
});

const VerdictEnum = enumType(
  'AutoAcceptVerdict',
  'What audits have shown of what a prediction run auto-accepts.',
  {
    PROVEN: 'Its error rate is below the limit.',
    SUSPENDED: 'Its error rate is above the limit: what it accepted goes to people.',
  },
);

builder.objectRef<Of<'autoAcceptJudged'>>('AutoAcceptJudged').implement({
  ...kind,
  description: 'Audits have come to a verdict.',
  fields: (t) => ({
    predictionRun: t.exposeInt('run', { description: run }),
    verdict: t.expose('verdict', { type: VerdictEnum, description: 'Which.' }),
  }),
});

builder.objectRef<Of<'roundOpened'>>('RoundOpened').implement({
  ...kind,
  description: 'A round was opened.',
  fields: (t) => ({
    round: t.exposeInt('round', { description: 'Its number.' }),
    size: t.exposeInt('size', { description: 'Samples that its strategy chose.' }),
    strategy: t.exposeString('strategy', { description: 'The strategy.' }),
    deadline: t.expose('deadline', {
      type: 'DateTime',
      nullable: true,
      description: 'When what is unsettled is withdrawn; null: never.',
    }),
  }),
});

builder.objectRef<Of<'roundClosed'>>('RoundClosed').implement({
  ...kind,
  description: 'A round has closed.',
  fields: (t) => ({
    round: t.exposeInt('round', { description: 'Its number.' }),
    reason: t.expose('reason', { type: CloseReasonEnum, description: 'Why.' }),
    withdrawn: t.exposeInt('withdrawn', { description: 'Samples that were not settled.' }),
  }),
});

const sampleNumber = "The sample's place in the order of import, from 0.";

builder.objectRef<Of<'opinionAsked'>>('OpinionAsked').implement({
  ...kind,
  description: 'Those who were asked about a sample do not agree, and one more person is.',
  fields: (t) => ({ sampleNumber: t.exposeInt('sample', { description: sampleNumber }) }),
});

builder.objectRef<Of<'ruled'>>('Ruled').implement({
  ...kind,
  description: 'Somebody has ruled on what a sample is.',
  fields: (t) => ({
    sampleNumber: t.exposeInt('sample', { description: sampleNumber }),
    labelNumber: t.exposeInt('label', {
      description: "What it is: the label's place in the label set, from 0.",
    }),
    rulingReason: t.exposeString('reason', { description: 'Why.' }),
  }),
});

builder.objectRef<Of<'rulingReopened'>>('RulingReopened').implement({
  ...kind,
  description: 'A ruling was taken back.',
  fields: (t) => ({
    sampleNumber: t.exposeInt('sample', { description: sampleNumber }),
    rulingReason: t.exposeString('reason', { description: 'Why.' }),
  }),
});

export const GoldOriginEnum = enumType<GoldOrigin>('GoldOrigin', 'Where a known answer comes from.', {
  OWNER: 'An owner knew it.',
  IMPORT: 'It was imported with the sample.',
  CONSENSUS: "It was people's consensus, and an owner confirmed it.",
});

const who = 'Which annotator.';

builder.objectRef<Of<'goldSet'>>('GoldSet').implement({
  ...kind,
  description: 'Samples have become gold, or what is known of them has changed.',
  fields: (t) => ({
    samples: t.exposeInt('samples', { description: 'How many.' }),
    origin: t.expose('origin', { type: GoldOriginEnum, description: 'Where the answers come from.' }),
  }),
});

builder.objectRef<Of<'goldRemoved'>>('GoldRemoved').implement({
  ...kind,
  description: 'Samples are gold no more.',
  fields: (t) => ({ samples: t.exposeInt('samples', { description: 'How many.' }) }),
});

builder.objectRef<Of<'goldRanLow'>>('GoldRanLow').implement({
  ...kind,
  description: 'An annotator has less gold left than the reserve: set more, or they will not be checked.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: who }),
    left: t.exposeInt('left', { description: 'Gold samples that they have not had.' }),
  }),
});

builder.objectRef<Of<'annotatorPaused'>>('AnnotatorPaused').implement({
  ...kind,
  description: 'Gold has shown that an annotator is right too seldom: they are given nothing more.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: who }),
    answers: t.exposeInt('answers', {
      description: 'First answers to gold since they were last resumed, or ever.',
    }),
    correct: t.exposeInt('correct', { description: 'Those of them that were right.' }),
    limit: t.exposeFloat('limit', { description: "The policy's limit, 0…1." }),
  }),
});

builder.objectRef<Of<'annotatorResumed'>>('AnnotatorResumed').implement({
  ...kind,
  description: 'A paused annotator may go on, and is judged anew.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: who }),
  }),
});

builder.objectRef<Of<'roleChanged'>>('RoleChanged').implement({
  ...kind,
  description: 'Somebody has come into the project, has another role in it, or has left it.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Who.' }),
    role: t.expose('role', {
      type: RoleEnum,
      nullable: true,
      description: 'The role from then on; null: none.',
    }),
  }),
});

builder.objectRef<Of<'samplesErased'>>('SamplesErased').implement({
  ...kind,
  description: 'What samples held was erased; what was answered to them was not.',
  fields: (t) => ({
    samples: t.exposeInt('samples', { description: 'How many.' }),
    grounds: t.expose('reason', { type: ErasureReasonEnum, description: 'Why.' }),
  }),
});

builder.objectRef<Of<'personErased'>>('PersonErased').implement({
  ...kind,
  description: 'Somebody was erased: what they are called is gone, what they did is not.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'The id that is left of them.' }),
    grounds: t.expose('reason', { type: ErasureReasonEnum, description: 'Why.' }),
  }),
});

type Events = Extract<ActivityItem, { kind: 'events' }>;

const ActivityEventsType = builder.objectRef<{ readonly item: Events }>('ActivityEvents').implement({
  extensions: SHARED,
  description: 'The next events of the feed, of at most 50 commits.',
  fields: (t) => ({
    events: t.field({
      type: [ActivityInterface],
      description: 'In the order in which they happened.',
      resolve: ({ item }) => item.events,
    }),
    cursor: t.string({ description: FEED_CURSOR, resolve: ({ item }) => item.cursor }),
  }),
});

const ActivityFeedType = builder.unionType('ActivityFeed', {
  description: 'A push of the feed of activity.',
  types: [ActivityEventsType, FeedResetType],
  resolveType: ({ item }) => (item.kind === 'reset' ? 'FeedReset' : 'ActivityEvents'),
});

builder.subscriptionField('activity', (t) =>
  t.field({
    type: ActivityFeedType,
    description:
      'Feed: what was decided about a project, and what followed, every event once and in order: imports, prediction runs, rounds, verdicts of audits, extra opinions, rulings, gold and whom it paused, the policy, members. What annotators do is in `progress` and `presence`. Without `after` it begins with the last that happened, of at most 100 commits. For owners and drivers.',
    args: {
      project: t.arg.id({ required: true, description: 'The project.' }),
      after: t.arg.string({ description: 'The cursor of the last push that you have dealt with.' }),
    },
    ...sharedStream({
      allowed: STEERING,
      open: (concord, access: Audience) =>
        mapSource(activitySource(concord, access), (item) => ({ item }) as { item: Events }),
    }),
  }),
);
