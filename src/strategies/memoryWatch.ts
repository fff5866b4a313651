import type { SetTimer } from './threads.ts';

/** How often it is measured while something runs. */
const EVERY_MS = 50;
const MIB = 1024 * 1024;

/** What is measured: the memory of the process that is not the calling thread's own, in bytes. */
export type Measure = () => number;

/** What the workers hold, closely: all that lies in memory, without this thread's heap and buffers. */
function workersMemory(): number {
  const { rss, heapTotal, external, arrayBuffers } = process.memoryUsage();
  // Buffers are counted as external too, but for those on shared memory.
  return Math.max(0, rss - heapTotal - Math.max(external, arrayBuffers));
}

interface Watched {
  readonly from: number;
  readonly end: (limitMb: number, isAlone: boolean) => void;
}

/**
 * Ends calls that take up too much memory outside their JavaScript heap: typed arrays, WebAssembly, what native code
 * allocates. The engine bounds the heap of a worker and nothing else, and while a worker is in a loop nobody can ask
 * it; so the process is watched from outside. Of several calls under way, the newest that is above the limit ends
 * first; it may be another's doing, so whoever ran it may try again.
 */
export class MemoryWatch {
  readonly #limit: number;
  readonly #setTimer: SetTimer;
  readonly #measure: Measure;
  readonly #calls = new Set<Watched>();
  #stop: (() => void) | null = null;

  constructor(limitMb: number, setTimer: SetTimer, measure: Measure = workersMemory) {
    this.#limit = limitMb * MIB;
    this.#setTimer = setTimer;
    this.#measure = measure;
  }

  /**
   * Watches a call.
   * @param end called once, if the call takes too much: with the limit in MiB, and whether it was the only one
   * @returns ends the watch
   */
  enter(end: Watched['end']): () => void {
    const watched = { from: this.#measure(), end };
    this.#calls.add(watched);
    this.#look();
    return () => {
      this.#calls.delete(watched);
      if (this.#calls.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  }

  #look(): void {
    this.#stop ??= this.#setTimer(() => {
      this.#stop = null;
      const now = this.#measure();
      const above = [...this.#calls].filter(({ from }) => now - from > this.#limit).at(-1);
      if (above !== undefined) {
        const isAlone = this.#calls.size === 1;
        this.#calls.delete(above);
        above.end(this.#limit / MIB, isAlone);
      }
      if (this.#calls.size > 0) this.#look();
    }, EVERY_MS);
  }
}
