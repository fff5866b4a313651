import type { ErasureReason } from './erasure.ts';
import type { LabelScale } from './labelScale.ts';
import type { Policy, SuggestionMode } from './policy.ts';
import type { StoppingSignals } from './stopping.ts';

/**
 * What happened to a project, as its journal keeps it. Events record outcomes, never inputs to decide again:
 * what was granted and counted, which samples a round chose, which audits were drawn. The fold runs no
 * strategy, no model and no policy.
 *
 * Samples are named by their **ordinal** (place in the order of import, from 0), classes by their index in the
 * label set, assignments by their random id, people by an opaque member id.
 */
export type ProjectEvent =
  | ProjectCreated
  | PolicyChanged
  | SamplesImported
  | PredictionsPublished
  | EmbeddingsPublished
  | AutoAcceptJudged
  | RoundOpened
  | RoundClosed
  | WorkSessionStarted
  | WorkSessionEnded
  | Granted
  | Renewed
  | Submitted
  | Revised
  | Promoted
  | OpinionAsked
  | Skipped
  | Released
  | Expired
  | Undone
  | Ruled
  | RulingReopened
  | GoldSet
  | GoldRemoved
  | GoldRanLow
  | AnnotatorPaused
  | AnnotatorResumed
  | SamplesErased;

/**
 * An event of a type that these rules do not know: a newer version of Concord has written it. To pass over it would
 * be to serve another state than the journal's. A type never changes its meaning, so the type alone tells.
 */
export class UnknownEventError extends Error {
  override name = 'UnknownEventError';
  /** The type, as far as it can be told. */
  readonly type: string;

  constructor(event: unknown) {
    const type =
      typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : typeof event;
    super(`no event of type ${type} is known in this form`);
    this.type = type;
  }
}

/**
 * The chunks that an event names, and that must therefore be kept for as long as the journal is.
 * @throws {UnknownEventError} it cannot be told what the event names
 */
export function chunksNamed(event: ProjectEvent): readonly string[] {
  switch (event.type) {
    case 'samplesImported':
      return event.blocks.map(({ chunk }) => chunk);
    case 'predictionsPublished':
      return event.parts.flatMap(({ matrix, verdicts, uncertainties, passes }) => [
        matrix,
        verdicts,
        uncertainties,
        ...passes,
      ]);
    case 'embeddingsPublished':
      return event.parts.flatMap(({ vectors, ordinals }) => [vectors, ordinals]);
    case 'samplesErased':
      return event.replaced.map(({ to }) => to);
    case 'roundOpened':
      return event.reasons === null ? [] : [event.reasons];
    case 'projectCreated':
    case 'policyChanged':
    case 'autoAcceptJudged':
    case 'roundClosed':
    case 'workSessionStarted':
    case 'workSessionEnded':
    case 'granted':
    case 'renewed':
    case 'submitted':
    case 'revised':
    case 'promoted':
    case 'opinionAsked':
    case 'skipped':
    case 'released':
    case 'expired':
    case 'undone':
    case 'ruled':
    case 'rulingReopened':
    case 'goldSet':
    case 'goldRemoved':
    case 'goldRanLow':
    case 'annotatorPaused':
    case 'annotatorResumed':
      return [];
    default:
      throw new UnknownEventError(event);
  }
}

/** The chunks that an event takes back from those that were named before: what was erased lay in them. */
export function chunksForgotten(event: ProjectEvent): readonly string[] {
  return event.type === 'samplesErased' ? event.replaced.map(({ from }) => from) : [];
}

/**
 * Why a sample was asked: `UNCERTAIN` by the round's strategy, `RANDOM` from its random share, `POOL` in the
 * pool's recorded order while no round was open, `AUDIT` to check what was auto-accepted, `EXTRA_OPINION` because those
 * before disagree, `REPEAT` to see whether somebody says again what they said of it before, `GOLD` to
 * see whether attention holds: what it is, is known.
 */
export type Draw = 'UNCERTAIN' | 'RANDOM' | 'POOL' | 'AUDIT' | 'EXTRA_OPINION' | 'REPEAT' | 'GOLD';

