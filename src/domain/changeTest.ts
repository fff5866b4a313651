import { logBeta } from './confidence.ts';

/**
 * Has a rate changed? A test that may be looked at after every answer.
 *
 * Under the hypothesis of no change all answers of a series agree with one unknown probability p. The evidence is
 *
 *   E = Σ_s w_s ∫ L(before s; p) dπ(p) ∫ L(from s on; q) dπ(q)  /  max_p L(all; p),
 *
 * a mixture over when it may have changed (s) and over both rates, divided by the best that no change can do. The mixture
 * is fixed in advance, so for every p it is, divided by L(all; p), a martingale of mean 1; E is never more than that.
 * The chance that E ever reaches 1/α is therefore at most α, however often one looks (L. Wasserman, A. Ramdas & S.
 * Balakrishnan 2020, "Universal inference", PNAS 117, and Ville's inequality). π is Beta(½, ½), and w_s = 1/(s (s + 1))
 * for a change between stretch s and the next; what is left of 1 stands for none so far.
 *
 * Stretches that have become longer are another mixture. After `level` such steps the evidence must reach 2^(level + 1)/α,
 * so that all levels together still err with probability α at most.
 */
export interface ChangePoint {
  /** Answers, and those that agree, before the likeliest change and after it. */
  readonly before: Counted;
  readonly after: Counted;
  /** The first stretch after it, by its place in the series. */
  readonly at: number;
  /** ln E. */
  readonly logEvidence: number;
  /** E has reached what it must. */
  readonly hasChanged: boolean;
}

export interface Counted {
  readonly answers: number;
  readonly agreeing: number;
}

/** How likely it is that one series without a change ever shows one. */
export const FALSE_ALARM = 0.01;

/**
 * @param series stretches in time, those without answers left out
 * @param level how often stretches have become twice as long
 * @returns null: there are fewer than two stretches
 */
export function changeIn(
  series: readonly Counted[],
  level = 0,
  falseAlarm = FALSE_ALARM,
): ChangePoint | null {
  if (series.length < 2) return null;
  const all = sumOf(series);
  let before: Counted = { answers: 0, agreeing: 0 };
  let best: Pick<ChangePoint, 'before' | 'after' | 'at'> | null = null;
  let bestTerm = Number.NEGATIVE_INFINITY;
  // What is left of the weights: no change up to now.
  const terms = [logMarginal(all) - Math.log(series.length)];
  for (const [i, stretch] of series.slice(0, -1).entries()) {
    before = sumOf([before, stretch]);
    const after = { answers: all.answers - before.answers, agreeing: all.agreeing - before.agreeing };
    const s = i + 1;
    const term = logMarginal(before) + logMarginal(after) - Math.log(s * (s + 1));
    terms.push(term);
    if (term > bestTerm) [bestTerm, best] = [term, { before, after, at: s }];
  }
  const largest = Math.max(...terms);
  const mixture = largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
  const logEvidence = mixture - logLikelihood(all);
  const needed = Math.log(2 ** (level + 1) / falseAlarm);
  return best && { ...best, logEvidence, hasChanged: logEvidence >= needed };
}

function sumOf(counts: readonly Counted[]): Counted {
  return counts.reduce((sum, { answers, agreeing }) => ({
    answers: sum.answers + answers,
    agreeing: sum.agreeing + agreeing,
  }));
}

/** ln ∫ p^k (1-p)^(n-k) dBeta(p; ½, ½). */
function logMarginal({ answers, agreeing }: Counted): number {
  return logBeta(0.5 + agreeing, 0.5 + answers - agreeing) - Math.log(Math.PI);
}

/** ln max_p p^k (1-p)^(n-k). */
function logLikelihood({ answers, agreeing }: Counted): number {
  const part = (count: number) => (count === 0 ? 0 : count * Math.log(count / answers));
  return part(agreeing) + part(answers - agreeing);
}
