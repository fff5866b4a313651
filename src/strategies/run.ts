import {
  deriveSeed,
  type FullSelection,
  highest,
  randomAt,
  type ScoreStrategy,
  type Selection,
  type SelectStrategy,
} from '@concord/sdk/strategy';
import { StrategyFailedError } from './errors.ts';
import { guard } from './guard.ts';
import type { Plan } from './plan.ts';
import { gather, keep, NO_ROW, reviewable, type SamplePool, without } from './pool.ts';
import { complete } from './selection.ts';

/** Rows scored in one call: their probabilities stay in a core's cache from the copy to the sum. */
const BLOCK_BYTES = 256 * 1024;

/**
 * Runs a planned strategy over a pool.
 *
 * A strategy that needs probabilities sees only samples that have a row in the matrix. One that scores
 * chooses only among samples that need review. So there may be fewer chosen than asked for, and never more.
 *
 * @param count how many to choose, ≥ 0
 * @param seed the round's, a uint32; each strategy gets its own from it, by its name
 * @throws {StrategyFailedError}
 */
export async function run(plan: Plan, pool: SamplePool, count: number, seed: number): Promise<FullSelection> {
  const { strategy } = plan;
  const visible = strategy.needs.includes('probabilities')
    ? keep(pool, (i) => pool.rows?.[i] !== NO_ROW)
    : pool;
  const wanted = Math.min(count, visible.ordinals.length);
  if (wanted === 0) return complete(strategy, { ordinals: new Uint32Array(0) }, visible, 0, 0);

  const own = deriveSeed(seed, strategy.name);
  return strategy.kind === 'score'
    ? score(strategy, plan, visible, wanted, own)
    : select(strategy, plan, visible, wanted, own, seed);
}

function score(
  strategy: ScoreStrategy,
  { parameters }: Plan,
  visible: SamplePool,
  count: number,
  seed: number,
): FullSelection {
  const pool = keep(visible, (i) => visible.accepted[i] === 0);
  const { classes, ordinals } = pool;
  const context = { parameters, seed, random: randomFrom(seed) };
  const withProbabilities = strategy.needs.includes('probabilities');
  const block = Math.max(1, Math.floor(BLOCK_BYTES / (4 * classes)));
  const scores = new Float64Array(ordinals.length);

  for (let from = 0; from < ordinals.length; from += block) {
    const to = Math.min(from + block, ordinals.length);
    const rows = {
      length: to - from,
      classes,
      ordinals: ordinals.slice(from, to),
      probabilities: withProbabilities ? gather(pool, from, to) : null,
    };
    const part = guard(strategy.name, () => strategy.score(rows, context));
    checkScores(strategy, part, ordinals, from, to);
    scores.set(part, from);
  }

  const places = highest(scores, ordinals, count, seed);
  const selection = {
    ordinals: places.map((place) => ordinals[place] as number),
    scores: Float64Array.from(places, (place) => scores[place] as number),
  };
  return complete(strategy, selection, pool, places.length, places.length);
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
  { parameters, asked, needs }: Plan,
  pool: SamplePool,
  count: number,
  seed: number,
  roundSeed: number,
): Promise<FullSelection> {
  const ask = async (name: string, { count, exclude = new Uint32Array(0) }: AskOptions) => {
    const inner = asked.get(name);
    if (inner === undefined)
      throw new Error(`it asked ${JSON.stringify(name)}, which its asks does not name`);
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`it asked ${name} for ${count} samples`);
    return run(inner, without(pool, exclude), count, roundSeed);
  };
  const view = {
    count,
    classes: pool.classes,
    ordinals: pool.ordinals.slice(),
    accepted: pool.accepted.slice(),
    probabilities: strategy.needs.includes('probabilities') ? gather(pool, 0, pool.ordinals.length) : null,
  };
  const context = { parameters, seed, random: randomFrom(seed), ask };
  const selection: Selection = await guard(strategy.name, () => strategy.select(view, context));
  return complete(
    strategy,
    selection,
    pool,
    Math.min(count, reviewable(pool, needs.has('probabilities'))),
    count,
  );
}

interface AskOptions {
  readonly count: number;
  readonly exclude?: Uint32Array;
}

function randomFrom(seed: number) {
  return (ordinal: number, stream?: number) => randomAt(seed, ordinal, stream);
}
