import { refuse } from './refusals.ts';

/**
 * When an annotator sees the model's label: never, as an offer beside the choices (never pre-filled), or once they have
 * given a first answer, which they may then change.
 */
export type SuggestionMode = 'HIDDEN' | 'SHOWN' | 'AFTER_FIRST_ANSWER';

/** What claims serve while no round is open: the pool in its recorded order, or nothing. */
export type WithoutRound = 'POOL' | 'WAIT';

/** Which score decides a sample's priority. */
export type PriorityScore = 'RAW' | 'NORMALISED';

/**
 * How the answers to a sample come to one label: by plain majority, or as Dawid and Skene estimate it from how each
 * annotator errs.
 */
export type ConsensusMethod = 'MAJORITY' | 'DAWID_SKENE';

/** How likely classes are before any answer: all the same, or as the samples drawn at random show. */
export type ClassPrior = 'FLAT' | 'RANDOM_DRAW';

/** How a project labels. All of it can be changed while the project runs; overlap is fixed at import. */
export interface Policy {
  /** The strategy that `openRound` uses when it names none, and its parameters. */
  readonly strategy: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> };
  /**
   * The same until the first prediction run, when there is nothing yet by which samples could be told apart; null: the
   * strategy above, which is refused if it needs predictions.
   */
  readonly coldStart: {
    readonly name: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  } | null;
  /** Samples in a round when `openRound` names no size: 1…100,000. */
  readonly roundSize: number;
  /** Confidence at or above which a prediction stands in for people (0…1], or null: none is auto-accepted. */
  readonly autoAcceptThreshold: number | null;
  /** Audits of what was auto-accepted, a budget a prediction run: min(share × accepted, cap). */
  readonly audit: {
    /** Share of the accepted that people check, 0…1. */
    readonly share: number;
    /** The most audits one prediction run gets. */
    readonly cap: number;
    /**
     * How many audits each predicted class has at least, 0…100, as far as it was accepted so often: drawn beside the
     * budget, at most as many again.
     */
    readonly floor: number;
    /** The error rate that auto-accept may not pass, 0…1: proven below it, suspended above it. */
    readonly errorLimit: number;
  };
  /** How many people label a sample of the overlap share: 1…20. */
  readonly overlap: number;
  /** Share of samples that `overlap` people label, drawn at import; the rest are labelled by one. 0…1. */
  readonly overlapShare: number;
  /** The most extra opinions that one sample gets while those who have answered disagree: 0…10. */
  readonly extraOpinions: number;
  /**
   * Share of what an annotator is given that they have answered before, 0…0.2: to see whether they say the same again. The
   * answer counts for nothing else.
   */
  readonly repeatShare: number;
  /** Samples whose answer is known, to see whether attention holds. */
  readonly gold: {
    /** Share of what an annotator is given that is gold, 0…0.1, as long as they have not had all of it. */
    readonly share: number;
    /**
     * How often an annotator must be right, 0…1: they are paused once gold has shown, at 95 % however often one looks,
     * that they are right less often; 0: never.
     */
    readonly limit: number;
    /** Owners are warned when an annotator has fewer gold samples left than this: 0…1,000; 0: never. */
    readonly reserve: number;
  };
  /** How many people must skip a sample until it counts as unanswerable: 1…20. */
  readonly skipLimit: number;
  /** How long an annotator may hold a sample, in minutes: 0.05…1,440. */
  readonly assignmentMinutes: number;
  /** How long a disconnected annotator's prefetched samples stay theirs, in seconds: 0…86,400. */
  readonly graceSeconds: number;
  /** A stint of work and the break after it, in minutes. `minutes: 0` sets no bound. */
  readonly workSession: { readonly minutes: number; readonly breakMinutes: number };
  /** What the training set takes for people's consensus, and the class prior of the estimate. */
  readonly consensus: { readonly method: ConsensusMethod; readonly prior: ClassPrior };
  readonly suggestions: SuggestionMode;
  /**
   * Where suggestions are offered, the share of all work whose suggestion is hidden all the same, 0…1; in SHOWN mode with
   * audits 0.1…1.
   */
  readonly hiddenShare: number;
  /** A sample is of HIGH priority above the threshold of this score, else MEDIUM. */
  readonly priority: { readonly threshold: number; readonly score: PriorityScore };
  readonly withoutRound: WithoutRound;
  /** While true, claims give nothing; what is held may be answered. */
  readonly paused: boolean;
}

/** A policy with some of its fields left out, for a change or over a preset. */
export type PolicyChange = {
  readonly [K in keyof Policy]?: Policy[K] extends Readonly<Record<string, unknown>>
    ? Partial<Policy[K]>
    : Policy[K];
};

/** The steps in which a project adopts active learning; each adds to the one before. */
export type PolicyPreset = 'PRE_ANNOTATE' | 'ACTIVE_LEARNING' | 'QUALITY';

const PRE_ANNOTATE: Policy = {
  strategy: { name: 'hybrid', parameters: {} },
  coldStart: { name: 'random', parameters: {} },
  roundSize: 100,
  autoAcceptThreshold: 0.95,
  audit: { share: 0.05, cap: 200, floor: 5, errorLimit: 0.05 },
  overlap: 2,
  overlapShare: 0,
  extraOpinions: 0,
  repeatShare: 0,
  gold: { share: 0, limit: 0.7, reserve: 10 },
  skipLimit: 2,
  assignmentMinutes: 10,
  graceSeconds: 60,
  workSession: { minutes: 30, breakMinutes: 5 },
  consensus: { method: 'MAJORITY', prior: 'FLAT' },
  suggestions: 'SHOWN',
  hiddenShare: 0.2,
  priority: { threshold: 0.8, score: 'NORMALISED' },
  withoutRound: 'POOL',
  paused: false,
};

