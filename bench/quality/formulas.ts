import { AgreementCounts } from '../../src/domain/agreement.ts';
import type { AgreementFigure, UndefinedFigure } from '../../src/domain/agreementFigure.ts';
import { hash32, uniform } from '../../src/domain/random.ts';
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
    return {
      what: NAMES[name],
      figure: largest.toExponential(1),
      aim: '≤ 0.000001',
      met: largest <= 1e-6,
      note: how,
    };
  });
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
