import type { Environment } from '../../src/service/environment.ts';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** A world in which time passes only when the test says so, and randomness repeats itself. */
export class StillWorld implements Environment {
  #now: number;
  #drawn = 0;
  readonly #timers = new Set<Timer>();

  constructor(now = 1_700_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  setTimer(callback: () => void, ms: number): () => void {
    const timer = { due: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  randomBytes(count: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(4, count));
    new DataView(bytes.buffer).setUint32(0, ++this.#drawn);
    return bytes.slice(0, count);
  }

  /** Timers that have not fired: none is left when everybody has gone. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass: first what is under way settles, then timers fire in order, each followed by what it sets off. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Resolves when every promise that could go on has gone on: nothing here waits for the outer world. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
