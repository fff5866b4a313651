import { defineStrategy, highest, kMeans, margin } from '@concord/sdk/strategy';
import * as z from 'zod';

/**
 * Uncertain and diverse: of the most uncertain samples, several times as many as are wanted, one from each of as many
 * clusters of their embeddings as are wanted, weighted by uncertainty; the one nearest to the cluster's centre.
 *
 * F. Zhdanov, "Diverse mini-batch active learning", 2019 (arXiv:1901.05954).
 */
export default defineStrategy({
  name: 'dmbal',
  description: 'Of the samples with the closest margins, one from each cluster of their embeddings.',
  parameters: z.strictObject({
    /** How many times as many uncertain samples are clustered as are chosen. */
    prefilter: z.number().min(1).max(1000).default(10),
  }),
  needs: ['probabilities', 'embeddings'],
  maximum: () => 1,
  select(pool, { parameters: { prefilter }, seed, signal }) {
    const { accepted, count, dimensions } = pool;
    const places = Uint32Array.from(pool.ordinals.keys()).filter((i) => accepted[i] === 0);
    const ordinals = places.map((i) => pool.ordinals[i] ?? 0);
    const all = margin(pool);
    const uncertainty = Float64Array.from(places, (i) => all[i] ?? 0);

    // The candidates, most uncertain first.
    const candidates = highest(uncertainty, ordinals, Math.ceil(prefilter * count), seed);
    const named = candidates.map((i) => ordinals[i] ?? 0);
    const weights = Float64Array.from(candidates, (i) => uncertainty[i] ?? 0);
    const clusters = kMeans(pool.only(named).embeddings, dimensions, count, { weights, seed, signal });

    const central = new Int32Array(clusters.count).fill(-1);
    clusters.which.forEach((cluster, at) => {
      const best = central[cluster] ?? -1;
      if (best < 0 || (clusters.squared[at] ?? 0) < (clusters.squared[best] ?? 0)) central[cluster] = at;
    });
    const chosen = new Set([...central].filter((at) => at >= 0));
    // Where embeddings are alike there are fewer clusters: the most uncertain of the others make up the number.
    for (let at = 0; chosen.size < Math.min(count, named.length); at++) chosen.add(at);
    const order = [...chosen].sort((a, b) => a - b);
    return {
      ordinals: Uint32Array.from(order, (at) => named[at] ?? 0),
      scores: Float64Array.from(order, (at) => weights[at] ?? 0),
    };
  },
});
