import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgreementCounts, type Rating } from '../../src/domain/agreement.ts';
import {
  type AgreementFigure,
  agreementBand,
  type UndefinedFigure,
} from '../../src/domain/agreementFigure.ts';
import { fleissKappa, gwetAC1, rawAgreement } from '../../src/domain/fleissAndGwet.ts';
import { krippendorffsAlpha } from '../../src/domain/krippendorffsAlpha.ts';
import { type LabelScale, NOMINAL } from '../../src/domain/labelScale.ts';
import { type UnitPattern, UnitPatterns } from '../../src/domain/unitPatterns.ts';

type Table = readonly (readonly number[])[];

const ORDINAL: LabelScale = { kind: 'ORDINAL', values: [] };
const steps = (classes: number): LabelScale => ({
  kind: 'INTERVAL',
  values: Array.from({ length: classes }, (_, i) => i),
});

/** Counts of annotators 0 (rows) and 1 (columns) who have labelled as a published table says. */
function fromTable(table: Table, scale = NOMINAL): AgreementCounts {
  const counts = new AgreementCounts(table.length, scale);
  for (const [row, cells] of table.entries()) {
    for (const [column, samples] of cells.entries()) {
      for (let i = 0; i < samples; i++) {
        counts.change(
          [],
          [
            { annotator: 0, label: row },
            { annotator: 1, label: column },
          ],
        );
      }
    }
  }
  return counts;
}

/** Units of a published matrix: a line an annotator, a character a unit, '.' where there is no rating. */
function unitsOf(...lines: readonly string[]): { readonly classes: number; readonly units: Rating[][] } {
  const symbols = [...new Set(lines.join('').replaceAll('.', ''))].sort();
  const units = [...(lines[0] ?? '')].map((_, unit) =>
    lines
      .map((line, annotator) => ({ annotator, label: symbols.indexOf(line.charAt(unit)) }))
      .filter(({ label }) => label >= 0),
  );
  return { classes: symbols.length, units };
}

function fromMatrix(lines: readonly string[], scale?: (classes: number) => LabelScale): AgreementCounts {
  const { classes, units } = unitsOf(...lines);
  const counts = new AgreementCounts(classes, scale?.(classes));
  for (const ratings of units) counts.change([], ratings);
  return counts;
}

function patternsOf(units: readonly (readonly Rating[])[]): UnitPattern[] {
  const patterns = new UnitPatterns();
  for (const ratings of units)
    patterns.count(
      ratings.map(({ label }) => label),
      1,
    );
  return patterns.list();
}

/** Patterns of a published distribution: a line a unit, how many raters chose each class. */
function fromDistribution(rows: Table): UnitPattern[] {
  return patternsOf(
    rows.map((counts) =>
      counts.flatMap((count, label) =>
        Array.from({ length: count }, (_, annotator) => ({ annotator, label })),
      ),
    ),
  );
}

function defined(figure: AgreementFigure | UndefinedFigure): AgreementFigure & {
  readonly standardError: number;
  readonly interval: { readonly lower: number; readonly upper: number };
} {
  if ('undefined' in figure) return expect.fail(`it is undefined: ${figure.undefined}`);
  const { standardError, interval } = figure;
  if (standardError === null || interval === null) return expect.fail('it rests on one sample');
  return { ...figure, standardError, interval };
}

/** To all the digits that were published. */
function expectPublished(
  figure: AgreementFigure | UndefinedFigure,
  published: {
    readonly value: string;
    readonly standardError?: string;
    readonly lower?: string;
    readonly upper?: string;
  },
): void {
  const { value, standardError, interval } = defined(figure);
  const found = { value, standardError, ...interval };
  for (const [name, digits] of Object.entries(published)) {
    const decimals = digits.split('.')[1]?.length ?? 0;
    expect({ [name]: found[name as keyof typeof found].toFixed(decimals) }).toEqual({ [name]: digits });
  }
}

// --- The same figures anew from all ratings, straight from the definitions, without our counts. ---

type Units = readonly (readonly Rating[])[];

function batchTable(units: Units, classes: number, a: number, b: number): number[][] {
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const unit of units) {
    const row = unit.find(({ annotator }) => annotator === a)?.label;
    const column = unit.find(({ annotator }) => annotator === b)?.label;
    const cells = row === undefined ? undefined : table[row];
    if (cells === undefined || column === undefined) continue;
    cells[column] = (cells[column] ?? 0) + 1;
  }
  return table;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

