import { defineStrategy, draw } from '@concord/sdk/strategy';
import * as z from 'zod';

/** Streams of the seed: which samples are drawn, and at which ranks they stand. */
const SAMPLES = 0;
const RANKS = 1;

/**
 * Mostly what another strategy would choose, and a random share, so that rare classes far from the decision
 * boundary are found and estimates have an unbiased sample.
 *
 * The random share is drawn first, from the whole pool, auto-accepted samples included: drawn from what the
 * base left over, it would be no uniform sample. It stands at random ranks, so that a rank tells nobody which
 * kind a sample is. The count is fixed, ⌊share × count⌉. When too few samples are left for the base, the round
 * is smaller: filling it up at random would change the inclusion probability.
 */
export default defineStrategy({
  name: 'hybrid',
  description: 'Another strategy’s choice, mixed with a random share of the whole pool.',
  parameters: z.strictObject({
    /** The strategy that chooses the rest. Margin stays sharp with many classes, where entropy is misled by the tail. */
    base: z.string().default('margin'),
    baseParameters: z.record(z.string(), z.json()).default({}),
    /** The random part of the round, 0 … 1. */
    share: z.number().min(0).max(1).default(0.2),
  }),
  asks: ({ base, baseParameters }) => [{ strategy: base, parameters: baseParameters }],
  async select(pool, { parameters, seed, ask }) {
    const drawn = draw(pool.ordinals, Math.round(parameters.share * pool.count), seed, SAMPLES);
    const based = await ask(parameters.base, {
      count: pool.count - drawn.ordinals.length,
      exclude: drawn.ordinals,
    });

    const length = drawn.ordinals.length + based.ordinals.length;
    const random = new Uint8Array(length);
    const ranks = Uint32Array.from({ length }, (_, rank) => rank);
    for (const rank of draw(ranks, drawn.ordinals.length, seed, RANKS).ordinals) random[rank] = 1;

    const ordinals = new Uint32Array(length);
    const scores = new Float64Array(length).fill(Number.NaN);
    const normalised = new Float64Array(length);
    const reasons = new Array<string | null>(length).fill(null);
    let d = 0;
    let b = 0;
    for (let rank = 0; rank < length; rank++) {
      if (random[rank] === 1) {
        ordinals[rank] = drawn.ordinals[d++] as number;
      } else {
        ordinals[rank] = based.ordinals[b] as number;
        scores[rank] = based.scores[b] as number;
        reasons[rank] = based.reasons?.[b] ?? null;
        normalised[rank] = based.normalised[b++] as number;
      }
    }
    const { inclusionProbability } = drawn;
    return { ordinals, scores, normalised, random, inclusionProbability, reasons };
  },
});
