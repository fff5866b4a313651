import { AgreementCounts } from '../../src/domain/agreement.ts';
import type { AgreementFigure, UndefinedFigure } from '../../src/domain/agreementFigure.ts';
import { gwetAC1 } from '../../src/domain/fleissAndGwet.ts';
import { krippendorffsAlpha } from '../../src/domain/krippendorffsAlpha.ts';
import { hash32, uniform } from '../../src/domain/random.ts';
import { UnitPatterns } from '../../src/domain/unitPatterns.ts';
import type { Row } from '../scale/table.ts';
import { askPython } from './python.ts';

const TABLES = 200;
const SAMPLES = 60;
const RATERS = 4;

interface Table {
  readonly classes: number;
  /** Samples × raters. */
  readonly rows: readonly (readonly number[])[];
}

type Figures = Readonly<Record<'kappa' | 'linearKappa' | 'quadraticKappa' | 'fleissKappa', number>>;

const NAMES: Readonly<Record<keyof Figures, string>> = {
  kappa: "Cohen's kappa, against scikit-learn",
  linearKappa: 'Linearly weighted kappa, against scikit-learn',
  quadraticKappa: 'Quadratically weighted kappa, against scikit-learn',
  fleissKappa: "Fleiss' kappa, against statsmodels",
};

/** The largest difference of each formula from what the libraries make of the same random tables. */
export async function formulaRows(tell: (what: string) => void): Promise<Row[]> {
  tell('formulas beside scikit-learn and statsmodels');
  const tables = Array.from({ length: TABLES }, (_, i) => randomTable(i));
  const theirs = await askPython<Figures[]>({ what: 'tables', tables });
  const ours = tables.map(figuresOf);
  return (Object.keys(NAMES) as (keyof Figures)[]).map((name) => {
    const largest = Math.max(
      ...ours.map((figures, i) => Math.abs(figures[name] - (theirs[i]?.[name] ?? Number.NaN))),
    );
    const how = `largest difference over ${TABLES} random tables of ${SAMPLES} samples, ${RATERS} raters, 2 to 6 classes`;
    return compared(NAMES[name], largest, how);
  });
}

type GapFigures = Readonly<Record<'alpha' | 'ordinalAlpha' | 'intervalAlpha' | 'gwetAC1', number>>;

const GAP_NAMES: Readonly<Record<keyof GapFigures, string>> = {
  alpha: "Krippendorff's alpha of names",
  ordinalAlpha: "Krippendorff's alpha of classes in order",
  intervalAlpha: "Krippendorff's alpha of numbers",
  gwetAC1: "Gwet's AC1",
};

/** The same of figures that take missing ratings. */
export async function gapRows(tell: (what: string) => void): Promise<Row[]> {
  tell('alpha and AC1 beside their packages');
  const tables = Array.from({ length: TABLES }, (_, i) => withGaps(randomTable(i), i));
  const { figures, alphaBy, ac1By } = await askPython<{
    readonly figures: readonly GapFigures[];
    readonly alphaBy: string;
    readonly ac1By: string;
  }>({ what: 'gaps', tables });
  const ours = tables.map(gapFiguresOf);
  return (Object.keys(GAP_NAMES) as (keyof GapFigures)[]).map((name) => {
    const largest = Math.max(
      ...ours.map((own, i) => Math.abs(own[name] - (figures[i]?.[name] ?? Number.NaN))),
    );
    const by = name === 'gwetAC1' ? ac1By : alphaBy;
    const how = `largest difference over ${TABLES} random tables of ${SAMPLES} samples, ${RATERS} raters, 2 to 6 classes, three of ten ratings missing`;
    return compared(`${GAP_NAMES[name]}, against ${by}`, largest, how);
  });
}

function compared(what: string, largest: number, note: string): Row {
  return { what, figure: largest.toExponential(1), aim: '≤ 0.000001', met: largest <= 1e-6, note };
}

/** −1: it is missing. */
function withGaps({ classes, rows }: Table, seed: number): Table {
  return {
    classes,
    rows: rows.map((row, i) => row.map((label, k) => (uniform(seed + 3_000, i, k) < 0.3 ? -1 : label))),
  };
}

/** By the patterns of all units, those with one rating too, as the packages take them. */
function gapFiguresOf({ classes, rows }: Table): GapFigures {
  const units = new UnitPatterns();
  for (const row of rows) {
    const labels = row.filter((label) => label >= 0);
    if (labels.length > 0) units.count(labels, 1);
  }
  const patterns = units.list();
  const numbers = { kind: 'INTERVAL', values: Array.from({ length: classes }, (_, i) => i) } as const;
  return {
    alpha: numberOf(krippendorffsAlpha(patterns, classes)),
    ordinalAlpha: numberOf(krippendorffsAlpha(patterns, classes, 'ORDINAL', numbers)),
    intervalAlpha: numberOf(krippendorffsAlpha(patterns, classes, 'INTERVAL', numbers)),
    gwetAC1: numberOf(gwetAC1(patterns, classes)),
  };
}

/** Raters who say what is true more or less often. */
function randomTable(seed: number): Table {
  const classes = 2 + (seed % 5);
  const rows = Array.from({ length: SAMPLES }, (_, i) => {
    const truth = hash32(seed, i) % classes;
    return Array.from({ length: RATERS }, (_, k) =>
      uniform(seed + 1_000, i, k) < 0.2 + 0.2 * (seed % 4) ? truth : hash32(seed + 2_000, i, k) % classes,
    );
  });
  return { classes, rows };
}

function figuresOf({ classes, rows }: Table): Figures {
  const counts = new AgreementCounts(classes, { kind: 'ORDINAL', values: [] });
  for (const row of rows)
    counts.change(
      [],
      row.map((label, annotator) => ({ annotator, label })),
    );
  return {
    kappa: numberOf(counts.cohensKappa(0, 1)),
    linearKappa: numberOf(counts.cohensKappa(0, 1, 'LINEAR')),
    quadraticKappa: numberOf(counts.cohensKappa(0, 1, 'QUADRATIC')),
    fleissKappa: numberOf(counts.overall().fleissKappa),
  };
}

function numberOf(figure: AgreementFigure | UndefinedFigure): number {
  return 'value' in figure ? figure.value : Number.NaN;
}
