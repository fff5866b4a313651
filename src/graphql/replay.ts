import { STEERING } from '../service/access.ts';
import {
  type ChangedStrategy,
  type Replay,
  type ReplayedRank,
  replay,
  type Scored,
} from '../service/replaying.ts';
import { builder, enumType } from './builder.ts';
import { finite } from './draws.ts';
import { parseId } from './ids.ts';
import { accessById, orNull } from './visibility.ts';

/** The most ranks that are shown side by side. */
const MAX_TOP = 100;

const VerdictEnum = enumType('ReplayVerdict', 'What became of a past round that was chosen again.', {
  IDENTICAL: 'The same samples in the same order, with the same scores.',
  DIFFERENT: 'Others, or in another order, or with other scores.',
  IMPOSSIBLE: 'It cannot be run again: `problem` says why.',
});

const ChangedStrategyType = builder.objectRef<ChangedStrategy>('ChangedStrategy').implement({
  description: 'A strategy whose code is not what it was.',
  fields: (t) => ({
    name: t.exposeString('strategy', { description: 'Its name.' }),
    was: t.exposeString('was', { description: 'SHA-256 of its code when the round was opened.' }),
    is: t.exposeString('is', {
      nullable: true,
      description: 'The same now; null: there is none of that name, or it is broken.',
    }),
  }),
});

const ScoredType = builder.objectRef<Scored>('ScoredSample').implement({
  description: 'A sample with a score.',
  fields: (t) => ({
    key: t.exposeString('key', { description: "The importer's name of it." }),
    number: t.exposeInt('sample', { description: 'Its place in the order of import, from 0.' }),
    score: t.float({
      nullable: true,
      description: "The strategy's raw score; null if it has none.",
      resolve: ({ score }) => finite(score),
    }),
  }),
});

const RankType = builder.objectRef<ReplayedRank>('ReplayedRank').implement({
  description: 'What stands at a rank, then and now.',
  fields: (t) => ({
    rank: t.exposeInt('rank', { description: 'From 0, without audits.' }),
    recorded: t.expose('recorded', { type: ScoredType, nullable: true, description: 'As the round opened.' }),
    replayed: t.expose('replayed', { type: ScoredType, nullable: true, description: 'As it is chosen now.' }),
  }),
});

const ReplayType = builder.objectRef<Replay>('Replay').implement({
  description: 'A past round, chosen again from what its strategy was given then.',
  fields: (t) => ({
    strategy: t.exposeString('strategy', { description: 'The strategy that ran now.' }),
    verdict: t.expose('verdict', { type: VerdictEnum, description: 'Whether it chose the same.' }),
    problem: t.exposeString('problem', {
      nullable: true,
      description: 'Why it could not be run: a strategy or an input that is gone, or a failure.',
    }),
    changed: t.field({
      type: [ChangedStrategyType],
      description:
        'Strategies whose code is not what it was; of another strategy than the round’s, none is named.',
      resolve: ({ changed }) => [...changed],
    }),
    recorded: t.exposeInt('recorded', { description: 'Samples that the round opened with.' }),
    chosen: t.exposeInt('chosen', { description: 'Samples that are chosen now.' }),
    common: t.exposeInt('common', { description: 'Samples that are among both.' }),
    jaccard: t.exposeFloat('jaccard', { description: 'Common ones, of all that are in either, 0…1.' }),
    firstDifference: t.exposeInt('firstDifference', {
      nullable: true,
      description: 'The first rank at which sample or score differ; null: none does.',
    }),
    top: t.field({
      type: [RankType],
      description: 'The first ranks, side by side.',
      resolve: ({ top }) => [...top],
    }),
  }),
});

builder.queryField('replay', (t) =>
  t.field({
    type: ReplayType,
    nullable: true,
    description:
      'Has a past round chosen again, from the journal alone, and compares; with `strategy`, lets another one choose from the same pool. For owners and drivers; null to others.',
    args: {
      round: t.arg.id({ required: true, description: 'The round.' }),
      strategy: t.arg.string({ description: 'Another strategy, in place of the round’s.' }),
      parameters: t.arg({ type: 'JSONObject', description: 'The parameters of that strategy.' }),
      top: t.arg.int({ defaultValue: 10, description: `How many ranks to show: 0…${MAX_TOP}.` }),
    },
    resolve: async (_, { round, strategy, parameters, top }, context) => {
      const [project = '', number = ''] = parseId(round, 'Round');
      const access = await orNull(accessById(context, project, STEERING));
      if (access === null) return null;
      const instead = strategy == null ? null : { strategy, parameters: parameters ?? {} };
      const shown = Math.max(0, Math.min(MAX_TOP, top ?? 10));
      const { signal } = context.answer;
      return replay(context.concord, access, Number(number), { instead, top: shown, signal });
    },
  }),
);
