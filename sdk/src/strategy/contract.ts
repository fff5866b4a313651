import type { Given, LabelledSamples, Need, Pool, Rows, Samples } from './samples.ts';
import type { StandardSchema } from './standard-schema.ts';

/** What every strategy is given beside its samples. */
export interface Context<Parameters, Needs extends Need = never> {
  /** As parsed by the strategy's schema, defaults filled in; an empty object without a schema. */
  readonly parameters: Parameters;
  /** The project's label set: the names of its classes, in the order of their indices. */
  readonly labelSet: readonly string[];
  /** What people have labelled so far. May be empty. */
  readonly labelled: Given<'labelled', Needs, LabelledSamples<Needs>>;
  /** One number a class: how many samples people have labelled with it. May be all 0. */
  readonly classCounts: Given<'classCounts', Needs, Uint32Array>;
  /**
   * One number a class: the mean time, in seconds, that people took for an answer with that class, over the answers
   * whose time was measured; where there is none of a class, the mean over all. The expected cost of a sample is then
   * the sum of p × cost.
   */
  readonly cost: Given<'cost', Needs, Float32Array>;
  /** The seed of this strategy in this round, a uint32: for `highest` and `draw`. */
  readonly seed: number;
  /**
   * A uniform number in [0, 1) for a sample, fixed by the round's seed, the strategy's name, the ordinal and
   * the stream; so neither the order of the calls nor the blocks matter.
   *
   * @param ordinal a uint32
   * @param stream a uint32 below 2^32 − 2, to draw more than one number for a sample; 0 by default
   */
  readonly random: (ordinal: number, stream?: number) => number;
  /**
   * Aborted when nobody wants the answer any more: its time has run out, or the request was given up. A long loop may
   * look at `signal.aborted` now and then, and let go what it holds; soon after, the worker is ended.
   */
  readonly signal: AbortSignal;
}

export type ScoreContext<Parameters = unknown, Needs extends Need = never> = Context<Parameters, Needs>;

/** What a `select` answers: which samples, in the order in which to label them. */
export interface Selection {
  /**
   * Ordinals from the pool, each once. At most `count`, and at least as many as `count` and the samples that
   * need review allow.
   */
  readonly ordinals: Uint32Array;
  /** Beside each ordinal: its raw score, finite and ≥ 0, or NaN where it has none. Default: all NaN. */
  readonly scores?: Float64Array;
  /** Beside each score: the same in 0 … 1. Default: the score over the strategy's `maximum`. */
  readonly normalised?: Float64Array;
  /** Beside each ordinal: 1 where it was drawn at random, uniformly and without replacement. Default: all 0. */
  readonly random?: Uint8Array;
  /** The chance that each sample of the pool had to be among the random ones, in (0, 1]; null without any. */
  readonly inclusionProbability?: number | null;
  /**
   * Beside each ordinal: why it was chosen, one line of up to {@link MAX_REASON} characters for the project's owners
   * and drivers, or null. Different ones have up to {@link MAX_REASONS} characters together. Default: none.
   */
  readonly reasons?: readonly (string | null)[] | null;
  /**
   * A JSON object of up to 64 KiB that the next round of this strategy is given as `context.state`. It is kept with
   * the round, so that the next one can be repeated. Default: the state stays as it is.
   */
  readonly state?: object;
}

/** The longest reason of one sample, in characters. */
export const MAX_REASON = 200;
/** The most characters that the different reasons of one round may have together. */
export const MAX_REASONS = 1_000_000;

/**
 * A {@link Selection} in which nothing is left open. A sample without a score has 0 in `normalised`. What state a
 * strategy leaves is kept for itself.
 */
export type FullSelection = Required<Omit<Selection, 'state'>>;

/** Another strategy that this one will ask. */
export interface Asked {
  readonly strategy: string;
  /** For that strategy's schema; default: none given. */
  readonly parameters?: unknown;
}

export interface SelectContext<Parameters = unknown, Needs extends Need = never>
  extends Context<Parameters, Needs> {
  /**
   * What this strategy returned as `state` in the project's newest round in which it ran and returned one, also when
   * another had asked it; null before. An earlier version of the strategy may have written it.
   */
  readonly state: Readonly<Record<string, unknown>> | null;
  /**
   * Lets another strategy choose from the same pool, with the parameters that `asks` gave for it.
   *
   * @param strategy one of those that `asks` named
   * @param options.count how many to choose, ≥ 0; the answer has fewer where there are fewer
   * @param options.exclude ordinals it must not choose, in any order
   * @throws {Error} `asks` did not name the strategy, or the strategy failed
   */
  readonly ask: (
    strategy: string,
    options: { readonly count: number; readonly exclude?: Uint32Array },
  ) => Promise<FullSelection>;
}

