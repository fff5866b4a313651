import type { Client } from '../client/client.ts';
import { ForbiddenError } from '../client/generated/errors.ts';
import type { AddMemberInput, ErasureReason, OpenRoundInput } from '../client/generated/schema.ts';
import type {
  ActivityEvents,
  Agreement,
  AgreementPair,
  AnnotatorSeries,
  AuditState,
  ClassAudit,
  ConsensusEstimate,
  Disagreement,
  Embeddings,
  FeedReset,
  GoldCandidate,
  GoldSample,
  GoldState,
  Member,
  ModelAgreement,
  NewToken,
  PeopleAtWork,
  PredictionRun,
  Presence,
  Progress,
  Project,
  ProjectReport,
  Replay,
  Round,
  Sample,
  TrainingExample,
  UndefinedEstimate,
} from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import { allOf } from '../client/pages.ts';
import { type AnnotatorErrors, annotatorErrors } from './annotators.ts';
import { type NewEmbeddings, publishEmbeddings } from './embeddings.ts';
import { type ExistingOptions, withoutExisting } from './existing.ts';
import { type ExportOptions, type ExportPage, exportPages } from './exporting.ts';
import { type Imported, type ImportOptions, importSamples, type NewSample } from './importing.ts';
import type { PublishOptions } from './parts.ts';
import { type Predictions, publishPredictions } from './predictions.ts';
import { type ClosedRound, type RoundProgress, roundProgress, rounds, waitForRound } from './rounds.ts';

/** How many examples are asked for at a time: the most that the service gives. */
const PAGE = 1_000;
/** The same of pairs. */
const PAIRS_PAGE = 100;
/** The same of disagreements. */
const DISAGREEMENTS_PAGE = 100;
/** The same of annotators, each with a matrix. */
const ERRORS_PAGE = 100;

export type NewMember = Omit<AddMemberInput, 'project'>;
export type RoundOptions = Omit<OpenRoundInput, 'project'>;

/** What each round is opened with, and what its training set takes in. */
export type RoundsOptions = RoundOptions & TrainingSetOptions;

export interface ReplayOptions extends CallOptions {
  /** Another strategy, in place of the round's. */
  readonly strategy?: string | undefined;
  /** The parameters of that strategy. */
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  /** How many ranks to show side by side: 0…100. Default: 10. */
  readonly top?: number | undefined;
}

export interface TrainingSetOptions extends CallOptions {
  /** Whether to take in what was auto-accepted while its audits have not decided. Default: false. */
  readonly provisional?: boolean | undefined;
}

/** A project, as one who drives it uses it. */
export interface DriverProject {
  readonly id: string;
  /** The project as it was when it was opened. */
  readonly info: Project;
  /** The classes, in the order that the columns of probabilities have. */
  readonly labels: readonly string[];

  /** Adds a person or a tool, and makes a token for it that is shown this once. For owners. */
  addMember(member: NewMember, options?: CallOptions): Promise<NewToken>;

  /**
   * Imports samples in parts, in the order given. Give an `importId` of your own and an import that broke off is
   * taken up by running it again: with the same samples in the same order, what is there already stays as it is.
   *
   * @throws {DuplicateKeysError} a key is there already, or comes twice; the parts before it were imported
   * @throws {PayloadTooLargeError} the data of a sample is over 1 MiB
   */
  importSamples(
    samples: Iterable<NewSample> | AsyncIterable<NewSample>,
    options?: ImportOptions,
  ): Promise<Imported>;

  /**
   * Leaves out of samples those that are there already, so that a file that has grown, or an import that broke off,
   * can be imported again: `importSamples(withoutExisting(samples))`.
   *
   * @throws {ExistingSampleError} one is there with other data
   * @throws {ForbiddenError} it is for owners and drivers
   */
  withoutExisting<Sample extends NewSample>(
    samples: Iterable<Sample> | AsyncIterable<Sample>,
    options?: ExistingOptions,
  ): AsyncIterable<Sample>;

  /**
   * Every sample with its answers and where they come from, page by page as they are read, in the order of import.
   * Goes on behind the cursor of a page, however much later. `@concord/sdk/formats` writes them to files.
   *
   * @throws {ForbiddenError} it is for owners and drivers
   */
  exportPages(options?: ExportOptions): AsyncIterable<ExportPage>;

