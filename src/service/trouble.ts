import { refuse } from '../domain/refusals.ts';
import { SeqTakenError, StoreFullError, StoreUnavailableError, ValueTooLargeError } from '../journal/port.ts';

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
