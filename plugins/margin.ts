import { defineStrategy, margin } from '@concord/sdk/strategy';

/**
 * How close the two likeliest classes are, 1 − (p₁ − p₂).
 *
 * T. Scheffer, C. Decomain and S. Wrobel, "Active hidden Markov models for information extraction", IDA 2001.
 */
export default defineStrategy({
  name: 'margin',
  description: 'Samples whose two likeliest classes are hardest to tell apart.',
  needs: ['probabilities'],
  maximum: () => 1,
  score: margin,
});
