import { defineStrategy, draw, kMeans, NearestCentres } from '@concord/sdk/strategy';
import * as z from 'zod';

interface Cluster {
  /** Rows of the pool that are not chosen. */
  places: number[];
  /** How many rows are labelled or chosen. */
  labels: number;
}

interface Scored {
  readonly place: number;
  readonly score: number;
}

/**
 * For the first rounds, when a model's doubts mean little: typical samples, one from each of the largest clusters of
 * embeddings that have no label yet. There are as many clusters as labels with this round, up to a limit; the score of
 * a sample is 1 / (1 + its mean distance to its nearest neighbours in the cluster).
 *
 * G. Hacohen, A. Dekel and D. Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets",
 * ICML 2022. Of a large pool, a random part is clustered, so that it ends in time.
 */
export default defineStrategy({
  name: 'typiclust',
  description: 'For a cold start: the most typical sample of each cluster of embeddings without a label.',
  parameters: z.strictObject({
    /** The most clusters. */
    clusters: z.int().min(1).max(10_000).default(500),
    /** How many neighbours tell how typical a sample is. */
    neighbours: z.int().min(1).max(1000).default(20),
    /** The most samples of the pool that are clustered; more are drawn if more are to be chosen. */
    candidates: z.int().min(1).max(1_000_000).default(10_000),
  }),
  needs: ['embeddings', 'labelled'],
  maximum: () => 1,
  select(pool, { parameters, labelled, seed, signal }) {
    const { dimensions } = pool;
    const review = pool.ordinals.filter((_, i) => pool.accepted[i] === 0);
    const count = Math.min(pool.count, review.length);
    const ordinals = draw(review, Math.max(parameters.candidates, count), seed).ordinals.sort();
    const rows = new Float32Array((ordinals.length + labelled.length) * dimensions);
    rows.set(pool.only(ordinals).embeddings);
    rows.set(labelled.embeddings, ordinals.length * dimensions);
    const wanted = Math.min(labelled.length + count, parameters.clusters);
    const { which, count: found } = kMeans(rows, dimensions, wanted, { seed, signal });

    const clusters = Array.from({ length: found }, (): Cluster => ({ places: [], labels: 0 }));
    which.forEach((index, place) => {
      const cluster = clusters[index] as Cluster;
      if (place < ordinals.length) cluster.places.push(place);
      else cluster.labels++;
    });

    const typical = new Map<Cluster, Scored[]>();
    const chosen: Scored[] = [];
    while (chosen.length < count) {
      signal.throwIfAborted();
      // Fewest labels first, then the largest: a cluster's samples come round again when all have had theirs.
      const [next] = clusters
        .filter(({ places }) => places.length > 0)
        .sort((a, b) => a.labels - b.labels || b.places.length - a.places.length);
      if (next === undefined) break;
      const queue =
        typical.get(next) ?? mostTypical(rows, dimensions, next.places, parameters.neighbours, signal);
      typical.set(next, queue);
      const best = queue.pop();
      if (best === undefined) break;
      next.labels++;
      next.places = next.places.filter((place) => place !== best.place);
      chosen.push(best);
    }
    return {
      ordinals: Uint32Array.from(chosen, ({ place }) => ordinals[place] ?? 0),
      scores: Float64Array.from(chosen, ({ score }) => score),
    };
  },
});

/** The rows of a cluster with their typicality, the most typical last; of equals, the earliest. */
function mostTypical(
  rows: Float32Array,
  dimensions: number,
  places: readonly number[],
  neighbours: number,
  signal: AbortSignal,
): Scored[] {
  const members = new Float32Array(places.length * dimensions);
  places.forEach((place, m) => {
    members.set(rows.subarray(place * dimensions, (place + 1) * dimensions), m * dimensions);
  });
  const nearest = new NearestCentres(members, dimensions);
  const near = Math.min(neighbours, places.length - 1);
  const scored = places.map((place, m) => {
    signal.throwIfAborted();
    nearest.clear();
    nearest.add(nearest.row(m));
    // The nearest of all is the row itself.
    const squared = nearest.squared
      .slice()
      .sort()
      .subarray(1, near + 1);
    const sum = squared.reduce((total, square) => total + Math.sqrt(square), 0);
    return { place, score: near === 0 ? 1 : 1 / (1 + sum / near) };
  });
  return scored.sort((a, b) => a.score - b.score || b.place - a.place);
}
