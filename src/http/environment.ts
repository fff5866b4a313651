import { randomBytes } from 'node:crypto';
import type { Environment } from '../service/environment.ts';

/** The real world: this machine's clock, timers and randomness. */
export const realEnvironment: Environment = {
  now: () => Date.now(),
  setTimer: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
};
