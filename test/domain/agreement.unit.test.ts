import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgreementCounts, agreementBand, type Rating } from '../../src/domain/agreement.ts';

type Table = readonly (readonly number[])[];

/** Counts of annotators 0 (rows) and 1 (columns) who have labelled as a published table says. */
function fromTable(table: Table): AgreementCounts {
  const counts = new AgreementCounts(table.length);
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

/** Counts from a published matrix: a line an annotator, a character a unit, '.' where there is no rating. */
function fromMatrix(...lines: readonly string[]): AgreementCounts {
  const symbols = [...new Set(lines.join('').replaceAll('.', ''))];
  const counts = new AgreementCounts(symbols.length);
  for (let unit = 0; unit < (lines[0] ?? '').length; unit++) {
    const ratings = lines.map((line, annotator) => ({
      annotator,
      label: symbols.indexOf(line.charAt(unit)),
    }));
    counts.change(
      [],
      ratings.filter(({ label }) => label >= 0),
    );
  }
  return counts;
}

function definedKappa(counts: AgreementCounts, a = 0, b = 1) {
  const figure = counts.cohensKappa(a, b);
  if ('undefined' in figure) return expect.fail(`kappa is undefined: ${figure.undefined}`);
  return figure;
}

function definedAlpha(counts: AgreementCounts) {
  const figure = counts.krippendorffAlpha();
  if ('undefined' in figure) return expect.fail(`alpha is undefined: ${figure.undefined}`);
  return figure;
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

function kappaOfShares(shares: Table): number {
  const observed = sum(shares.map((row, i) => row[i] ?? 0));
  const expected = sum(shares.map((row, i) => sum(row) * sum(shares.map((other) => other[i] ?? 0))));
  return (observed - expected) / (1 - expected);
}

/** The delta method by numerical differentiation: the variance that Fleiss, Cohen & Everitt give in closed form. */
function standardErrorByDifferentiation(table: Table): number {
  const n = sum(table.map(sum));
  const shares = table.map((row) => row.map((count) => count / n));
  const step = 1e-6;
  const bumped = (at: number, column: number, by: number) =>
    kappaOfShares(
      shares.map((row, i) => row.map((share, j) => (i === at && j === column ? share + by : share))),
    );
  let first = 0;
  let second = 0;
  for (const [i, row] of shares.entries()) {
    for (const [j, share] of row.entries()) {
      const slope = (bumped(i, j, step) - bumped(i, j, -step)) / (2 * step);
      first += share * slope;
      second += share * slope * slope;
    }
  }
  return Math.sqrt(Math.max(0, second - first * first) / n);
}

/** Krippendorff's coincidence matrix, pair by pair. */
function batchAlpha(units: Units, classes: number): number {
  const coincidences = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const unit of units) {
    for (const one of unit) {
      for (const other of unit) {
        const row = coincidences[one.label];
        if (one === other || row === undefined) continue;
        row[other.label] = (row[other.label] ?? 0) + 1 / (unit.length - 1);
      }
    }
  }
  const totals = coincidences.map(sum);
  const n = sum(totals);
  const observed = sum(coincidences.flatMap((row, i) => row.filter((_, j) => j !== i)));
  const expected =
    sum(totals.flatMap((c, i) => totals.filter((_, j) => j !== i).map((k) => c * k))) / (n - 1);
  return 1 - observed / expected;
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
    const figure = definedKappa(fromTable(table));
    expect(figure.observed).toBeCloseTo(observed, 12);
    expect(figure.expected).toBeCloseTo(expected, 12);
    expect(figure.kappa).toBeCloseTo(kappa, 6);
    expect(figure.n).toBe(sum(table.map((row) => sum([...row]))));
  });

  it('standard error: the SAS printout that statsmodels is tested against (test_inter_rater.py, table10)', () => {
    const figure = definedKappa(
      fromTable([
        [0, 4, 1],
        [0, 8, 0],
        [0, 1, 5],
      ]),
    );
    expect(figure.kappa).toBeCloseTo(0.4842, 4);
    expect(figure.standardError).toBeCloseTo(0.138, 4);
    expect(figure.interval.lower).toBeCloseTo(0.2137, 4);
    expect(figure.interval.upper).toBeCloseTo(0.7547, 4);
    expect(figure.band).toBe('NEEDS_IMPROVEMENT');
  });

  it('standard error: SAS/STAT user’s guide, PROC FREQ, "Agreement Study" (skin condition)', () => {
    const figure = definedKappa(
      fromTable([
        [10, 4, 1, 0],
        [5, 10, 12, 2],
        [2, 4, 12, 5],
        [0, 2, 6, 13],
      ]),
    );
    expect(figure.kappa).toBeCloseTo(0.3449, 4);
    expect(figure.standardError).toBeCloseTo(0.0724, 4);
    expect(figure.interval.lower).toBeCloseTo(0.203, 4);
    expect(figure.interval.upper).toBeCloseTo(0.4868, 4);
    expect(figure.band).toBe('UNACCEPTABLE');
  });

  it('reads the same in either order and keeps its interval within [-1, 1]', () => {
    const counts = fromTable([
      [9, 1],
      [0, 2],
    ]);
    expect(counts.cohensKappa(1, 0)).toEqual(counts.cohensKappa(0, 1));
    const { interval, standardError, kappa } = definedKappa(counts);
    expect(kappa + 2 * standardError).toBeGreaterThan(1);
    expect(interval.upper).toBe(1);
    expect(
      definedKappa(
        fromTable([
          [0, 3],
          [3, 1],
        ]),
      ).interval.lower,
    ).toBeGreaterThanOrEqual(-1);
  });

  it('is exact on full agreement and on the border of a band', () => {
    expect(
      definedKappa(
        fromTable([
          [3, 0],
          [0, 5],
        ]),
      ),
    ).toMatchObject({ kappa: 1, standardError: 0, band: 'EXCELLENT' });
    expect(
      definedKappa(
        fromTable([
          [45, 5],
          [5, 45],
        ]),
      ),
    ).toMatchObject({ kappa: 0.8, band: 'GOOD' });
    expect(
      definedKappa(
        fromTable([
          [20, 5],
          [10, 15],
        ]),
      ),
    ).toMatchObject({ kappa: 0.4, band: 'UNACCEPTABLE' });
  });

  it('says why it is undefined', () => {
    const counts = new AgreementCounts(2);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [{ annotator: 0, label: 0 }]);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    expect(counts.cohensKappa(0, 0)).toEqual({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [{ annotator: 1, label: 0 }]);
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 });
    counts.change(
      [],
      [
        { annotator: 0, label: 1 },
        { annotator: 1, label: 1 },
      ],
    );
    expect(counts.cohensKappa(0, 1)).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
    // One annotator constant and the other not is defined: nothing above chance.
    counts.change(
      [],
      [
        { annotator: 0, label: 1 },
        { annotator: 1, label: 0 },
      ],
    );
    expect(counts.cohensKappa(0, 1)).toMatchObject({ kappa: 0, observed: 0.5, expected: 0.5, n: 2 });
  });
});

