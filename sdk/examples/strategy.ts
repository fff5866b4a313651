import { defineStrategy } from '@concord/sdk/strategy';

/**
 * Ratio of confidence: the second likeliest class's probability over the likeliest one's. 1 where the two tie,
 * 0 where the model is certain; unlike the margin, it does not fall where all classes are unlikely.
 *
 * Drop this file into the plugins folder, and open a round with `strategy: 'confidence-ratio'`.
 */
export default defineStrategy({
  name: 'confidence-ratio',
  description: 'Samples whose second class is nearly as likely as the first, however likely that is.',
  needs: ['probabilities'],
  maximum: () => 1,
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0, at = 0; i < length; i++, at += classes) {
      let first = 0;
      let second = 0;
      for (const p of probabilities.subarray(at, at + classes)) {
        if (p > first) [first, second] = [p, first];
        else if (p > second) second = p;
      }
      scores[i] = second / first;
    }
    return scores;
  },
});
