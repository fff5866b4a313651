import type { FullSelection, ScoreContext, ScoreStrategy, SelectStrategy, Strategy } from '../contract.ts';
import { TopK } from '../order.ts';
import { deriveSeed, generator } from '../random.ts';
import type { Need, Pool, Rows } from '../samples.ts';
import { labelledOf, samplesAt, type Universe } from './universe.ts';

/*
 * A stand for trying a strategy on: it calls it as the service's host does, but in this thread and without any of the
 * host's protections. That both choose the same is among Concord's own tests.
 */

/** The strategy broke its contract. */
export class ContractError extends Error {
  override name = 'ContractError';
}

export interface StandOptions {
  readonly count: number;
  readonly seed: number;
  /** As its schema made them. */
  readonly parameters: unknown;
  /** Whom it may ask. */
  readonly others: readonly Strategy[];
  readonly signal: AbortSignal;
  /** Rows in a block; default: all. */
  readonly block?: number;
}

/** What the strategy chooses, made complete as the host does it. @throws {ContractError} */
export async function chooseOn(
  strategy: Strategy,
  from: Universe,
  options: StandOptions,
): Promise<FullSelection> {
  return strategy.kind === 'score' ? scored(strategy, from, options) : selected(strategy, from, options);
}

/** The score of each of the places, which come together in blocks, in the order given. @throws {ContractError} */
export function scoresAt(
  strategy: ScoreStrategy,
  from: Universe,
  places: readonly number[],
  options: StandOptions,
  block = places.length,
): Float64Array {
  const context = contextOf(strategy, from, options);
  const all = new Float64Array(places.length);
  for (let at = 0; at < places.length; at += block) {
    const rows: Rows<Need> = samplesAt(from, places.slice(at, at + block), strategy.needs);
    const scores: unknown = strategy.score(rows, context);
    insist(
      scores instanceof Float64Array || scores instanceof Float32Array,
      'score must return a Float64Array or Float32Array',
    );
    insist(
      scores.length === rows.length,
      `score returned ${scores.length} scores for ${rows.length} samples`,
    );
    all.set(scores, at);
  }
  return all;
}

function scored(strategy: ScoreStrategy, from: Universe, options: StandOptions): FullSelection {
  const places = from.open.filter((place) => !from.accepted.has(place));
  const scores =
    places.length === 0 ? new Float64Array(0) : scoresAt(strategy, from, places, options, options.block);
  const top = new TopK(options.count, deriveSeed(options.seed, strategy.name), scores.length, 0);
  top.offer(
    scores,
    Uint32Array.from(places, (place) => from.ordinals[place] as number),
  );
  return complete(strategy, top.top(), from, 0, options.count);
}

async function selected(
  strategy: SelectStrategy,
  from: Universe,
  { count: most, ...options }: StandOptions,
): Promise<FullSelection> {
  const count = Math.min(most, from.open.length);
  if (count === 0) return complete(strategy, { ordinals: new Uint32Array(0) }, from, 0, 0);
  const { needs } = strategy;
  const asked = new Map(
    strategy.asks(options.parameters).map(({ strategy, parameters }) => [strategy, parameters]),
  );
  const ask = async (name: string, { count, exclude }: { count: number; exclude?: Uint32Array }) => {
    insist(asked.has(name), `it asked ${name}, which its asks does not name`);
    const other = options.others.find((one) => one.name === name);
    insist(other !== undefined, `it asks ${name}: give it to conformance in \`others\``);
    const without = new Set(exclude);
    const open = from.open.filter((place) => !without.has(from.ordinals[place] as number));
    const parameters = await parsed(other, asked.get(name));
    return chooseOn(other, { ...from, open }, { ...options, count, parameters });
  };
  const pool = {
    ...samplesAt(from, from.open, needs),
    count,
    accepted: Uint8Array.from(from.open, (place) => Number(from.accepted.has(place))),
    only: (ordinals: Uint32Array) => {
      const places = Array.from(ordinals, (ordinal) => {
        const place = from.open.find((place) => from.ordinals[place] === ordinal);
        if (place === undefined) throw new RangeError(`sample ${ordinal} is not in the pool`);
        return place;
      });
      return samplesAt(from, places, needs);
    },
  } as Pool<Need>;
  const context = { ...contextOf(strategy, from, { ...options, count }), state: null, ask };
  const selection = await strategy.select(pool, context);
  const review = from.open.filter((place) => !from.accepted.has(place)).length;
  return complete(strategy, selection, from, Math.min(count, review), count);
}

