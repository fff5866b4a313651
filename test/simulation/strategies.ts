import { hash32 } from '../../src/domain/random.ts';
import type { SelectRequest, StrategyHost, StrategySelection } from '../../src/strategies/host.ts';

/** The only strategy there is in a simulation. */
export const STRATEGY = 'shuffled';

/**
 * Stands in for the strategy host, here and nowhere else: workers run at their own pace, and no run could be
 * repeated with them. It chooses at random by the request's seed, and takes its time, while people go on labelling.
 */
export function strategiesOf(pause: () => Promise<void>): StrategyHost {
  return {
    list: () => [],
    onChange: () => () => undefined,
    check: async () => ({ parameters: {}, needs: [] }),
    async select(request: SelectRequest): Promise<StrategySelection> {
      await pause();
      const { strategy, pool, count } = request;
      const seed = Number(request.seed);
      const ordinals = [...pool.ordinals].sort((a, b) => hash32(seed, a) - hash32(seed, b)).slice(0, count);
      const scores = Float64Array.from(ordinals, (ordinal) => hash32(seed, ordinal) / 2 ** 32);
      return {
        ordinals: Uint32Array.from(ordinals),
        scores,
        normalised: scores,
        random: Uint8Array.from(ordinals, (ordinal) => hash32(seed, ordinal, 1) & 1),
        inclusionProbability: null,
        reasons: null,
        states: {},
        strategy,
        version: '1',
        asked: [],
        parameters: {},
      };
    },
    close: async () => undefined,
  };
}
