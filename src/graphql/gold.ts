import type { DawidSkeneFit } from '../domain/dawidSkene.ts';
import type { Role } from '../domain/directory.ts';
import type { KnownAnswer } from '../domain/gold.ts';
import { goldCandidates, MAX_GOLD, SURE } from '../domain/goldSet.ts';
import { type Audience, type ProjectAccess, STEERING } from '../service/access.ts';
import { delay, type Environment } from '../service/environment.ts';
import { type AttentionView, type GoldView, goldView } from '../service/goldView.ts';
import { mapSource } from '../service/source.ts';
import { goldSource } from '../service/states.ts';
import { GoldOriginEnum } from './activity.ts';
import { builder, forwardArgs } from './builder.ts';
import { forwardPage } from './connections.ts';
import { IntervalType } from './figures.ts';
import { ordinalIn, parseId } from './ids.ts';
import { MemberType } from './member.ts';
import { ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { SampleType, type SampleView, sampleView } from './samples.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { maySee, projectById } from './visibility.ts';

/** Those who say what is gold. Whoever steers may see it. */
const SETTING: readonly Role[] = ['OWNER'];

/** The most gold samples, or candidates, that one page holds. */
const MAX_PAGE = 100;

interface GoldSample extends Omit<KnownAnswer, 'label'> {
  readonly rank: number;
  readonly sample: SampleView;
  readonly label: string;
  readonly answers: number;
  readonly correct: number;
}

const GoldSampleType = builder.objectRef<GoldSample>('GoldSample').implement({
  description: 'A sample whose answer is known, and how people have answered it.',
  fields: (t) => ({
    sample: t.expose('sample', { type: SampleType, description: 'The sample.' }),
    label: t.exposeString('label', { description: 'What it is.' }),
    origin: t.expose('origin', { type: GoldOriginEnum, description: 'Where that comes from.' }),
    by: t.expose('by', { type: MemberType, description: 'Who said so.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
    answers: t.exposeInt('answers', { description: "People's first answers to it as gold." }),
    correct: t.exposeInt('correct', {
      description: 'Those that are right. Where few are, look at what is known: it may be wrong.',
    }),
  }),
});

builder.objectField(SampleType, 'gold', (t) =>
  t.field({
    type: 'String',
    nullable: true,
    description: 'What the sample is known to be; null: it is not gold.',
    resolve: ({ access: { live }, ordinal }) =>
      live.read(({ gold, labels }) => {
        const label = gold.labelOf(ordinal);
        return label === undefined ? null : (labels[label] ?? null);
      }),
  }),
);

const AttentionType = builder.objectRef<AttentionView>('AnnotatorAttention').implement({
  extensions: SHARED,
  description: 'What gold shows of one annotator, who is not told of it.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Who.' }),
    answers: t.exposeInt('answers', {
      description: 'Their first answers to what is gold now: the first counts, whatever is undone.',
    }),
    correct: t.exposeInt('correct', { description: 'Those that are right.' }),
    interval: t.expose('interval', {
      type: IntervalType,
      nullable: true,
      description:
        'Wilson interval of how often they are right, 95 %, for display; null before the first answer. It may not be used to decide while watching.',
    }),
    judgedAnswers: t.int({
      description: 'Answers by which they are judged: those since they were last resumed.',
      resolve: ({ judged }) => judged.answers,
    }),
    judgedCorrect: t.int({ description: 'Those that are right.', resolve: ({ judged }) => judged.correct }),
    bounds: t.expose('bounds', {
      type: IntervalType,
      description:
        "A confidence sequence of how often they are right: it holds at all times with 95 %. Below the policy's goldLimit, they are paused.",
    }),
    pausedAt: t.expose('pausedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When they were paused; null: they may work.',
    }),
    left: t.exposeInt('left', { description: 'Gold samples that they have not had.' }),
    low: t.exposeBoolean('isLow', { description: "Whether that is less than the policy's goldReserve." }),
  }),
});

const GoldStateType = builder.objectRef<GoldView>('GoldState').implement({
  extensions: SHARED,
  description: 'How a project stands with gold.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'The commit at which it stands.' }),
    samples: t.exposeInt('samples', { description: 'Samples whose answer is known.' }),
    low: t.exposeBoolean('isLow', {
      description:
        "Whether gold is mixed in, and there is less of it than the policy's goldReserve, or somebody has less left.",
    }),
    annotators: t.field({
      type: [AttentionType],
      description: 'Everybody who has been given something to label, in the order in which they began.',
      resolve: ({ annotators }) => [...annotators],
    }),
  }),
});

