import type { Observer } from './observer.ts';

/**
 * Everything that the service takes from the world beside its store. It is passed in, so that time, timers and
 * randomness of a whole cluster can be simulated in one process, and any run repeated from its seed.
 */
export interface Environment {
  /** Is told what the service does, so that it can be counted; without one, nothing is. */
  readonly observer?: Observer | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since whenever: a clock that is never set, and that runs on while the process stands still. */
  monotonic(): number;
  /** Calls back once after `ms`; the answer cancels it. */
  setTimer(callback: () => void, ms: number): () => void;
  /** Bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array;
}

/** A random id of 128 bits: 22 characters that are safe in a URL. */
export function newId(environment: Environment): string {
  return Buffer.from(environment.randomBytes(16)).toString('base64url');
}

/** A promise that resolves after `ms`. */
export function delay(environment: Environment, ms: number): Promise<void> {
  return new Promise((resolve) => {
    environment.setTimer(resolve, ms);
  });
}
