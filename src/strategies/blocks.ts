import { type Need, type Rows, type Stage, stageKeeper } from '@concord/sdk/strategy';
import { isRun, NO_ROW, rowsNeeded, type SamplePool } from './pool.ts';
import { copyRows } from './samples.ts';

/** Bytes of rows that are scored in one call: they and their scores stay in a core's cache. */
const BLOCK_BYTES = 128 * 1024;

/** One is enough: a thread scores one pool at a time, from its first block to its last. */
const stageFor = stageKeeper();

/** Samples that are scored in one call. */
export interface Block {
  /** The host's own: whose each score is. To be read only. */
  readonly ordinals: Uint32Array;
  /** What the strategy is shown. */
  readonly rows: Rows<Need>;
}

/**
 * Hands out the samples of a pool in blocks, through the same memory again and again: those that need review and have
 * what is needed. Probabilities are brought to a stage, where the kernels of the SDK score them without another copy.
 */
export class Blocks {
  readonly #pool: SamplePool;
  /** Rows in a block. */
  readonly #size: number;
  /** The `rowOf` of what is needed: a sample must have a row in both. */
  readonly #first: Uint32Array | null;
  readonly #second: Uint32Array | null;
  readonly #stage: Stage | null;
  readonly #ordinals: Uint32Array;
  readonly #probabilities: Float32Array | null;
  readonly #passes: readonly Float32Array[] | null;
  readonly #embeddings: Float32Array | null;

  constructor(pool: SamplePool, needs: readonly Need[]) {
    this.#pool = pool;
    const classes = pool.labelSet.length;
    const { predictions, embeddings } = pool;
    const has = (need: Need) => needs.includes(need);
    const one = Number(has('probabilities'));
    const matrices = one + (has('passes') ? (predictions?.passes?.length ?? 0) : 0);
    const dimensions = has('embeddings') ? (embeddings?.dimensions ?? 0) : 0;
    const width = Math.max(1, classes * matrices + dimensions);
    const length = Math.max(1, Math.min(Math.floor(BLOCK_BYTES / (4 * width)), pool.ordinals.length));
    this.#size = length;
    [this.#first = null, this.#second = null] = rowsNeeded(pool, needs);
    this.#stage = matrices === 0 ? null : stageFor({ length, classes, matrices });
    this.#ordinals = new Uint32Array(length);
    const rooms = this.#stage?.matrices ?? [];
    this.#probabilities = has('probabilities') ? (rooms[0] as Float32Array) : null;
    this.#passes = has('passes') ? rooms.slice(one) : null;
    this.#embeddings = has('embeddings') ? new Float32Array(length * dimensions) : null;
  }

  /** All blocks of a share of the pool. Each is gone when the next is asked for. */
  *of(share: SamplePool): Generator<Block, void, void> {
    for (let from = 0; from < share.ordinals.length; ) {
      this.#stage?.refill();
      // Most often the next samples and their rows all follow each other, and nothing need be looked up one by one.
      const whole = this.#takeWhole(share, from);
      if (whole === null) {
        const [ordinals, to] = this.#takeSome(share, from);
        this.#copy(ordinals);
        from = to;
        if (ordinals.length > 0) yield this.#show(ordinals);
      } else {
        from += whole.length;
        yield this.#show(whole);
      }
    }
  }

  #show(ordinals: Uint32Array): Block {
    const { labelSet, embeddings } = this.#pool;
    const classes = labelSet.length;
    const { length } = ordinals;
    const part = (room: Float32Array, width: number) => room.subarray(0, length * width);
    let own: Uint32Array | undefined;
    // Null is what a strategy sees of what it does not need; its type says so.
    const rows = {
      length,
      classes,
      get ordinals() {
        own ??= new Uint32Array(ordinals);
        return own;
      },
      probabilities: this.#probabilities && part(this.#probabilities, classes),
      passes: this.#passes?.map((pass) => part(pass, classes)) ?? null,
      embeddings: this.#embeddings && embeddings && part(this.#embeddings, embeddings.dimensions),
      dimensions: this.#embeddings && embeddings ? embeddings.dimensions : null,
    } as Rows<Need>;
    return { ordinals, rows };
  }

  /** The next block, copied, if its ordinals and their rows follow each other and all need review; else null. */
  #takeWhole({ ordinals, accepted }: SamplePool, from: number): Uint32Array | null {
    const to = Math.min(from + this.#size, ordinals.length);
    const first = ordinals[from] as number;
    // They ascend: that is enough for them to follow each other.
    if ((ordinals[to - 1] as number) - first !== to - 1 - from) return null;
    if (accepted.subarray(from, to).includes(1)) return null;
    for (const rowOf of [this.#first, this.#second]) {
      if (rowOf !== null && !isRun(rowOf, first, first + to - from)) return null;
    }
    const whole = ordinals.subarray(from, to);
    const fits = this.#each((into, matrix, width, rowOf) => {
      const row = rowOf[first] as number;
      const part = matrix.subarray(row * width, (row + whole.length) * width);
      // What lies beyond the matrix is the pool's fault; the other way tells it.
      if (part.length !== whole.length * width) return false;
      into.set(part);
      return true;
    });
    return fits ? whole : null;
  }

  /** The ordinals of the next block, found one by one; and from where to go on. */
  #takeSome({ ordinals, accepted }: SamplePool, from: number): [Uint32Array, number] {
    const into = this.#ordinals;
    const first = this.#first;
    const second = this.#second;
    let length = 0;
    let at = from;
    for (; at < ordinals.length && length < into.length; at++) {
      const ordinal = ordinals[at] as number;
      if (accepted[at] === 1) continue;
      if (first !== null && first[ordinal] === NO_ROW) continue;
      if (second !== null && second[ordinal] === NO_ROW) continue;
      into[length++] = ordinal;
    }
    return [into.subarray(0, length), at];
  }

  #copy(ordinals: Uint32Array): void {
    this.#each((into, matrix, width, rowOf) => {
      copyRows(into, matrix, width, rowOf, ordinals);
      return true;
    });
  }

  /** Does the same for each matrix that is needed, until once it cannot be done. */
  #each(
    copy: (into: Float32Array, matrix: Float32Array, width: number, rowOf: Uint32Array) => boolean,
  ): boolean {
    const { labelSet, predictions, embeddings } = this.#pool;
    const classes = labelSet.length;
    if (predictions !== null) {
      const { probabilities, passes, rowOf } = predictions;
      if (this.#probabilities !== null && !copy(this.#probabilities, probabilities, classes, rowOf))
        return false;
      const rooms = this.#passes ?? [];
      if (!rooms.every((room, i) => copy(room, passes?.[i] as Float32Array, classes, rowOf))) return false;
    }
    return (
      this.#embeddings === null ||
      embeddings === null ||
      copy(this.#embeddings, embeddings.values, embeddings.dimensions, embeddings.rowOf)
    );
  }
}
