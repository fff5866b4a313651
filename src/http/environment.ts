import { randomFillSync } from 'node:crypto';
import type { Environment } from '../service/environment.ts';

/** Random bytes drawn at a time: a call of the system's costs as much for sixteen as for thousands. */
const POOL_BYTES = 4_096;

/** Bytes that nobody can guess, each handed out once. */
function randomSource(): (count: number) => Uint8Array {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return (count) => {
    if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
    if (used + count > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const bytes = pool.slice(used, used + count);
    used += count;
    return bytes;
  };
}

/** The real world: this machine's clock, timers and randomness. */
export const realEnvironment: Environment = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  randomBytes: randomSource(),
};
