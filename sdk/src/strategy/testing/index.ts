/**
 * What every sampling strategy promises, as checks that run in any test runner:
 *
 * ```ts
 * import { conformance } from '@concord/sdk/strategy/testing';
 * import { it } from 'vitest';
 * import strategy from './my-strategy.ts';
 *
 * for (const { name, run } of conformance(strategy)) it(name, run);
 * ```
 *
 * @module
 */
import type { Strategy } from '../contract.ts';
import { isStrategy } from '../define.ts';
import { CHECKS } from './checks.ts';
import { parsed } from './stand.ts';

export { ContractError } from './stand.ts';

export interface ConformanceOptions {
  /** What its schema is given; default: nothing, so that its defaults are used. */
  readonly parameters?: unknown;
  /** The strategies that it asks, if it asks any. */
  readonly others?: readonly Strategy[];
  /**
   * Imports the strategy anew, so that chance and the clock are found that it uses while it is imported. With vitest:
   * `async () => { vi.resetModules(); return (await import('./my-strategy.ts')).default; }`. Default: that is not checked.
   */
  readonly reload?: () => Promise<Strategy>;
  /** How long it may take to end when its signal is aborted, in milliseconds; default: 2,000. */
  readonly patience?: number;
}

/** One promise, and what shows whether it is kept. */
export interface Check {
  /** Such as `chooses the same in the same order under the same seed`. */
  readonly name: string;
  /** @throws {Error} it is not kept; the message says on which samples, and how */
  readonly run: () => Promise<void>;
}

/**
 * The checks for a strategy, in a fixed order. Each runs by itself, in this thread and within a second or so; a
 * strategy that loops forever is stopped by nobody here.
 *
 * @throws {TypeError} it was not made by `defineStrategy`
 */
export function conformance(
  strategy: Strategy,
  { parameters, others = [], patience = 2_000, reload }: ConformanceOptions = {},
): readonly Check[] {
  if (!isStrategy(strategy)) throw new TypeError('a strategy is made by defineStrategy');
  return Object.entries(CHECKS).map(([name, check]) => ({
    name,
    run: async () => {
      const given = await parsed(strategy, parameters);
      await check({ strategy, parameters: given, others, patience, reload: reload ?? null });
    },
  }));
}
