import { type AgreementFigure, agreementFigure, type UndefinedFigure } from './agreementFigure.ts';
import { type LabelScale, NOMINAL, type ScaleKind } from './labelScale.ts';
import type { UnitPattern } from './unitPatterns.ts';

/**
 * Agreement of all raters over samples that any two or more of them have labelled: K. Krippendorff 2011, "Computing
 * Krippendorff's alpha-reliability", sections C to E. With m labels of a unit, k_c of them of class c, n_c of all
 * labels and n together,
 *
 *   alpha = 1 - (n - 1) Σ_units (Σ_cc' k_c k_c' d_cc' / (m - 1)) / Σ_cc' n_c n_c' d_cc'
 *
 * d is 1 between names, and between degrees the square of how far apart they are: in values on an interval scale; on
 * an ordinal one in ranks, a class standing in the middle of all labels that are of it. A rater's single label of a
 * unit cannot agree with anything, and is left out.
 *
 * The variance is Gwet's (Handbook of Inter-Rater Reliability, 4th ed. 2014, ch. 5): of the same figure with n in the
 * place of n - 1, linearised over units, which are what was drawn. The ranks of an ordinal scale move with the labels
 * too, and that is taken into account.
 *
 * @param level how classes are taken: not above what their scale is
 */
export function krippendorffsAlpha(
  all: readonly UnitPattern[],
  classes: number,
  level: ScaleKind = 'NOMINAL',
  scale: LabelScale = NOMINAL,
): AgreementFigure | UndefinedFigure {
  const patterns = all.filter(({ size }) => size >= 2);
  const totals = new Float64Array(classes);
  let units = 0;
  for (const pattern of patterns) {
    units += pattern.units;
    pattern.classes.forEach((label, i) => {
      totals[label] = (totals[label] ?? 0) + pattern.units * (pattern.counts[i] ?? 0);
    });
  }
  if (level !== 'NOMINAL' && scale.kind === 'NOMINAL') return { undefined: 'LABELS_HAVE_NO_ORDER', n: units };
  if (level === 'INTERVAL' && scale.kind !== 'INTERVAL') {
    return { undefined: 'LABELS_HAVE_NO_DISTANCES', n: units };
  }
  if (units === 0) return { undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 };
  if (totals.filter((total) => total > 0).length === 1) {
    return { undefined: 'CHANCE_AGREEMENT_IS_ONE', n: units };
  }
  const n = totals.reduce((sum, total) => sum + total, 0);
  const metric =
    level === 'NOMINAL' ? names(patterns, totals, n) : degrees(level, patterns, totals, n, scale);
  const { seen, chance, worst, seenIn, chanceIn } = metric;
  const value = (chance - (n - 1) * seen) / chance;
  let squares = 0;
  for (const pattern of patterns) {
    const influence =
      (-(pattern.size * seen + n * seenIn(pattern)) + (n * seen * chanceIn(pattern)) / chance) / chance;
    squares += pattern.units * influence * influence;
  }
  const observed = 1 - seen / (n * worst);
  const expected = 1 - chance / (n * (n - 1) * worst);
  const figure = { value, observed, expected, n: units, answers: n };
  return agreementFigure(figure, (units / (units - 1)) * squares, units - 1);
}

interface Disagreement {
  /** Over all units, and over all pairs of labels: the two sums of alpha. */
  readonly seen: number;
  readonly chance: number;
  /** The largest d there may be. */
  readonly worst: number;
  /** How the two sums move with one more unit of a pattern, to first order. */
  readonly seenIn: (pattern: UnitPattern) => number;
  readonly chanceIn: (pattern: UnitPattern) => number;
}

function names(patterns: readonly UnitPattern[], totals: Float64Array, n: number): Disagreement {
  const seenIn = ({ counts, size }: UnitPattern) =>
    (size * size - counts.reduce((sum, count) => sum + count * count, 0)) / (size - 1);
  return {
    seen: patterns.reduce((sum, pattern) => sum + pattern.units * seenIn(pattern), 0),
    chance: n * n - totals.reduce((sum, total) => sum + total * total, 0),
    worst: 1,
    seenIn,
    chanceIn: ({ classes, counts }) =>
      2 * classes.reduce((sum, label, i) => sum + (counts[i] ?? 0) * (n - (totals[label] ?? 0)), 0),
  };
}

