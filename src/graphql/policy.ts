import type {
  ClassPrior,
  ConsensusMethod,
  Policy,
  PolicyChange,
  PolicyPreset,
  PriorityScore,
  SuggestionMode,
  WithoutRound,
} from '../domain/policy.ts';
import { builder, enumType } from './builder.ts';
import { SHARED } from './sharing.ts';

export const SuggestionModeEnum = enumType<SuggestionMode>(
  'SuggestionMode',
  "When an annotator sees the model's label.",
  {
    HIDDEN: 'Never.',
    SHOWN: 'As an offer beside the choices, never pre-filled; a share of all work hides it all the same.',
    AFTER_FIRST_ANSWER:
      'Once they have answered, who may then change their answer. Agreement, audits and accuracy rest on the first answer, which nothing has swayed; consensus takes the last.',
  },
);

const WithoutRoundEnum = enumType<WithoutRound>('WithoutRound', 'What claims serve while no round is open.', {
  POOL: "What needs review, in the pool's recorded order.",
  WAIT: 'Nothing.',
});

const PriorityScoreEnum = enumType<PriorityScore>(
  'PriorityScore',
  "Which score decides a sample's priority.",
  {
    RAW: "The strategy's own.",
    NORMALISED: 'Brought to 0…1.',
  },
);

const ConsensusMethodEnum = enumType<ConsensusMethod>(
  'ConsensusMethod',
  "How the answers to a sample come to people's label.",
  {
    MAJORITY: 'The label that most gave. A tie is said, never broken.',
    DAWID_SKENE:
      'The likeliest class, by how each annotator errs (Dawid and Skene 1979): see `Project.consensusEstimate`. While that is undefined, the majority.',
  },
);

const ClassPriorEnum = enumType<ClassPrior>('ClassPrior', 'How likely classes are before any answer.', {
  FLAT: 'All the same.',
  RANDOM_DRAW:
    'As samples drawn at random show; flat without any. The others were chosen, so their classes are not those of the pool.',
});

export const PolicyPresetEnum = enumType<PolicyPreset>(
  'PolicyPreset',
  'The steps in which a project adopts active learning; each adds to the one before.',
  {
    PRE_ANNOTATE:
      'The model labels first, people review, and a few of the accepted are audited. Every sample is labelled by one: set overlapShare before the import to see agreement.',
    ACTIVE_LEARNING: 'Rounds decide what is labelled next; a tenth of the samples is labelled twice.',
    QUALITY:
      'Suggestions are hidden, more samples overlap, more audits are drawn, where two disagree a third is asked, one in twenty is asked again, and another one in twenty is gold, once there is any.',
  },
);

const about = {
  strategy: 'The strategy that openRound uses when it names none.',
  parameters: 'The parameters it is given. Another strategy begins with its own defaults.',
  coldStart:
    'What openRound uses instead until the first prediction run, when it names no strategy; null: the same strategy, which is refused if it needs predictions.',
  roundSize: 'Samples in a round when openRound names no size: 1…100,000.',
  autoAcceptThreshold: 'Confidence from which a prediction stands in for people, 0…1; null: none does.',
  auditShare: 'Share of the auto-accepted that people check, 0…1.',
  auditCap: 'The most audits that one prediction run gets.',
  auditFloor:
    'How many audits each predicted class has at least, 0…100: drawn beside the budget, at most as many again.',
  auditErrorLimit: 'The error rate that auto-accept may not pass, 0…1.',
  overlap: 'How many people label a sample of the overlap share: 1…20.',
  overlapShare:
    'Share of samples that `overlap` people label, drawn at import; the others are labelled by one.',
  extraOpinions:
    'The most people that are asked about one sample beyond its overlap, one after the other, while no label has more than half of its answers: 0…10.',
  repeatShare:
    'Share of what an annotator is given that they have answered before, 0…0.2, as far as audits and extra opinions leave room: to see whether they say the same again.',
  goldShare:
    'Share of what an annotator is given that is gold, whose answer is known, 0…0.1, until they have had all of it.',
  goldLimit:
    'How often an annotator must be right about gold, 0…1: they are paused once it has shown, at 95 % however often one looks, that they are right less often; 0: never.',
  goldReserve:
    'Owners are warned when an annotator has fewer gold samples left than this: 0…1,000; 0: never.',
  skipLimit: 'How many people must skip a sample until it counts as unanswerable: 1…20.',
  assignmentMinutes: 'How long an annotator may hold a sample, in minutes: 0.05…1,440.',
  graceSeconds: "How long a disconnected annotator's prefetched samples stay theirs, in seconds.",
  workSessionMinutes: 'Length of a work session in minutes; 0: no bound.',
  breakMinutes: 'The break after it, in minutes.',
  consensus: "How people's label is found for the training set.",
  classPrior: 'The class prior of the estimate by DAWID_SKENE.',
  hiddenShare:
    'Where suggestions are offered, the share of all work whose suggestion is hidden all the same, 0…1: it shows how far suggestions sway people. In SHOWN mode with audits 0.1 or more.',
  priorityThreshold: 'A sample above it is of HIGH priority.',
  priorityScore: 'Which score is held against it.',
  paused: 'While true, claims give nothing; what is held may be answered.',
};

