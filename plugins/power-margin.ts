import { defineStrategy, highest, logarithms, margin } from '@concord/sdk/strategy';
import * as z from 'zod';

/** What a sample of no uncertainty counts as: its logarithm would be infinite. */
const LEAST = 1e-12;

/**
 * A random round in which a sample's chance grows with its margin's power, so that a large round is not all of one kind:
 * drawn without replacement in proportion to margin^beta, as the highest of beta·ln(margin) + Gumbel noise.
 *
 * A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron and Y. Gal, "Stochastic batch acquisition: a
 * simple baseline for deep active learning", TMLR 2023. The draw: W. Kool, H. van Hoof and M. Welling, "Stochastic
 * beams and where to find them", ICML 2019.
 */
export default defineStrategy({
  name: 'power-margin',
  description: 'A random draw in which a sample’s chance grows with its margin.',
  parameters: z.strictObject({
    /** 0: every sample has the same chance; the greater, the nearer to margin itself. */
    beta: z.number().min(0).max(1000).default(1),
  }),
  needs: ['probabilities'],
  maximum: () => 1,
  select(pool, { parameters: { beta }, random, seed }) {
    const places = Uint32Array.from(pool.ordinals.keys()).filter((i) => pool.accepted[i] === 0);
    const ordinals = places.map((i) => pool.ordinals[i] ?? 0);
    const uncertainty = margin(pool);
    const powers = logarithms(Float64Array.from(places, (i) => Math.max(uncertainty[i] ?? 0, LEAST)));
    // −ln(−ln u) is Gumbel noise; u is kept off 0 and 1, where it would be infinite.
    const uniform = Float64Array.from(ordinals, (ordinal) =>
      Math.min(Math.max(random(ordinal), LEAST), 1 - LEAST),
    );
    const exponential = logarithms(uniform).map((ln) => -ln);
    const noise = logarithms(exponential);
    const keys = powers.map((power, i) => beta * power - (noise[i] ?? 0));
    const chosen = highest(keys, ordinals, pool.count, seed);
    return {
      ordinals: chosen.map((at) => ordinals[at] ?? 0),
      scores: Float64Array.from(chosen, (at) => uncertainty[places[at] ?? 0] ?? 0),
    };
  },
});