type Weight = (row: number, column: number) => number;

/** Of weights of agreement, 1 on the diagonal. */
function batchKappa(table: Table, weight: Weight): number {
  const n = sum(table.map((row) => sum(row)));
  const shares = table.map((row) => row.map((count) => count / n));
  const columns = shares.map((_, j) => sum(shares.map((row) => row[j] ?? 0)));
  const observed = sum(shares.flatMap((row, i) => row.map((share, j) => share * weight(i, j))));
  const expected = sum(
    shares.flatMap((row, i) => columns.map((share, j) => sum(row) * share * weight(i, j))),
  );
  return (observed - expected) / (1 - expected);
}

/** Krippendorff's coincidence matrix, pair by pair, of units that each weigh as often as they are said to occur. */
function batchAlpha(
  patterns: readonly UnitPattern[],
  classes: number,
  metric: (totals: readonly number[]) => Weight,
  isWithCorrection = true,
): number {
  const coincidences = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const pattern of patterns) {
    const labels = pattern.classes.flatMap((label, i) =>
      new Array<number>(pattern.counts[i] ?? 0).fill(label),
    );
    for (const [i, one] of labels.entries()) {
      for (const [j, other] of labels.entries()) {
        const row = coincidences[one];
        if (i !== j && row) row[other] = (row[other] ?? 0) + pattern.units / (labels.length - 1);
      }
    }
  }
  const totals = coincidences.map(sum);
  const n = sum(totals);
  const distance = metric(totals);
  const observed = sum(coincidences.flatMap((row, i) => row.map((count, j) => count * distance(i, j))));
  const expected = sum(totals.flatMap((c, i) => totals.map((k, j) => c * k * distance(i, j))));
  return 1 - ((isWithCorrection ? n - 1 : n) * observed) / expected;
}

const METRICS = {
  NOMINAL: () => (i: number, j: number) => Number(i !== j),
  // Krippendorff 2011, section E: (Σ n_g over g from c to k - (n_c + n_k) / 2)².
  ORDINAL: (totals: readonly number[]) => (i: number, j: number) => {
    const between = sum(totals.slice(Math.min(i, j), Math.max(i, j) + 1));
    return i === j ? 0 : (between - ((totals[i] ?? 0) + (totals[j] ?? 0)) / 2) ** 2;
  },
  INTERVAL: () => (i: number, j: number) => (i - j) ** 2,
};

/** Fleiss' kappa and AC1 by the words of their definitions. */
function batchAveraged(
  patterns: readonly UnitPattern[],
  classes: number,
  kind: 'FLEISS' | 'AC1' | 'RAW',
): number {
  const units = sum(patterns.map((pattern) => pattern.units));
  const mean = (of: (pattern: UnitPattern) => number) =>
    sum(patterns.map((pattern) => pattern.units * of(pattern))) / units;
  const observed = mean(({ counts, size }) => sum(counts.map((k) => (k / size) * ((k - 1) / (size - 1)))));
  const shares = Array.from({ length: classes }, (_, label) =>
    mean((pattern) => (pattern.counts[pattern.classes.indexOf(label)] ?? 0) / pattern.size),
  );
  const chance = {
    FLEISS: () => sum(shares.map((share) => share * share)),
    AC1: () => sum(shares.map((share) => share * (1 - share))) / (classes - 1),
    RAW: () => 0,
  }[kind]();
  return (observed - chance) / (1 - chance);
}

/** The infinitesimal jackknife by numerical differentiation: how the figure moves as one kind of unit becomes commoner. */
function varianceByDifferentiation(
  kinds: readonly number[],
  of: (units: readonly number[]) => number,
): number {
  const n = sum(kinds);
  const step = 1e-4;
  return (
    sum(
      kinds.map((units, at) => {
        const bumped = (by: number) => of(kinds.map((count, i) => (i === at ? count + by : count)));
        return units * ((bumped(step) - bumped(-step)) / (2 * step)) ** 2;
      }),
    ) *
    (n / (n - 1))
  );
}

