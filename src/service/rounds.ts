import { refuse } from '../domain/refusals.ts';
import { type Choice, candidatePool, mayOpenRound } from '../domain/rounds.ts';
import {
  BrokenStrategyError,
  MissingInputError,
  StrategyFailedError,
  StrategyParametersError,
  UnknownStrategyError,
} from '../strategies/errors.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { orRefusal } from './trouble.ts';
import { type RoundView, roundView } from './views.ts';

export interface RoundRequest {
  /** How many samples; null: as the policy says. */
  readonly size: number | null;
  /** Null: the policy's, with its parameters. */
  readonly strategy: string | null;
  readonly parameters: Readonly<Record<string, unknown>> | null;
  /** uint32; null: a random one. It is kept with the round, so the choice can be repeated. */
  readonly seed: number | null;
  /** When what is unsettled is withdrawn, in milliseconds since 1970; null: never. */
  readonly deadline: number | null;
}

/**
 * Opens a round: the strategy scores in a worker while people go on labelling, then one commit records what it
 * chose.
 */
export async function openRound(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  request: RoundRequest,
): Promise<RoundView> {
  const seed = request.seed ?? new DataView(concord.environment.randomBytes(4).buffer).getUint32(0);
  const { deadline } = request;
  const plan = await live.read((project) => {
    const { policy, currentRun, labels, samples } = project;
    const size = request.size ?? policy.roundSize;
    mayOpenRound(project, size, deadline, concord.environment.now());
    const strategy = request.strategy ?? policy.strategy.name;
    const parameters = request.parameters ?? (request.strategy === null ? policy.strategy.parameters : {});
    return {
      size,
      strategy,
      parameters,
      run: currentRun,
      labelSet: labels,
      samples: samples.size,
      candidates: candidatePool(project),
    };
  });
  const { candidates, labelSet, run } = plan;
  const unlabelled = candidates.ordinals.length;
  if (unlabelled === 0) throw refuse('NOTHING_TO_SELECT', { unlabelled });
  const matrix = run ? await orRefusal(live.matrix.of(run, labelSet.length, plan.samples)) : null;
  const choice = await refusingFaults(async () => {
    const selection = await concord.strategies.select({
      strategy: plan.strategy,
      parameters: plan.parameters,
      seed,
      count: plan.size,
      pool: {
        ...candidates,
        labelSet,
        predictions: matrix && { ...matrix, passes: null },
        embeddings: null,
        labelled: null,
        classCounts: null,
        cost: null,
      },
    });
    const choice: Choice = {
      strategy: {
        name: selection.strategy,
        version: selection.version,
        parameters: selection.parameters,
        asked: selection.asked.map(({ strategy, version }) => ({ name: strategy, version })),
      },
      seed,
      run: run?.number ?? null,
      samples: selection.ordinals,
      scores: selection.scores,
      normalised: selection.normalised,
      random: selection.random,
      inclusionProbability: selection.inclusionProbability,
    };
    return choice;
  });
  if (choice.samples.length === 0) throw refuse('NOTHING_TO_SELECT', { unlabelled });
  const input = { by: viewer.member, choice, deadline };
  return live.execute('openRound', input, roundView, { alone: true });
}

/**
 * Makes sure that a strategy is there and takes its parameters, before a policy names it: else only whoever
 * opens a round would hear of a slip.
 */
export async function checkStrategy(
  concord: Concord,
  strategy: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<void> {
  // Whatever it needs, the project may still get.
  const { needs = [] } = concord.strategies.list().find(({ name }) => name === strategy) ?? {};
  const available = [...new Set([...needs, 'probabilities' as const])];
  await refusingFaults(() => concord.strategies.check(strategy, parameters, available));
}

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
    throw error;
  }
}
