/** Whether something was kept that should have gone. */

/** What the memory may grow by, in MiB: some inputs are right, and what they change is kept. A KiB for each of 100,000 would be 98. */
export const MAX_GROWTH_MIB = 32;
/** So many more sockets, timers and the like may be open: some have not closed yet. */
const MAX_MORE_HANDLES = 16;

/** What the process holds once its garbage was collected. */
export interface Held {
  /** Objects, and buffers beside the heap, in MiB. */
  readonly memory: number;
  readonly handles: number;
}

/** @throws {Error} Node runs without --expose-gc, and what is garbage cannot be told */
export function held(): Held {
  if (globalThis.gc === undefined) throw new Error('run Node with --expose-gc: garbage is no leak');
  // What was let go in the first is let go of by finalizers before the second.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return { memory: (heapUsed + external) / 2 ** 20, handles: process.getActiveResourcesInfo().length };
}

/** What leaked between two moments, in words; null: nothing, by the bounds. */
export function leakIn(before: Held, after: Held): string | null {
  const grown = after.memory - before.memory;
  if (grown > MAX_GROWTH_MIB) return `memory grew by ${grown.toFixed(0)} MiB`;
  const more = after.handles - before.handles;
  return more > MAX_MORE_HANDLES ? `${more} more handles are open` : null;
}
