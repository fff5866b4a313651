import {
  CONTRACT,
  type ScoreDefinition,
  type ScoreStrategy,
  type SelectDefinition,
  type SelectStrategy,
  type Strategy,
} from './contract.ts';
import { NEEDS, type Need } from './samples.ts';
import type { Output, StandardSchema } from './standard-schema.ts';

/** The schema's type where a strategy has none: its parameters are an empty object. */
type NoParameters = StandardSchema<unknown, Record<string, never>>;

/**
 * Makes a strategy. A plugin is a file that exports one by default:
 *
 * ```ts
 * import { defineStrategy } from '@concord/sdk/strategy';
 *
 * export default defineStrategy({
 *   name: 'least-confident',
 *   description: 'Samples whose likeliest class is least likely.',
 *   needs: ['probabilities'],
 *   maximum: (classes) => (classes - 1) / classes,
 *   score({ length, classes, probabilities }) {
 *     const scores = new Float64Array(length);
 *     for (let i = 0; i < length; i++) {
 *       scores[i] = 1 - Math.max(...probabilities.subarray(i * classes, (i + 1) * classes));
 *     }
 *     return scores;
 *   },
 * });
 * ```
 *
 * It has either `score` (row by row) or `select` (over the whole pool). It must be a pure function of what it
 * is given: no clock, no `Math.random`, no state kept between calls; then a round can be replayed.
 *
 * @throws {TypeError} the definition is not sound; the message says what
 */
export function defineStrategy<
  const Needs extends readonly Need[] = readonly [],
  Schema extends StandardSchema = NoParameters,
>(
  definition:
    | ScoreDefinition<Needs, Output<Schema>, Schema>
    | SelectDefinition<Needs, Output<Schema>, Schema>,
): Strategy {
  const {
    name,
    description,
    parameters = null,
    needs = [],
    score,
    select,
    maximum,
    asks,
    reasons,
  } = definition;

  const unfit = strategyNameProblem(name);
  if (unfit !== null) throw new TypeError(unfit);
  const insist = (condition: boolean, what: string) => {
    if (!condition) throw new TypeError(`strategy ${name}: ${what}`);
  };
  insist(
    typeof description === 'string' && /^\S.{0,199}$/.test(description),
    'description must be one line of 1 to 200 characters',
  );
  insist(
    parameters === null || typeof parameters['~standard']?.validate === 'function',
    'parameters must be a Standard Schema',
  );
  insist(Array.isArray(needs), 'needs must be a list');
  for (const need of needs) {
    insist(NEEDS.includes(need), `needs ${JSON.stringify(need)}, but there is only ${NEEDS.join(', ')}`);
  }
  insist((score === undefined) !== (select === undefined), 'it must have either score or select');
  insist(typeof (score ?? select) === 'function', 'score or select must be a function');
  insist(maximum === undefined || typeof maximum === 'function', 'maximum must be a function');
  insist(asks === undefined || typeof asks === 'function', 'asks must be a function');
  insist(score === undefined || maximum !== undefined, 'maximum is missing');
  insist(score === undefined || asks === undefined, 'asks goes with select only');
  insist(reasons === undefined || typeof reasons === 'function', 'reasons must be a function');
  insist(score !== undefined || reasons === undefined, 'reasons goes with score only: select returns them');

  const defined = { contract: CONTRACT, name, description, parameters, needs: [...new Set(needs)] } as const;
  // The host checks at run time what the types promise here: what is needed is given, and parameters are parsed.
  return Object.freeze(
    score === undefined
      ? {
          ...defined,
          kind: 'select',
          maximum: maximum ?? null,
          asks: (asks ?? (() => [])) as SelectStrategy['asks'],
          select: select as SelectStrategy['select'],
        }
      : {
          ...defined,
          kind: 'score',
          maximum: maximum as ScoreStrategy['maximum'],
          score: score as ScoreStrategy['score'],
          reasons: (reasons ?? null) as ScoreStrategy['reasons'],
        },
  );
}

/** What is wrong with a strategy's name, in words; null if it can be one. */
export function strategyNameProblem(name: unknown): string | null {
  const isFit = typeof name === 'string' && name.length <= 64 && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name);
  return isFit
    ? null
    : `a strategy's name is kebab-case, up to 64 characters, and not ${JSON.stringify(name)}`;
}

/** Whether a value was made by `defineStrategy`, be it by another copy of this module. */
export function isStrategy(value: unknown): value is Strategy {
  return typeof value === 'object' && value !== null && 'contract' in value && value.contract === CONTRACT;
}