describe('Krippendorff’s alpha, nominal', () => {
  // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections A to C.
  it('A: binary, two observers, no missing data', () => {
    const figure = definedAlpha(fromMatrix('0100000010', '1110010000'));
    expect(figure.alpha).toBeCloseTo(0.095, 3);
    expect(figure).toMatchObject({ n: 20, units: 10, band: 'UNACCEPTABLE' });
  });

  it('B: nominal, two observers, no missing data', () => {
    const figure = definedAlpha(fromMatrix('aabbdcccedda', 'babbbccceddd'));
    expect(figure.alpha).toBeCloseTo(0.692, 3);
    expect(figure).toMatchObject({ n: 24, units: 12, band: 'GOOD' });
  });

  it('C: nominal, four observers, twelve units, missing data', () => {
    const figure = definedAlpha(fromMatrix('123321412...', '1233224125.3', '.3332342251.', '12332441251.'));
    expect(figure.alpha).toBeCloseTo(0.743, 3);
    expect(figure).toMatchObject({ n: 40, units: 11, band: 'GOOD' });
  });

  it('three coders, fifteen units, mostly missing: Wikipedia, "Krippendorff’s alpha", A computational example', () => {
    const figure = definedAlpha(fromMatrix('.....34121133.3', '1.213343.......', '..21344.21133.4'));
    expect(figure.alpha).toBeCloseTo(0.691, 3);
    expect(figure.n).toBe(26);
  });

  it('says why it is undefined', () => {
    const counts = new AgreementCounts(3);
    const one = { annotator: 0, label: 2 };
    const two = { annotator: 1, label: 2 };
    const expectBoth = (figure: object) => {
      expect(counts.krippendorffAlpha()).toEqual(figure);
      expect(counts.rawAgreement()).toEqual(figure);
    };
    expectBoth({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [one]);
    expectBoth({ undefined: 'FEWER_THAN_TWO_ANNOTATORS', n: 0 });
    counts.change([], [two]);
    expectBoth({ undefined: 'NO_JOINTLY_LABELLED_SAMPLE', n: 0 });
    counts.change([two], [one, two].toReversed());
    expect(counts.krippendorffAlpha()).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 2 });
    expect(counts.rawAgreement()).toEqual({ agreement: 1, n: 1, units: 1 });
  });
});

