import { letLie, type Need, type Rows, stageKeeper } from '@concord/sdk/strategy';
import { isRun, NO_ROW, rowsNeeded, type SamplePool } from './pool.ts';
import { copyRows, noSuchRow } from './samples.ts';
import { Shown } from './shown.ts';

/** Bytes of rows that are scored in one call: they and their scores stay in a core's cache. */
const BLOCK_BYTES = 128 * 1024;

/** Where rows are copied to. One of each is enough: a thread scores one pool at a time, from its first block to its last. */
const ofProbabilities = stageKeeper();
const ofPasses = stageKeeper();

/** Samples that are scored in one call. */
export interface Block {
  /** The host's own: whose each score is. To be read only. */
  readonly ordinals: Uint32Array;
  /** What the strategy is shown. */
  readonly rows: Rows<Need>;
}

/**
 * Hands out the samples of a pool in blocks: those that need review and have what is needed. What a strategy reads is
 * copied, to the same memory again and again; kernels of the SDK find class probabilities where they lie.
 */
export class Blocks {
  readonly #pool: SamplePool;
  /** Rows in a block. */
  readonly #size: number;
  /** The `rowOf` of what is needed, two at most: a sample must have a row in each. */
  readonly #rowsOf: readonly Uint32Array[];
  readonly #ordinals: Uint32Array;
  readonly #probabilities: Shown | null = null;
  readonly #passes: Shown | null = null;
  readonly #embeddings: Float32Array | null;

  /** @param seat of the thread that scores, among those that share the pool's memory; undefined: nobody shares it */
  constructor(pool: SamplePool, needs: readonly Need[], seat?: number) {
    this.#pool = pool;
    const width = pool.labelSet.length;
    const { predictions, embeddings } = pool;
    const passes = (needs.includes('passes') && predictions?.passes) || [];
    const one = predictions !== null && needs.includes('probabilities');
    const dimensions = needs.includes('embeddings') ? (embeddings?.dimensions ?? 0) : 0;
    const numbers = Math.max(1, width * (Number(one) + passes.length) + dimensions);
    const length = Math.max(1, Math.min(Math.floor(BLOCK_BYTES / (4 * numbers)), pool.ordinals.length));
    this.#size = length;
    this.#rowsOf = rowsNeeded(pool, needs);
    this.#ordinals = new Uint32Array(length);
    if (predictions !== null) {
      const { rowOf, probabilities, memory = null, passesMemory = null } = predictions;
      if (one) {
        const input = { matrices: [probabilities], width, rowOf, memory };
        this.#probabilities = new Shown(input, length, seat, ofProbabilities);
      }
      if (passes.length > 0) {
        const input = { matrices: passes, width, rowOf, memory: passesMemory };
        this.#passes = new Shown(input, length, seat, ofPasses);
      }
    }
    this.#embeddings = needs.includes('embeddings') ? new Float32Array(length * dimensions) : null;
  }

  /** All blocks of a share of the pool. Each is gone when the next is asked for. */
  *of(share: SamplePool): Generator<Block, void, void> {
    for (let from = 0; from < share.ordinals.length; ) {
      // Most often the next samples and their rows all follow each other, and nothing need be looked up one by one.
      const run = this.#takeRun(share, from);
      const [ordinals, to] = run === null ? this.#takeSome(share, from) : [run, from + run.length];
      from = to;
      if (ordinals.length > 0) yield { ordinals, rows: this.#show(ordinals, run !== null) };
    }
  }

  #show(ordinals: Uint32Array, isRun: boolean): Rows<Need> {
    const { labelSet, embeddings } = this.#pool;
    const probabilities = this.#probabilities;
    const passes = this.#passes;
    probabilities?.show(ordinals, isRun);
    passes?.show(ordinals, isRun);
    let own: Uint32Array | undefined;
    // Null is what a strategy sees of what it does not need; its type says so.
    const rows = {
      length: ordinals.length,
      classes: labelSet.length,
      get ordinals() {
        own ??= new Uint32Array(ordinals);
        return own;
      },
      get probabilities() {
        return probabilities?.copies[0] ?? null;
      },
      get passes() {
        return passes?.copies ?? null;
      },
      embeddings: this.#embeddingsOf(ordinals),
      dimensions: this.#embeddings && embeddings ? embeddings.dimensions : null,
    } as Rows<Need>;
    letLie(rows, (need) => (need === 'passes' ? passes : probabilities)?.place ?? null);
    return rows;
  }

  #embeddingsOf(ordinals: Uint32Array): Float32Array | null {
    const { embeddings } = this.#pool;
    if (this.#embeddings === null || embeddings === null) return null;
    const { values, dimensions, rowOf } = embeddings;
    const room = this.#embeddings.subarray(0, ordinals.length * dimensions);
    copyRows(room, values, dimensions, rowOf, ordinals);
    return room;
  }

  /** The next block, if its ordinals and their rows follow each other and all need review; else null. */
  #takeRun({ ordinals, accepted }: SamplePool, from: number): Uint32Array | null {
    const to = Math.min(from + this.#size, ordinals.length);
    const first = ordinals[from] as number;
    // They ascend: that is enough for them to follow each other.
    if ((ordinals[to - 1] as number) - first !== to - 1 - from) return null;
    if (accepted.subarray(from, to).includes(1)) return null;
    for (const rowOf of this.#rowsOf) {
      if (!isRun(rowOf, first, first + to - from)) return null;
      const last = rowOf[first + to - 1 - from] as number;
      // What has no row, or none that there is, is seen one by one.
      if (last >= heightOf(this.#pool, rowOf)) return null;
    }
    return ordinals.subarray(from, to);
  }

  /** The ordinals of the next block, found one by one; and from where to go on. */
  #takeSome({ ordinals, accepted }: SamplePool, from: number): [Uint32Array, number] {
    const into = this.#ordinals;
    const [first = null, second = null] = this.#rowsOf;
    let length = 0;
    let at = from;
    for (; at < ordinals.length && length < into.length; at++) {
      const ordinal = ordinals[at] as number;
      if (accepted[at] === 1) continue;
      if (first !== null && first[ordinal] === NO_ROW) continue;
      if (second !== null && second[ordinal] === NO_ROW) continue;
      into[length++] = ordinal;
    }
    const block = into.subarray(0, length);
    for (const rowOf of this.#rowsOf) checkRows(block, rowOf, heightOf(this.#pool, rowOf));
    return [block, at];
  }
}

/** How many rows there are of those that are looked up in a `rowOf`. */
function heightOf({ predictions, embeddings, labelSet }: SamplePool, rowOf: Uint32Array): number {
  return Math.min(
    predictions?.rowOf === rowOf
      ? predictions.probabilities.length / labelSet.length
      : Number.POSITIVE_INFINITY,
    embeddings?.rowOf === rowOf ? embeddings.values.length / embeddings.dimensions : Number.POSITIVE_INFINITY,
  );
}

/** @throws {InvalidPoolError} a row is not there: what kernels read is not checked after */
function checkRows(ordinals: Uint32Array, rowOf: Uint32Array, height: number): void {
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i] as number;
    const row = rowOf[ordinal] as number;
    if (!(row < height)) throw noSuchRow(row, ordinal, height);
  }
}
