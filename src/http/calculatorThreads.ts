import { Worker } from 'node:worker_threads';
import type { AnswerColumns } from '../domain/answerColumns.ts';
import type { AnswerTallies } from '../domain/answerTallies.ts';
import type { Answers, DawidSkeneFit, FitOptions } from '../domain/dawidSkene.ts';
import type { Calculator } from '../service/calculator.ts';
import { OneAtATime } from '../service/strategyInputs.ts';

/** What a thread is started with. */
export type CalculatorRequest =
  | { readonly kind: 'fit'; readonly answers: Answers; readonly options: FitOptions }
  | { readonly kind: 'tally'; readonly answers: AnswerColumns };

/**
 * Works out what takes long in threads of their own, one at a time: labelling goes on meanwhile, and the memory that it
 * takes goes back when the thread ends.
 */
export class CalculatorThreads implements Calculator {
  readonly #entry: URL;
  readonly #turns = new OneAtATime();
  #running: Worker | null = null;
  #isClosed = false;

  /** @param entry where `calculatorWorker` is, as JavaScript */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  fit(answers: Answers, options: FitOptions): Promise<DawidSkeneFit> {
    return this.#turns.run(() => this.#run({ kind: 'fit', answers, options }));
  }

  tally(answers: AnswerColumns): Promise<AnswerTallies> {
    // Moved, not copied: nobody else has them.
    const moved = Object.values(answers).flatMap((column) =>
      ArrayBuffer.isView(column) ? [column.buffer as ArrayBuffer] : [],
    );
    return this.#turns.run(() => this.#run({ kind: 'tally', answers }, moved));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // It writes nothing, so it may end anywhere.
    await this.#running?.terminate();
  }

  #run<T>(workerData: CalculatorRequest, transferList: ArrayBuffer[] = []): Promise<T> {
    if (this.#isClosed) return Promise.reject(new Error('the service is being closed'));
    // It needs neither the service's secrets nor the flags that it was started with.
    const worker = new Worker(this.#entry, { workerData, transferList, env: {}, execArgv: [] });
    this.#running = worker;
    return new Promise((resolve, reject) => {
      let result: { readonly value: T } | undefined;
      let failure: unknown;
      worker.once('message', (value: T) => {
        result = { value };
      });
      worker.once('error', (error) => {
        failure = error;
      });
      // The next one begins only when this one's memory has gone back.
      worker.once('exit', (code) => {
        this.#running = null;
        if (result !== undefined) resolve(result.value);
        else reject(failure ?? new Error(`the thread that calculates exited with code ${code}`));
      });
    });
  }
}
