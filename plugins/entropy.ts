import { defineStrategy } from '@concord/sdk/strategy';

/** Keeps the logarithm finite where a probability is zero. */
const EPSILON = 1e-10;

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
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0, at = 0; i < length; i++) {
      let entropy = 0;
      for (const end = at + classes; at < end; at++) {
        const p = probabilities[at] as number;
        entropy -= p * Math.log(p + EPSILON);
      }
      // ε makes the logarithm of a certain class a hair above zero, and the sum a hair below.
      scores[i] = Math.max(0, entropy);
    }
    return scores;
  },
});