const ColdStartType = builder.objectRef<NonNullable<Policy['coldStart']>>('ColdStart').implement({
  extensions: SHARED,
  description: 'A strategy for the time before the first prediction run.',
  fields: (t) => ({
    strategy: t.exposeString('name', { description: 'Its name.' }),
    parameters: t.field({
      type: 'JSONObject',
      description: 'The parameters it is given.',
      resolve: ({ parameters }) => parameters,
    }),
  }),
});

const ColdStartInput = builder.inputType('ColdStartInput', {
  description: 'A strategy for the time before the first prediction run.',
  fields: (t) => ({
    strategy: t.string({ required: true, description: 'Its name.' }),
    parameters: t.field({ type: 'JSONObject', description: 'The parameters it is given. Default: none.' }),
  }),
});

export const PolicyType = builder.objectRef<Policy>('Policy').implement({
  extensions: SHARED,
  description: 'How a project labels.',
  fields: (t) => ({
    strategy: t.string({ description: about.strategy, resolve: (policy) => policy.strategy.name }),
    strategyParameters: t.field({
      type: 'JSONObject',
      description: about.parameters,
      resolve: (policy) => policy.strategy.parameters,
    }),
    coldStart: t.expose('coldStart', { type: ColdStartType, nullable: true, description: about.coldStart }),
    roundSize: t.exposeInt('roundSize', { description: about.roundSize }),
    autoAcceptThreshold: t.exposeFloat('autoAcceptThreshold', {
      nullable: true,
      description: about.autoAcceptThreshold,
    }),
    auditShare: t.float({ description: about.auditShare, resolve: ({ audit }) => audit.share }),
    auditCap: t.int({ description: about.auditCap, resolve: ({ audit }) => audit.cap }),
    auditFloor: t.int({ description: about.auditFloor, resolve: ({ audit }) => audit.floor }),
    auditErrorLimit: t.float({
      description: about.auditErrorLimit,
      resolve: ({ audit }) => audit.errorLimit,
    }),
    overlap: t.exposeInt('overlap', { description: about.overlap }),
    overlapShare: t.exposeFloat('overlapShare', { description: about.overlapShare }),
    extraOpinions: t.exposeInt('extraOpinions', { description: about.extraOpinions }),
    repeatShare: t.exposeFloat('repeatShare', { description: about.repeatShare }),
    goldShare: t.float({ description: about.goldShare, resolve: ({ gold }) => gold.share }),
    goldLimit: t.float({ description: about.goldLimit, resolve: ({ gold }) => gold.limit }),
    goldReserve: t.int({ description: about.goldReserve, resolve: ({ gold }) => gold.reserve }),
    skipLimit: t.exposeInt('skipLimit', { description: about.skipLimit }),
    assignmentMinutes: t.exposeFloat('assignmentMinutes', { description: about.assignmentMinutes }),
    graceSeconds: t.exposeFloat('graceSeconds', { description: about.graceSeconds }),
    workSessionMinutes: t.float({
      description: about.workSessionMinutes,
      resolve: ({ workSession }) => workSession.minutes,
    }),
    breakMinutes: t.float({
      description: about.breakMinutes,
      resolve: ({ workSession }) => workSession.breakMinutes,
    }),
    consensus: t.field({
      type: ConsensusMethodEnum,
      description: about.consensus,
      resolve: ({ consensus }) => consensus.method,
    }),
    classPrior: t.field({
      type: ClassPriorEnum,
      description: about.classPrior,
      resolve: ({ consensus }) => consensus.prior,
    }),
    suggestions: t.expose('suggestions', {
      type: SuggestionModeEnum,
      description: "When an annotator sees the model's label.",
    }),
    hiddenShare: t.exposeFloat('hiddenShare', { description: about.hiddenShare }),
    priorityThreshold: t.float({
      description: about.priorityThreshold,
      resolve: ({ priority }) => priority.threshold,
    }),
    priorityScore: t.field({
      type: PriorityScoreEnum,
      description: about.priorityScore,
      resolve: ({ priority }) => priority.score,
    }),
    withoutRound: t.expose('withoutRound', {
      type: WithoutRoundEnum,
      description: 'What claims serve while no round is open.',
    }),
    paused: t.exposeBoolean('paused', { description: about.paused }),
  }),
});

