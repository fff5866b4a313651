import { defineStrategy } from '@concord/sdk/strategy';
import * as z from 'zod';

/** What another strategy would choose, every other one first: neighbours in its order are often alike. */
export default defineStrategy({
  name: 'every-other',
  description: 'Every other sample that another strategy would choose.',
  parameters: z.strictObject({ base: z.string().default('runner-up') }),
  asks: ({ base }) => [{ strategy: base }],
  async select({ count }, { parameters, ask }) {
    const asked = await ask(parameters.base, { count: 2 * count });
    const ranks = [...asked.ordinals.keys()];
    const chosen = [...ranks.filter((rank) => rank % 2 === 0), ...ranks.filter((rank) => rank % 2 === 1)];
    const order = chosen.slice(0, count);
    return {
      ordinals: Uint32Array.from(order, (rank) => asked.ordinals[rank] ?? 0),
      scores: Float64Array.from(order, (rank) => asked.scores[rank] ?? 0),
      normalised: Float64Array.from(order, (rank) => asked.normalised[rank] ?? 0),
    };
  },
});