function contextOf(
  { name, needs }: Strategy,
  from: Universe,
  { seed, parameters, signal }: StandOptions,
): ScoreContext<unknown, Need> {
  const own = deriveSeed(seed, name);
  const perClass = (need: Need, value: (label: number) => number) =>
    needs.includes(need) ? Array.from({ length: from.classes }, (_, label) => value(label)) : null;
  const counts = perClass('classCounts', (label) => {
    return from.labelled.filter((place) => place % from.classes === label).length;
  });
  const cost = perClass('cost', (label) => 2 + label / 4);
  return {
    parameters: structuredClone(parameters),
    labelSet: Array.from({ length: from.classes }, (_, label) => `class ${label}`),
    labelled: labelledOf(from, needs),
    classCounts: counts && Uint32Array.from(counts),
    cost: cost && Float32Array.from(cost),
    seed: own,
    random: generator(own),
    signal,
  } as unknown as ScoreContext<unknown, Need>;
}

/** What the schema makes of parameters. @throws {ContractError} it refuses them */
export async function parsed({ name, parameters: schema }: Strategy, given: unknown): Promise<unknown> {
  if (schema === null) return {};
  const result = await schema['~standard'].validate(given ?? {});
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message }) => message).join('; ');
  throw new ContractError(`${name} refuses the parameters ${JSON.stringify(given ?? {})}: ${issues}`);
}

/** Checks a selection, and fills in what it left open. */
function complete(
  { name, maximum }: Strategy,
  selection: Awaited<ReturnType<SelectStrategy['select']>>,
  from: Universe,
  least: number,
  most: number,
): FullSelection {
  insist(typeof selection === 'object' && selection !== null, 'select must return a selection');
  const { ordinals, inclusionProbability = null, reasons = null } = selection;
  insist(ordinals instanceof Uint32Array, 'ordinals must be a Uint32Array');
  const { length } = ordinals;
  insist(length <= most, `it chose ${length} samples, more than the ${most} asked for`);
  insist(length >= least, `it chose ${length} samples, fewer than the ${least} that it could have`);
  const open = new Set(from.open.map((place) => from.ordinals[place]));
  for (const ordinal of ordinals) {
    insist(open.delete(ordinal), `it chose sample ${ordinal} twice, or it is not in the pool`);
  }
  const scores = selection.scores ?? new Float64Array(length).fill(Number.NaN);
  insist(
    scores instanceof Float64Array && scores.length === length,
    'scores must be a Float64Array, one an ordinal',
  );
  insist(
    scores.every((score) => Number.isNaN(score) || (score >= 0 && score < Number.POSITIVE_INFINITY)),
    'scores must be finite and ≥ 0, or NaN',
  );
  const random = selection.random ?? new Uint8Array(length);
  insist(
    random instanceof Uint8Array && random.length === length && random.every((flag) => flag < 2),
    'random must be a Uint8Array of 0 and 1, one an ordinal',
  );
  const chance = inclusionProbability ?? 0;
  insist(
    random.includes(1) ? chance > 0 && chance <= 1 : inclusionProbability === null,
    'an inclusionProbability in (0, 1] goes with random samples, and with them alone',
  );
  let { normalised } = selection;
  if (normalised === undefined) {
    insist(maximum !== null || scores.every(Number.isNaN), 'it returned scores, but has no maximum');
    const largest = maximum?.(from.classes) ?? 1;
    const above = scores.find((score) => score > largest * 1.002);
    insist(above === undefined, `a score is ${above}, above its maximum of ${largest}`);
    normalised = scores.map((score) => (Number.isNaN(score) ? 0 : Math.min(1, score / largest)));
  }
  insist(
    normalised instanceof Float64Array &&
      normalised.length === length &&
      normalised.every((value) => value >= 0 && value <= 1),
    'normalised must be a Float64Array in 0 … 1, one an ordinal',
  );
  insist(
    reasons === null || (Array.isArray(reasons) && reasons.length === length),
    `the reasons of ${name} must be an array, one text or null an ordinal`,
  );
  const given = reasons?.some((reason) => reason !== null) ? reasons : null;
  return { ordinals, scores, normalised, random, inclusionProbability, reasons: given };
}

export function insist(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new ContractError(problem);
}