  /**
   * Uploads a model's class probabilities and makes them the project's current predictions. Shapes are checked
   * before anything is sent; nothing is published unless everything was taken.
   *
   * @throws {WrongClassCountError} the matrix has another number of columns than the project has classes
   * @throws {InvalidInputError} keys or numbers and probabilities do not fit each other
   * @throws {BadProbabilitiesError} rows are no probabilities; they are numbered as in what was given
   * @throws {UnknownSamplesError} keys or numbers name no sample
   */
  publishPredictions(predictions: Predictions, options?: PublishOptions): Promise<PredictionRun>;

  /**
   * Uploads vectors of samples, from whatever encoder, and makes them the embeddings that strategies are given. They
   * need no predictions: a strategy for the cold start can use them.
   *
   * @throws {InvalidInputError} keys or numbers and embeddings do not fit each other
   * @throws {BadEmbeddingsError} rows are not finite; they are numbered as in what was given
   * @throws {UnknownSamplesError} keys or numbers name no sample
   */
  publishEmbeddings(embeddings: NewEmbeddings, options?: PublishOptions): Promise<Embeddings>;

  /**
   * Has a strategy choose samples and opens a round with them. What is left out is as the policy says. Not
   * repeated after a network error: `client.currentRound` tells whether it opened.
   *
   * @throws {RoundOpenError} one is open already
   */
  openRound(round?: RoundOptions, options?: CallOptions): Promise<Round>;

  /** Closes a round; what is unsettled goes back to the pool. A closed one stays as it is. */
  closeRound(round: Pick<Round, 'id'>, options?: CallOptions): Promise<Round>;

  /**
   * Round after round: each is opened (one that is open already is taken up), and handed over when it has closed, with
   * its training set. Train and publish predictions in the loop, and the next round chooses by them. It ends when
   * nothing is left to choose.
   *
   * ```ts
   * for await (const round of project.rounds({ size: 100 })) {
   *   const model = await train(round.trainingSet);
   *   await project.publishPredictions(await model.predict());
   * }
   * ```
   */
  rounds(options?: RoundsOptions): AsyncIterable<ClosedRound>;

  /**
   * Has a past round chosen again, from the journal alone: whether the strategy still chooses the same, or what
   * differs. With a `strategy`, lets another one choose from the same pool.
   */
  replay(round: Pick<Round, 'id'>, options?: ReplayOptions): Promise<Replay>;

  /** The progress of a round whenever it moves; the last item is of the closed round. */
  roundProgress(round: Pick<Round, 'number'>, options?: CallOptions): AsyncIterable<RoundProgress>;

  /** Waits until a round has closed, and gives it as it closed: `closeReason` says why. */
  waitForRound(round: Pick<Round, 'number'>, options?: CallOptions): Promise<Round>;

  /**
   * What a model may learn from: people's consensus, and what was auto-accepted and stood up to audit. In the
   * order of import, page by page as it is read; without ties.
   *
   * @throws {ForbiddenError} it is for owners and drivers
   */
  trainingSet(options?: TrainingSetOptions): AsyncIterable<TrainingExample>;

  /** How far the labelling has come. */
  progress(options?: CallOptions): Promise<Progress>;

  /** How far annotators agree. */
  agreement(options?: CallOptions): Promise<Agreement>;

  /**
   * How the project stands and what to do next: cost, learning curve, agreement over time, who and what is mixed up,
   * audits. `concord report` makes a page of it.
   *
   * @throws {ForbiddenError} it is not for annotators
   */
  report(options?: CallOptions): Promise<ProjectReport>;

  /** Agreement of every two who have labelled a sample jointly, page by page as it is read. */
  agreementPairs(options?: CallOptions): AsyncIterable<AgreementPair>;

  /**
   * People's labels and everybody's errors as Dawid and Skene estimate them together, or why there is no estimate. It
   * rests on the answers that count at its `seq`.
   *
   * @throws {ForbiddenError} it is for owners
   */
  consensusEstimate(options?: CallOptions): Promise<ConsensusEstimate | UndefinedEstimate>;

  /**
   * How each annotator errs by that estimate, page by page as it is read; nobody while there is none.
   *
   * @throws {ForbiddenError} it is for owners
   */
  annotatorErrors(options?: CallOptions): AsyncIterable<AnnotatorErrors>;

  /**
   * Samples whose answers differ and on which nobody has ruled, the most costly first, page by page as it is read. It is a
   * queue that moves: who rules on what was read begins again.
   *
   * @throws {ForbiddenError} it is for owners
   */
  disagreements(options?: CallOptions): AsyncIterable<Disagreement>;

  /**
   * Rules on what a sample is, whatever its answers say. For owners.
   *
   * @throws {InvalidInputError} nobody has answered the sample, or the reason is empty
   * @throws {UnknownLabelError} the label is not of the label set
   */
  rule(
    sample: Pick<Sample, 'id'>,
    ruling: { readonly label: string; readonly reason: string },
    options?: CallOptions,
  ): Promise<Sample>;

