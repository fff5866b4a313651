import { type AnnouncedSample, announcedAt } from '../domain/announced.ts';
import type { RoundClosed, StrategyOrigin } from '../domain/events.ts';
import { NONE } from '../domain/sampleTable.ts';
import { type Audience, STEERING } from '../service/access.ts';
import { openRound } from '../service/rounds.ts';
import { type RoundView, roundView } from '../service/views.ts';
import { builder, type Context, enumType } from './builder.ts';
import { page } from './connections.ts';
import { DrawEnum, finite, PriorityEnum } from './draws.ts';
import { parseId } from './ids.ts';
import { seedOf } from './inputs.ts';
import { ProgressType, ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { SampleType, type SampleView, sampleView } from './samples.ts';
import { SHARED } from './sharing.ts';
import { accessById, maySee, orNull, projectById } from './visibility.ts';

export const CloseReasonEnum = enumType<RoundClosed['reason']>('CloseReason', 'Why a round closed.', {
  SETTLED: 'Every sample was answered or found unanswerable.',
  WITHDRAWN: 'A driver closed it.',
  DEADLINE: 'Its deadline passed.',
  EXHAUSTED:
    'What was left was in nobody’s hands, and every annotator of the project had had it: an overlap, or skips, that nobody else could fill.',
});

const StrategyOriginEnum = enumType<StrategyOrigin>('StrategyOrigin', "Who named a round's strategy.", {
  REQUEST: 'Whoever opened the round.',
  POLICY: 'The policy.',
  COLD_START: 'The policy, for the time before the first prediction run.',
});

/** A round, with the access under which it was read. */
export interface RoundRecord extends RoundView {
  readonly access: Audience;
}

const RoundType = builder.objectRef<RoundRecord>('Round');

interface RoundSample extends AnnouncedSample {
  /** Null for gold. */
  readonly view: SampleView | null;
  /** The chunk of its round's reasons. */
  readonly reasons: string | null;
}

const RoundSampleType = builder.objectRef<RoundSample>('RoundSample').implement({
  description: 'A sample as a round announced it.',
  fields: (t) => ({
    rank: t.exposeInt('rank', { description: 'Its place in the order, from 0.' }),
    sample: t.field({
      type: SampleType,
      nullable: true,
      description: 'The sample; null for gold, for which one it is depends on who comes to it.',
      resolve: ({ view }) => view,
    }),
    draw: t.expose('draw', { type: DrawEnum, description: 'Why it is asked.' }),
    score: t.float({
      nullable: true,
      description: "The strategy's raw score; null if it gave none, as at random.",
      resolve: ({ score }) => finite(score),
    }),
    normalisedScore: t.float({
      nullable: true,
      description: 'The score brought to 0…1, likewise.',
      resolve: ({ normalised }) => finite(normalised),
    }),
    priority: t.expose('priority', { type: PriorityEnum, description: 'How much it is worth asking.' }),
    reason: t.string({
      nullable: true,
      description: 'Why the strategy chose it, in its words; null if it gave no reason.',
      resolve: ({ reasons, sample }, _, { concord }) =>
        sample === NONE ? null : concord.reasons.of(reasons, sample),
    }),
  }),
});

const AskedStrategyType = builder
  .objectRef<RoundView['strategy']['asked'][number]>('AskedStrategy')
  .implement({
    extensions: SHARED,
    description: 'A strategy that another may have asked, as it was then.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name.' }),
      version: t.exposeString('version', { description: 'SHA-256 of its code.' }),
    }),
  });

builder.node(RoundType, {
  extensions: SHARED,
  description: 'Samples chosen by one strategy, labelled until each is settled.',
  id: { resolve: ({ access, number }) => `${access.live.id}/${number}`, description: 'Its id.' },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'openedAt' in value,
  loadOne: (id, context) => orNull(loadRound(id, context)),
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1, 2, 3 …' }),
    strategy: t.string({ description: 'The strategy that chose.', resolve: ({ strategy }) => strategy.name }),
    strategyVersion: t.string({
      description: "SHA-256 of the strategy's code.",
      resolve: ({ strategy }) => strategy.version,
    }),
    strategyParameters: t.field({
      type: 'JSONObject',
      description: 'Its parameters, defaults included.',
      resolve: ({ strategy }) => strategy.parameters,
    }),
    strategyAsked: t.field({
      type: [AskedStrategyType],
      description: 'The strategies that it may have asked, and so rests on, in alphabetical order.',
      resolve: ({ strategy }) => [...strategy.asked],
    }),
    seed: t.float({
      nullable: true,
      // From it follows where in the round audits stand, and which samples are of the random share.
      description: 'Its seed, a uint32. For owners and drivers; null to others.',
      resolve: ({ seed, access }) => (maySee(access, STEERING) ? seed : null),
    }),
    predictionRun: t.exposeInt('run', {
      nullable: true,
      description: 'The number of the prediction run it chose from; null before the first.',
    }),
    strategyOrigin: t.expose('origin', { type: StrategyOriginEnum, description: 'Who named the strategy.' }),
    requested: t.exposeInt('requested', { description: 'Samples that the strategy was to choose.' }),
    size: t.exposeInt('size', { description: 'Samples it chose.' }),
    total: t.exposeInt('total', { description: 'Samples it announced.' }),
    settled: t.exposeInt('settled', { description: 'Those of them that are settled.' }),
    isOpen: t.boolean({ description: 'Whether it is open.', resolve: ({ closedAt }) => closedAt === null }),
    openedAt: t.expose('openedAt', { type: 'DateTime', description: 'When it opened.' }),
    closedAt: t.expose('closedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it closed; null while it is open.',
    }),
    closeReason: t.expose('closeReason', {
      type: CloseReasonEnum,
      nullable: true,
      description: 'Why it closed; null while it is open.',
    }),
    deadline: t.expose('deadline', {
      type: 'DateTime',
      nullable: true,
      description: 'When what is unsettled is withdrawn; null: never.',
    }),
    inclusionProbability: t.exposeFloat('inclusionProbability', {
      nullable: true,
      description: 'The chance that each eligible sample had to be in its random share; null without one.',
    }),
    samples: t.connection({
      type: RoundSampleType,
      nullable: true,
      description: 'What it announced, in order. For owners and drivers; null to others.',
      resolve: async ({ access, number, total }, args) => {
        if (!maySee(access, STEERING)) return null;
        return page(args, { list: 'round-samples', count: total }, async (from, to) => {
          const announced = await access.live.read((project) => {
            const round = project.rounds[number - 1];
            if (round === undefined) return [];
            const { reasons } = round.opened;
            return Array.from({ length: to - from }, (_, i) => ({
              ...announcedAt(round, from + i),
              reasons,
            }));
          });
          return Promise.all(
            announced.map(async (entry) => ({
              ...entry,
              view: entry.sample === NONE ? null : await sampleView(access, entry.sample),
            })),
          );
        });
      },
    }),
  }),
});