const ACTIVE_LEARNING: Policy = { ...PRE_ANNOTATE, overlapShare: 0.1, withoutRound: 'WAIT' };

const QUALITY: Policy = {
  ...ACTIVE_LEARNING,
  overlapShare: 0.2,
  extraOpinions: 1,
  repeatShare: 0.05,
  gold: { share: 0.05, limit: 0.7, reserve: 10 },
  audit: { share: 0.1, cap: 400, floor: 5, errorLimit: 0.05 },
  suggestions: 'HIDDEN',
};

/**
 * The three presets that a new project can start from.
 * - `PRE_ANNOTATE`: the model labels first, people review in the pool's order, and a few of the accepted
 *   are audited.
 * - `ACTIVE_LEARNING`: rounds decide what is labelled next; a tenth of the samples is labelled twice.
 * - `QUALITY`: suggestions are hidden, more samples overlap, more audits are drawn, a third person is asked where
 *   two disagree, one in twenty is asked again, and another one in twenty is gold, once there is any.
 */
export const POLICY_PRESETS: Readonly<Record<PolicyPreset, Policy>> = {
  PRE_ANNOTATE,
  ACTIVE_LEARNING,
  QUALITY,
};

/** One in five: that is all that may be something else than the round's or the pool's own. */
const MAX_REPEAT_SHARE = 0.2;

/** Half of that, so that there is room for audits. */
const MAX_GOLD_SHARE = 0.1;

/** The largest round. Its ids and scores stand in one commit, which a store bounds at 4 MiB. */
export const MAX_ROUND_SIZE = 100_000;

/** Where suggestions are shown and audits drawn, the least share of other work whose suggestion is hidden. */
const MIN_HIDDEN_SHARE = 0.1;

/**
 * The policy with a change laid over it.
 * @throws {Refusal} INVALID_INPUT naming the first field that is out of range
 */
export function changedPolicy(base: Policy, change: PolicyChange): Policy {
  const policy: Policy = {
    ...base,
    ...change,
    strategy: changedStrategy(base.strategy, change.strategy),
    coldStart: change.coldStart === undefined ? base.coldStart : change.coldStart,
    audit: { ...base.audit, ...change.audit },
    gold: { ...base.gold, ...change.gold },
    consensus: { ...base.consensus, ...change.consensus },
    workSession: { ...base.workSession, ...change.workSession },
    priority: { ...base.priority, ...change.priority },
  };
  // A field is called as the API calls it, where policies are flat.
  const inRange = (field: string, value: number, low: number, high: number, whole = false) => {
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number' : 'a number';
      throw refuse('INVALID_INPUT', {
        field: `policy.${field}`,
        problem: `${value} is not ${kind} from ${low} to ${high}`,
      });
    }
  };
  inRange('roundSize', policy.roundSize, 1, MAX_ROUND_SIZE, true);
  if (policy.autoAcceptThreshold !== null) inRange('autoAcceptThreshold', policy.autoAcceptThreshold, 0, 1);
  inRange('auditShare', policy.audit.share, 0, 1);
  inRange('auditCap', policy.audit.cap, 0, 10_000, true);
  inRange('auditFloor', policy.audit.floor, 0, 100, true);
  inRange('auditErrorLimit', policy.audit.errorLimit, 0, 1);
  inRange('overlap', policy.overlap, 1, 20, true);
  inRange('overlapShare', policy.overlapShare, 0, 1);
  inRange('extraOpinions', policy.extraOpinions, 0, 10, true);
  inRange('repeatShare', policy.repeatShare, 0, MAX_REPEAT_SHARE);
  inRange('goldShare', policy.gold.share, 0, MAX_GOLD_SHARE);
  inRange('goldLimit', policy.gold.limit, 0, 1);
  inRange('goldReserve', policy.gold.reserve, 0, 1_000, true);
  inRange('skipLimit', policy.skipLimit, 1, 20, true);
  inRange('assignmentMinutes', policy.assignmentMinutes, 0.05, 1_440);
  inRange('graceSeconds', policy.graceSeconds, 0, 86_400);
  inRange('workSessionMinutes', policy.workSession.minutes, 0, 1_440);
  inRange('breakMinutes', policy.workSession.breakMinutes, 0, 1_440);
  inRange('hiddenShare', policy.hiddenShare, 0, 1);
  inRange('priorityThreshold', policy.priority.threshold, 0, 100);
  const audits = policy.autoAcceptThreshold !== null && policy.audit.share > 0 && policy.audit.cap > 0;
  if (audits && policy.suggestions === 'SHOWN' && policy.hiddenShare < MIN_HIDDEN_SHARE) {
    throw refuse('INVALID_INPUT', {
      field: 'policy.hiddenShare',
      problem: `audits hide their suggestion, so at least ${MIN_HIDDEN_SHARE} of other work must, or hiding would tell them apart`,
    });
  }
  return policy;
}

/** A strategy that is only named starts from its own defaults: the parameters of another mean nothing to it. */
function changedStrategy(base: Policy['strategy'], change: PolicyChange['strategy']): Policy['strategy'] {
  const renamed = change?.name !== undefined && change.name !== base.name;
  return { ...base, ...(renamed ? { parameters: {} } : {}), ...change };
}