  /** Takes the ruling on a sample back, so that its answers say again what it is. For owners. */
  reopenRuling(
    sample: Pick<Sample, 'id'>,
    given: { readonly reason: string },
    options?: CallOptions,
  ): Promise<Sample>;

  /**
   * Makes samples gold: what each is, is known, and it is asked of every annotator once to see whether attention holds.
   * For owners.
   *
   * @throws {InvalidInputError} a sample comes twice, was ruled to be something else, or is to come from people's consensus
   * and has not two answers like it
   * @throws {UnknownLabelError} a label is not of the label set
   */
  setGold(
    answers: readonly { readonly sample: Pick<Sample, 'id'>; readonly label: string }[],
    options?: CallOptions & { readonly fromConsensus?: boolean | undefined },
  ): Promise<GoldState>;

  /** Makes gold samples work like any other again. For owners. */
  removeGold(samples: readonly Pick<Sample, 'id'>[], options?: CallOptions): Promise<GoldState>;

  /**
   * Erases what samples hold, for good: at most 1,000. Nobody is asked about them again; what was answered stays, and
   * every figure that comes of it. For owners.
   * @returns how many were erased now
   */
  eraseSamples(
    samples: readonly Pick<Sample, 'id'>[],
    why: { readonly reason: ErasureReason },
    options?: CallOptions,
  ): Promise<number>;

  /** Lets an annotator go on whom gold has paused; they are judged anew. For owners. */
  resumeAnnotator(member: Pick<Member, 'id'>, options?: CallOptions): Promise<GoldState>;

  /** What gold shows of each annotator, who is paused, and whose gold runs low. */
  gold(options?: CallOptions): Promise<GoldState>;

  /** The same, pushed whenever it changes. */
  watchGold(options?: CallOptions): AsyncIterable<GoldState>;

  /** Samples whose answer is known, and how people have answered them, page by page as it is read. */
  goldSamples(options?: CallOptions): AsyncIterable<GoldSample>;

  /** Samples that everybody says the same of, and that may become gold, page by page as it is read. For owners. */
  goldCandidates(options?: CallOptions): AsyncIterable<GoldCandidate>;

  /** How far annotators agree, pushed whenever it changes. */
  watchAgreement(options?: CallOptions): AsyncIterable<Agreement>;

  /**
   * What was decided about the project, and what followed: every event once and in order. It outlives lost connections,
   * and begins behind `after` where a cursor is given, else with the last that happened.
   */
  followActivity(after?: string | null, options?: CallOptions): AsyncIterable<ActivityEvents | FeedReset>;

  /**
   * Everybody's work: throughput, times, agreement with consensus, consistency, drift, all of it and over time, page by page
   * as it is read.
   *
   * @throws {ForbiddenError} it is for owners and drivers
   */
  annotatorWork(options?: CallOptions): AsyncIterable<AnnotatorSeries>;

  /** How people work, without what it was over time, whenever it changes, once a second at most. */
  watchPeople(options?: CallOptions): AsyncIterable<PeopleAtWork>;

  /** Who is at work, whenever that changes. */
  watchPresence(options?: CallOptions): AsyncIterable<Presence>;

  /** How audits stand, pushed whenever one is answered: whether auto-accept is provisional, proven or suspended. */
  watchAudit(options?: CallOptions): AsyncIterable<AuditState>;

  /** What audits have shown of each class that the current run predicts; null before the first. */
  classAudits(options?: CallOptions): Promise<readonly ClassAudit[] | null>;

  /** The lowest confidence from which the current model keeps the error limit, so far as answers show; else null. */
  suggestedThreshold(options?: CallOptions): Promise<number | null>;

  /** How far people agree with the current prediction run, by draw and by whether it was shown; null before the first. */
  peopleAgreement(options?: CallOptions): Promise<readonly ModelAgreement[] | null>;

  /** The current prediction run with what audits have shown of it; null before the first. */
  predictionRun(options?: CallOptions): Promise<PredictionRun | null>;
}

const STEERING: readonly string[] = ['OWNER', 'DRIVER'];
const OWNERS: readonly string[] = ['OWNER'];