describe('raw agreement', () => {
  it('is the share of agreeing pairs of ratings', () => {
    const counts = fromMatrix('aab', 'aba', 'a.b');
    // Unit 1: 3 of 3 pairs; unit 2: 0 of 1; unit 3: 1 of 3.
    expect(counts.rawAgreement()).toEqual({ agreement: 4 / 7, n: 7, units: 3 });
  });
});

describe('agreementBand', () => {
  it.each([
    [1, 'EXCELLENT'],
    [0.8000001, 'EXCELLENT'],
    [0.8, 'GOOD'],
    [0.6, 'NEEDS_IMPROVEMENT'],
    [0.4, 'UNACCEPTABLE'],
    [-1, 'UNACCEPTABLE'],
  ])('of %d is %s', (figure, band) => {
    expect(agreementBand(figure)).toBe(band);
  });
});

describe('AgreementCounts', () => {
  const classes = 3;
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
    pairs: counts.pairs().map(({ a, b }) => ({ a, b, ...counts.cohensKappa(a, b) })),
    alpha: counts.krippendorffAlpha(),
    raw: counts.rawAgreement(),
  });

  it('equals a recount, whatever came and went', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const counts = new AgreementCounts(classes);
        const units: (readonly Rating[])[] = Array.from({ length: 8 }, () => []);
        for (const { at, ratings } of steps) {
          counts.change(units[at] ?? [], ratings.toReversed());
          units[at] = ratings;
        }

        for (const a of annotators) {
          for (const b of annotators.slice(a + 1)) {
            const table = batchTable(units, classes, a, b);
            const n = sum(table.map(sum));
            expect(counts.pairs().some((pair) => pair.a === a && pair.b === b)).toBe(n > 0);
            const figure = counts.cohensKappa(a, b);
            expect(figure.n).toBe(n);
            if ('undefined' in figure) continue;
            expect(figure.kappa).toBeCloseTo(
              kappaOfShares(table.map((row) => row.map((count) => count / n))),
              10,
            );
            expect(figure.standardError).toBeCloseTo(standardErrorByDifferentiation(table), 6);
          }
        }
        const alpha = counts.krippendorffAlpha();
        if (!('undefined' in alpha)) expect(alpha.alpha).toBeCloseTo(batchAlpha(units, classes), 10);
      }),
    );
  });

  it('comes back to exactly the same figures when what came is undone', () => {
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 20 }), history, (kept, steps) => {
        const counts = new AgreementCounts(classes);
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
          const counts = new AgreementCounts(classes);
          for (const ratings of order) counts.change([], ratings);
          return figures(counts);
        });
        expect(backwards).toEqual(forwards);
      }),
    );
  });

  it('lists pairs in order, far apart as their numbers may be', () => {
    const counts = new AgreementCounts(1_000);
    const last = 2 ** 26 - 1;
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
    expect(counts.cohensKappa(last, 7)).toMatchObject({ kappa: 0, n: 1 });
    expect(counts.cohensKappa(last, 0)).toEqual({ undefined: 'CHANCE_AGREEMENT_IS_ONE', n: 1 });
  });

  it.each<[string, Rating[], Rating[]]>([
    ['a label outside the label set', [], [{ annotator: 0, label: 3 }]],
    ['a negative label', [], [{ annotator: 0, label: -1 }]],
    ['an annotator out of range', [], [{ annotator: 2 ** 26, label: 0 }]],
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