interface CandidateView {
  readonly ordinal: number;
  readonly sample: SampleView;
  readonly label: string;
  readonly votes: number;
  readonly of: number;
  readonly confidence: number;
}

const CandidateType = builder.objectRef<CandidateView>('GoldCandidate').implement({
  description: 'A sample that people are sure enough of: an owner may make it gold.',
  fields: (t) => ({
    sample: t.expose('sample', { type: SampleType, description: 'The sample.' }),
    label: t.exposeString('label', { description: 'What they say.' }),
    votes: t.exposeInt('votes', { description: 'How many say so: 2 or more.' }),
    of: t.exposeInt('of', { description: 'Answers that count.' }),
    confidence: t.exposeFloat('confidence', {
      description: 'How sure it is, 0…1: by DAWID_SKENE its probability, by MAJORITY 1, for all say so.',
    }),
  }),
});

builder.objectFields(ProjectType, (t) => ({
  gold: t.field({
    type: GoldStateType,
    nullable: true,
    description: 'What gold shows of each annotator. For owners and drivers; null to others.',
    resolve: ({ live, ...access }) =>
      maySee({ live, ...access }, STEERING) ? live.read((project) => live.gold.of(project)) : null,
  }),
  goldSamples: t.field({
    type: builder.connectionObject(
      { type: GoldSampleType, name: 'ProjectGoldSamplesConnection' },
      { name: 'ProjectGoldSamplesConnectionEdge' },
    ),
    nullable: true,
    description:
      'Samples whose answer is known, in the order in which that was first said, forward only. For owners and drivers; null to others.',
    args: forwardArgs(t.arg, MAX_PAGE),
    resolve: (access, args) => {
      if (!maySee(access, STEERING)) return null;
      const list = { list: 'gold', max: MAX_PAGE, placeIn: ({ rank }: GoldSample) => rank };
      return forwardPage(args, list, (from, count) => goldFrom(access, from, count));
    },
  }),
  goldCandidates: t.field({
    type: builder.connectionObject(
      { type: CandidateType, name: 'ProjectGoldCandidatesConnection' },
      { name: 'ProjectGoldCandidatesConnectionEdge' },
    ),
    nullable: true,
    description: `Samples of which people are sure: by MAJORITY those that two or more have answered, all of them alike; by DAWID_SKENE those whose label has a probability of ${SURE} or more and two answers or more. What may become gold by setGold with fromConsensus. In the order of import, forward only. By DAWID_SKENE, the first page has consensus estimated anew if answers have changed; where there is no estimate, answers must be alike. For owners; null to others.`,
    args: forwardArgs(t.arg, MAX_PAGE),
    resolve: async (access, args, { concord: { environment } }) => {
      if (!maySee(access, SETTING)) return null;
      const { live } = access;
      const isEstimated = await live.read(({ policy }) => policy.consensus.method === 'DAWID_SKENE');
      const estimate = isEstimated
        ? (await (args.after == null ? live.estimates.upToDate() : live.estimates.newest())).fit
        : null;
      const placeIn = ({ ordinal }: CandidateView) => ordinal;
      const list = { list: 'goldcandidates', max: MAX_PAGE, placeIn };
      return forwardPage(args, list, (from, count) =>
        candidatesFrom(access, from, count, { estimate, environment }),
      );
    },
  }),
}));

async function goldFrom(access: ProjectAccess, from: number, count: number): Promise<GoldSample[]> {
  const page = await access.live.read(({ gold, labels }) =>
    [...gold.known].slice(from, from + count).map(([ordinal, { label, ...known }], i) => {
      const given = Array.from(gold.answersTo(ordinal), (first) => first.label);
      const correct = given.filter((one) => one === label).length;
      const name = labels[label] ?? '';
      return { ordinal, rank: from + i, ...known, label: name, answers: given.length, correct };
    }),
  );
  return Promise.all(
    page.map(async ({ ordinal, ...rest }) => ({ ...rest, sample: await sampleView(access, ordinal) })),
  );
}

