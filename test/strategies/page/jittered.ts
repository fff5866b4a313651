import { defineStrategy } from '@concord/sdk/strategy';
import * as z from 'zod';

/** How unsure the model is, blurred by chance, so that near-equals do not always come in the same order. */
export default defineStrategy({
  name: 'jittered',
  description: 'Uncertain samples, with some chance in their order.',
  parameters: z.strictObject({ jitter: z.number().min(0).max(1).default(0.2) }),
  needs: ['probabilities'],
  maximum: () => 1,
  score({ length, classes, ordinals, probabilities }, { parameters: { jitter }, random }) {
    const scores = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      const unsure = Math.max(0, 1 - Math.max(...row));
      scores[i] = (1 - jitter) * unsure + jitter * random(ordinals[i] ?? 0);
    }
    return scores;
  },
});
