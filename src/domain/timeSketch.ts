/**
 * How long answers took, as a histogram whose bins grow by a fixed ratio, so that quantiles are right to a fixed share of
 * their value in little memory, counts can be taken back, and sums of histograms are histograms (C. Masson, J. E. Rim &
 * H. K. Lee 2019, "DDSketch", PVLDB 12). With a ratio of 2^(1/4) a quantile is within 9 % of the true one.
 */
const BINS_PER_OCTAVE = 4;
export const TIME_BINS = 64;
/** The shortest time that is told from none, in seconds; the longest is 65,536 times as long, some two hours. */
const SHORTEST = 0.1;

/** Counts by bin; see {@link TIME_BINS}. */
export type TimeBins = Uint32Array;

/** The bin of a time in seconds. */
export function timeBin(seconds: number): number {
  const bin = Math.floor(BINS_PER_OCTAVE * Math.log2(Math.max(seconds, SHORTEST) / SHORTEST));
  return Math.min(bin, TIME_BINS - 1);
}

/** The time below which a share of those counted lie, 0…1, in seconds; null: there are none. */
export function timeQuantile(bins: TimeBins, share: number): number | null {
  const count = timeCount(bins);
  if (count === 0) return null;
  const bin = quantileBin(bins, share);
  // The middle of the bin, by ratio.
  return SHORTEST * 2 ** ((bin + 0.5) / BINS_PER_OCTAVE);
}

/** The bin in which a quantile lies. */
export function quantileBin(bins: TimeBins, share: number): number {
  const rank = share * (timeCount(bins) - 1);
  let below = 0;
  for (const [bin, count] of bins.entries()) {
    below += count;
    if (below > rank) return bin;
  }
  return TIME_BINS - 1;
}

export function timeCount(bins: TimeBins): number {
  return bins.reduce((sum, count) => sum + count, 0);
}
