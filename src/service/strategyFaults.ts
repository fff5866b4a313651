import { refuse } from '../domain/refusals.ts';
import {
  BrokenStrategyError,
  MissingInputError,
  StrategyFailedError,
  StrategyHostClosedError,
  StrategyParametersError,
  UnknownStrategyError,
} from '../strategies/errors.ts';
import { ServiceStoppingError } from './stopping.ts';

/**
 * Runs a strategy; what it may fail with becomes a refusal, for it is the researcher's to mend. The refusal names
 * the strategy at fault, which may be one that another asks.
 */
export async function refusingFaults<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UnknownStrategyError) {
      throw refuse('UNKNOWN_STRATEGY', { strategy: error.strategy, known: error.known });
    }
    if (error instanceof BrokenStrategyError) {
      const { strategy, file, problem } = error;
      // A problem of the compiler begins with its place.
      const placed = problem.startsWith(`${file}:`) ? problem : `${file}: ${problem}`;
      throw refuse('BROKEN_STRATEGY', { strategy, problem: placed });
    }
    if (error instanceof StrategyParametersError) {
      const issues = error.issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
      throw refuse('BAD_STRATEGY_PARAMETERS', { strategy: error.strategy, issues });
    }
    if (error instanceof MissingInputError) {
      throw refuse('MISSING_STRATEGY_INPUT', { strategy: error.strategy, missing: error.need });
    }
    if (error instanceof StrategyFailedError) {
      throw refuse('STRATEGY_FAILED', { strategy: error.strategy, problem: error.detail });
    }
    if (error instanceof StrategyHostClosedError) throw new ServiceStoppingError();
    throw error;
  }
}
