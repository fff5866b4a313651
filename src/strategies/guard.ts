import { StrategyError, StrategyFailedError } from './errors.ts';
import { InvalidPoolError } from './pool.ts';
import { thrown } from './text.ts';

/**
 * Calls a plugin's code, and turns what it throws, at once or later, into a {@link StrategyFailedError} that
 * names the strategy. An error that already names one, thrown by a strategy that was asked, passes through, and so does
 * one that is the caller's fault.
 */
export function guard<Result>(strategy: string, call: () => Result): Result {
  const fail = (error: unknown): never => {
    if (error instanceof StrategyError || error instanceof InvalidPoolError) throw error;
    throw new StrategyFailedError(strategy, 'threw', thrown(error), { cause: error });
  };
  try {
    const result = call();
    return result instanceof Promise ? (result.catch(fail) as Result) : result;
  } catch (error) {
    return fail(error);
  }
}
