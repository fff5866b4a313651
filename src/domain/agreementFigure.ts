import { type Interval, studentQuantile, wilson } from './confidence.ts';

/** What every figure of agreement says beside its value: what it rests on, how uncertain and how good it is. */

/** How good a chance-corrected figure is; `TOO_FEW`: it rests on too few samples to say. */
export type AgreementBand = 'EXCELLENT' | 'GOOD' | 'NEEDS_IMPROVEMENT' | 'UNACCEPTABLE' | 'TOO_FEW';

export type UndefinedReason =
  /** Fewer than two annotators (of the two asked for, or of all) have labelled anything. */
  | 'FEWER_THAN_TWO_ANNOTATORS'
  /** They have labelled, but no sample jointly. */
  | 'NO_JOINTLY_LABELLED_SAMPLE'
  /** Every joint label is of one class: agreement by chance is certain, and nothing can be above it. */
  | 'CHANCE_AGREEMENT_IS_ONE'
  /** The figure weighs how far apart two classes are, and those of this label set have no order. */
  | 'LABELS_HAVE_NO_ORDER'
  /** The figure takes differences of classes, and those of this label set are no numbers. */
  | 'LABELS_HAVE_NO_DISTANCES';

/** A figure that these labels do not define, and why. `n` is what the defined figure would carry. */
export interface UndefinedFigure {
  readonly undefined: UndefinedReason;
  readonly n: number;
}

export interface AgreementFigure {
  /** At most 1. Chance-corrected, 0 is agreement as by chance, and below it is less; raw, it is a share. */
  readonly value: number;
  /** The agreement seen, 0…1: a share, or where classes have degrees, 1 less the share of the worst disagreement. */
  readonly observed: number;
  /** The same as chance would have it; 0 where nothing is taken off for chance. */
  readonly expected: number;
  /** Samples that it rests on: those with two labels or more. */
  readonly n: number;
  /** Labels of those samples. */
  readonly answers: number;
  /** Large-sample, over samples; null for one sample. */
  readonly standardError: number | null;
  /** 95 %, within the figure's range; null for one sample. See {@link agreementFigure}. */
  readonly interval: Interval | null;
  /** Null for raw agreement, of which nothing is taken off for chance. */
  readonly band: AgreementBand | null;
}

/** Below so many samples no band is given: an interval of a kappa of 0.7 is then wider than two bands. */
export const MIN_FOR_BAND = 30;

/** The band of a chance-corrected figure over `n` samples. A figure on a border is in the lower band. */
export function agreementBand(value: number, n: number): AgreementBand {
  if (n < MIN_FOR_BAND) return 'TOO_FEW';
  if (value > 0.8) return 'EXCELLENT';
  if (value > 0.6) return 'GOOD';
  if (value > 0.4) return 'NEEDS_IMPROVEMENT';
  return 'UNACCEPTABLE';
}

/**
 * A figure with its interval and band.
 *
 * The interval is value ± q standard errors, cut at the ends of the range, q being Student's quantile as K. L. Gwet takes
 * it (Handbook of Inter-Rater Reliability, 4th ed. 2014, ch. 5). Where all agree, the standard error
 * is 0, and such an interval would claim to know what a handful of samples cannot tell: the lower bound is then that
 * of the observed agreement by Wilson, corrected for chance.
 *
 * @param variance of the value; not looked at for n = 1
 * @param freedom degrees of Student's distribution; Infinity: the normal one
 */
export function agreementFigure(
  {
    value,
    observed,
    expected,
    n,
    answers,
  }: Pick<AgreementFigure, 'value' | 'observed' | 'expected' | 'n' | 'answers'>,
  variance: number,
  freedom: number,
  isRaw = false,
): AgreementFigure {
  const band = isRaw ? null : agreementBand(value, n);
  const figure = { value, observed, expected, n, answers, band };
  if (n < 2) return { ...figure, standardError: null, interval: null };
  // Rounding may take a variance of 0 below it, or what full agreement has a little above.
  const standardError = observed === 1 ? 0 : Math.sqrt(Math.max(0, variance));
  if (observed === 1) {
    const lower = (wilson(n, n).lower - expected) / (1 - expected);
    return { ...figure, standardError, interval: { lower: Math.max(-1, lower), upper: 1 } };
  }
  const half = studentQuantile(0.975, freedom) * standardError;
  const interval = { lower: Math.max(isRaw ? 0 : -1, value - half), upper: Math.min(1, value + half) };
  return { ...figure, standardError, interval };
}
