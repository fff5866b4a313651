import { defineStrategy } from '@concord/sdk/strategy';

/** How likely the second likeliest class is. */
export default defineStrategy({
  name: 'runner-up',
  description: 'Samples whose second likeliest class is likely.',
  needs: ['probabilities'],
  maximum: () => 0.5,
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const row = probabilities.slice(i * classes, (i + 1) * classes).sort();
      scores[i] = row.at(-2) ?? 0;
    }
    return scores;
  },
});
