/**
 * What a strategy can ask to be given beside the samples' ordinals.
 * - `probabilities`: the class probabilities of the current prediction run.
 * - `passes`: the class probabilities of each of its passes: a committee, or MC dropout.
 * - `embeddings`: the newest vectors that were published of the samples.
 * - `labelled`: the samples that people have labelled, with their labels and with what else is needed of each.
 * - `classCounts`: how many samples people have labelled with each class.
 * - `cost`: how long people take to answer with each class.
 *
 * With any of the first three, a strategy is shown only samples of which there is what it needs. A project that
 * has none of it yet is refused before the round opens; `labelled` and `classCounts` are always there, and may be
 * empty and all 0.
 */
export type Need = 'probabilities' | 'passes' | 'embeddings' | 'labelled' | 'classCounts' | 'cost';

/** Every {@link Need}. */
export const NEEDS: readonly Need[] = [
  'probabilities',
  'passes',
  'embeddings',
  'labelled',
  'classCounts',
  'cost',
];

/** `Value` where the strategy asked for `Wanted`, else null. */
export type Given<Wanted extends Need, Needs extends Need, Value> = Wanted extends Needs ? Value : null;

/**
 * Samples, and what is known of each: parallel arrays, one place a sample. The arrays are the strategy's own: what
 * it writes to them is seen by nobody else.
 */
export interface Samples<Needs extends Need = never> {
  /** How many samples. */
  readonly length: number;
  /** How many classes the project has, ≥ 2. */
  readonly classes: number;
  /** The samples' ordinals: each a number of its own within the project. */
  readonly ordinals: Uint32Array;
  /** `length` × `classes`, row by row: class `c` of sample `i` is at `i * classes + c`. Each in 0 … 1, each row's sum 1. */
  readonly probabilities: Given<'probabilities', Needs, Float32Array>;
  /** One array a pass, at least two, each as {@link Samples.probabilities}. */
  readonly passes: Given<'passes', Needs, readonly Float32Array[]>;
  /** `length` × `dimensions`, row by row. Finite; not normalised. */
  readonly embeddings: Given<'embeddings', Needs, Float32Array>;
  /** How many numbers an embedding has, ≥ 1. */
  readonly dimensions: Given<'embeddings', Needs, number>;
}

/**
 * Samples to score, in the order of their ordinals. The arrays hold these rows during the call only: the next call
 * uses the same memory.
 */
export interface Rows<Needs extends Need = never> extends Samples<Needs> {
  /** May be any number ≥ 1, whatever the pool's size: the host hands the samples out in blocks, to several workers. */
  readonly length: number;
}

/**
 * The samples that people have labelled, in the order of their ordinals: those with a ruling, or a majority among the
 * answers that count. If the strategy needs probabilities, passes or embeddings, only those that have them.
 */
export interface LabelledSamples<Needs extends Need = never> extends Samples<Needs> {
  /** Beside each ordinal: the index of its class, as it was ruled, else the one that most people chose. */
  readonly labels: Uint16Array;
}

/** The samples to choose from: all that are unlabelled, in the order of their ordinals. */
export interface Pool<Needs extends Need = never> extends Samples<Needs> {
  /** How many to choose: 1 … `length`. */
  readonly count: number;
  /** Beside each ordinal: 1 where the sample is auto-accepted, 0 where it needs review. */
  readonly accepted: Uint8Array;
  /**
   * Some samples of the pool, in the order given. Numbers are copied for the strategy when it first reads them; so
   * of a large pool, this costs what is asked for and no more.
   *
   * @throws {RangeError} one of the ordinals is not in the pool
   */
  readonly only: (ordinals: Uint32Array) => Samples<Needs>;
}
