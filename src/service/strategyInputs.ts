import { type SharedMatrices, sharedMatrices } from '@concord/sdk/strategy';
import { decodeOrdinals, type Embeddings } from '../domain/embedding.ts';
import type { PredictionRun } from '../domain/predictionRun.ts';
import { decodeVerdicts } from '../domain/verdicts.ts';
import type { Store } from '../journal/port.ts';
import { type EmbeddingInputs, NO_ROW } from '../strategies/host.ts';
import { mustGetChunk } from './chunks.ts';

/** What is published comes to strategies on memory that all workers share. */

/** A prediction run's probabilities, row-major, and the row of each sample by its ordinal, or `NO_ROW`. */
export interface Matrix {
  readonly probabilities: Float32Array;
  readonly rowOf: Uint32Array;
  /** Where they lie. */
  readonly memory: SharedMatrices['memory'];
}

/** Keeps the probabilities of the newest prediction run that was asked for in memory: most rounds need them. */
export class ResidentMatrix {
  readonly #store: Store;
  #loading: { readonly run: number; readonly samples: number; readonly matrix: Promise<Matrix> } | null =
    null;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * The matrix of a run, loaded from its chunks at the first call.
   * @param samples how many samples the project has by now
   */
  of(run: PredictionRun, classes: number, samples: number): Promise<Matrix> {
    const loaded = this.#loading?.run === run.number ? this.#loading : null;
    if (loaded !== null && loaded.samples >= samples) return loaded.matrix;
    const matrix =
      loaded === null
        ? loadMatrix(this.#store, run, classes, samples)
        : loaded.matrix.then((matrix) => ({ ...matrix, rowOf: extended(matrix.rowOf, samples) }));
    matrix.catch(() => {
      if (this.#loading?.matrix === matrix) this.#loading = null;
    });
    this.#loading = { run: run.number, samples, matrix };
    return matrix;
  }
}

/** More samples have been imported since: the run does not speak of them. */
function extended(rowOf: Uint32Array, samples: number): Uint32Array {
  const longer = noRows(samples);
  longer.set(rowOf);
  return longer;
}

/** @throws {DamagedChunkError} */
export async function loadMatrix(
  store: Store,
  run: PredictionRun,
  classes: number,
  samples: number,
): Promise<Matrix> {
  const { memory, matrices } = sharedMatrices(1, run.rows * classes);
  const probabilities = matrices[0] as Float32Array;
  const rowOf = noRows(samples);
  let row = 0;
  for (const part of run.published.parts) {
    put(probabilities, row * classes, await mustGetChunk(store, part.matrix));
    const { ordinals } = decodeVerdicts(await mustGetChunk(store, part.verdicts));
    for (const ordinal of ordinals) rowOf[ordinal] = row++;
  }
  return { probabilities, rowOf, memory };
}

/**
 * The passes of a run, each as its probabilities. They are not kept: several times as large, and seldom needed.
 * @throws {DamagedChunkError}
 */
export async function loadPasses(store: Store, run: PredictionRun, classes: number): Promise<SharedMatrices> {
  const passes = sharedMatrices(run.passes, run.rows * classes);
  let row = 0;
  for (const part of run.published.parts) {
    for (const [i, chunk] of part.passes.entries()) {
      put(passes.matrices[i] as Float32Array, row * classes, await mustGetChunk(store, chunk));
    }
    row += part.rows;
  }
  return passes;
}

/**
 * Likewise.
 * @throws {DamagedChunkError}
 */
export async function loadEmbeddings(
  store: Store,
  { published: { parts, dimensions } }: Embeddings,
  samples: number,
): Promise<EmbeddingInputs> {
  const values = sharedFloats(parts.reduce((sum, { rows }) => sum + rows, 0) * dimensions);
  const rowOf = noRows(samples);
  let row = 0;
  for (const part of parts) {
    put(values, row * dimensions, (await mustGetChunk(store, part.vectors)).subarray(ZERO_BYTES));
    for (const ordinal of decodeOrdinals(await mustGetChunk(store, part.ordinals))) rowOf[ordinal] = row++;
  }
  return { values, dimensions, rowOf };
}

/** Stands before the vectors in their chunk: what people have made up must not be taken for a record of the service. */
const ZERO_BYTES = 4;

/** A chunk of vectors, float32. */
export function encodeVectors(bytes: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(ZERO_BYTES + bytes.length);
  chunk.set(bytes, ZERO_BYTES);
  return chunk;
}

function put(into: Float32Array, from: number, bytes: Uint8Array): void {
  new Uint8Array(into.buffer, into.byteOffset + 4 * from, bytes.length).set(bytes);
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

function noRows(samples: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(4 * samples)).fill(NO_ROW);
}

/** Does one thing at a time, in the order in which they come: what each holds meanwhile may be large. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done;
    return done;
  }
}
