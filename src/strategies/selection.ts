import {
  type FullSelection,
  MAX_REASON,
  MAX_REASONS,
  type Selection,
  type Strategy,
} from '@concord/sdk/strategy';
import { StrategyFailedError } from './errors.ts';
import { guard } from './guard.ts';
import { copyJsonObject, type JsonObject, NotJsonError } from './json.ts';
import { isIn, type SamplePool } from './pool.ts';

/**
 * Checks what a strategy answered, and fills in what it left open.
 *
 * @param least how many samples it must have chosen
 * @param most how many it may have chosen
 * @throws {StrategyFailedError} the answer breaks the contract
 */
export function complete(
  strategy: Strategy,
  selection: Selection,
  pool: SamplePool,
  least: number,
  most: number,
): FullSelection {
  const fail = (detail: string): never => {
    throw new StrategyFailedError(strategy.name, 'invalid-result', detail);
  };
  const check = (condition: boolean, detail: string) => {
    if (!condition) fail(detail);
  };

  check(typeof selection === 'object' && selection !== null, 'select must return a selection');
  const { ordinals } = selection;
  check(ordinals instanceof Uint32Array, 'ordinals must be a Uint32Array');
  const { length } = ordinals;
  check(length <= most, `it chose ${length} samples, more than the ${most} asked for`);
  check(length >= least, `it chose ${length} samples, fewer than the ${least} that it could have`);
  const seen = new Set<number>();
  for (const ordinal of ordinals) {
    check(isIn(pool.ordinals, ordinal), `it chose sample ${ordinal}, which is not in the pool`);
    check(!seen.has(ordinal), `it chose sample ${ordinal} twice`);
    seen.add(ordinal);
  }

  const scores = selection.scores ?? new Float64Array(length).fill(Number.NaN);
  check(
    scores instanceof Float64Array && scores.length === length,
    'scores must be a Float64Array, one an ordinal',
  );
  scores.forEach((score, i) => {
    const sound = Number.isNaN(score) || (score >= 0 && score < Number.POSITIVE_INFINITY);
    check(sound, `the score of sample ${ordinals[i]} is ${score}; it must be finite and ≥ 0`);
  });

  const random = selection.random ?? new Uint8Array(length);
  check(
    random instanceof Uint8Array && random.length === length,
    'random must be a Uint8Array, one an ordinal',
  );
  check(
    random.every((flag) => flag === 0 || flag === 1),
    'random must hold 0 and 1 alone',
  );
  const inclusionProbability = selection.inclusionProbability ?? null;
  if (random.includes(1)) {
    check(
      inclusionProbability !== null && inclusionProbability > 0 && inclusionProbability <= 1,
      'random samples need an inclusionProbability in (0, 1]',
    );
  } else {
    check(inclusionProbability === null, 'an inclusionProbability goes with random samples');
  }

  const normalised =
    selection.normalised ?? normalise(strategy, scores, ordinals, pool.labelSet.length, fail);
  check(
    normalised instanceof Float64Array &&
      normalised.length === length &&
      normalised.every((value) => value >= 0 && value <= 1),
    'normalised must be a Float64Array in 0 … 1, one an ordinal',
  );
  // Copies: what a plugin returns may be a window on something large, or the same memory twice.
  return {
    ordinals: new Uint32Array(ordinals),
    scores: new Float64Array(scores),
    normalised: new Float64Array(normalised),
    random: new Uint8Array(random),
    inclusionProbability,
    reasons: reasonsOf(selection.reasons ?? null, ordinals, fail),
  };
}

function reasonsOf(
  reasons: unknown,
  ordinals: Uint32Array,
  fail: (detail: string) => never,
): readonly (string | null)[] | null {
  if (reasons === null) return null;
  if (!Array.isArray(reasons) || reasons.length !== ordinals.length) {
    return fail('reasons must be an array, one text or null an ordinal');
  }
  const seen = new Set<string>();
  let characters = 0;
  const copy = Array.from(reasons, (reason: unknown, i) => {
    if (reason === null) return null;
    if (typeof reason !== 'string' || !isLine(reason)) {
      return fail(`the reason of sample ${ordinals[i]} is not one line of 1 to ${MAX_REASON} characters`);
    }
    if (!seen.has(reason)) characters += reason.length;
    seen.add(reason);
    return reason;
  });
  if (characters > MAX_REASONS) {
    return fail(`its reasons have ${characters} characters; ${MAX_REASONS} are the most`);
  }
  return copy.some((reason) => reason !== null) ? copy : null;
}

/** Text that can be shown, and kept by any store: no control characters, no half of a character. */
export function isLine(text: string): boolean {
  return text.length > 0 && text.length <= MAX_REASON && !/[\p{Cc}\p{Surrogate}]/u.test(text);
}

/**
 * What a strategy keeps for its next round, or null.
 * @throws {StrategyFailedError} it is no JSON object of up to 64 KiB
 */
export function stateOf({ name }: Strategy, { state }: Selection): JsonObject | null {
  if (state === undefined) return null;
  return guard(name, () => {
    try {
      return copyJsonObject(state);
    } catch (error) {
      if (!(error instanceof NotJsonError)) throw error;
      const at = error.path.length === 0 ? '' : ` (at ${error.path.join('.')})`;
      throw new StrategyFailedError(
        name,
        'invalid-result',
        `the contents of its state ${error.message}${at}`,
      );
    }
  });
}

/** Rows sum to 1 within 0.001, and a score may be above its maximum by twice as much for it. */
const SLACK = 1.002;

/** Raw over maximum; 0 where there is no score. A hair above 1, from rows that do not quite sum to 1, is 1. */
function normalise(
  { name, maximum: maximumOf }: Strategy,
  scores: Float64Array,
  ordinals: Uint32Array,
  classes: number,
  fail: (detail: string) => never,
): Float64Array {
  if (scores.every(Number.isNaN)) return new Float64Array(scores.length);
  if (maximumOf === null) return fail('it returned scores, but has no maximum and did not normalise them');
  const maximum = guard(name, () => maximumOf(classes));
  if (!(maximum > 0 && maximum < Number.POSITIVE_INFINITY)) {
    return fail(`its maximum for ${classes} classes is ${maximum}; it must be finite and > 0`);
  }
  const above = scores.findIndex((score) => score > maximum * SLACK);
  if (above >= 0) {
    return fail(
      `the score of sample ${ordinals[above]} is ${scores[above]}, above its maximum for ${classes} classes, ${maximum}`,
    );
  }
  return scores.map((score) => (Number.isNaN(score) ? 0 : Math.min(1, score / maximum)));
}