async function loadRound(id: string, context: Context): Promise<RoundRecord | null> {
  const [project = '', number = ''] = id.split('/');
  const access = await accessById(context, project);
  return access.live.read((state) => {
    const round = state.rounds[Number(number) - 1];
    return round ? { ...roundView(state, round), access } : null;
  });
}

builder.objectField(ProgressType, 'round', (t) =>
  t.field({
    type: RoundType,
    nullable: true,
    description: 'The newest round, open or closed; null before the first.',
    resolve: ({ view, access }) => view.round && { ...view.round, access },
  }),
);

builder.objectFields(ProjectType, (t) => ({
  openRound: t.field({
    type: RoundType,
    nullable: true,
    description: 'The open round, if there is one.',
    resolve: (access) =>
      access.live.read((project) =>
        project.openRound ? { ...roundView(project, project.openRound), access } : null,
      ),
  }),
  round: t.field({
    type: RoundType,
    nullable: true,
    description: 'A round by its number; null if there is none.',
    args: { number: t.arg.int({ required: true, description: '1, 2, 3 …' }) },
    resolve: (access, { number }) =>
      access.live.read((project) => {
        const round = project.rounds[number - 1];
        return round ? { ...roundView(project, round), access } : null;
      }),
  }),
  rounds: t.connection({
    type: RoundType,
    description: 'All rounds, oldest first.',
    resolve: async (access, args) => {
      const count = await access.live.read(({ rounds }) => rounds.length);
      return page(args, { list: 'rounds', count }, (from, to) =>
        access.live.read((project) =>
          project.rounds.slice(from, to).map((round) => ({ ...roundView(project, round), access })),
        ),
      );
    },
  }),
}));

mutation('openRound', {
  description:
    'Has a strategy choose samples and opens a round with them. One round is open at a time. For drivers and owners.',
  input: builder.inputType('OpenRoundInput', {
    description: 'A round to open. What is left out is as the policy says.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      size: t.int({ description: 'How many samples: 1…100,000.' }),
      strategy: t.string({ description: 'The name of the strategy.' }),
      parameters: t.field({ type: 'JSONObject', description: "The strategy's parameters." }),
      seed: t.float({ description: 'A uint32; a random one by default. It is kept with the round.' }),
      deadline: t.field({
        type: 'DateTime',
        description: 'When what is unsettled is withdrawn; default: never.',
      }),
    }),
  }),
  success: RoundType,
  refusals: [
    'ROUND_OPEN',
    'NOTHING_TO_SELECT',
    'UNKNOWN_STRATEGY',
    'BROKEN_STRATEGY',
    'BAD_STRATEGY_PARAMETERS',
    'MISSING_STRATEGY_INPUT',
    'STRATEGY_FAILED',
  ],
  resolve: async (input, context) => {
    const access = await projectById(context, input.project, STEERING);
    const request = {
      size: input.size ?? null,
      strategy: input.strategy ?? null,
      parameters: input.parameters ?? null,
      seed: seedOf(input.seed),
      deadline: input.deadline?.getTime() ?? null,
    };
    const round = await openRound(context.concord, access, request, context.answer.signal);
    return { ...round, access };
  },
});

mutation('closeRound', {
  description:
    'Closes a round; what is unsettled goes back to the pool, what is in hands may be answered. A closed round stays as it is. For drivers and owners.',
  input: builder.inputType('CloseRoundInput', {
    description: 'A round to close.',
    fields: (t) => ({ round: t.id({ required: true, description: 'The round.' }) }),
  }),
  success: RoundType,
  resolve: async (input, context) => {
    const [project = '', number = ''] = parseId(input.round, 'Round');
    const access = await accessById(context, project, STEERING);
    const round = await access.live.execute(
      'closeRound',
      { by: access.viewer.member, number: Number(number) },
      roundView,
    );
    return { ...round, access };
  },
});
