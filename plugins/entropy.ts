import { defineStrategy, entropy } from '@concord/sdk/strategy';

/**
 * The entropy of the predicted distribution, −Σ p·ln(p + 1e−10), in nats.
 *
 * C. E. Shannon, "A mathematical theory of communication", 1948; as a sampling rule, B. Settles, "Active
 * learning literature survey", 2009, section 3.1.
 */
export default defineStrategy({
  name: 'entropy',
  description: 'Samples whose predicted classes are most evenly spread.',
  needs: ['probabilities'],
  maximum: (classes) => Math.log(classes),
  score: entropy,
});
