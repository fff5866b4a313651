import { defineStrategy, highest, margin } from '@concord/sdk/strategy';

/**
 * Margin, in turn for the class that has the fewest labels: counted are those that people gave and the samples that
 * this round has chosen already, by their predicted class. So rare classes keep up with frequent ones.
 *
 * After U. Aggarwal, A. Popescu and C. Hudelot, "Active learning for imbalanced datasets", WACV 2020.
 */
export default defineStrategy({
  name: 'class-balanced-margin',
  description: 'Margin, in turn for the predicted class that has the fewest labels so far.',
  needs: ['probabilities', 'classCounts'],
  maximum: () => 1,
  select(pool, { classCounts, labelSet, seed }) {
    const { classes, ordinals, accepted, probabilities } = pool;
    const uncertainty = margin(pool);

    const members = Array.from({ length: classes }, (): number[] => []);
    for (let i = 0; i < ordinals.length; i++) {
      if (accepted[i] === 1) continue;
      let likeliest = 0;
      for (let c = 1; c < classes; c++) {
        if ((probabilities[i * classes + c] ?? 0) > (probabilities[i * classes + likeliest] ?? 0))
          likeliest = c;
      }
      members[likeliest]?.push(i);
    }
    const queues = members.map((places) => {
      const scores = Float64Array.from(places, (i) => uncertainty[i] ?? 0);
      const named = Uint32Array.from(places, (i) => ordinals[i] ?? 0);
      return [...highest(scores, named, pool.count, seed)].map((at) => places[at] ?? 0).reverse();
    });

    const labels = [...classCounts];
    const chosen: { place: number; reason: string }[] = [];
    while (chosen.length < pool.count) {
      let next = -1;
      for (let c = 0; c < classes; c++) {
        if (queues[c]?.length && (next < 0 || (labels[c] ?? 0) < (labels[next] ?? 0))) next = c;
      }
      const place = queues[next]?.pop();
      if (place === undefined) break;
      chosen.push({
        place,
        reason: `looks like ${labelSet[next]}, which has ${classCounts[next]} labels`.slice(0, 200),
      });
      labels[next] = (labels[next] ?? 0) + 1;
    }
    return {
      ordinals: Uint32Array.from(chosen, ({ place }) => ordinals[place] ?? 0),
      scores: Float64Array.from(chosen, ({ place }) => uncertainty[place] ?? 0),
      reasons: chosen.map(({ reason }) => reason),
    };
  },
});