async function candidatesFrom(
  access: ProjectAccess,
  from: number,
  count: number,
  { estimate, environment }: { readonly estimate: DawidSkeneFit | null; readonly environment: Environment },
): Promise<CandidateView[]> {
  const page: Omit<CandidateView, 'sample'>[] = [];
  for (let next: number | null = from; next !== null && page.length < count; ) {
    const begin: number = next;
    next = await access.live.read((project) => {
      const looked = goldCandidates(project, begin, count - page.length, estimate);
      for (const { sample: ordinal, label, ...rest } of looked.found)
        page.push({ ordinal, label: project.labels[label] ?? '', ...rest });
      return looked.next;
    });
    // Others come in between.
    if (next !== null && page.length < count) await delay(environment, 0);
  }
  return Promise.all(
    page.map(async (candidate) => ({ ...candidate, sample: await sampleView(access, candidate.ordinal) })),
  );
}

builder.subscriptionField('gold', (t) =>
  t.field({
    type: GoldStateType,
    description:
      'State: what gold shows of each annotator, who is paused, and whose gold runs low. For owners and drivers.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({
      allowed: STEERING,
      open: (_, access: Audience) => mapSource(goldSource(access), (view) => view),
    }),
  }),
);

const KnownAnswerInput = builder.inputType('KnownAnswerInput', {
  description: 'What a sample is known to be.',
  fields: (t) => ({
    sample: t.id({ required: true, description: 'The sample.' }),
    label: t.string({ required: true, description: 'What it is: a label of the label set.' }),
  }),
});

mutation('setGold', {
  description:
    'Makes samples gold, all of them or none, or changes what is known of them: from then on they are no work, and are mixed into the work of each annotator once, to see whether attention holds. For owners.',
  input: builder.inputType('SetGoldInput', {
    description: 'Known answers.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      answers: t.field({
        type: [KnownAnswerInput],
        required: true,
        description: `1 to ${MAX_GOLD}, of different samples. None may contradict a ruling.`,
      }),
      fromConsensus: t.boolean({
        description:
          'You confirm what people have said: at least two must have given each answer. Default: false.',
      }),
    }),
  }),
  success: GoldStateType,
  refusals: ['UNKNOWN_LABEL', 'ERASED'],
  resolve: async ({ project, answers, fromConsensus }, context) => {
    const access = await projectById(context, project, SETTING);
    const input = {
      by: access.viewer.member,
      answers: answers.map(({ sample, label }) => ({ sample: ordinalIn(access, sample), label })),
      origin: fromConsensus ? ('CONSENSUS' as const) : ('OWNER' as const),
    };
    return executed(access, 'setGold', input);
  },
});

mutation('removeGold', {
  description:
    'Makes gold samples work like any other again. Answers that were given to them as gold count where the sample needs any; those of a sample that is no gold change nothing. For owners.',
  input: builder.inputType('RemoveGoldInput', {
    description: 'Samples to take out of gold.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      samples: t.idList({ required: true, description: `1 to ${MAX_GOLD} different ones.` }),
    }),
  }),
  success: GoldStateType,
  resolve: async ({ project, samples }, context) => {
    const access = await projectById(context, project, SETTING);
    const ordinals = samples.map((sample) => ordinalIn(access, sample));
    return executed(access, 'removeGold', { by: access.viewer.member, samples: ordinals });
  },
});

mutation('resumeAnnotator', {
  description:
    'Lets an annotator go on whom gold has paused. They are judged anew, by what they answer from now on. Of somebody who is not paused, nothing changes. For owners.',
  input: builder.inputType('ResumeAnnotatorInput', {
    description: 'An annotator to let go on.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      member: t.id({ required: true, description: 'The annotator.' }),
    }),
  }),
  success: GoldStateType,
  resolve: async ({ project, member }, context) => {
    const access = await projectById(context, project, SETTING);
    const [id = ''] = parseId(member, 'Member');
    return executed(access, 'resumeAnnotator', { by: access.viewer.member, member: id });
  },
});

/** Does it, and shows how gold stands then. */
function executed<C extends 'setGold' | 'removeGold' | 'resumeAnnotator'>(
  { live }: ProjectAccess,
  command: C,
  input: Parameters<typeof live.execute<C, GoldView>>[1],
): Promise<GoldView> {
  return live.execute(command, input, goldView);
}
