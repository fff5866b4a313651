import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import { cohensKappa, type KappaWeights } from './cohensKappa.ts';
import { ContingencyTables } from './contingency.ts';
import { fleissKappa, gwetAC1, rawAgreement } from './fleissAndGwet.ts';
import { krippendorffsAlpha } from './krippendorffsAlpha.ts';
import { type LabelScale, NOMINAL, positionsOn, type ScaleKind } from './labelScale.ts';
import { oneAgainstTheRest, type UnitPattern, UnitPatterns } from './unitPatterns.ts';

/**
 * How far annotators agree, from counts that move with every label and are never recounted.
 *
 * A unit is a sample with the ratings it has; a rating is one annotator's label of it. All counts are integers,
 * so taking back what was added gives exactly the earlier figures, and the order of history leaves no trace.
 */

export interface Rating {
  /** A small integer that stands for the annotator: 0 … 2^32 - 1. */
  readonly annotator: number;
  /** A class index: 0 … classes - 1. */
  readonly label: number;
}

/** Two annotators that have labelled at least one sample jointly; a < b. */
export interface AnnotatorPair {
  readonly a: number;
  readonly b: number;
}

/** Agreement on one class. */
export interface ClassAgreement {
  readonly label: number;
  /** Labels of this class in samples that have two or more. */
  readonly answers: number;
  /**
   * Given that one has said this class, how likely another says it of the same sample; null if nobody has. For two
   * raters the "positive agreement" of D. V. Cicchetti & A. R. Feinstein 1990, "High agreement but low kappa: II",
   * J. Clin. Epidemiol. 43.
   */
  readonly specific: number | null;
  /** Krippendorff's alpha with all other classes taken as one. */
  readonly alpha: AgreementFigure | UndefinedFigure;
}

/** The figures over all annotators. */
export interface OverallAgreement {
  /** The mean, over samples, of the share of pairs of their labels that agree. */
  readonly raw: AgreementFigure | UndefinedFigure;
  /** Krippendorff's alpha of names; below, of order and of distances. */
  readonly alpha: AgreementFigure | UndefinedFigure;
  readonly ordinalAlpha: AgreementFigure | UndefinedFigure;
  readonly intervalAlpha: AgreementFigure | UndefinedFigure;
  readonly fleissKappa: AgreementFigure | UndefinedFigure;
  readonly gwetAC1: AgreementFigure | UndefinedFigure;
}

const ANNOTATOR_LIMIT = 2 ** 32;

/**
 * The counts of one project. A change costs as much as the unit has ratings, whatever the project's size; memory is
 * 30 bytes for each cell of each pair's table that was ever in use, and one number for each pattern of labels.
 *
 * Only units with two ratings or more are counted into figures. Whoever labels a sample first therefore moves none of
 * them, and cannot learn from them that a second label is to come.
 */
export class AgreementCounts {
  readonly #classes: number;
  readonly #scale: LabelScale;
  readonly #positions: readonly number[] | null;
  /** Ratings by annotator; who has none is absent. */
  readonly #ratings = new Map<number, number>();
  /** One more than the largest number of an annotator. */
  #annotators = 0;
  readonly #tables = new ContingencyTables();
  readonly #patterns = new UnitPatterns();

  constructor(classes: number, scale: LabelScale = NOMINAL) {
    this.#classes = classes;
    this.#scale = scale;
    this.#positions = positionsOn(scale, classes);
  }

