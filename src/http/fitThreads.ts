import { Worker } from 'node:worker_threads';
import type { Answers, DawidSkeneFit, FitOptions } from '../domain/dawidSkene.ts';
import type { Fitter } from '../service/consensusEstimates.ts';
import { OneAtATime } from '../service/strategyInputs.ts';

/** What a thread is started with. */
export interface FitRequest {
  readonly answers: Answers;
  readonly options: FitOptions;
}

/**
 * Estimates consensus in threads of their own, one at a time: labelling goes on meanwhile, and the memory that it takes
 * goes back when the thread ends.
 */
export class FitThreads implements Fitter {
  readonly #entry: URL;
  readonly #turns = new OneAtATime();
  #running: Worker | null = null;
  #isClosed = false;

  /** @param entry where `fitWorker` is, as JavaScript */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  fit(answers: Answers, options: FitOptions): Promise<DawidSkeneFit> {
    return this.#turns.run(() => this.#run({ answers, options }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // It writes nothing, so it may end anywhere.
    await this.#running?.terminate();
  }

  #run(workerData: FitRequest): Promise<DawidSkeneFit> {
    if (this.#isClosed) return Promise.reject(new Error('the service is being closed'));
    // It needs neither the service's secrets nor the flags that it was started with.
    const worker = new Worker(this.#entry, { workerData, env: {}, execArgv: [] });
    this.#running = worker;
    return new Promise((resolve, reject) => {
      let fit: DawidSkeneFit | undefined;
      let failure: unknown;
      worker.once('message', (message: DawidSkeneFit) => {
        fit = message;
      });
      worker.once('error', (error) => {
        failure = error;
      });
      // The next one begins only when this one's memory has gone back.
      worker.once('exit', (code) => {
        this.#running = null;
        if (fit !== undefined) resolve(fit);
        else reject(failure ?? new Error(`the thread that estimates consensus exited with code ${code}`));
      });
    });
  }
}
