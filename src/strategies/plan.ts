import type { Asked, Need, StandardIssue, Strategy } from '@concord/sdk/strategy';
import {
  MissingInputError,
  type ParameterIssue,
  StrategyFailedError,
  StrategyParametersError,
} from './errors.ts';
import { guard } from './guard.ts';

/** A strategy with its parameters, and those that it may ask: all that can be known before it runs. */
export interface Plan {
  readonly strategy: Strategy;
  readonly parameters: unknown;
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

function asks(strategy: Strategy, parameters: unknown): readonly Asked[] {
  return strategy.kind === 'select' ? guard(strategy.name, () => [...strategy.asks(parameters)]) : [];
}

async function parse({ name, parameters: schema }: Strategy, given: unknown): Promise<unknown> {
  const value = given ?? {};
  if (schema === null) {
    if (typeof value === 'object' && Object.keys(value).length === 0) return {};
    throw new StrategyParametersError(name, [{ path: '', message: 'it takes no parameters' }]);
  }
  const result = await guard(name, () => schema['~standard'].validate(value));
  if (result.issues === undefined) return result.value;
  if (result.issues.length === 0) {
    throw new StrategyFailedError(
      name,
      'invalid-result',
      'its schema refused the parameters and gave no issue',
    );
  }
  throw new StrategyParametersError(name, result.issues.map(issue));
}

function issue({ message, path = [] }: StandardIssue): ParameterIssue {
  const keys = path.map((part) => (typeof part === 'object' ? part.key : part));
  return { path: keys.map(String).join('.'), message };
}