export interface ProjectCreated {
  readonly type: 'projectCreated';
  readonly version: 2;
  /** The classes, in the order that probabilities have. At least two, all different. */
  readonly labels: readonly string[];
  /** What the classes are to each other. */
  readonly scale: LabelScale;
  readonly guidelines: string;
  readonly policy: Policy;
  /** Seeds every draw of this project that has no seed of its own; uint32. */
  readonly seed: number;
  readonly by: string;
}

/** The whole new policy, so that the fold needs no merge rules. */
export interface PolicyChanged {
  readonly type: 'policyChanged';
  readonly version: 2;
  readonly policy: Policy;
  readonly by: string;
}

/** A block of consecutive samples' payloads, stored as one chunk. */
export interface PayloadBlock {
  readonly chunk: string;
  readonly count: number;
}

/** One part of an import. Samples take the next ordinals in the order of `keys`. */
export interface SamplesImported {
  readonly type: 'samplesImported';
  readonly importId: string;
  readonly part: number;
  readonly keys: readonly string[];
  readonly blocks: readonly PayloadBlock[];
  /** How many people label each sample of the overlap share; the rest are labelled by one. */
  readonly overlap: number;
  /** The ordinals drawn into the overlap share. */
  readonly overlapping: Uint32Array;
  readonly by: string;
}

/** A part of a prediction run: its probabilities, and what they come to for each sample, as two chunks. */
export interface PredictionPart {
  /** `rows × classes` float32, row-major. */
  readonly matrix: string;
  /** The rows' ordinals, arg-max labels and confidences; see `verdicts.ts`. */
  readonly verdicts: string;
  /** The rows' uncertainties, 16 bits each; see `stopping.ts`. */
  readonly uncertainties: string;
  /** One chunk a pass, each as `matrix`; none if the run has no passes. */
  readonly passes: readonly string[];
  readonly rows: number;
}

export interface PredictionsPublished {
  readonly type: 'predictionsPublished';
  /** 1, 2, 3 … */
  readonly run: number;
  /** What the trainer calls the model version. */
  readonly model: string;
  readonly parts: readonly PredictionPart[];
  /** Auto-accepted from this confidence on, or null: none. Already rounded to float32. */
  readonly threshold: number | null;
  /** How many unlabelled samples were auto-accepted. */
  readonly accepted: number;
  /** The same by predicted class. */
  readonly acceptedOf: Uint32Array;
  /** The ordinals drawn for audit among them, in the order in which they are asked. */
  readonly audits: Uint32Array;
  /** 1 where an audit was drawn to reach the floor of its class: the run is not judged by it. */
  readonly floors: Uint8Array;
  /** The error rate against which this run's audits are judged. */
  readonly errorLimit: number;
  /** How predictions have moved since the run before. */
  readonly signals: StoppingSignals;
  readonly by: string;
}

/** A part of embeddings: its vectors and whose they are, as two chunks. */
export interface EmbeddingPart {
  /** `rows × dimensions` float32, row-major. */
  readonly vectors: string;
  /** The rows' ordinals, uint32. */
  readonly ordinals: string;
  readonly rows: number;
}

/** Vectors of samples, from whatever encoder: they need no prediction run, and stand until others are published. */
export interface EmbeddingsPublished {
  readonly type: 'embeddingsPublished';
  /** 1, 2, 3 … */
  readonly publication: number;
  /** What made them. */
  readonly model: string;
  readonly dimensions: number;
  readonly parts: readonly EmbeddingPart[];
  readonly by: string;
}

/** The audits of a run have proven its auto-accept, or have suspended it: what it accepted goes to people. */
export interface AutoAcceptJudged {
  readonly type: 'autoAcceptJudged';
  readonly run: number;
  readonly verdict: 'PROVEN' | 'SUSPENDED';
}

/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonRecord;
export interface JsonRecord {
  readonly [key: string]: JsonValue;
}

/**
 * Who named a round's strategy: whoever opened it, the policy, or the policy for the time before the first prediction
 * run.
 */
