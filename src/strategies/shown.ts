import { type Memory, type Place, Stage, type StageSize, seatIn } from '@concord/sdk/strategy';
import { copyRows } from './samples.ts';

/** Matrices of the same rows. */
export interface Input {
  readonly matrices: readonly Float32Array[];
  /** Numbers of a row. */
  readonly width: number;
  /** The row of each sample by its ordinal. */
  readonly rowOf: Uint32Array;
  /** Where kernels reach the matrices, if they do. */
  readonly memory: Memory | null;
}

/**
 * What a strategy is shown of its class probabilities, block by block. Kernels score them where they lie, or bring them
 * together there; a copy is made only for who reads the numbers, for what all share must be written to by nobody.
 */
export class Shown {
  readonly #input: Input;
  readonly #size: StageSize;
  /** On the memory of the matrices; null if kernels do not reach them. */
  readonly #seat: Stage | null;
  /** Where copies are brought. */
  readonly #own: (size: StageSize) => Stage;
  #ordinals: Uint32Array = new Uint32Array(0);
  #isRun = false;
  #place: Place | null = null;
  #copies: readonly Float32Array[] | null = null;

  /**
   * @param length the most rows of a block
   * @param seat the calling thread's; undefined if it has none
   * @param own gives the stage to which rows are copied
   */
  constructor(input: Input, length: number, seat: number | undefined, own: (size: StageSize) => Stage) {
    this.#input = input;
    this.#size = { length, classes: input.width, matrices: input.matrices.length };
    this.#seat = seat === undefined ? null : stageOn(input.memory, seat, this.#size);
    this.#own = own;
  }

  /** The next block. What was shown of the one before is gone. */
  show(ordinals: Uint32Array, isRun: boolean): void {
    this.#ordinals = ordinals;
    this.#isRun = isRun;
    this.#place = null;
    this.#copies = null;
    this.#seat?.refill();
  }

  /** Copies of the block's rows, one a matrix, for whoever reads them. */
  get copies(): readonly Float32Array[] {
    this.#copies ??= this.#copy();
    return this.#copies;
  }

  #copy(): readonly Float32Array[] {
    const { matrices, rowOf, width } = this.#input;
    const stage = this.#own(this.#size);
    stage.refill();
    return matrices.map((matrix, i) => {
      const room = (stage.matrices[i] as Float32Array).subarray(0, this.#ordinals.length * width);
      copyRows(room, matrix, width, rowOf, this.#ordinals);
      return room;
    });
  }

  /** Where kernels find the block; null if they do not, or a copy was shown, which may have been written to. */
  get place(): Place | null {
    if (this.#seat === null || this.#copies !== null) return null;
    this.#place ??= this.#isRun ? this.#lying(this.#seat) : this.#gathered(this.#seat);
    return this.#place;
  }

  #lying(stage: Stage): Place {
    const { matrices, rowOf, width } = this.#input;
    const [first, second] = matrices as [Float32Array, Float32Array?];
    const row = rowOf[this.#ordinals[0] as number] as number;
    return {
      stage,
      at: first.byteOffset + 4 * width * row,
      next: second === undefined ? 0 : second.byteOffset - first.byteOffset,
      matrices: matrices.length,
    };
  }

  #gathered(stage: Stage): Place {
    const { matrices, rowOf, width } = this.#input;
    const { kernels, places } = stage;
    const { length } = this.#ordinals;
    const rows = new Uint32Array(kernels.memory.buffer, places, length);
    for (let i = 0; i < length; i++) rows[i] = rowOf[this.#ordinals[i] as number] as number;
    const rooms = stage.matrices.map(({ byteOffset }) => byteOffset);
    matrices.forEach(({ byteOffset }, i) => {
      kernels.gather(byteOffset, width, places, length, rooms[i] as number);
    });
    return { stage, at: rooms[0] as number, next: stage.next, matrices: matrices.length };
  }
}

function stageOn(memory: Memory | null, number: number, size: StageSize): Stage | null {
  const seat = memory && seatIn(memory, number);
  return seat && Stage.on(seat, size);
}
