import { MinHeap } from '../../src/domain/heap.ts';
import type { Dice } from './dice.ts';

/**
 * Virtual time. Tasks run one after another in the order of their times; after each, every promise that can go on
 * goes on until none can, and only then comes the next. So all that a run does follows from its seed, and an hour
 * passes as fast as its tasks run.
 *
 * Tasks of the same millisecond run in an order that the dice choose.
 */
export class Scheduler {
  /** Milliseconds since the run began, with a fraction that only orders. */
  now = 0;
  readonly #dice: Dice;
  readonly #due = new MinHeap();
  readonly #tasks = new Map<number, () => void>();
  #scheduled = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** Runs a task after `ms`; the answer calls it off. */
  after(ms: number, task: () => void): () => void {
    const id = this.#scheduled++;
    this.#tasks.set(id, task);
    this.#due.push(Math.floor(this.now + ms) + this.#dice.fraction(), id);
    return () => this.#tasks.delete(id);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Ends the run: whoever notices that something is wrong, wherever it stands. The first failure is kept. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Runs until nothing is scheduled any more, or something has failed. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = () => {
        if (this.#failure === null) {
          const task = this.#next();
          if (task === undefined) return resolve();
          try {
            task();
          } catch (error) {
            this.fail(error);
          }
        }
        if (this.#failure !== null) return reject(this.#failure.error);
        // A tick comes when the queue of microtasks is empty: cheaper than a turn of the real event loop.
        queueMicrotask(() => process.nextTick(next));
      };
      queueMicrotask(() => process.nextTick(next));
    });
  }

  #next(): (() => void) | undefined {
    for (let first = this.#due.pop(); first !== undefined; first = this.#due.pop()) {
      const task = this.#tasks.get(first.value);
      if (task === undefined) continue;
      this.#tasks.delete(first.value);
      this.now = Math.max(this.now, first.priority);
      return task;
    }
    return undefined;
  }
}
