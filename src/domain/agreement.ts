/**
 * How far annotators agree, from counts that move with every label and are never recounted.
 *
 * A unit is a sample with the ratings it has; a rating is one annotator's label of it. All counts are integers,
 * so taking back what was added gives exactly the earlier figures, and the order of history leaves no trace.
 */

import { type Interval, normalQuantile } from './confidence.ts';

export interface Rating {
  /** A small integer that stands for the annotator: 0 … 2^26 - 1. */
  readonly annotator: number;
  /** A class index: 0 … classes - 1. */
  readonly label: number;
}

export type AgreementBand = 'EXCELLENT' | 'GOOD' | 'NEEDS_IMPROVEMENT' | 'UNACCEPTABLE';

export type UndefinedReason =
  /** Fewer than two annotators (of the two asked for, or of all) have labelled anything. */
  | 'FEWER_THAN_TWO_ANNOTATORS'
  /** They have labelled, but no sample jointly. */
  | 'NO_JOINTLY_LABELLED_SAMPLE'
  /** Every joint label is of one class: agreement by chance is certain, and nothing can be above it. */
  | 'CHANCE_AGREEMENT_IS_ONE';

/** A figure that these labels do not define, and why. `n` is what the defined figure would carry. */
export interface UndefinedFigure {
  readonly undefined: UndefinedReason;
  readonly n: number;
}

export interface KappaFigure {
  /** (observed - expected) / (1 - expected), in [-1, 1]; 0 is agreement as by chance. */
  readonly kappa: number;
  /** The share of jointly labelled samples on which the two agree. */
  readonly observed: number;
  /** The share on which two who label at random, each with their own class shares, would agree. */
  readonly expected: number;
  /** Samples that both have labelled. */
  readonly n: number;
  /** Large-sample, so not to be trusted for small n; 0 where they agree on everything. */
  readonly standardError: number;
  /** 95 %: kappa ± 1.96 standard errors, within [-1, 1]. */
  readonly interval: Interval;
  readonly band: AgreementBand;
}

export interface AlphaFigure {
  /** 1 - observed disagreement / expected disagreement, at most 1; 0 is agreement as by chance. */
  readonly alpha: number;
  /** The share of agreeing pairs of values within units, each unit weighing as many values as it has. */
  readonly observed: number;
  /** The share of agreeing pairs among all pairable values, whatever their unit. */
  readonly expected: number;
  /** Pairable values: ratings in units that have two or more. */
  readonly n: number;
  /** Units that have two or more ratings. */
  readonly units: number;
  readonly band: AgreementBand;
}

export interface RawAgreementFigure {
  /** The share of pairs of ratings of one sample that agree, in [0, 1]; nothing is taken off for chance. */
  readonly agreement: number;
  /** Pairs of ratings. */
  readonly n: number;
  /** Units that have two or more ratings. */
  readonly units: number;
}

/** Two annotators that have labelled at least one sample jointly; a < b. */
export interface AnnotatorPair {
  readonly a: number;
  readonly b: number;
}

/** A pair's two numbers make one key below 2^52, which a double holds exactly. */
const ANNOTATOR_LIMIT = 2 ** 26;

const Z_95 = normalQuantile(0.975);

/** The band of a chance-corrected figure (kappa, alpha). A figure on a border is in the lower band. */
export function agreementBand(figure: number): AgreementBand {
  if (figure > 0.8) return 'EXCELLENT';
  if (figure > 0.6) return 'GOOD';
  if (figure > 0.4) return 'NEEDS_IMPROVEMENT';
  return 'UNACCEPTABLE';
}

/**
 * The counts of one project. A change costs the square of the unit's few ratings, whatever the project's size;
 * memory is a table for each pair that shares a sample, of the cells in use, and one number for each class.
 */
export class AgreementCounts {
  readonly #classes: number;
  /** Ratings by annotator; who has none is absent. */
  readonly #ratings = new Map<number, number>();
  readonly #pairs = new Map<number, PairTable>();
  /** Pairable values by class. */
  readonly #valuesByClass: Float64Array;
  /** By a unit's number of ratings; entries 0 and 1 stay empty. */
  readonly #bySize: SizeCounts[] = [];

  constructor(classes: number) {
    this.#classes = classes;
    this.#valuesByClass = new Float64Array(classes);
  }

