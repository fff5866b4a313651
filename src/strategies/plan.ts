import type { Asked, Need, StandardIssue, Strategy } from '@concord/sdk/strategy';
import {
  MissingInputError,
  type ParameterIssue,
  StrategyFailedError,
  StrategyParametersError,
} from './errors.ts';
import { guard } from './guard.ts';
import { copyJsonObject, type JsonObject, NotJsonError } from './json.ts';
import { firstLine } from './text.ts';

/** A strategy with its parameters, and those that it may ask: all that can be known before it runs. */
export interface Plan {
  readonly strategy: Strategy;
  readonly parameters: JsonObject;
  readonly asked: ReadonlyMap<string, Plan>;
  /** What it and all that it may ask need. */
  readonly needs: ReadonlySet<Need>;
}

/**
 * Makes sure that a strategy can be run with some parameters: they pass its schema, what it needs is
 * available, and the same holds for all that it may ask.
 *
 * @param find gives a strategy by its name, or throws
 * @throws {StrategyParametersError | MissingInputError | StrategyFailedError} and what `find` throws
 */
export async function plan(
  find: (name: string) => Promise<Strategy>,
  name: string,
  given: unknown,
  available: readonly Need[],
  askers: readonly string[] = [],
): Promise<Plan> {
  if (askers.includes(name)) {
    const circle = [...askers, name].join(' → ');
    throw new StrategyParametersError(askers[0] ?? name, [
      { path: '', message: `a strategy cannot ask itself: ${circle}` },
    ]);
  }
  const strategy = await find(name);
  const parameters = await parse(strategy, given);
  for (const need of strategy.needs) {
    if (!available.includes(need)) throw new MissingInputError(name, need);
  }
  const asked = new Map<string, Plan>();
  const needs = new Set(strategy.needs);
  for (const ask of asks(strategy, parameters)) {
    if (asked.has(ask.strategy)) {
      throw new StrategyFailedError(name, 'invalid-result', `its asks names ${ask.strategy} twice`);
    }
    const inner = await plan(find, ask.strategy, ask.parameters, available, [...askers, name]);
    asked.set(ask.strategy, inner);
    for (const need of inner.needs) needs.add(need);
  }
  return { strategy, parameters, asked, needs };
}

function asks(strategy: Strategy, parameters: JsonObject): readonly Asked[] {
  if (strategy.kind === 'score') return [];
  const { name } = strategy;
  return guard(name, () => {
    const asked: readonly unknown[] = [...strategy.asks(parameters)];
    return asked.map((ask) => {
      if (typeof ask === 'object' && ask !== null && 'strategy' in ask && typeof ask.strategy === 'string') {
        return { strategy: ask.strategy, parameters: 'parameters' in ask ? ask.parameters : undefined };
      }
      throw new StrategyFailedError(
        name,
        'invalid-result',
        'its asks must give a list of { strategy, parameters }',
      );
    });
  });
}

/**
 * What the schema makes of the parameters, as it is kept with the round: so it must be JSON, whatever the schema
 * makes, and the strategy runs with that very value.
 */
async function parse({ name, parameters: schema }: Strategy, given: unknown): Promise<JsonObject> {
  const value = copied(given ?? {}, ({ path, message }) => {
    throw new StrategyParametersError(name, [
      { path: path.join('.'), message: firstLine(`the parameters ${message}`) },
    ]);
  });
  if (schema === null) {
    if (Object.keys(value).length === 0) return value;
    throw new StrategyParametersError(name, [{ path: '', message: 'it takes no parameters' }]);
  }
  const result: unknown = await guard(name, () => schema['~standard'].validate(value));
  return guard(name, () => {
    const fail = (detail: string): never => {
      throw new StrategyFailedError(name, 'invalid-result', firstLine(detail));
    };
    if (typeof result !== 'object' || result === null) return fail('its schema answered nothing');
    const issues = 'issues' in result ? result.issues : undefined;
    if (issues === undefined) {
      return copied('value' in result ? result.value : undefined, ({ path, message }) => {
        const at = path.length === 0 ? '' : ` (at ${path.join('.')})`;
        return fail(`the parameters that its schema made ${message}${at}`);
      });
    }
    if (!Array.isArray(issues) || issues.length === 0) {
      return fail('its schema refused the parameters and gave no issue');
    }
    throw new StrategyParametersError(name, issues.slice(0, MAX_ISSUES).map(issue));
  });
}

function copied(value: unknown, refuse: (error: NotJsonError) => never): JsonObject {
  try {
    return copyJsonObject(value);
  } catch (error) {
    if (error instanceof NotJsonError) return refuse(error);
    throw error;
  }
}

/** People mend the first few; the rest then shows by itself. */
const MAX_ISSUES = 20;

function issue({ message, path = [] }: StandardIssue): ParameterIssue {
  const keys = path.map((part) => (typeof part === 'object' ? part.key : part));
  return { path: firstLine(keys.map(String).join('.')), message: firstLine(String(message)) };
}