interface Definition<Needs extends readonly Need[], Schema extends StandardSchema> {
  /** How policies and rounds name it: kebab-case, up to 64 characters, unlike every other in the folder. */
  readonly name: string;
  /** One line for people who choose among strategies, up to 200 characters. */
  readonly description: string;
  /** Checks and completes the parameters of a policy, into what JSON can hold. Default: it takes none. */
  readonly parameters?: Schema;
  /** What it must be given. Default: nothing but ordinals. */
  readonly needs?: Needs;
}

/** A strategy that gives each sample a score of its own; the host chooses the highest that need review. */
export interface ScoreDefinition<
  Needs extends readonly Need[],
  Parameters,
  Schema extends StandardSchema = StandardSchema,
> extends Definition<Needs, Schema> {
  /**
   * The largest raw score there can be with so many classes, > 0. The normalised score is raw / maximum, so
   * that 0.8 means the same whatever the strategy and the number of classes. A score above it fails the selection; but
   * for 0.2 %, as the rows of probabilities sum to 1 within 0.1 %.
   *
   * @param classes ≥ 2
   */
  readonly maximum: (classes: number) => number;
  /**
   * One score a sample, finite and ≥ 0; the higher, the earlier it is labelled. A score must depend on its
   * own row alone: which rows come together is the host's choice.
   */
  readonly score: (
    rows: Rows<Needs[number]>,
    context: ScoreContext<Parameters, Needs[number]>,
  ) => Float64Array | Float32Array;
  /**
   * Why each was chosen, as {@link Selection.reasons}: called once, with the chosen samples in labelling order and
   * their scores. Default: no reasons.
   */
  readonly reasons?: (
    chosen: Samples<Needs[number]>,
    scores: Float64Array,
    context: ScoreContext<Parameters, Needs[number]>,
  ) => readonly (string | null)[];
  readonly select?: never;
  readonly asks?: never;
}

/** A strategy that looks at the whole pool at once and chooses by itself. */
export interface SelectDefinition<
  Needs extends readonly Need[],
  Parameters,
  Schema extends StandardSchema = StandardSchema,
> extends Definition<Needs, Schema> {
  /** As in {@link ScoreDefinition}; required if it returns scores without normalising them itself. */
  readonly maximum?: (classes: number) => number;
  /**
   * The strategies it will ask with these parameters. The host makes sure that they exist, accept their
   * parameters and can be given what they need before a round opens. Default: none.
   */
  readonly asks?: (parameters: Parameters) => readonly Asked[];
  readonly select: (
    pool: Pool<Needs[number]>,
    context: SelectContext<Parameters, Needs[number]>,
  ) => Selection | Promise<Selection>;
  readonly score?: never;
  readonly reasons?: never;
}

/** Marks what `defineStrategy` returns; it changes when a strategy for this contract could not run under the next. */
export const CONTRACT = 'concord-strategy/1';

interface Defined {
  readonly contract: typeof CONTRACT;
  readonly name: string;
  readonly description: string;
  readonly parameters: StandardSchema | null;
  readonly needs: readonly Need[];
}

/**
 * As the host holds it: it knows at run time only what the strategy needs, and gives null for the rest.
 */
export interface ScoreStrategy extends Defined {
  readonly kind: 'score';
  readonly maximum: (classes: number) => number;
  readonly score: (rows: Rows<Need>, context: ScoreContext<unknown, Need>) => Float64Array | Float32Array;
  readonly reasons:
    | ((
        chosen: Samples<Need>,
        scores: Float64Array,
        context: ScoreContext<unknown, Need>,
      ) => readonly (string | null)[])
    | null;
}

/** Likewise. */
export interface SelectStrategy extends Defined {
  readonly kind: 'select';
  readonly maximum: ((classes: number) => number) | null;
  readonly asks: (parameters: unknown) => readonly Asked[];
  readonly select: (
    pool: Pool<Need>,
    context: SelectContext<unknown, Need>,
  ) => Selection | Promise<Selection>;
}

/** What a plugin exports by default: made by `defineStrategy`, run by the host. */
export type Strategy = ScoreStrategy | SelectStrategy;
