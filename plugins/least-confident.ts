import { defineStrategy } from '@concord/sdk/strategy';

/**
 * How unlikely the likeliest class is, 1 − max p.
 *
 * D. D. Lewis and W. A. Gale, "A sequential algorithm for training text classifiers", SIGIR 1994.
 */
export default defineStrategy({
  name: 'least-confident',
  description: 'Samples whose likeliest class is least likely.',
  needs: ['probabilities'],
  maximum: (classes) => (classes - 1) / classes,
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0, at = 0; i < length; i++) {
      let largest = 0;
      for (const end = at + classes; at < end; at++) {
        const p = probabilities[at] as number;
        if (p > largest) largest = p;
      }
      // A row's sum is 1 within a tolerance, so max p can be a hair above it.
      scores[i] = Math.max(0, 1 - largest);
    }
    return scores;
  },
});
