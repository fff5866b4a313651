import type { PredictionRun } from '../domain/predictionRun.ts';
import { decodeVerdicts } from '../domain/verdicts.ts';
import type { Store } from '../journal/port.ts';
import { NO_ROW } from '../strategies/host.ts';
import { loadChunks } from './folding.ts';

/** A prediction run's probabilities as one array that workers can share. */
export interface Matrix {
  readonly run: number;
  /** rows × classes, row-major, on shared memory. */
  readonly probabilities: Float32Array;
  /** The row of each sample by ordinal, or {@link NO_ROW}; on shared memory. */
  readonly rowOf: Uint32Array;
}

/** Keeps the probabilities of the newest prediction run that was asked for in memory. */
export class ResidentMatrix {
  readonly #store: Store;
  #loading: { readonly run: number; readonly matrix: Promise<Matrix> } | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The matrix of a run, loaded from its chunks at the first call. */
  of(run: PredictionRun, classes: number, samples: number): Promise<Matrix> {
    if (this.#loading?.run !== run.number) {
      const matrix = this.#load(run, classes, samples);
      matrix.catch(() => {
        if (this.#loading?.matrix === matrix) this.#loading = null;
      });
      this.#loading = { run: run.number, matrix };
    }
    return this.#loading.matrix;
  }

  async #load(run: PredictionRun, classes: number, samples: number): Promise<Matrix> {
    const probabilities = new Float32Array(new SharedArrayBuffer(run.rows * classes * 4));
    const rowOf = new Uint32Array(new SharedArrayBuffer(samples * 4)).fill(NO_ROW);
    let row = 0;
    for (const part of run.published.parts) {
      const chunks = await loadChunks(this.#store, [part.matrix, part.verdicts]);
      const bytes = chunks.get(part.matrix) as Uint8Array;
      new Uint8Array(probabilities.buffer, row * classes * 4, bytes.length).set(bytes);
      for (const ordinal of decodeVerdicts(chunks.get(part.verdicts) as Uint8Array).ordinals) {
        if (ordinal < samples) rowOf[ordinal] = row;
        row++;
      }
    }
    return { run: run.number, probabilities, rowOf };
  }
}
