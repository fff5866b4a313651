import { defineStrategy, voteEntropy } from '@concord/sdk/strategy';

/**
 * How split a committee's votes are: the entropy of the classes that its members find likeliest.
 *
 * I. Dagan and S. P. Engelson, "Committee-based sampling for training probabilistic classifiers", ICML 1995.
 */
export default defineStrategy({
  name: 'vote-entropy',
  description: 'Samples on whose class the members of a committee are most divided.',
  needs: ['passes'],
  maximum: (classes) => Math.log(classes),
  score: voteEntropy,
});
