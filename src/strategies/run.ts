import {
  deriveSeed,
  type FullSelection,
  type Need,
  randomAt,
  type ScoreContext,
  type ScoreStrategy,
  type Selection,
  type SelectStrategy,
  TopK,
} from '@concord/sdk/strategy';
import { StrategyFailedError } from './errors.ts';
import { guard } from './guard.ts';
import type { JsonObject } from './json.ts';
import type { Plan } from './plan.ts';
import { keep, reviewable, type SamplePool, visible, without } from './pool.ts';
import { Blocks, labelledFor, poolFor, samplesFor } from './samples.ts';
import { complete, stateOf } from './selection.ts';

/** What a run has beside its pool. */
export interface RunOptions {
  /** The round's, a uint32; each strategy gets its own from it, by its name. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** What each strategy kept in an earlier round, by its name. */
  readonly states: Readonly<Record<string, JsonObject>>;
}

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
  const shown = visible(pool, strategy.needs);
  const wanted = Math.min(count, shown.ordinals.length);
  if (wanted === 0) return complete(strategy, { ordinals: new Uint32Array(0) }, shown, 0, 0);
  return strategy.kind === 'score'
    ? score(strategy, plan, shown, wanted, options)
    : select(strategy, plan, shown, wanted, options, states);
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
    random: (ordinal: number, stream?: number) => randomAt(own, ordinal, stream),
    signal,
  } as ScoreContext<JsonObject, Need>;
}

function score(
  strategy: ScoreStrategy,
  plan: Plan,
  shown: SamplePool,
  count: number,
  options: RunOptions,
): FullSelection {
  const pool = keep(shown, (i) => shown.accepted[i] === 0);
  const { ordinals } = pool;
  const context = contextOf(plan, pool, options);
  const blocks = new Blocks(pool, strategy.needs);
  const top = new TopK(count, context.seed, ordinals.length);
  for (let from = 0; from < ordinals.length; from += blocks.size) {
    const to = Math.min(from + blocks.size, ordinals.length);
    const rows = blocks.rows(from, to);
    const part = guard(strategy.name, () => strategy.score(rows, context));
    checkScores(strategy, part, ordinals, from, to);
    top.offer(part, ordinals.subarray(from, to));
  }

  const chosen = top.top();
  const { reasons } = strategy;
  const selection = {
    ordinals: chosen.ordinals,
    scores: chosen.scores,
    reasons:
      reasons === null || chosen.ordinals.length === 0
        ? null
        : guard(strategy.name, () =>
            reasons(samplesFor(pool, strategy.needs, chosen.ordinals), chosen.scores.slice(), context),
          ),
  };
  return complete(strategy, selection, pool, chosen.ordinals.length, chosen.ordinals.length);
}

function checkScores(
  { name }: ScoreStrategy,
  scores: unknown,
  ordinals: Uint32Array,
  from: number,
  to: number,
): asserts scores is Float64Array | Float32Array {
  const fail = (detail: string): never => {
    throw new StrategyFailedError(name, 'invalid-result', detail);
  };
  if (!(scores instanceof Float64Array || scores instanceof Float32Array)) {
    return fail('score must return a Float64Array or Float32Array');
  }
  if (scores.length !== to - from) {
    return fail(`score returned ${scores.length} scores for ${to - from} samples`);
  }
  for (let i = 0; i < scores.length; i++) {
    const value = scores[i] as number;
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      return fail(`the score of sample ${ordinals[from + i]} is ${value}; it must be finite and ≥ 0`);
    }
  }
}

async function select(
  strategy: SelectStrategy,
  plan: Plan,
  pool: SamplePool,
  count: number,
  options: RunOptions,
  states: Record<string, JsonObject>,
): Promise<FullSelection> {
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