describe('Cohen’s kappa', () => {
  it.each([
    [
      'textbook 2 × 2: Wikipedia, "Cohen’s kappa", Simple example',
      [
        [20, 5],
        [10, 15],
      ],
      0.7,
      0.5,
      0.4,
    ],
    [
      'same agreement, other margins: ibid., Same percentages (1)',
      [
        [45, 15],
        [25, 15],
      ],
      0.6,
      0.54,
      0.130435,
    ],
    [
      'same agreement, other margins: ibid., Same percentages (2)',
      [
        [25, 35],
        [5, 35],
      ],
      0.6,
      0.46,
      0.259259,
    ],
    // Feinstein & Cicchetti 1990, "High agreement but low kappa: I", J. Clin. Epidemiol. 43: as much agreement,
    // and less than half the kappa where one class prevails.
    [
      'prevalence paradox, balanced',
      [
        [40, 9],
        [6, 45],
      ],
      0.85,
      0.5008,
      0.699519,
    ],
    [
      'prevalence paradox, one class prevails',
      [
        [80, 10],
        [5, 5],
      ],
      0.85,
      0.78,
      0.318182,
    ],
    // The extreme of it, by hand: 94 % agreement and a kappa below 0.
    [
      'prevalence paradox, below chance',
      [
        [118, 5],
        [2, 0],
      ],
      0.944,
      0.94528,
      -0.023392,
    ],
  ] as const)('%s', (_, table, observed, expected, kappa) => {
    const figure = defined(fromTable(table).cohensKappa(0, 1));
    expect(figure.observed).toBeCloseTo(observed, 12);
    expect(figure.expected).toBeCloseTo(expected, 12);
    expect(figure.value).toBeCloseTo(kappa, 6);
    expect(figure.n).toBe(sum(table.map((row) => sum([...row]))));
  });

  // The printouts of SAS and of R's irr that statsmodels is tested against (statsmodels/stats/tests/test_inter_rater.py).
  const TABLE_10 = [
    [0, 4, 1],
    [0, 8, 0],
    [0, 1, 5],
  ];

  /** Raters two and three of R's irr dataset "anxiety"; what neither of them chose, 5, is no class there. */
  const ANXIETY = ['36462424332333221334', '21443216111233113322'];

  it('with its standard error: SAS, in statsmodels’ tests', () => {
    expectPublished(fromTable(TABLE_10).cohensKappa(0, 1), {
      value: '0.4842',
      standardError: '0.1380',
      lower: '0.2137',
      upper: '0.7547',
    });
  });

  it('linear weights, with their standard error: SAS, in statsmodels’ tests', () => {
    expectPublished(fromTable(TABLE_10, ORDINAL).cohensKappa(0, 1, 'LINEAR'), {
      value: '0.4701',
      standardError: '0.1457',
      lower: '0.1845',
      upper: '0.7558',
    });
  });

  it('with its standard error: SAS/STAT user’s guide, PROC FREQ, "Agreement Study" (skin condition)', () => {
    const table = [
      [10, 4, 1, 0],
      [5, 10, 12, 2],
      [2, 4, 12, 5],
      [0, 2, 6, 13],
    ];
    const figure = fromTable(table).cohensKappa(0, 1);
    expectPublished(figure, { value: '0.3449', standardError: '0.0724', lower: '0.2030', upper: '0.4868' });
    expect(figure).toMatchObject({ band: 'UNACCEPTABLE', n: 88, answers: 176 });
  });

  it('of a 3 × 3 table, with its standard error: Gwet 2014, as in the overview of R’s irrCAC', () => {
    const table = [
      [13, 0, 0],
      [0, 20, 7],
      [0, 4, 56],
    ];
    expectPublished(fromTable(table).cohensKappa(0, 1), { value: '0.7964094' });
  });

  it('no, linear and quadratic weights: R’s irr, kappa2(anxiety[, 2:3]), in statsmodels’ tests', () => {
    const counts = fromMatrix(ANXIETY, () => ORDINAL);
    expectPublished(counts.cohensKappa(0, 1), { value: '-0.006289' });
    expectPublished(counts.cohensKappa(0, 1, 'LINEAR'), { value: '0.1459075' });
    expectPublished(counts.cohensKappa(0, 1, 'QUADRATIC'), { value: '0.2520325' });
  });

  it('weighs by the values of an interval scale, whatever their unit', () => {
    const far: LabelScale = { kind: 'INTERVAL', values: [0, 10, 1000] };
    const same: LabelScale = { kind: 'INTERVAL', values: [5, 5.01, 6] };
    const [one, other] = [far, same].map((scale) => fromTable(TABLE_10, scale).cohensKappa(0, 1, 'LINEAR'));
    expect(defined(one as AgreementFigure).value).toBeCloseTo(defined(other as AgreementFigure).value, 10);
    // Between the first two classes there is hardly a difference: all that is left is who says the third.
    const weight: Weight = (i, j) => 1 - Math.abs((far.values[i] ?? 0) - (far.values[j] ?? 0)) / 1000;
    expect(defined(one as AgreementFigure).value).toBeCloseTo(batchKappa(TABLE_10, weight), 12);
  });

  it('reads the same in either order and keeps its interval within [-1, 1]', () => {
    const counts = fromTable([
      [9, 1],
      [0, 2],
    ]);
    expect(counts.cohensKappa(1, 0)).toEqual(counts.cohensKappa(0, 1));
    const { interval, standardError, value } = defined(counts.cohensKappa(0, 1));
    expect(value + 2 * standardError).toBeGreaterThan(1);
    expect(interval.upper).toBe(1);
    const low = fromTable([
      [0, 3],
      [3, 1],
    ]);
    expect(defined(low.cohensKappa(0, 1)).interval.lower).toBeGreaterThanOrEqual(-1);
  });

  it('of few who agree on everything claims no certainty: Wilson’s interval, corrected for chance', () => {
    const { value, standardError, interval } = defined(
      fromTable([
        [3, 0],
        [0, 5],
      ]).cohensKappa(0, 1),
    );
    expect({ value, standardError }).toEqual({ value: 1, standardError: 0 });
    // Wilson's lower bound of 8 of 8 is 8 / (8 + 1.96²) = 0.675592; expected agreement is (9 + 25) / 64.
    expect(interval.lower).toBeCloseTo((0.675592 - 34 / 64) / (1 - 34 / 64), 5);
    expect(interval.upper).toBe(1);
  });

  it('has no standard error of one sample, and is exact on the border of a band', () => {
    const one = fromTable([
      [0, 1],
      [0, 0],
    ]).cohensKappa(0, 1);
    expect(one).toMatchObject({ value: 0, standardError: null, interval: null, band: 'TOO_FEW' });
    const border = fromTable([
      [45, 5],
      [5, 45],
    ]);
    expect(border.cohensKappa(0, 1)).toMatchObject({ value: 0.8, band: 'GOOD' });
  });

  it('says why it is undefined', () => {
    const counts = new AgreementCounts(2);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [{ annotator: 0, label: 0 }]);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    expect(counts.cohensKappa(0, 0)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [{ annotator: 1, label: 0 }]);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 });
    const both = (a: number, b: number) => [
      { annotator: 0, label: a },
      { annotator: 1, label: b },
    ];
    counts.change([], both(1, 1));
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
    expect(counts.cohensKappa(0, 1, 'LINEAR')).toEqual({ undefined: 'LABELS_HAVE_NO_ORDER', n: 1 });
    // One annotator constant and the other not is defined: nothing above chance.
    counts.change([], both(1, 0));
    expect(counts.cohensKappa(0, 1)).toMatchObject({ value: 0, observed: 0.5, expected: 0.5, n: 2 });
  });
});

// Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", https://repository.upenn.edu/asc_papers/43: the data
// of sections C to E. Gwet's book and R's irrCAC have the same under the name cac.raw4raters.
const KRIPPENDORFF_C = ['123321412...', '1233224125.3', '.3332342251.', '12332441251.'];

describe('Krippendorff’s alpha', () => {
  it('A: binary, two observers, no missing data', () => {
    const figure = fromMatrix(['0100000010', '1110010000']).overall().alpha;
    expectPublished(figure, { value: '0.095' });
    expect(figure).toMatchObject({ n: 10, answers: 20, band: 'TOO_FEW' });
  });

  it('B: nominal, two observers, no missing data', () => {
    const figure = fromMatrix(['aabbdcccedda', 'babbbccceddd']).overall().alpha;
    expectPublished(figure, { value: '0.692' });
    expect(figure).toMatchObject({ n: 12, answers: 24 });
  });

  it('C: any number of observers, missing data: nominal, ordinal, interval', () => {
    const counts = fromMatrix(KRIPPENDORFF_C, steps);
    expectPublished(counts.overall().alpha, { value: '0.743' });
    expectPublished(counts.overall().ordinalAlpha, { value: '0.815' });
    expectPublished(counts.overall().intervalAlpha, { value: '0.849' });
    expect(counts.overall().alpha).toMatchObject({ n: 11, answers: 40 });
  });

  it('three coders, mostly missing, nominal and interval: Wikipedia, "Krippendorff’s alpha", A computational example', () => {
    const counts = fromMatrix(['.....34121133.3', '1.213343.......', '..21344.21133.4'], steps);
    expectPublished(counts.overall().alpha, { value: '0.691' });
    expectPublished(counts.overall().intervalAlpha, { value: '0.811' });
    expect(counts.overall().alpha).toMatchObject({ answers: 26 });
  });

  it('says why it is undefined', () => {
    const counts = new AgreementCounts(3);
    const one = { annotator: 0, label: 2 };
    const two = { annotator: 1, label: 2 };
    const expectAll = (figure: object) => {
      const { alpha, raw, fleissKappa, gwetAC1 } = counts.overall();
      expect({ alpha, raw, fleissKappa, gwetAC1 }).toEqual({
        alpha: figure,
        raw: figure,
        fleissKappa: figure,
        gwetAC1: figure,
      });
    };
    expectAll({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [one]);
    expectAll({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [two]);
    expectAll({ undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 });
    counts.change([two], [one, two].toReversed());
    expect(counts.overall().alpha).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
    expect(counts.overall().fleissKappa).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
    expect(counts.overall().ordinalAlpha).toEqual({ undefined: 'LABELS_HAVE_NO_ORDER', n: 1 });
    // What one class alone leaves defined.
    expect(counts.overall().gwetAC1).toMatchObject({ value: 1, expected: 0, n: 1 });
    expect(counts.overall().raw).toMatchObject({ value: 1, n: 1, answers: 2, band: null });
    const ordered = new AgreementCounts(3, ORDINAL);
    expect(ordered.overall().intervalAlpha).toEqual({ undefined: 'LABELS_HAVE_NO_DISTANCES', n: 0 });
  });
});

describe('figures of many raters', () => {
  // Fleiss 1971, "Measuring nominal scale agreement among many raters", Psychol. Bull. 76, table 1 (p. 380): thirty
  // patients, six psychiatrists, five diagnoses. In R's irr it is the dataset "diagnoses".
  const FLEISS_1971 = [
    '444444',
    '222555',
    '233335',
    '555555',
    '222444',
    '113333',
    '333355',
    '113334',
    '114444',
    '555555',
    '144444',
    '124444',
    '222333',
    '144444',
    '224445',
    '333335',
    '111455',
    '111112',
    '224444',
    '133555',
    '555555',
    '244444',
    '224555',
    '114444',
    '144445',
    '222224',
    '111155',
    '224444',
    '133333',
    '555555',
  ].map((line) => [...line].map((digit, annotator) => ({ annotator, label: Number(digit) - 1 })));

  it('Fleiss’ kappa: Fleiss 1971, table 1', () => {
    const figure = fleissKappa(patternsOf(FLEISS_1971), 5);
    // In the paper 0.430; more digits from R's irr, kappam.fleiss(diagnoses), in statsmodels' tests.
    expectPublished(figure, { value: '0.4302445' });
    expect(figure).toMatchObject({ n: 30, answers: 180, band: 'NEEDS_IMPROVEMENT' });
  });

  it('Fleiss’ kappa: Wikipedia, "Fleiss’ kappa", Worked example', () => {
    const rows = [
      [0, 0, 0, 0, 14],
      [0, 2, 6, 4, 2],
      [0, 0, 3, 5, 6],
      [0, 3, 9, 2, 0],
      [2, 2, 8, 1, 1],
      [7, 7, 0, 0, 0],
      [3, 2, 6, 3, 0],
      [2, 5, 3, 2, 2],
      [6, 5, 2, 1, 0],
      [0, 2, 2, 3, 7],
    ];
    const figure = fleissKappa(fromDistribution(rows), 5);
    expectPublished(figure, { value: '0.210' });
    expect(defined(figure).observed).toBeCloseTo(0.378, 3);
    expect(defined(figure).expected).toBeCloseTo(0.213, 3);
  });

  // Gwet 2014, Handbook of Inter-Rater Reliability, as printed in the overview of his R package irrCAC,
  // https://cran.r-project.org/web/packages/irrCAC/vignettes/overview.html.
  it('of fifteen patients, with standard errors and intervals: irrCAC, distrib.6raters', () => {
    const patterns = patternsOf(FLEISS_1971.slice(0, 15));
    const [low, high] = ['lower', 'upper'] as const;
    expectPublished(gwetAC1(patterns, 5), {
      value: '0.4448007',
      standardError: '0.08418757',
      [low]: '0.264',
      [high]: '0.625',
    });
    expectPublished(fleissKappa(patterns, 5), {
      value: '0.4139265',
      standardError: '0.08119291',
      [low]: '0.240',
      [high]: '0.588',
    });
    const alpha = krippendorffsAlpha(patterns, 5);
    expectPublished(alpha, { value: '0.4204384' });
    // Of as many labels for every unit, alpha is Fleiss' kappa but for the correction of small samples.
    expect(defined(alpha).standardError).toBeCloseTo(defined(fleissKappa(patterns, 5)).standardError, 12);
  });

  it('with missing data, one unit rated once: irrCAC, cac.raw4raters', () => {
    const { units } = unitsOf(...KRIPPENDORFF_C);
    const patterns = patternsOf(units);
    expectPublished(gwetAC1(patterns, 5), {
      value: '0.77544',
      standardError: '0.14295',
      lower: '0.461',
      upper: '1.000',
    });
    expectPublished(fleissKappa(patterns, 5), {
      value: '0.76117',
      standardError: '0.15302',
      lower: '0.424',
      upper: '1.000',
    });
    // As in version 1.3, https://github.com/kgwet/irrCAC: version 1.0 linearised unequal numbers of labels otherwise.
    expectPublished(krippendorffsAlpha(patterns, 5), { value: '0.74342', standardError: '0.14548' });
    expectPublished(rawAgreement(patterns, 5), {
      value: '0.8181818',
      standardError: '0.12561',
      lower: '0.542',
      upper: '1.000',
    });
    expect(defined(gwetAC1(patterns, 5)).expected).toBeCloseTo(0.1903212, 7);
    expect(defined(fleissKappa(patterns, 5)).expected).toBeCloseTo(0.2387153, 7);
  });

  it('of two raters, with standard errors: irrCAC, cont3x3abstractors', () => {
    const table = [
      [13, 0, 0],
      [0, 20, 7],
      [0, 4, 56],
    ];
    const counts = fromTable(table);
    // For two raters, Fleiss' kappa is Scott's pi. Of tables of two, irrCAC divides variances by n, not by n - 1.
    const [pi, ac1, alpha] = [
      counts.overall().fleissKappa,
      counts.overall().gwetAC1,
      counts.overall().alpha,
    ].map(defined);
    const byN = (figure: ReturnType<typeof defined> | undefined) => {
      if (figure === undefined) return expect.fail('there are three');
      return { ...figure, standardError: figure.standardError * Math.sqrt(99 / 100) };
    };
    expectPublished(byN(pi), { value: '0.7962397', standardError: '0.05905473' });
    expectPublished(byN(ac1), { value: '0.8493305', standardError: '0.04321747' });
    expectPublished(byN(alpha), { value: '0.7972585', standardError: '0.05905473' });
  });

  it('where one class prevails: kappa falls apart, AC1 does not', () => {
    // Gwet 2008, section 2: 125 subjects, 118 of them + by both, 5 + − and 2 − +: kappa is about 0, AC1 0.94.
    const counts = fromTable([
      [118, 5],
      [2, 0],
    ]);
    expect(defined(counts.cohensKappa(0, 1)).value).toBeLessThan(0);
    expectPublished(counts.overall().gwetAC1, { value: '0.941' });
  });

  it('of each class: how likely another says it too, and alpha against the rest', () => {
    // Cicchetti & Feinstein 1990, "High agreement but low kappa: II": 2a / (2a + b + c), by hand 160 of 175, 10 of 25.
    const [yes, no] = fromTable([
      [80, 10],
      [5, 5],
    ]).byClass();
    expect(yes).toMatchObject({ label: 0, answers: 175, specific: 160 / 175 });
    expect(no).toMatchObject({ label: 1, answers: 25, specific: 10 / 25 });
    // With two classes there is only one question.
    const counts = fromTable([
      [80, 10],
      [5, 5],
    ]);
    for (const { alpha } of [yes, no].filter((one) => one !== undefined))
      expect(defined(alpha).value).toBeCloseTo(defined(counts.overall().alpha).value, 12);
  });

  it('of a class that nobody has said: nothing', () => {
    const counts = fromTable([
      [3, 1, 0],
      [1, 3, 0],
      [0, 0, 0],
    ]);
    expect(counts.byClass()[2]).toEqual({
      label: 2,
      answers: 0,
      specific: null,
      alpha: { undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 8 },
    });
  });
});

describe('agreementBand', () => {
  it.each([
    [1, 30, 'EXCELLENT'],
    [0.8000001, 30, 'EXCELLENT'],
    [0.8, 30, 'GOOD'],
    [0.6, 30, 'NEEDS_IMPROVEMENT'],
    [0.4, 30, 'UNACCEPTABLE'],
    [-1, 1_000, 'UNACCEPTABLE'],
    [1, 29, 'TOO_FEW'],
  ])('of %d over %d samples is %s', (figure, n, band) => {
    expect(agreementBand(figure, n)).toBe(band);
  });
});

describe('AgreementCounts', () => {
  const classes = 3;
  const scale = steps(classes);
  const annotators = [0, 1, 2, 3];
  const unit = fc
    .array(fc.option(fc.integer({ min: 0, max: classes - 1 }), { nil: undefined }), {
      minLength: annotators.length,
      maxLength: annotators.length,
    })
    .map((labels) =>
      labels.flatMap((label, annotator): Rating[] => (label === undefined ? [] : [{ annotator, label }])),
    );
  /** What a unit's ratings become, one step after another: labels that come, change and are undone. */
  const history = fc.array(fc.record({ at: fc.nat({ max: 7 }), ratings: unit }), { maxLength: 60 });

  const figures = (counts: AgreementCounts) => ({
    pairs: counts.pairs().map(({ a, b }) => ({ a, b, ...counts.cohensKappa(a, b, 'QUADRATIC') })),
    overall: counts.overall(),
    classes: counts.byClass(),
  });

  const played = (steps: readonly { readonly at: number; readonly ratings: Rating[] }[]) => {
    const counts = new AgreementCounts(classes, scale);
    const units: Rating[][] = Array.from({ length: 8 }, () => []);
    for (const { at, ratings } of steps) {
      counts.change(units[at] ?? [], ratings.toReversed());
      units[at] = ratings;
    }
    return { counts, units };
  };

  const WEIGHTS = {
    NONE: (i: number, j: number) => Number(i === j),
    LINEAR: (i: number, j: number) => 1 - Math.abs(i - j) / (classes - 1),
    QUADRATIC: (i: number, j: number) => 1 - (i - j) ** 2 / (classes - 1) ** 2,
  } as const;

  it('equals a recount, whatever came and went: kappas of pairs, with their standard errors', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { counts, units } = played(steps);
        for (const a of annotators) {
          for (const b of annotators.slice(a + 1)) {
            const table = batchTable(units, classes, a, b);
            const n = sum(table.map(sum));
            expect(counts.pairs().some((pair) => pair.a === a && pair.b === b)).toBe(n > 0);
            for (const [kind, weight] of Object.entries(WEIGHTS)) {
              const figure = counts.cohensKappa(a, b, kind as keyof typeof WEIGHTS);
              expect(figure.n).toBe(n);
              if ('undefined' in figure) continue;
              expect(figure.value).toBeCloseTo(batchKappa(table, weight), 10);
              if (figure.standardError === null) continue;
              const width = table.length;
              const rows = (flat: readonly number[]) =>
                table.map((_, i) => flat.slice(i * width, (i + 1) * width));
              const variance = varianceByDifferentiation(table.flat(), (flat) =>
                batchKappa(rows(flat), weight),
              );
              // Fleiss, Cohen & Everitt divide by n.
              expect(figure.standardError ** 2).toBeCloseTo((variance * (n - 1)) / n, 5);
            }
          }
        }
      }),
    );
  });

  it('equals a recount: figures of all, with their standard errors', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { counts, units } = played(steps);
        const patterns = patternsOf(units.filter(({ length }) => length >= 2));
        const overall = counts.overall();
        const again: Record<string, (patterns: readonly UnitPattern[], isWithCorrection: boolean) => number> =
          {
            alpha: (all, corrected) => batchAlpha(all, classes, METRICS.NOMINAL, corrected),
            ordinalAlpha: (all, corrected) => batchAlpha(all, classes, METRICS.ORDINAL, corrected),
            intervalAlpha: (all, corrected) => batchAlpha(all, classes, METRICS.INTERVAL, corrected),
            fleissKappa: (all) => batchAveraged(all, classes, 'FLEISS'),
            gwetAC1: (all) => batchAveraged(all, classes, 'AC1'),
            raw: (all) => batchAveraged(all, classes, 'RAW'),
          };
        for (const [name, of] of Object.entries(again)) {
          const figure = overall[name as keyof typeof overall];
          if ('undefined' in figure) continue;
          expect(figure.value).toBeCloseTo(of(patterns, true), 10);
          expect(figure.n).toBe(sum(patterns.map((pattern) => pattern.units)));
          if (figure.standardError === null) continue;
          const variance = varianceByDifferentiation(
            patterns.map((pattern) => pattern.units),
            (units) =>
              of(
                patterns.map((pattern, i) => ({ ...pattern, units: units[i] ?? 0 })),
                false,
              ),
          );
          expect(figure.standardError ** 2).toBeCloseTo(variance, 5);
        }
        for (const { label, answers, alpha } of counts.byClass()) {
          const labels = units.filter(({ length }) => length >= 2).flat();
          expect(answers).toBe(labels.filter((rating) => rating.label === label).length);
          if ('undefined' in alpha) continue;
          const binary = patternsOf(
            units
              .filter(({ length }) => length >= 2)
              .map((ratings) =>
                ratings.map((rating) => ({ ...rating, label: Number(rating.label === label) })),
              ),
          );
          expect(alpha.value).toBeCloseTo(batchAlpha(binary, 2, METRICS.NOMINAL), 10);
        }
      }),
    );
  });

  it('comes back to exactly the same figures when what came is undone', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), history, (kept, steps) => {
        const counts = new AgreementCounts(classes, scale);
        for (const ratings of kept) counts.change([], ratings);
        const earlier = figures(counts);
        const units: Rating[][] = [...kept];
        const undo: [readonly Rating[], readonly Rating[]][] = [];
        for (const { at, ratings } of steps) {
          const before = units[at] ?? [];
          counts.change(before, ratings);
          undo.push([ratings, before]);
          units[at] = ratings;
        }
        for (const [before, after] of undo.toReversed()) counts.change(before, after);
        expect(figures(counts)).toEqual(earlier);
      }),
    );
  });

  it('does not depend on the order in which units came', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 30 }), (units) => {
        const [forwards, backwards] = [units, units.toReversed()].map((order) => {
          const counts = new AgreementCounts(classes, scale);
          for (const ratings of order) counts.change([], ratings);
          return figures(counts);
        });
        expect(backwards).toEqual(forwards);
      }),
    );
  });

  it('lists pairs in order, page by page, and those that share the most', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 4 }), (steps, size) => {
        const { counts } = played(steps);
        const pairs = counts.pairs();
        expect(counts.pairCount).toBe(pairs.length);
        const paged = [];
        for (let from = { a: 0, b: 0 }; ; ) {
          const page = counts.pairsFrom(from, size);
          paged.push(...page);
          const last = page.at(-1);
          if (last === undefined || page.length < size) break;
          from = { a: last.a, b: last.b + 1 };
        }
        expect(paged).toEqual(pairs);
        const shared = (of: typeof pairs) =>
          of.map(({ a, b }) => counts.cohensKappa(a, b).n).sort((x, y) => y - x);
        expect(shared(counts.closestPairs(size))).toEqual(shared(pairs).slice(0, size));
      }),
    );
  });

  it('tells annotators apart, far apart as their numbers may be', () => {
    const counts = new AgreementCounts(1_000);
    const last = 2 ** 32 - 1;
    counts.change(
      [],
      [
        { annotator: last, label: 999 },
        { annotator: 7, label: 998 },
        { annotator: 0, label: 999 },
      ],
    );
    expect(counts.pairs()).toEqual([
      { a: 0, b: 7 },
      { a: 0, b: last },
      { a: 7, b: last },
    ]);
    expect(counts.cohensKappa(last, 7)).toMatchObject({ value: 0, n: 1 });
    expect(counts.cohensKappa(last, 0)).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
  });

  it.each<[string, Rating[], Rating[]]>([
    ['a label outside the label set', [], [{ annotator: 0, label: 3 }]],
    ['a negative label', [], [{ annotator: 0, label: -1 }]],
    ['an annotator out of range', [], [{ annotator: 2 ** 32, label: 0 }]],
    [
      'an annotator twice in a unit',
      [],
      [
        { annotator: 0, label: 0 },
        { annotator: 0, label: 1 },
      ],
    ],
    ['what was never counted taken back', [{ annotator: 0, label: 0 }], []],
  ])('refuses %s', (_, before, after) => {
    expect(() => new AgreementCounts(classes).change(before, after)).toThrow(RangeError);
  });
});