  /**
   * Replaces what a unit contributes. `before` is what was last given as `after` for the unit (empty at first),
   * in any order; an annotator occurs in each once at most. Anything else is a programming error: RangeError.
   */
  change(before: readonly Rating[], after: readonly Rating[]): void {
    this.#check(before);
    this.#check(after);
    // Added first, so that a table that empties only for a moment is not dropped and built anew.
    this.#count(after, 1);
    this.#count(before, -1);
  }

  /** The pairs for which `cohensKappa` has something to say, ascending by a, then b. */
  pairs(): AnnotatorPair[] {
    return [...this.#pairs.keys()]
      .sort((left, right) => left - right)
      .map((key) => ({ a: Math.floor(key / ANNOTATOR_LIMIT), b: key % ANNOTATOR_LIMIT }));
  }

  /**
   * Agreement of two annotators, in either order, over what both have labelled: J. Cohen 1960, "A coefficient of
   * agreement for nominal scales", Educ. Psychol. Meas. 20. Costs the pair's cells in use.
   */
  cohensKappa(a: number, b: number): KappaFigure | UndefinedFigure {
    if (a === b || !this.#ratings.has(a) || !this.#ratings.has(b)) {
      return { undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 };
    }
    const table = this.#pairs.get(pairKey(a, b));
    return table === undefined
      ? { undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 }
      : table.kappa(this.#classes);
  }

  /**
   * Agreement of all, nominal, any number of ratings a unit: K. Krippendorff 2011, "Computing Krippendorff's
   * alpha-reliability", section C. With m_u ratings in unit u, n_uc of them of class c, n_c pairable values of
   * class c and n in all,
   *
   *   alpha = ((n - 1) Σ_u Σ_c n_uc (n_uc - 1) / (m_u - 1) - Σ_c n_c (n_c - 1)) / (n (n - 1) - Σ_c n_c (n_c - 1))
   */
  krippendorffAlpha(): AlphaFigure | UndefinedFigure {
    let n = 0;
    let units = 0;
    let coincident = 0;
    for (const [size, counts] of this.#bySize.entries()) {
      if (counts.units === 0) continue;
      n += counts.units * size;
      units += counts.units;
      coincident += (2 * counts.agreeingPairs) / (size - 1);
    }
    if (n === 0) return this.#nothingJoint();
    const chance = this.#valuesByClass.reduce((sum, values) => sum + values * (values - 1), 0);
    const all = n * (n - 1);
    if (chance === all) return { undefined: 'CHANCE_AGREEMENT_IS_ONE', n };
    const alpha = ((n - 1) * coincident - chance) / (all - chance);
    return {
      alpha,
      observed: coincident / n,
      expected: chance / all,
      n,
      units,
      band: agreementBand(alpha),
    };
  }

  /** Agreement of all as one would say it at the table: of all pairs of ratings of one sample, how many agree. */
  rawAgreement(): RawAgreementFigure | UndefinedFigure {
    let n = 0;
    let units = 0;
    let agreeing = 0;
    for (const [size, counts] of this.#bySize.entries()) {
      n += (counts.units * size * (size - 1)) / 2;
      units += counts.units;
      agreeing += counts.agreeingPairs;
    }
    return n === 0 ? this.#nothingJoint() : { agreement: agreeing / n, n, units };
  }

  #nothingJoint(): UndefinedFigure {
    const reason = this.#ratings.size < 2 ? 'FEWER_THAN_TWO_ANNOTATORS' : 'NO_JOINTLY_LABELLED_SAMPLE';
    return { undefined: reason, n: 0 };
  }

  #check(ratings: readonly Rating[]): void {
    for (const [i, { annotator, label }] of ratings.entries()) {
      if (!Number.isInteger(annotator) || annotator < 0 || annotator >= ANNOTATOR_LIMIT) {
        throw new RangeError(`Annotator ${annotator} is not an integer of 0 … 2^26 - 1`);
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

  #count(ratings: readonly Rating[], by: 1 | -1): void {
    let agreeingPairs = 0;
    for (const [i, rating] of ratings.entries()) {
      moveCount(this.#ratings, rating.annotator, by);
      if (ratings.length >= 2) {
        this.#valuesByClass[rating.label] = (this.#valuesByClass[rating.label] ?? 0) + by;
      }
      for (const other of ratings.slice(0, i)) {
        this.#countPair(rating, other, by);
        if (rating.label === other.label) agreeingPairs += 1;
      }
    }
    if (ratings.length < 2) return;
    while (this.#bySize.length <= ratings.length) this.#bySize.push({ units: 0, agreeingPairs: 0 });
    const counts = this.#bySize[ratings.length] as SizeCounts;
    counts.units += by;
    counts.agreeingPairs += by * agreeingPairs;
  }

  #countPair(rating: Rating, other: Rating, by: 1 | -1): void {
    const [first, second] = rating.annotator < other.annotator ? [rating, other] : [other, rating];
    const key = pairKey(first.annotator, second.annotator);
    let table = this.#pairs.get(key);
    if (table === undefined) {
      table = new PairTable();
      this.#pairs.set(key, table);
    }
    table.count(first.label * this.#classes + second.label, first.label === second.label, by);
    if (table.isEmpty) this.#pairs.delete(key);
  }
}

interface SizeCounts {
  units: number;
  /** Unordered pairs of ratings within these units that agree: half of Σ_u Σ_c n_uc (n_uc - 1). */
  agreeingPairs: number;
}

/** The sparse classes × classes table of one pair: rows are the labels of the annotator of the lower number. */
class PairTable {
  #n = 0;
  #agreed = 0;
  /** Samples by row × classes + column. */
  readonly #cells = new Map<number, number>();

  get isEmpty(): boolean {
    return this.#n === 0;
  }

  count(cell: number, isAgreement: boolean, by: 1 | -1): void {
    moveCount(this.#cells, cell, by);
    this.#n += by;
    if (isAgreement) this.#agreed += by;
  }

  kappa(classes: number): KappaFigure | UndefinedFigure {
    const n = this.#n;
    const cells = this.#cellsInOrder(classes);
    const rows = new Map<number, number>();
    const columns = new Map<number, number>();
    for (const { row, column, count } of cells) {
      rows.set(row, (rows.get(row) ?? 0) + count);
      columns.set(column, (columns.get(column) ?? 0) + count);
    }
    // n² times the expected agreement: in integers, so that 1 is recognised and borders of bands are exact.
    let chance = 0;
    for (const [row, count] of rows) chance += count * (columns.get(row) ?? 0);
    if (chance === n * n) return { undefined: 'CHANCE_AGREEMENT_IS_ONE', n };

    const kappa = (n * this.#agreed - chance) / (n * n - chance);
    const expected = chance / (n * n);
    const standardError = kappaStandardError(kappa, expected, n, cells, rows, columns);
    return {
      kappa,
      observed: this.#agreed / n,
      expected,
      n,
      standardError,
      interval: {
        lower: Math.max(-1, kappa - Z_95 * standardError),
        upper: Math.min(1, kappa + Z_95 * standardError),
      },
      band: agreementBand(kappa),
    };
  }

  /** In one order, whatever the history: sums of fractions differ in their last bits with the order. */
  #cellsInOrder(classes: number): Cell[] {
    return [...this.#cells]
      .sort(([left], [right]) => left - right)
      .map(([cell, count]) => ({ row: Math.floor(cell / classes), column: cell % classes, count }));
  }
}

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
}

/**
 * J. L. Fleiss, J. Cohen & B. S. Everitt 1969, "Large sample standard errors of kappa and weighted kappa",
 * Psychol. Bull. 72, in the form of Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions,
 * section 18.1: sqrt((A + B - C) / n) / (1 - p_e), with
 *
 *   A = Σ_i p_ii (1 - (p_i. + p_.i)(1 - kappa))²,  B = (1 - kappa)² Σ_{i≠j} p_ij (p_.i + p_j.)²,
 *   C = (kappa - p_e (1 - kappa))².
 */
function kappaStandardError(
  kappa: number,
  expected: number,
  n: number,
  cells: readonly Cell[],
  rows: ReadonlyMap<number, number>,
  columns: ReadonlyMap<number, number>,
): number {
  let sum = 0;
  for (const { row, column, count } of cells) {
    const margins = ((columns.get(row) ?? 0) + (rows.get(column) ?? 0)) / n;
    const term = (row === column ? 1 : 0) - margins * (1 - kappa);
    sum += (count / n) * term * term;
  }
  const centre = kappa - expected * (1 - kappa);
  // Rounding may take a variance of 0 below it.
  return Math.sqrt(Math.max(0, sum - centre * centre) / n) / (1 - expected);
}

function pairKey(a: number, b: number): number {
  return Math.min(a, b) * ANNOTATOR_LIMIT + Math.max(a, b);
}

/** A count of 0 is absent, so that maps hold what is in use and two equal histories give equal maps. */
function moveCount(counts: Map<number, number>, key: number, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count < 0) throw new RangeError('What was never counted cannot be taken back');
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