export const PolicyInput = builder.inputType('PolicyInput', {
  description: 'Fields of a policy to set; what is left out stays as it is.',
  fields: (t) => ({
    strategy: t.string({ description: about.strategy }),
    strategyParameters: t.field({ type: 'JSONObject', description: about.parameters }),
    coldStart: t.field({ type: ColdStartInput, description: about.coldStart }),
    roundSize: t.int({ description: about.roundSize }),
    autoAcceptThreshold: t.float({ description: about.autoAcceptThreshold }),
    auditShare: t.float({ description: about.auditShare }),
    auditCap: t.int({ description: about.auditCap }),
    auditFloor: t.int({ description: about.auditFloor }),
    auditErrorLimit: t.float({ description: about.auditErrorLimit }),
    overlap: t.int({ description: about.overlap }),
    overlapShare: t.float({ description: about.overlapShare }),
    extraOpinions: t.int({ description: about.extraOpinions }),
    repeatShare: t.float({ description: about.repeatShare }),
    goldShare: t.float({ description: about.goldShare }),
    goldLimit: t.float({ description: about.goldLimit }),
    goldReserve: t.int({ description: about.goldReserve }),
    skipLimit: t.int({ description: about.skipLimit }),
    assignmentMinutes: t.float({ description: about.assignmentMinutes }),
    graceSeconds: t.float({ description: about.graceSeconds }),
    workSessionMinutes: t.float({ description: about.workSessionMinutes }),
    breakMinutes: t.float({ description: about.breakMinutes }),
    consensus: t.field({ type: ConsensusMethodEnum, description: about.consensus }),
    classPrior: t.field({ type: ClassPriorEnum, description: about.classPrior }),
    suggestions: t.field({
      type: SuggestionModeEnum,
      description: "When an annotator sees the model's label.",
    }),
    hiddenShare: t.float({ description: about.hiddenShare }),
    priorityThreshold: t.float({ description: about.priorityThreshold }),
    priorityScore: t.field({ type: PriorityScoreEnum, description: about.priorityScore }),
    withoutRound: t.field({
      type: WithoutRoundEnum,
      description: 'What claims serve while no round is open.',
    }),
    paused: t.boolean({ description: about.paused }),
  }),
});

/**
 * The change that an input asks for. A null says "as it is", but for the threshold and the cold start, where it means
 * none.
 */
export function policyChange(input: typeof PolicyInput.$inferInput): PolicyChange {
  const some = <T extends object>(fields: { [K in keyof T]: T[K] | null | undefined }): Partial<T> =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null)) as Partial<T>;
  return {
    ...some({
      roundSize: input.roundSize,
      overlap: input.overlap,
      overlapShare: input.overlapShare,
      extraOpinions: input.extraOpinions,
      repeatShare: input.repeatShare,
      skipLimit: input.skipLimit,
      assignmentMinutes: input.assignmentMinutes,
      graceSeconds: input.graceSeconds,
      suggestions: input.suggestions,
      hiddenShare: input.hiddenShare,
      withoutRound: input.withoutRound,
      paused: input.paused,
    }),
    ...(input.autoAcceptThreshold === undefined ? {} : { autoAcceptThreshold: input.autoAcceptThreshold }),
    ...(input.coldStart === undefined ? {} : { coldStart: coldStartOf(input.coldStart) }),
    strategy: some({ name: input.strategy, parameters: input.strategyParameters }),
    audit: some({
      share: input.auditShare,
      cap: input.auditCap,
      floor: input.auditFloor,
      errorLimit: input.auditErrorLimit,
    }),
    gold: some({ share: input.goldShare, limit: input.goldLimit, reserve: input.goldReserve }),
    consensus: some({ method: input.consensus, prior: input.classPrior }),
    workSession: some({ minutes: input.workSessionMinutes, breakMinutes: input.breakMinutes }),
    priority: some({ threshold: input.priorityThreshold, score: input.priorityScore }),
  };
}

function coldStartOf(input: typeof ColdStartInput.$inferInput | null): Policy['coldStart'] {
  return input && { name: input.strategy, parameters: input.parameters ?? {} };
}