  /**
   * Replaces what a unit contributes. `before` is what was last given as `after` for the unit (empty at first),
   * in any order; an annotator occurs in each once at most. Anything else is a programming error: RangeError.
   */
  change(before: readonly Rating[], after: readonly Rating[]): void {
    this.#check(before);
    this.#check(after);
    const isIn = (ratings: readonly Rating[]) => (rating: Rating) =>
      ratings.some(({ annotator, label }) => annotator === rating.annotator && label === rating.label);
    const kept = before.filter(isIn(after));
    this.#countPairs(
      after.filter((rating) => !isIn(before)(rating)),
      kept,
      1,
    );
    this.#countPairs(
      before.filter((rating) => !isIn(after)(rating)),
      kept,
      -1,
    );
    if (after.length >= 2) this.#patterns.count(after.map(labelOf), 1);
    if (before.length >= 2) this.#patterns.count(before.map(labelOf), -1);
  }

  /** How many pairs have labelled a sample jointly. */
  get pairCount(): number {
    return this.#tables.size;
  }

  /** The pairs that have labelled a sample jointly, ascending by a, then b. */
  pairs(): AnnotatorPair[] {
    return [...this.#tables.pairs()].map(({ a, b }) => ({ a, b })).sort(byNumbers);
  }

  /** Up to `count` pairs in the order of {@link pairs}, from this one on, without looking at those before. */
  pairsFrom(first: AnnotatorPair, count: number): AnnotatorPair[] {
    const found: AnnotatorPair[] = [];
    for (let a = first.a; a < this.#annotators; a++) {
      for (let b = Math.max(a + 1, a === first.a ? first.b : 0); b < this.#annotators; b++) {
        if (this.#tables.shared(a, b) > 0) found.push({ a, b });
        if (found.length === count) return found;
      }
    }
    return found;
  }

  /** The `count` pairs that share the most samples, in the order of {@link pairs}. */
  closestPairs(count: number): AnnotatorPair[] {
    return this.#tables.largest(count).sort(byNumbers);
  }

  /** Agreement of two annotators, in either order, over what both have labelled; see `cohensKappa.ts`. */
  cohensKappa(a: number, b: number, weights: KappaWeights = 'NONE'): AgreementFigure | UndefinedFigure {
    if (a === b || !this.#ratings.has(a) || !this.#ratings.has(b)) {
      return { undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 };
    }
    const cells = this.#tables.cells(Math.min(a, b), Math.max(a, b));
    return cohensKappa(cells, weights, this.#positions);
  }

  /** All figures over all annotators; see `krippendorffsAlpha.ts` and `fleissAndGwet.ts`. */
  overall(): OverallAgreement {
    const patterns = this.#patterns.list();
    const alpha = (level: ScaleKind) => krippendorffsAlpha(patterns, this.#classes, level, this.#scale);
    return {
      raw: this.#orWhy(rawAgreement(patterns, this.#classes)),
      alpha: this.#orWhy(alpha('NOMINAL')),
      ordinalAlpha: this.#orWhy(alpha('ORDINAL')),
      intervalAlpha: this.#orWhy(alpha('INTERVAL')),
      fleissKappa: this.#orWhy(fleissKappa(patterns, this.#classes)),
      gwetAC1: this.#orWhy(gwetAC1(patterns, this.#classes)),
    };
  }

  /** Agreement on each class, in the order of the label set. */
  byClass(): ClassAgreement[] {
    const patterns = this.#patterns.list();
    const occurring = new Map<number, UnitPattern[]>();
    for (const pattern of patterns) {
      for (const label of pattern.classes) {
        const list = occurring.get(label);
        if (list === undefined) occurring.set(label, [pattern]);
        else list.push(pattern);
      }
    }
    const bySize = unitsBySize(patterns);
    return Array.from({ length: this.#classes }, (_, label) => {
      const own = occurring.get(label) ?? [];
      const alpha = krippendorffsAlpha([...oneAgainstTheRest(own, label), ...without(own, bySize)], 2);
      return { label, ...specificAgreement(own, label), alpha: this.#orWhy(alpha) };
    });
  }

  #orWhy(figure: AgreementFigure | UndefinedFigure): AgreementFigure | UndefinedFigure {
    const isNothingJoint = 'undefined' in figure && figure.undefined === 'NO_JOINTLY_LABELLED_SAMPLE';
    if (isNothingJoint && this.#ratings.size < 2) return { undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 };
    return figure;
  }

  #check(ratings: readonly Rating[]): void {
    for (const [i, { annotator, label }] of ratings.entries()) {
      if (!Number.isInteger(annotator) || annotator < 0 || annotator >= ANNOTATOR_LIMIT) {
        throw new RangeError(`Annotator ${annotator} is not an integer of 0 … 2^32 - 1`);
      }
      if (!Number.isInteger(label) || label < 0 || label >= this.#classes) {
        throw new RangeError(`Label ${label} is outside a label set of ${this.#classes} classes`);
      }
      for (let j = 0; j < i; j++) {
        if (ratings[j]?.annotator === annotator)
          throw new RangeError(`Annotator ${annotator} rates a unit twice`);
      }
    }
  }

  /** Counts ratings that a unit gets or loses, beside those it keeps. */
  #countPairs(changed: readonly Rating[], kept: readonly Rating[], by: 1 | -1): void {
    for (const [i, one] of changed.entries()) {
      moveCount(this.#ratings, one.annotator, by);
      this.#annotators = Math.max(this.#annotators, one.annotator + 1);
      for (const other of kept) this.#countPair(one, other, by);
      for (let j = 0; j < i; j++) this.#countPair(one, changed[j] as Rating, by);
    }
  }

  #countPair(one: Rating, other: Rating, by: 1 | -1): void {
    const [first, second] = one.annotator < other.annotator ? [one, other] : [other, one];
    this.#tables.count(first.annotator, second.annotator, first.label, second.label, by);
  }
}

function labelOf({ label }: Rating): number {
  return label;
}

function byNumbers(left: AnnotatorPair, right: AnnotatorPair): number {
  return left.a - right.a || left.b - right.b;
}

function unitsBySize(patterns: readonly UnitPattern[]): ReadonlyMap<number, number> {
  const units = new Map<number, number>();
  for (const pattern of patterns) units.set(pattern.size, (units.get(pattern.size) ?? 0) + pattern.units);
  return units;
}

/** The units in which a class does not occur, by their size, given those in which it does: all of the rest. */
function without(own: readonly UnitPattern[], bySize: ReadonlyMap<number, number>): UnitPattern[] {
  const ownBySize = unitsBySize(own);
  return [...bySize]
    .map(([size, units]) => ({
      classes: [1],
      counts: [size],
      size,
      units: units - (ownBySize.get(size) ?? 0),
    }))
    .filter(({ units }) => units > 0);
}

/** Of the labels beside one of this class, the share that are of it too, each sample weighing as it has such labels. */
function specificAgreement(
  own: readonly UnitPattern[],
  label: number,
): Pick<ClassAgreement, 'answers' | 'specific'> {
  let [answers, agreeing] = [0, 0];
  for (const { classes, counts, size, units } of own) {
    const count = counts[classes.indexOf(label)] ?? 0;
    answers += units * count;
    agreeing += (units * count * (count - 1)) / (size - 1);
  }
  return { answers, specific: answers === 0 ? null : agreeing / answers };
}

/** A count of 0 is absent, so that maps hold what is in use and two equal histories give equal maps. */
function moveCount(counts: Map<number, number>, key: number, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count < 0) throw new RangeError('What was never counted cannot be taken back');
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
