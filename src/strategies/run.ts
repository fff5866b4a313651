import {
  deriveSeed,
  type FullSelection,
  generator,
  type Need,
  type ScoreContext,
  type ScoreStrategy,
  type Selection,
  type SelectStrategy,
  TopK,
  UnsoundScoreError,
} from '@concord/sdk/strategy';
import { Blocks } from './blocks.ts';
import { StrategyFailedError } from './errors.ts';
import { guard } from './guard.ts';
import type { JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import { reviewable, type SamplePool, visible, without } from './pool.ts';
import type { ScoreTask } from './protocol.ts';
import { labelledFor, poolFor, samplesFor } from './samples.ts';
import { complete, stateOf } from './selection.ts';
import { type Best, bestOf, isWorthSharing, newCursor, shares, takeRest } from './split.ts';

/** What a run has beside its pool. */
export interface RunOptions {
  /** The round's, a uint32; each strategy gets its own from it, by its name. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** What each strategy kept in an earlier round, by its name. */
  readonly states: Readonly<Record<string, JsonObject>>;
  /** Of this thread, among those that share memory; default: it copies what it scores. */
  readonly seat?: number;
  /** Has other threads help to score a pool; default: nobody helps. */
  readonly help?: Help;
}

/**
 * Asks other threads to take shares of a pool.
 * @returns what came of it, when all have ended; null is one that came to nothing
 */
export type Help = (
  share: Pick<ScoreTask, 'strategy' | 'parameters' | 'pool' | 'count' | 'cursor'>,
) => Promise<readonly (Best | null)[]>;

/** What came of a run. */
export interface Run {
  readonly selection: FullSelection;
  /** What the strategies keep for the next round, by their names; of those alone that returned a state. */
  readonly states: Readonly<Record<string, JsonObject>>;
}

/**
 * Runs a planned strategy over a pool.
 *
 * A strategy that needs what a prediction run or embeddings give sees only samples that have it. One that scores
 * chooses only among samples that need review. So there may be fewer chosen than asked for, and never more.
 *
 * @param count how many to choose, ≥ 0
 * @throws {StrategyFailedError}
 */
export async function run(plan: Plan, pool: SamplePool, count: number, options: RunOptions): Promise<Run> {
  const states: Record<string, JsonObject> = {};
  const selection = await choose(plan, pool, count, options, states);
  return { selection, states };
}

async function choose(
  plan: Plan,
  pool: SamplePool,
  count: number,
  options: RunOptions,
  states: Record<string, JsonObject>,
): Promise<FullSelection> {
  const { strategy } = plan;
  return strategy.kind === 'score'
    ? score(strategy, plan, pool, count, options)
    : select(strategy, plan, visible(pool, strategy.needs), count, options, states);
}

/** What any strategy is given beside its samples. */
function contextOf(
  { strategy: { name, needs }, parameters }: Plan,
  pool: SamplePool,
  { seed, signal }: RunOptions,
): ScoreContext<JsonObject, Need> {
  const own = deriveSeed(seed, name);
  const copy = <T extends Uint32Array | Float32Array>(need: Need, numbers: T | null) =>
    needs.includes(need) && numbers !== null ? (numbers.slice() as T) : null;
  // Null is what a strategy sees of what it does not need; its type says so.
  return {
    parameters,
    labelSet: [...pool.labelSet],
    labelled: labelledFor(pool, needs),
    classCounts: copy('classCounts', pool.classCounts),
    cost: copy('cost', pool.cost),
    seed: own,
    random: generator(own),
    signal,
  } as ScoreContext<JsonObject, Need>;
}

async function score(
  strategy: ScoreStrategy,
  plan: Plan,
  pool: SamplePool,
  count: number,
  options: RunOptions,
): Promise<FullSelection> {
  const { name, needs, reasons } = strategy;
  const context = contextOf(plan, pool, options);
  const chosen =
    options.help === undefined || !isWorthSharing(pool, needs)
      ? scoreShares(strategy, pool, count, context, [pool], options.seat)
      : await scoreTogether(strategy, plan, pool, count, context, options.help, options.seat);
  const { length } = chosen.ordinals;
  const selection = {
    ordinals: chosen.ordinals,
    scores: chosen.scores,
    reasons:
      reasons === null || length === 0
        ? null
        : guard(name, () =>
            reasons(samplesFor(pool, needs, chosen.ordinals), chosen.scores.slice(), context),
          ),
  };
  return complete(strategy, selection, pool, length, length);
}

/** The best of some shares of a pool, which come in ascending order. */
function scoreShares(
  { name, needs, score }: ScoreStrategy,
  pool: SamplePool,
  count: number,
  context: ScoreContext<JsonObject, Need>,
  shares: Iterable<SamplePool>,
  seat: number | undefined,
): Best {
  const top = new TopK(count, context.seed, pool.ordinals.length, 0);
  if (count === 0) return top.top();
  const blocks = new Blocks(pool, needs, seat);
  for (const share of shares) {
    for (const { ordinals, rows } of blocks.of(share)) {
      const scores = guard(name, () => score(rows, context));
      take(name, top, scores, ordinals);
    }
  }
  return top.top();
}

async function scoreTogether(
  strategy: ScoreStrategy,
  { parameters }: Plan,
  pool: SamplePool,
  count: number,
  context: ScoreContext<JsonObject, Need>,
  help: Help,
  seat: number | undefined,
): Promise<Best> {
  const cursor = newCursor();
  const helped = help({ strategy: strategy.name, parameters, pool, count, cursor });
  try {
    const own = scoreShares(strategy, pool, count, context, shares(pool, cursor, 0), seat);
    const parts = await helped;
    if (!parts.includes(null)) return bestOf([own, ...(parts as Best[])], count, context.seed);
  } catch (error) {
    // What is wrong is found again below, where it does not depend on who took which share.
    if (!(error instanceof StrategyFailedError)) throw error;
    takeRest(pool, cursor);
    await helped;
  }
  return scoreShares(strategy, pool, count, context, [pool], seat);
}

/** What a thread does that helps another one. */
export function scoreTask(
  plan: Plan,
  { pool, count, cursor }: Pick<ScoreTask, 'pool' | 'count' | 'cursor'>,
  options: RunOptions,
): Best {
  const { strategy } = plan;
  if (strategy.kind !== 'score') throw new Error(`${strategy.name} does not score`);
  const context = contextOf(plan, pool, options);
  return scoreShares(strategy, pool, count, context, shares(pool, cursor), options.seat);
}

/** @throws {StrategyFailedError} they are no scores of these samples */
function take(name: string, top: TopK, scores: unknown, ordinals: Uint32Array): void {
  const invalid = (detail: string) => new StrategyFailedError(name, 'invalid-result', detail);
  if (!(scores instanceof Float64Array || scores instanceof Float32Array)) {
    throw invalid('score must return a Float64Array or Float32Array');
  }
  if (scores.length !== ordinals.length) {
    throw invalid(`score returned ${scores.length} scores for ${ordinals.length} samples`);
  }
  try {
    top.offer(scores, ordinals);
  } catch (error) {
    if (!(error instanceof UnsoundScoreError)) throw error;
    const { place, score } = error;
    throw invalid(`the score of sample ${ordinals[place]} is ${score}; it must be finite and ≥ 0`);
  }
}

async function select(
  strategy: SelectStrategy,
  plan: Plan,
  pool: SamplePool,
  most: number,
  options: RunOptions,
  states: Record<string, JsonObject>,
): Promise<FullSelection> {
  const count = Math.min(most, pool.ordinals.length);
  if (count === 0) return complete(strategy, { ordinals: new Uint32Array(0) }, pool, 0, 0);
  const { name } = strategy;
  const ask = async (asked: string, { count, exclude = new Uint32Array(0) }: AskOptions) => {
    const inner = plan.asked.get(asked);
    if (inner === undefined)
      throw new Error(`it asked ${JSON.stringify(asked)}, which its asks does not name`);
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`it asked ${asked} for ${count} samples`);
    return choose(inner, without(pool, exclude), count, options, states);
  };
  const state = options.states[name];
  const context = {
    ...contextOf(plan, pool, options),
    // Each its own: an earlier round is repeated with what it was given, whatever became of that.
    state: state === undefined ? null : structuredClone(state),
    ask,
  };
  const view = poolFor(pool, strategy.needs, count);
  const selection: Selection = await guard(name, () => strategy.select(view, context));
  const least = Math.min(count, reviewable(pool, plan.needs));
  const chosen = complete(strategy, selection, pool, least, count);
  const kept = stateOf(strategy, selection);
  if (kept !== null) states[name] = kept;
  return chosen;
}

interface AskOptions {
  readonly count: number;
  readonly exclude?: Uint32Array;
}