export function driverProject(client: Client, info: Project): DriverProject {
  const project = info.id;
  const trainingSet = ({ provisional = false, ...options }: TrainingSetOptions = {}) =>
    allOf(async (after) =>
      mustSee(await client.trainingSet({ project, provisional, first: PAGE, after }, options)),
    );
  return {
    id: project,
    info,
    labels: info.labels,
    addMember: (member, options) => client.addMember({ ...member, project }, options),
    importSamples: (samples, options) => importSamples(client, project, samples, options),
    withoutExisting: (samples, options) => withoutExisting(client, project, mustSee, samples, options),
    exportPages: (options) => exportPages(client, project, mustSee, options),
    publishPredictions: (predictions, options) => publishPredictions(client, info, predictions, options),
    publishEmbeddings: (embeddings, options) => publishEmbeddings(client, info, embeddings, options),
    openRound: (round = {}, options) => client.openRound({ ...round, project }, options),
    closeRound: ({ id }, options) => client.closeRound({ round: id }, options),
    rounds: ({ provisional, signal, ...round } = {}) =>
      rounds(client, project, round, () => trainingSet({ provisional, signal }), { signal }),
    replay: async ({ id: round }, { strategy, parameters, top, ...options } = {}) =>
      mustSee(await client.replay({ round, strategy, parameters, top }, options)),
    roundProgress: (round, options) => roundProgress(client, project, round, options),
    waitForRound: (round, options) => waitForRound(client, project, round, options),
    trainingSet,
    progress: async (options) => mustSee(await client.progress({ project }, options)),
    agreement: async (options) => mustSee(await client.agreement({ project }, options)),
    report: async (options) => {
      const report = mustSee(await client.report({ project }, options));
      mustSee(report.report);
      return report;
    },
    agreementPairs: (options) =>
      allOf(async (after) =>
        mustSee(await client.agreementPairs({ project, first: PAIRS_PAGE, after }, options)),
      ),
    consensusEstimate: async (options) =>
      mustSee(await client.consensusEstimate({ project }, options), OWNERS),
    annotatorErrors: (options) =>
      allOf(async (after) =>
        mustSee(await annotatorErrors(client, { project, first: ERRORS_PAGE, after }, options), OWNERS),
      ),
    disagreements: (options) =>
      allOf(async (after) =>
        mustSee(await client.disagreements({ project, first: DISAGREEMENTS_PAGE, after }, options), OWNERS),
      ),
    rule: ({ id: sample }, { label, reason }, options) => client.rule({ sample, label, reason }, options),
    reopenRuling: ({ id: sample }, { reason }, options) => client.reopenRuling({ sample, reason }, options),
    setGold: (answers, { fromConsensus, ...options } = {}) =>
      client.setGold(
        {
          project,
          answers: answers.map(({ sample: { id: sample }, label }) => ({ sample, label })),
          fromConsensus,
        },
        options,
      ),
    removeGold: (samples, options) =>
      client.removeGold({ project, samples: samples.map(({ id }) => id) }, options),
    eraseSamples: async (samples, { reason }, options) => {
      const ids = samples.map(({ id }) => id);
      return (await client.eraseSamples({ project, samples: ids, reason }, options)).count;
    },
    resumeAnnotator: ({ id: member }, options) => client.resumeAnnotator({ project, member }, options),
    gold: async (options) => mustSee(await client.gold({ project }, options)),
    watchGold: (options) => client.watchGold({ project }, options),
    goldSamples: (options) =>
      allOf(async (after) =>
        mustSee(await client.goldSamples({ project, first: DISAGREEMENTS_PAGE, after }, options)),
      ),
    goldCandidates: (options) =>
      allOf(async (after) =>
        mustSee(await client.goldCandidates({ project, first: DISAGREEMENTS_PAGE, after }, options), OWNERS),
      ),
    watchAgreement: (options) => client.watchAgreement({ project }, options),
    followActivity: (after = null, options) => client.followActivity({ project, after }, options),
    annotatorWork: (options) =>
      allOf(async (after) => mustSee(await client.annotatorWork({ project, after }, options))),
    watchPeople: (options) => client.watchPeople({ project }, options),
    watchPresence: (options) => client.watchPresence({ project }, options),
    watchAudit: (options) => client.watchAudit({ project }, options),
    classAudits: (options) => client.classAudits({ project }, options),
    suggestedThreshold: (options) => client.suggestedThreshold({ project }, options),
    peopleAgreement: (options) => client.peopleAgreement({ project }, options),
    predictionRun: (options) => client.predictionRun({ project }, options),
  };
}

/** Queries say null of what a role may not see. */
function mustSee<T>(value: T | null, allowed = STEERING): T {
  if (value !== null) return value;
  throw new ForbiddenError(`Your role does not allow this. It takes: ${allowed.join(' or ')}.`, { allowed });
}
