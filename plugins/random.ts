import { defineStrategy, draw } from '@concord/sdk/strategy';

/**
 * A simple random sample of everything unlabelled, auto-accepted samples included: the arm that active
 * learning is measured against, and labels that honest estimates can rest on.
 */
export default defineStrategy({
  name: 'random',
  description: 'A uniform draw from all unlabelled samples, auto-accepted ones included.',
  select(pool, { seed }) {
    const drawn = draw(pool.ordinals, pool.count, seed);
    return { ...drawn, random: new Uint8Array(drawn.ordinals.length).fill(1) };
  },
});
