import { NEEDS } from '@concord/sdk/strategy';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import { type Choice, mayOpenRound, strategyOfPolicy } from '../domain/rounds.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { inputsOf, type PoolRead, withPool } from './pool.ts';
import { encodeReasons } from './reasons.ts';
import { refusingFaults } from './strategyFaults.ts';
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
 * Opens a round: the strategy is checked, then it chooses in a worker while people go on labelling, then one commit
 * records what it chose.
 *
 * @param abandoned aborted when nobody waits for the round any more: its strategy is stopped then, and no round opened
 */
export async function openRound(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  request: RoundRequest,
  abandoned: AbortSignal,
): Promise<RoundView> {
  const signal = concord.untilStopped(abandoned);
  const seed = request.seed ?? new DataView(concord.environment.randomBytes(4).buffer).getUint32(0);
  const { deadline } = request;
  const { named, size, has } = await live.read((project) => {
    const size = request.size ?? project.policy.roundSize;
    mayOpenRound(project, size, deadline, concord.environment.now());
    return { size, named: strategyOf(project, request), has: inputsOf(project) };
  });
  const { needs } = await refusingFaults(() => concord.strategies.check(named.name, named.parameters, has));
  const choice = await withPool(concord, live, needs, signal, (pool) =>
    choose(concord, pool, { ...named, size, seed }, signal),
  );
  return live.execute('openRound', { by: viewer.member, choice, deadline }, roundView, { alone: true });
}

function strategyOf(project: Project, { strategy, parameters }: RoundRequest) {
  if (strategy !== null) return { name: strategy, parameters: parameters ?? {}, origin: 'REQUEST' as const };
  const named = strategyOfPolicy(project);
  return { ...named, parameters: parameters ?? named.parameters };
}

async function choose(
  concord: Concord,
  { pool, states, seq, run }: PoolRead,
  {
    name,
    parameters,
    origin,
    size,
    seed,
  }: ReturnType<typeof strategyOf> & { readonly size: number; readonly seed: number },
  signal: AbortSignal,
): Promise<Choice> {
  const unlabelled = pool.ordinals.length;
  if (unlabelled === 0) throw refuse('NOTHING_TO_SELECT', { unlabelled });
  const selection = await refusingFaults(() =>
    concord.strategies.select({ strategy: name, parameters, seed, count: size, pool, states }, { signal }),
  );
  if (selection.ordinals.length === 0) throw refuse('NOTHING_TO_SELECT', { unlabelled });
  const reasons = encodeReasons(selection.ordinals, selection.reasons);
  return {
    readAt: seq,
    requested: size,
    origin,
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
    reasons: reasons && (await orRefusal(concord.store.putChunk(reasons, concord.environment.now()))),
    states: selection.states,
  };
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
  await refusingFaults(() => concord.strategies.check(strategy, parameters, NEEDS));
}
