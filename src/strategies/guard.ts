import { StrategyError, StrategyFailedError } from './errors.ts';
import { thrown } from './text.ts';

/**
 * Calls a plugin's code, and turns what it throws, at once or later, into a {@link StrategyFailedError} that
 * names the strategy. An error that already names one, thrown by a strategy that was asked, passes through.
 */
export function guard<Result>(strategy: string, call: () => Result): Result {
  const fail = (error: unknown): never => {
    if (error instanceof StrategyError) throw error;
    throw new StrategyFailedError(strategy, 'threw', thrown(error), { cause: error });
  };
  try {
    const result = call();
    return result instanceof Promise ? (result.catch(fail) as Result) : result;
  } catch (error) {
    return fail(error);
  }
}
