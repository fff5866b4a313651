import { defineStrategy, draw, NearestCentres } from '@concord/sdk/strategy';

/**
 * Covers the pool: each next sample is the one farthest, by its embedding, from all that are labelled or chosen. The
 * score is that distance. Time is in proportion to (labelled + chosen) × samples × dimensions.
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
    const count = Math.min(pool.count, ordinals.length);
    const nearest = new NearestCentres(pool.only(ordinals).embeddings, pool.dimensions);
    for (let i = 0; i < labelled.length; i++) {
      signal.throwIfAborted();
      nearest.add(labelled.embeddings.subarray(i * pool.dimensions, (i + 1) * pool.dimensions));
    }

    const chosen = new Uint32Array(count);
    const distances = new Float64Array(count);
    const isChosen = new Uint8Array(ordinals.length);
    const first = ordinals.indexOf(draw(ordinals, 1, seed).ordinals[0] ?? 0);
    for (let k = 0; k < count; k++) {
      signal.throwIfAborted();
      let farthest = -1;
      for (let i = 0; i < ordinals.length; i++) {
        const isFarther = farthest < 0 || (nearest.squared[i] ?? 0) > (nearest.squared[farthest] ?? 0);
        if (isChosen[i] === 0 && isFarther) farthest = i;
      }
      // As long as nothing is labelled or chosen, all are equally far.
      if (labelled.length + k === 0) farthest = first;
      else distances[k] = Math.sqrt(nearest.squared[farthest] ?? 0);
      isChosen[farthest] = 1;
      chosen[k] = ordinals[farthest] ?? 0;
      nearest.add(nearest.row(farthest));
    }
    const largest = distances.reduce((one, other) => Math.max(one, other), 0);
    return {
      ordinals: chosen,
      scores: distances,
      normalised: distances.map((distance) => (largest === 0 ? 0 : distance / largest)),
    };
  },
});
