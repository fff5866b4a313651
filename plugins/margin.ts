import { defineStrategy } from '@concord/sdk/strategy';

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
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0, at = 0; i < length; i++) {
      let first = 0;
      let second = 0;
      for (const end = at + classes; at < end; at++) {
        const p = probabilities[at] as number;
        if (p > first) {
          second = first;
          first = p;
        } else if (p > second) {
          second = p;
        }
      }
      // A row's sum is 1 within a tolerance, so p₁ alone can be a hair above it.
      scores[i] = Math.max(0, 1 - (first - second));
    }
    return scores;
  },
});
