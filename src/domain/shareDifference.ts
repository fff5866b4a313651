import type { Counted } from './changeTest.ts';
import { type Interval, wilson } from './confidence.ts';

/** By how much one share is larger than another, −1…1, with its interval of 95 %. */
export interface ShareDifference {
  readonly value: number;
  readonly interval: Interval;
}

/**
 * Of two shares of different answers (R. G. Newcombe 1998, "Interval estimation for the difference between independent
 * proportions: comparison of eleven methods", Statistics in Medicine 17, method 10): from the Wilson intervals of both.
 *
 * @param before each of them of one answer at least
 */
export function differenceOf(before: Counted, after: Counted): ShareDifference {
  return difference(before, after, 0);
}

/** The same answers looked at twice: how many agreed both times, only at first, only in the end, or neither. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyFirst: number;
  readonly onlyLast: number;
  readonly neither: number;
}

/**
 * Of two shares of the same answers, so that what changed is told from what differs by chance (R. G. Newcombe 1998, "Improved
 * confidence intervals for the difference between binomial proportions based on paired data", Statistics in Medicine 17,
 * method 10): as above, less as far as the two go together. φ is corrected for continuity, and 0 where a margin is 0.
 */
export function pairedDifference({ both, onlyFirst, onlyLast, neither }: PairedCounts): ShareDifference {
  const [first, last] = [both + onlyFirst, both + onlyLast];
  const answers = first + onlyLast + neither;
  const margins = first * (onlyLast + neither) * last * (onlyFirst + neither);
  const excess = both * neither - onlyFirst * onlyLast;
  const corrected = excess > 0 ? Math.max(0, excess - answers / 2) : excess;
  const phi = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  return difference({ answers, agreeing: first }, { answers, agreeing: last }, phi);
}

function difference(before: Counted, after: Counted, phi: number): ShareDifference {
  const [p, q] = [before.agreeing / before.answers, after.agreeing / after.answers];
  const [a, b] = [wilson(before.agreeing, before.answers), wilson(after.agreeing, after.answers)];
  const reach = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  const value = q - p;
  return {
    value,
    interval: {
      lower: value - reach(q - b.lower, a.upper - p),
      upper: value + reach(b.upper - q, p - a.lower),
    },
  };
}
