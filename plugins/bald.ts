import { bald, defineStrategy } from '@concord/sdk/strategy';

/**
 * How much the passes disagree, though each may be sure: the mutual information between the label and the model, the
 * entropy of the mean prediction less the mean entropy of the predictions.
 *
 * N. Houlsby, F. Huszár, Z. Ghahramani and M. Lengyel, "Bayesian active learning for classification and preference
 * learning", 2011; with dropout, Y. Gal, R. Islam and Z. Ghahramani, "Deep Bayesian active learning with image data",
 * ICML 2017.
 */
export default defineStrategy({
  name: 'bald',
  description: 'Samples on which the passes of the model disagree, though each may be sure of itself.',
  needs: ['passes'],
  maximum: (classes) => Math.log(classes),
  score: bald,
});
