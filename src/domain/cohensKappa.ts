import { type AgreementFigure, agreementFigure, type UndefinedFigure } from './agreementFigure.ts';
import type { Cell } from './contingency.ts';

/** How a disagreement weighs: all alike, by how far apart the two classes are, or by the square of that. */
export type KappaWeights = 'NONE' | 'LINEAR' | 'QUADRATIC';

/**
 * Agreement of two raters, from the table of what they have said of the same samples: J. Cohen 1960, "A coefficient
 * of agreement for nominal scales", Educ. Psychol. Meas. 20; weighted, J. Cohen 1968, "Weighted kappa: nominal scale
 * agreement with provision for scaled disagreement or partial credit", Psychol. Bull. 70. With f_ij samples in a
 * cell, margins f_i. and f_.j and disagreement weights d_ij,
 *
 *   kappa = 1 - n Σ f_ij d_ij / Σ f_i. f_.j d_ij
 *
 * Observed and expected agreement are 1 less the weighted disagreement, of which the worst that the two margins
 * could show is 1: so they do not change with the unit of the positions.
 *
 * @param cells those in use
 * @param positions where the classes stand on a line; null for names, which have no weights
 */
export function cohensKappa(
  cells: readonly Cell[],
  weights: KappaWeights,
  positions: readonly number[] | null,
): AgreementFigure | UndefinedFigure {
  const n = cells.reduce((sum, { count }) => sum + count, 0);
  if (weights !== 'NONE' && positions === null) return { undefined: 'LABELS_HAVE_NO_ORDER', n };
  if (n === 0) return { undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n };
  const rows = margins(cells, 'row');
  const columns = margins(cells, 'column');
  const chance =
    weights === 'NONE'
      ? chanceOfNames(n, rows, columns)
      : chanceOnLine(weights, positions ?? [], rows, columns);
  let seen = 0;
  for (const { row, column, count } of cells) seen += count * chance.disagreement(row, column);
  // In whole numbers, but for positions that are fractions: so 1 is recognised, and borders of bands are exact.
  if (chance.total === 0) return { undefined: 'CHANCE_AGREEMENT_IS_ONE', n };
  const value = (chance.total - n * seen) / chance.total;
  const unit = chance.worst;
  const observed = 1 - seen / (n * unit);
  const expected = 1 - chance.total / (n * n * unit);
  const variance = kappaVariance({ value, expected, n, cells, chance });
  return agreementFigure(
    { value, observed, expected, n, answers: 2 * n },
    variance,
    Number.POSITIVE_INFINITY,
  );
}

type Margin = ReadonlyMap<number, number>;

function margins(cells: readonly Cell[], side: 'row' | 'column'): Margin {
  const margin = new Map<number, number>();
  for (const cell of cells) margin.set(cell[side], (margin.get(cell[side]) ?? 0) + cell.count);
  return margin;
}

interface Chance {
  /** d_ij. */
  readonly disagreement: (row: number, column: number) => number;
  /** Σ f_i. f_.j d_ij. */
  readonly total: number;
  /** The largest d_ij there may be. */
  readonly worst: number;
  /** Σ_j f_.j d_ij, and Σ_i f_i. d_ij. */
  readonly ofRow: (row: number) => number;
  readonly ofColumn: (column: number) => number;
}

function chanceOfNames(n: number, rows: Margin, columns: Margin): Chance {
  let agreeing = 0;
  for (const [row, count] of rows) agreeing += count * (columns.get(row) ?? 0);
  return {
    disagreement: (row, column) => (row === column ? 0 : 1),
    total: n * n - agreeing,
    worst: 1,
    ofRow: (row) => n - (columns.get(row) ?? 0),
    ofColumn: (column) => n - (rows.get(column) ?? 0),
  };
}

function chanceOnLine(
  weights: 'LINEAR' | 'QUADRATIC',
  positions: readonly number[],
  rows: Margin,
  columns: Margin,
): Chance {
  const disagreement = (row: number, column: number) => {
    const distance = Math.abs((positions[row] ?? 0) - (positions[column] ?? 0));
    return weights === 'LINEAR' ? distance : distance * distance;
  };
  const against = (margin: Margin, of: (other: number) => number) => {
    let sum = 0;
    for (const [other, count] of margin) sum += count * of(other);
    return sum;
  };
  const ofRow = new Map([...rows.keys()].map((row) => [row, against(columns, (c) => disagreement(row, c))]));
  const ofColumn = new Map(
    [...columns.keys()].map((column) => [column, against(rows, (r) => disagreement(r, column))]),
  );
  return {
    disagreement,
    total: against(rows, (row) => ofRow.get(row) ?? 0),
    worst: disagreement(0, positions.length - 1),
    ofRow: (row) => ofRow.get(row) ?? 0,
    ofColumn: (column) => ofColumn.get(column) ?? 0,
  };
}

/**
 * J. L. Fleiss, J. Cohen & B. S. Everitt 1969, "Large sample standard errors of kappa and weighted kappa",
 * Psychol. Bull. 72. With agreement weights w = 1 - d, their means w̄_i. over the columns and w̄_.j over the rows,
 *
 *   (Σ p_ij (w_ij - (w̄_i. + w̄_.j)(1 - kappa))² - (kappa - p_e (1 - kappa))²) / (n (1 - p_e)²)
 */
function kappaVariance({
  value,
  expected,
  n,
  cells,
  chance,
}: {
  readonly value: number;
  readonly expected: number;
  readonly n: number;
  readonly cells: readonly Cell[];
  readonly chance: Chance;
}): number {
  const { disagreement, ofRow, ofColumn, worst } = chance;
  let sum = 0;
  for (const { row, column, count } of cells) {
    const means = 2 - (ofRow(row) + ofColumn(column)) / (n * worst);
    const term = 1 - disagreement(row, column) / worst - means * (1 - value);
    sum += (count / n) * term * term;
  }
  const centre = value - expected * (1 - value);
  return (sum - centre * centre) / (n * (1 - expected) ** 2);
}
