import { type AgreementFigure, agreementFigure, type UndefinedFigure } from './agreementFigure.ts';
import type { UnitPattern } from './unitPatterns.ts';

/**
 * Figures that average, over samples, the share of pairs of labels that agree, and differ in what they take off for
 * chance; for any number of labels a sample. With k_c of a unit's m labels of class c, the agreement in it is
 * Σ_c k_c (k_c - 1) / (m (m - 1)), and the prevalence π_c of a class is the mean of k_c / m.
 *
 * K. L. Gwet, Handbook of Inter-Rater Reliability, 4th ed. 2014, chapters 2 and 5, has these forms and their variances
 * (linearised over units, which are what was drawn). He lets units with one label inform the prevalences, though they
 * cannot agree with anything; so these functions do, where they are given such units.
 */

/**
 * Fleiss' kappa: chance is two labels drawn from the prevalences, Σ π_c². J. L. Fleiss 1971, "Measuring nominal scale
 * agreement among many raters", Psychol. Bull. 76; in Gwet's form for unequal numbers of labels.
 */
export function fleissKappa(
  patterns: readonly UnitPattern[],
  classes: number,
): AgreementFigure | UndefinedFigure {
  return averaged(patterns, classes, (prevalences) => ({
    chance: prevalences.reduce((sum, share) => sum + share * share, 0),
    chanceOf: (label) => prevalences[label] ?? 0,
  }));
}

/**
 * Gwet's AC1: chance is that of a label given at random, which is the likelier the more evenly classes are spread:
 * Σ π_c (1 - π_c) / (classes - 1). It does not fall apart where one class prevails, as kappas do. K. L. Gwet 2008,
 * "Computing inter-rater reliability and its variance in the presence of high agreement", Br. J. Math. Stat. Psychol.
 * 61.
 */
export function gwetAC1(
  patterns: readonly UnitPattern[],
  classes: number,
): AgreementFigure | UndefinedFigure {
  return averaged(patterns, classes, (prevalences) => ({
    chance: prevalences.reduce((sum, share) => sum + share * (1 - share), 0) / (classes - 1),
    chanceOf: (label) => (1 - (prevalences[label] ?? 0)) / (classes - 1),
  }));
}

/** Agreement as one would say it at the table: nothing is taken off for chance. */
export function rawAgreement(
  patterns: readonly UnitPattern[],
  classes: number,
): AgreementFigure | UndefinedFigure {
  return averaged(patterns, classes, null);
}

/** By the prevalences: the agreement that chance brings, and what a label of each class adds to that. */
type ChanceModel = (prevalences: Float64Array) => {
  readonly chance: number;
  readonly chanceOf: (label: number) => number;
};

function averaged(
  patterns: readonly UnitPattern[],
  classes: number,
  model: ChanceModel | null,
): AgreementFigure | UndefinedFigure {
  const prevalences = new Float64Array(classes);
  let [units, joint, answers, agreement] = [0, 0, 0, 0];
  for (const pattern of patterns) {
    units += pattern.units;
    pattern.classes.forEach((label, i) => {
      prevalences[label] =
        (prevalences[label] ?? 0) + pattern.units * ((pattern.counts[i] ?? 0) / pattern.size);
    });
    if (pattern.size < 2) continue;
    joint += pattern.units;
    answers += pattern.units * pattern.size;
    agreement += pattern.units * agreementIn(pattern);
  }
  if (joint === 0) return { undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 };
  // One class alone is certain by chance; said before fractions are taken, which would miss it by their last bit.
  const used = prevalences.filter((share) => share > 0).length;
  const observed = agreement / joint;
  const { chance, chanceOf } = model?.(prevalences.map((share) => share / units)) ?? NO_CHANCE;
  if (used === 1 && chance > 0.5) return { undefined: 'CHANCE_AGREEMENT_IS_ONE', n: joint };
  const value = (observed - chance) / (1 - chance);
  let squares = 0;
  for (const pattern of patterns) {
    const own = pattern.size < 2 ? 0 : ((units / joint) * (agreementIn(pattern) - chance)) / (1 - chance);
    const byChance = pattern.classes.reduce(
      (sum, label, i) => sum + (chanceOf(label) * (pattern.counts[i] ?? 0)) / pattern.size,
      0,
    );
    const deviation = own - (2 * (1 - value) * (byChance - chance)) / (1 - chance) - value;
    squares += pattern.units * deviation * deviation;
  }
  const figure = { value, observed, expected: chance, n: joint, answers };
  return agreementFigure(figure, squares / (units * (units - 1)), units - 1, model === null);
}

const NO_CHANCE: ReturnType<ChanceModel> = { chance: 0, chanceOf: () => 0 };

function agreementIn({ counts, size }: UnitPattern): number {
  return counts.reduce((sum, count) => sum + count * (count - 1), 0) / (size * (size - 1));
}
