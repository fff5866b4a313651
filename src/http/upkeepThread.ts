import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SweepReport } from '../service/chunkSweep.ts';
import type { SnapshotTaken } from '../service/snapshots.ts';
import type { UpkeepTasks } from '../service/upkeep.ts';

type Task = { readonly kind: 'snapshot'; readonly journal: string } | { readonly kind: 'sweep' };

/** What a thread is started with. */
export interface UpkeepRequest {
  /** Of the store, which is open in this process or can be opened by many. */
  readonly location: string;
  readonly task: Task;
}

/** What a thread says; the last is `done` or `failed`. */
export type UpkeepMessage =
  | { readonly kind: 'useless'; readonly problem: string }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly problem: string };

/**
 * Does a store's upkeep in threads of their own, one for each task: the memory that a task takes, a second projection of
 * a project, goes back when its thread ends.
 */
export class UpkeepThread implements UpkeepTasks {
  readonly #entry: URL;
  readonly #location: string;
  readonly #onUselessSnapshot: (journal: string, problem: string) => void;
  readonly #running = new Set<Worker>();
  #isClosed = false;

  /** @param entry where `upkeepWorker` is, as JavaScript */
  constructor(
    entry: URL,
    location: string,
    onUselessSnapshot: (journal: string, problem: string) => void = () => undefined,
  ) {
    this.#entry = entry;
    this.#location = location;
    this.#onUselessSnapshot = onUselessSnapshot;
  }

  async snapshot(journal: string): Promise<SnapshotTaken | null> {
    return (await this.#run({ kind: 'snapshot', journal })) as SnapshotTaken | null;
  }

  async sweep(): Promise<SweepReport> {
    return (await this.#run({ kind: 'sweep' })) as SweepReport;
  }

  /** Threads are asked to stop, never ended: one that writes to LMDB must not vanish in the midst of it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      [...this.#running].map(async (worker) => {
        const exit = once(worker, 'exit');
        worker.postMessage('stop');
        await exit;
      }),
    );
  }

  #run(task: Task): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error('the upkeep has ended'));
    const workerData: UpkeepRequest = { location: this.#location, task };
    // It needs neither the service's secrets nor the flags that it was started with.
    const worker = new Worker(this.#entry, { workerData, env: {}, execArgv: [] });
    this.#running.add(worker);
    return new Promise((resolve, reject) => {
      let outcome: UpkeepMessage | undefined;
      worker.on('message', (message: UpkeepMessage) => {
        if (message.kind !== 'useless') outcome = message;
        else if (task.kind === 'snapshot') this.#onUselessSnapshot(task.journal, message.problem);
      });
      worker.once('error', reject);
      worker.once('exit', (code) => {
        this.#running.delete(worker);
        if (outcome?.kind === 'done') resolve(outcome.result);
        else reject(new Error(outcome?.problem ?? `its thread exited with code ${code}`));
      });
    });
  }
}
