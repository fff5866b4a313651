import { refuse } from '../domain/refusals.ts';
import { SeqTakenError, StoreFullError, StoreUnavailableError, ValueTooLargeError } from '../journal/port.ts';
import type { Environment } from './environment.ts';

/**
 * How long a store may take for one step before those who wait are told that it is away, in milliseconds. What it was
 * asked for may still come to pass.
 */
export const STORE_PATIENCE_MS = 5_000;

/** A store's trouble, as a command's caller is told of it; any other error is a fault and stays one. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof StoreFullError) return refuse('STORE_FULL', {});
  if (error instanceof StoreUnavailableError || error instanceof SeqTakenError)
    return refuse('STORE_UNAVAILABLE', {});
  if (error instanceof ValueTooLargeError)
    return refuse('INVALID_INPUT', { field: 'input', problem: `it is too large: ${error.message}` });
  return error;
}

/** What a store is asked beside its journals, with its trouble told as {@link asRefusal} does. */
export async function orRefusal<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw asRefusal(error);
  }
}

/**
 * What a store answers, if it does so in time.
 * @throws {StoreUnavailableError} it has not answered for {@link STORE_PATIENCE_MS}
 */
export function inTime<T>(environment: Environment, asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new StoreUnavailableError('the store does not answer'));
    const stop = environment.setTimer(late, STORE_PATIENCE_MS);
    asked.then(
      (answer) => {
        stop();
        resolve(answer);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