export type StrategyOrigin = 'REQUEST' | 'POLICY' | 'COLD_START';

export interface RoundOpened {
  readonly type: 'roundOpened';
  readonly version: 2;
  /** 1, 2, 3 … */
  readonly round: number;
  /** The commit at which the pool was read from which the strategy chose. */
  readonly readAt: number;
  /** How many samples it was to choose. */
  readonly requested: number;
  readonly origin: StrategyOrigin;
  readonly strategy: {
    readonly name: string;
    /** Content hash of the strategy's code. */
    readonly version: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    /** The strategies that it may have asked, and so rests on, in alphabetical order. */
    readonly asked: readonly { readonly name: string; readonly version: string }[];
  };
  readonly seed: number;
  /** The prediction run it was chosen from, or null before the first. */
  readonly run: number | null;
  /** The chosen, in labelling order. */
  readonly samples: Uint32Array;
  /** Raw scores in that order; NaN where the strategy had none to give. */
  readonly scores: Float64Array;
  /** Scores in 0…1, likewise. */
  readonly normalised: Float64Array;
  /** 1 where the sample is of the random share. */
  readonly random: Uint8Array;
  /** The chunk of the reasons why samples were chosen, or null: none was given. */
  readonly reasons: string | null;
  /** What strategies keep for their next round, by their names. */
  readonly states: Readonly<Record<string, JsonRecord>>;
  /** What made a sample of this round one of high priority: the policy's, as it was then. */
  readonly priority: Policy['priority'];
  /** Chance of every eligible sample to be in the random share, or null without one. */
  readonly inclusionProbability: number | null;
  /** When what is unsettled is withdrawn, in milliseconds since 1970; null: never. */
  readonly deadline: number | null;
  /** Audits announced with this round, and the ranks among the announced at which they stand. */
  readonly audits: Uint32Array;
  readonly auditRanks: Uint32Array;
  /** The ranks among the announced at which a gold sample is asked; which one, is said when somebody comes to it. */
  readonly goldRanks: Uint32Array;
  readonly by: string;
}

export interface RoundClosed {
  readonly type: 'roundClosed';
  readonly round: number;
  /** Every sample settled, a driver closed it, its deadline passed, or nobody was left who could settle the rest. */
  readonly reason: 'SETTLED' | 'WITHDRAWN' | 'DEADLINE' | 'EXHAUSTED';
  /** How many samples were withdrawn unsettled. */
  readonly withdrawn: number;
  /** The member who closed it; null: it closed by itself. */
  readonly by: string | null;
}

export interface WorkSessionStarted {
  readonly type: 'workSessionStarted';
  readonly member: string;
  /** When it ends, and when the next may begin. */
  readonly until: number;
  readonly breakUntil: number;
}

/** The annotator ended the stint before its time. */
export interface WorkSessionEnded {
  readonly type: 'workSessionEnded';
  readonly member: string;
  readonly breakUntil: number;
}

/**
 * A sample was put in an annotator's hands; the same id again if they held it before and lost it. A repeat has an id of its
 * own beside the assignment that it repeats.
 */
export interface Granted {
  readonly type: 'granted';
  readonly assignment: string;
  readonly sample: number;
  readonly member: string;
  readonly draw: Draw;
  readonly until: number;
  /** The class offered as a suggestion, or −1: none is. When it is shown, `mode` says. */
  readonly suggestion: number;
  /** How the policy had suggestions then; left out: HIDDEN. In a mode that offers them, some have none all the same. */
  readonly mode?: SuggestionMode;
  /** The class that the current run predicts, on which an audit judges it; −1: it says nothing of the sample. */
  readonly predicted: number;
  /** Which of the open round's places for gold it takes, from 0; only if it takes one. */
  readonly goldPlace?: number;
}

export interface Renewed {
  readonly type: 'renewed';
  readonly assignment: string;
  readonly until: number;
}