/** Squares of differences of positions x: Σ_cc' k_c k_c' (x_c - x_c')² is 2 (m Σ k x² - (Σ k x)²). */
function degrees(
  level: ScaleKind,
  patterns: readonly UnitPattern[],
  totals: Float64Array,
  n: number,
  { values }: LabelScale,
): Disagreement {
  const x = level === 'INTERVAL' ? Float64Array.from(values) : ranks(totals);
  const moments = (of: (power: number, label: number) => number) => [of(1, 0), of(2, 0)] as const;
  const sums = ({ classes, counts }: UnitPattern) =>
    moments((power) => classes.reduce((sum, c, i) => sum + (counts[i] ?? 0) * (x[c] ?? 0) ** power, 0));
  const [first, second] = moments((power) =>
    totals.reduce((sum, total, c) => sum + total * (x[c] ?? 0) ** power, 0),
  );
  const seenIn = (pattern: UnitPattern) => {
    const [one, two] = sums(pattern);
    return (2 * (pattern.size * two - one * one)) / (pattern.size - 1);
  };
  const direct = (label: number) => {
    const at = x[label] ?? 0;
    return 2 * (n * at * at - 2 * at * first + second);
  };
  const moved = level === 'INTERVAL' ? null : movedRanks(patterns, totals, n, x);
  const through = (slopes: Float64Array | undefined, { classes, counts }: UnitPattern) =>
    slopes === undefined ? 0 : classes.reduce((sum, c, i) => sum + (counts[i] ?? 0) * (slopes[c] ?? 0), 0);
  return {
    seen: patterns.reduce((sum, pattern) => sum + pattern.units * seenIn(pattern), 0),
    chance: 2 * (n * second - first * first),
    worst: ((x.at(-1) ?? 0) - (x[0] ?? 0)) ** 2,
    seenIn: (pattern) => seenIn(pattern) + through(moved?.seen, pattern),
    chanceIn: (pattern) =>
      pattern.classes.reduce((sum, c, i) => sum + (pattern.counts[i] ?? 0) * direct(c), 0) +
      through(moved?.chance, pattern),
  };
}

/** Where each class stands among all labels in order: in the middle of its own. */
function ranks(totals: Float64Array): Float64Array {
  let below = 0;
  return totals.map((total) => {
    const rank = below + total / 2;
    below += total;
    return rank;
  });
}

/** How the two sums move with one more label of each class by what that does to the ranks of all classes. */
function movedRanks(
  patterns: readonly UnitPattern[],
  totals: Float64Array,
  n: number,
  x: Float64Array,
): { readonly seen: Float64Array; readonly chance: Float64Array } {
  const seen = new Float64Array(totals.length);
  for (const { classes, counts, size, units } of patterns) {
    const sum = classes.reduce((total, c, i) => total + (counts[i] ?? 0) * (x[c] ?? 0), 0);
    classes.forEach((c, i) => {
      const slope = (4 * (counts[i] ?? 0) * (size * (x[c] ?? 0) - sum)) / (size - 1);
      seen[c] = (seen[c] ?? 0) + units * slope;
    });
  }
  const sum = totals.reduce((total, count, c) => total + count * (x[c] ?? 0), 0);
  const chance = totals.map((total, c) => 4 * total * (n * (x[c] ?? 0) - sum));
  return { seen: throughRanks(seen), chance: throughRanks(chance) };
}

/** A label of a class moves the rank of the class by ½, and of every class above by 1. */
function throughRanks(slopes: Float64Array): Float64Array {
  let above = 0;
  for (let c = slopes.length - 1; c >= 0; c--) {
    const own = slopes[c] ?? 0;
    slopes[c] = above + own / 2;
    above += own;
  }
  return slopes;
}
