import { allot, instantiate, type Kernels, layOut } from './instance.ts';
import type { Seat } from './resident.ts';

/** What kernels read and write beyond the end of a matrix: three rows, or this many bytes. */
const BEYOND = 64;

/** Numbers that a kernel needs beside those of the rows: see `bald`. */
const TILE = 2 * (1024 + 16);

export interface StageSize {
  /** The most rows that are scored together. */
  readonly length: number;
  readonly classes: number;
  /** How many matrices of class probabilities there are of the same rows. */
  readonly matrices: number;
}

/** Where kernels put what they need in between. */
export interface Scratch {
  readonly terms: number;
  readonly tile: number;
  readonly votes: number;
  readonly counts: number;
  readonly surprise: number;
}

/**
 * Rows in a memory of kernels, which score them where they lie: nothing is copied in, and most often nothing out.
 *
 * Whoever fills it calls `refill` first. What kernels have answered before is then gone.
 */
export class Stage {
  readonly kernels: Kernels;
  /** One a matrix, each `length` × `classes`. */
  readonly matrices: readonly Float32Array[];
  /** Bytes from one matrix to the next. */
  readonly next: number;
  readonly scratch: Scratch;
  /** Room for places that `sift` finds. */
  readonly places: number;
  readonly #length: number;
  readonly #classes: number;
  readonly #scores: number;
  readonly #spare: number;
  #isLent = false;

  /**
   * @param seat where it lies; default: in a memory of its own
   * @throws {RangeError} it takes more than the 4 GiB of a WebAssembly memory
   */
  constructor(size: StageSize, seat?: Seat) {
    const { length, classes, matrices } = size;
    this.kernels = seat?.kernels ?? instantiate();
    this.#length = length;
    this.#classes = classes;
    const places =
      seat === undefined ? allot(this.kernels, sizesOf(size)) : layOut(seat.from, sizesOf(size)).places;
    const { buffer } = this.kernels.memory;
    const at = places.slice(0, matrices);
    this.matrices = at.map((place) => new Float32Array(buffer, place, length * classes));
    this.next = matrices < 2 ? 0 : (at[1] as number) - (at[0] as number);
    const [terms, tile, scores, spare, found, votes, counts, surprise] = places.slice(matrices) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    this.scratch = { terms, tile, votes, counts, surprise };
    this.#scores = scores;
    this.#spare = spare;
    this.places = found;
    known().stages.set(buffer, this);
  }

  /** On the thread's seat in a memory that others share; null if it takes more than there is. */
  static on(seat: Seat, size: StageSize): Stage | null {
    return layOut(seat.from, sizesOf(size)).end > seat.to ? null : new Stage(size, seat);
  }

  /** Other rows are about to take the place of these. */
  refill(): void {
    this.#isLent = false;
  }

  /**
   * The scores of rows on this stage, or of as many that were brought to it.
   * @param run writes them from this place on
   */
  scores(length: number, run: (to: number) => void): Float64Array {
    const to = this.#isLent ? this.#spare : this.#scores;
    run(to);
    const scores = new Float64Array(this.kernels.memory.buffer, to, length);
    // The first ones stay where they are; others have only the spare place, and leave it at once.
    if (this.#isLent) return scores.slice();
    this.#isLent = true;
    return scores;
  }

  /** Whether a matrix on this stage has so many rows, and no more than may be scored together. */
  holds(matrix: Float32Array, length: number, classes: number): boolean {
    return (
      matrix.buffer === this.kernels.memory.buffer &&
      length <= this.#length &&
      classes <= this.#classes &&
      length * classes <= matrix.length
    );
  }

  /** Whether these are scores of rows on this stage, as it gives them. */
  holdsScores(scores: Float64Array): boolean {
    return (
      scores.buffer === this.kernels.memory.buffer &&
      scores.byteOffset >= this.#scores &&
      scores.byteOffset + scores.byteLength <= this.#scores + 8 * this.#length
    );
  }
}

function sizesOf({ length, classes, matrices }: StageSize): number[] {
  const bytes = 4 * length * classes;
  return [
    ...Array.from({ length: matrices }, () => bytes),
    // What is read beyond the last matrix lies here.
    Math.max(bytes, 12 * classes) + BEYOND,
    4 * TILE,
    8 * (length + 7),
    8 * (length + 7),
    4 * length,
    4 * matrices,
    4 * classes,
    8 * (matrices + 1),
  ];
}

/** Gives stages that are large enough: most often the same one as the time before, which is then somebody else's no more. */
export function stageKeeper(): (size: StageSize) => Stage {
  let kept: { readonly stage: Stage; readonly size: StageSize } | undefined;
  return (size) => {
    const { length, classes, matrices } = size;
    const fits =
      kept !== undefined &&
      kept.size.length >= length &&
      kept.size.classes === classes &&
      kept.size.matrices === matrices;
    kept = fits ? kept : { stage: new Stage(size), size };
    return (kept as NonNullable<typeof kept>).stage;
  };
}

/** Where rows lie that kernels can score in place, though whoever has them would be shown a copy. */
export interface Place {
  /** On its memory. */
  readonly stage: Stage;
  /** The first row of the first matrix, in bytes. */
  readonly at: number;
  /** Bytes from one matrix to the next. */
  readonly next: number;
  /** How many matrices. */
  readonly matrices: number;
}

/** Tells where some rows lie as long as nobody was shown the copy: who was may have written to it. */
export type FindPlace = (need: 'probabilities' | 'passes') => Place | null;

/** Kernels find these rows where they lie, until the next ones take their place. */
export function letLie(rows: object, find: FindPlace): void {
  known().lying = { rows, find };
}

/** Where rows lie, if they are the host's and are not copied yet. */
export function placeOf(rows: object, need: 'probabilities' | 'passes'): Place | null {
  const { lying } = known();
  return lying?.rows === rows ? lying.find(need) : null;
}

const KEY = Symbol.for('@concord/sdk/strategy/stages');

interface Known {
  readonly stages: WeakMap<ArrayBufferLike, Stage>;
  /** The host's rows, of which there is one block at a time. */
  lying: { readonly rows: object; readonly find: FindPlace } | null;
}

/**
 * The stages of this thread by their memory, and the host's rows. Each plugin is bundled with a copy of this module of
 * its own, and the host has another: they find each other's here.
 */
function known(): Known {
  const shared = globalThis as { [KEY]?: Known };
  shared[KEY] ??= { stages: new WeakMap(), lying: null };
  return shared[KEY];
}

/** The stage on which some numbers lie; undefined if they lie elsewhere. */
export function stageOf({ buffer }: Float32Array | Float64Array): Stage | undefined {
  return known().stages.get(buffer);
}
