import { defineStrategy, draw, farthestFirst } from '@concord/sdk/strategy';

/**
 * Covers the pool: each next sample is the one farthest, by its embedding, from all that are labelled or chosen. The
 * score is that distance. Time is at the worst in proportion to (labelled + chosen) × samples × dimensions.
 *
 * O. Sener and S. Savarese, "Active learning for convolutional neural networks: a core-set approach", ICLR 2018: the
 * greedy solution of T. F. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.
 */
export default defineStrategy({
  name: 'k-center-greedy',
  description: 'Samples whose embeddings are farthest from all that are labelled or chosen: a core-set.',
  needs: ['embeddings', 'labelled'],
  select(pool, { labelled, seed, signal }) {
    const ordinals = pool.ordinals.filter((_, i) => pool.accepted[i] === 0);
    const { embeddings } = pool.only(ordinals);
    const first = Math.max(0, ordinals.indexOf(draw(ordinals, 1, seed).ordinals[0] ?? 0));
    const options = { centres: labelled.embeddings, first, signal };
    const taken = farthestFirst(embeddings, pool.dimensions, pool.count, options);
    const distances = Float64Array.from(taken.squared, Math.sqrt);
    const largest = distances.reduce((one, other) => Math.max(one, other), 0);
    return {
      ordinals: taken.rows.map((row) => ordinals[row] ?? 0),
      scores: distances,
      normalised: distances.map((distance) => (largest === 0 ? 0 : distance / largest)),
    };
  },
});
