import type { StandardSchema } from './standard-schema.ts';

/**
 * What a strategy can ask to be given beside the samples' ordinals.
 * - `probabilities`: the class probabilities of the current prediction run. The strategy is then shown only
 *   samples that have a prediction, and a project that has none yet is refused before the round opens.
 */
export type Need = 'probabilities';

/** Every {@link Need}. */
export const NEEDS: readonly Need[] = ['probabilities'];

/** `Value` where the strategy asked for `Wanted`, else null. */
type Given<Wanted extends Need, Needs extends Need, Value> = Wanted extends Needs ? Value : null;

/**
 * Samples to score. All arrays are the strategy's to read during the call only; what it writes to them is
 * seen by nobody.
 */
export interface Rows<Needs extends Need = never> {
  /** How many samples; may be any number ≥ 1, whatever the pool's size: the host hands them out in blocks. */
  readonly length: number;
  /** How many classes the project has, ≥ 2. */
  readonly classes: number;
  /** The samples' ordinals: each a number of its own within the project, ascending. */
  readonly ordinals: Uint32Array;
  /** `length` × `classes`, row by row: class `c` of sample `i` is at `i * classes + c`. Each in 0 … 1, each row's sum 1. */
  readonly probabilities: Given<'probabilities', Needs, Float32Array>;
}

/** What every strategy is given beside its samples. */
export interface Context<Parameters> {
  /** As parsed by the strategy's schema, defaults filled in; an empty object without a schema. */
  readonly parameters: Parameters;
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
}

export type ScoreContext<Parameters = unknown> = Context<Parameters>;

/** The samples to choose from. The arrays are copies: they are the strategy's own. */
export interface Pool<Needs extends Need = never> {
  /** How many to choose: 1 … `ordinals.length`. */
  readonly count: number;
  /** How many classes the project has, ≥ 2. */
  readonly classes: number;
  /** All unlabelled samples, ascending; if the strategy needs probabilities, those that have them. */
  readonly ordinals: Uint32Array;
  /** Beside each ordinal: 1 where the sample is auto-accepted, 0 where it needs review. */
  readonly accepted: Uint8Array;
  /** `ordinals.length` × `classes`, row by row, as in {@link Rows}. */
  readonly probabilities: Given<'probabilities', Needs, Float32Array>;
}

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
}

/** A {@link Selection} in which nothing is left open. A sample without a score has 0 in `normalised`. */
export type FullSelection = Required<Selection>;

/** Another strategy that this one will ask. */
export interface Asked {
  readonly strategy: string;
  /** For that strategy's schema; default: none given. */
  readonly parameters?: unknown;
}

export interface SelectContext<Parameters = unknown> extends Context<Parameters> {
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
   * that 0.8 means the same whatever the strategy and the number of classes.
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
    context: ScoreContext<Parameters>,
  ) => Float64Array | Float32Array;
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
    context: SelectContext<Parameters>,
  ) => Selection | Promise<Selection>;
  readonly score?: never;
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

/** {@link Rows} and {@link Pool} as the host holds them: it knows what the strategy needs at run time only. */
export type AnyRows = Rows<Need> | Rows<never>;
export type AnyPool = Pool<Need> | Pool<never>;

export interface ScoreStrategy extends Defined {
  readonly kind: 'score';
  readonly maximum: (classes: number) => number;
  readonly score: (rows: AnyRows, context: ScoreContext) => Float64Array | Float32Array;
}

export interface SelectStrategy extends Defined {
  readonly kind: 'select';
  readonly maximum: ((classes: number) => number) | null;
  readonly asks: (parameters: unknown) => readonly Asked[];
  readonly select: (pool: AnyPool, context: SelectContext) => Selection | Promise<Selection>;
}

/** What a plugin exports by default: made by `defineStrategy`, run by the host. */
export type Strategy = ScoreStrategy | SelectStrategy;
