import { defineStrategy, leastConfident } from '@concord/sdk/strategy';

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
  score: leastConfident,
});