export interface Submitted {
  readonly type: 'submitted';
  readonly assignment: string;
  readonly label: number;
  /** How long it took, as the annotator's program measured it; null if it did not. */
  readonly milliseconds: number | null;
  /** False: the sample had its labels already, or is gold and needs none, and this one is kept as surplus. */
  readonly counted: boolean;
}

/**
 * Another answer takes the place of one that stands. When the first was given, and how long that took, stays; and so does
 * whether it counts.
 */
export interface Revised {
  readonly type: 'revised';
  readonly assignment: string;
  readonly label: number;
}

/** A surplus answer counts from now on, because a slot has become free. */
export interface Promoted {
  readonly type: 'promoted';
  readonly assignment: string;
}

/** One more person is asked about a sample than was meant to be, because those asked do not agree. */
export interface OpinionAsked {
  readonly type: 'opinionAsked';
  readonly sample: number;
}

export interface Skipped {
  readonly type: 'skipped';
  readonly assignment: string;
  readonly reason: string;
  /** True: enough people have skipped it; the sample counts as unanswerable. */
  readonly unanswerable: boolean;
}

/** Given back unanswered. */
export interface Released {
  readonly type: 'released';
  readonly assignment: string;
}

/** The time to answer has passed. */
export interface Expired {
  readonly type: 'expired';
  readonly assignment: string;
  /** True at the second expiry by the same person: it counts as a skip. */
  readonly skip: boolean;
  readonly unanswerable: boolean;
}

/** An answer was taken back by who gave it; the sample is in their hands again. */
export interface Undone {
  readonly type: 'undone';
  readonly assignment: string;
  readonly until: number;
}

/** Somebody has ruled on what a sample is; it takes the place of an earlier ruling. */
export interface Ruled {
  readonly type: 'ruled';
  readonly sample: number;
  readonly label: number;
  readonly reason: string;
  readonly by: string;
}

/** The ruling on a sample was taken back. */
export interface RulingReopened {
  readonly type: 'rulingReopened';
  readonly sample: number;
  readonly reason: string;
  readonly by: string;
}

/** Where a known answer comes from: an owner, whoever imported the sample, or people's consensus that an owner confirmed. */
export type GoldOrigin = 'OWNER' | 'IMPORT' | 'CONSENSUS';

/** What these samples are is known from now on: they are gold, and this takes the place of what was known before. */
export interface GoldSet {
  readonly type: 'goldSet';
  readonly samples: Uint32Array;
  /** The class of each. */
  readonly labels: Uint32Array;
  readonly origin: GoldOrigin;
  readonly by: string;
}

/** These samples are work like any other again. */
export interface GoldRemoved {
  readonly type: 'goldRemoved';
  readonly samples: Uint32Array;
  readonly by: string;
}

/** An annotator has fewer gold samples left than the policy's reserve. */
export interface GoldRanLow {
  readonly type: 'goldRanLow';
  readonly member: string;
  /** How many they have not had. */
  readonly left: number;
}

/** Gold has shown that an annotator is right less often than the policy asks for: they are given nothing more. */
export interface AnnotatorPaused {
  readonly type: 'annotatorPaused';
  readonly member: string;
  /** First answers to gold since they were last resumed, and those that were right. */
  readonly answers: number;
  readonly correct: number;
  /** The policy's limit, as it was then. */
  readonly limit: number;
}

/** An owner lets a paused annotator go on; what they are judged by begins anew. */
export interface AnnotatorResumed {
  readonly type: 'annotatorResumed';
  readonly member: string;
  readonly by: string;
}

/** A chunk in the place of another: the same but for what was erased. */
export interface ReplacedChunk {
  /** The ordinal of the first sample in it. */
  readonly first: number;
  /** The chunk that is deleted. */
  readonly from: string;
  readonly to: string;
}

/** What these samples held is deleted, and they are asked no more. What was answered to them stays, and counts. */
export interface SamplesErased {
  readonly type: 'samplesErased';
  readonly samples: Uint32Array;
  /** The blocks of payloads in which they lay. */
  readonly replaced: readonly ReplacedChunk[];
  readonly reason: ErasureReason;
  readonly by: string;
}
