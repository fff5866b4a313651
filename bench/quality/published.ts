import { AgreementCounts } from '../../src/domain/agreement.ts';
import type { AgreementFigure, UndefinedFigure } from '../../src/domain/agreementFigure.ts';
import { wilson } from '../../src/domain/confidence.ts';
import { fleissKappa, gwetAC1, rawAgreement } from '../../src/domain/fleissAndGwet.ts';
import { krippendorffsAlpha } from '../../src/domain/krippendorffsAlpha.ts';
import type { LabelScale } from '../../src/domain/labelScale.ts';
import { differenceOf, pairedDifference } from '../../src/domain/shareDifference.ts';
import { type UnitPattern, UnitPatterns } from '../../src/domain/unitPatterns.ts';
import type { Row } from '../scale/table.ts';

type Result = AgreementFigure | UndefinedFigure;

/** A figure that somebody has printed. */
interface Published {
  readonly formula: string;
  readonly source: string;
  /** As it is printed: to so many digits. */
  readonly printed: string;
  readonly ours: number;
}

const IRRCAC =
  'overview of the R package irrCAC (K. L. Gwet), by his Handbook of Inter-Rater Reliability, 2014';
const IRR = 'R package irr, as quoted in statsmodels/stats/tests/test_inter_rater.py';
const PROPINT = 'as quoted in the tests of the R package propint';
const KRIPPENDORFF = 'K. Krippendorff 2011, "Computing Krippendorff\'s alpha-reliability"';

/** Columns are raters, "." is missing: Krippendorff 2011, section C; irrCAC's cac.raw4raters. */
const FOUR_RATERS = ['123321412...', '1233224125.3', '.3332342251.', '12332441251.'];
/** Raters two and three of irr's dataset "anxiety". */
const ANXIETY = ['36462424332333221334', '21443216111233113322'];
/** Rows are patients, each with the diagnoses that six psychiatrists gave: Fleiss 1971, table 1 (p. 380). */
const DIAGNOSES =
  '444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 ' +
  '333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555';
/** irrCAC's cont3x3abstractors. */
const ABSTRACTORS = [
  [13, 0, 0],
  [0, 20, 7],
  [0, 4, 56],
];

/** How far each formula is from every example of it that was found in print: half of its last digit at most. */
export function publishedRows(tell: (what: string) => void): Row[] {
  tell('published examples');
  return examples().map(({ formula, source, printed, ours }) => {
    const decimals = printed.split('.')[1]?.length ?? 0;
    const difference = Math.abs(ours - Number(printed));
    return {
      what: `${formula}: ${printed} in print`,
      figure: difference.toExponential(1),
      aim: `≤ ${(0.5 * 10 ** -decimals).toExponential(0)}`,
      // Rounded as it is printed: the difference itself may lie a hair above half a digit.
      met: ours.toFixed(decimals) === printed,
      note: source,
    };
  });
}

function examples(): Published[] {
  const counts = ofTable(ABSTRACTORS);
  const anxiety = ofRaters(ANXIETY, 'ORDINAL');
  const four = patternsOf(columns(FOUR_RATERS));
  const all = DIAGNOSES.split(' ').map((row) => [...row]);
  const [diagnoses, fifteen] = [patternsOf(all), patternsOf(all.slice(0, 15))];
  const numbers: LabelScale = { kind: 'INTERVAL', values: [1, 2, 3, 4, 5] };
  const example = (formula: string, source: string, printed: string, ours: Result | number): Published => ({
    formula,
    source,
    printed,
    ours: typeof ours === 'number' ? ours : 'value' in ours ? ours.value : Number.NaN,
  });
  const kappa = "Cohen's kappa";
  const alpha = "Krippendorff's alpha";
  return [
    example(kappa, `${IRRCAC}: cont3x3abstractors`, '0.7964094', counts.cohensKappa(0, 1)),
    example(kappa, `${IRR}: kappa2(anxiety[, 2:3])`, '-0.006289', anxiety.cohensKappa(0, 1)),
    example(`${kappa}, linear weights`, IRR, '0.1459075', anxiety.cohensKappa(0, 1, 'LINEAR')),
    example(`${kappa}, quadratic weights`, IRR, '0.2520325', anxiety.cohensKappa(0, 1, 'QUADRATIC')),
    example(
      "Fleiss' kappa",
      `J. L. Fleiss 1971, Psychol. Bull. 76, table 1 (p. 380); digits: ${IRR}`,
      '0.4302445',
      fleissKappa(diagnoses, 5),
    ),
    example("Fleiss' kappa", `${IRRCAC}: distrib.6raters`, '0.4139265', fleissKappa(fifteen, 5)),
    example("Fleiss' kappa, ratings missing", `${IRRCAC}: cac.raw4raters`, '0.76117', fleissKappa(four, 5)),
    example("Gwet's AC1", `${IRRCAC}: distrib.6raters`, '0.4448007', gwetAC1(fifteen, 5)),
    example("Gwet's AC1, ratings missing", `${IRRCAC}: cac.raw4raters`, '0.77544', gwetAC1(four, 5)),
    example(`${alpha}, names`, `${IRRCAC}: distrib.6raters`, '0.4204384', krippendorffsAlpha(fifteen, 5)),
    example(
      `${alpha}, names, ratings missing`,
      `${IRRCAC}: cac.raw4raters; ${KRIPPENDORFF}, section C, prints 0.743`,
      '0.74342',
      krippendorffsAlpha(four, 5),
    ),
    example(
      `${alpha}, in order, ratings missing`,
      `${KRIPPENDORFF}, sections C to E`,
      '0.815',
      krippendorffsAlpha(four, 5, 'ORDINAL', numbers),
    ),
    example(
      `${alpha}, numbers, ratings missing`,
      `${KRIPPENDORFF}, sections C to E`,
      '0.849',
      krippendorffsAlpha(four, 5, 'INTERVAL', numbers),
    ),
    example('Raw agreement', `${IRRCAC}: cac.raw4raters`, '0.8181818', rawAgreement(four, 5)),
    example(
      "Wilson's interval of 81 in 263, lower",
      'R. G. Newcombe 1998, Stat. Med. 17, table I, method 3',
      '0.2553',
      wilson(81, 263).lower,
    ),
    example(
      "Wilson's interval of 81 in 263, upper",
      'R. G. Newcombe 1998, Stat. Med. 17, table I, method 3',
      '0.3662',
      wilson(81, 263).upper,
    ),
    ...(['lower', 'upper'] as const).flatMap((end) => [
      example(
        `Difference of shares, 56 of 70 and 48 of 80, ${end}`,
        `R. G. Newcombe 1998, Stat. Med. 17: 873–890, method 10, ${PROPINT}`,
        end === 'lower' ? '0.0524' : '0.3339',
        differenceOf({ answers: 80, agreeing: 48 }, { answers: 70, agreeing: 56 }).interval[end],
      ),
      example(
        `Difference of paired shares, 18, 12, 2 and 18, ${end}`,
        `R. G. Newcombe 1998, Stat. Med. 17: 2635–2650, method 10, ${PROPINT}`,
        end === 'lower' ? '0.0562' : '0.3290',
        pairedDifference({ both: 18, onlyLast: 12, onlyFirst: 2, neither: 18 }).interval[end],
      ),
    ]),
  ];
}

function ofTable(table: readonly (readonly number[])[]): AgreementCounts {
  const counts = new AgreementCounts(table.length);
  for (const [row, cells] of table.entries()) {
    for (const [column, samples] of cells.entries()) {
      for (let i = 0; i < samples; i++) {
        const ratings = [row, column].map((label, annotator) => ({ annotator, label }));
        counts.change([], ratings);
      }
    }
  }
  return counts;
}

/** A line a rater, a digit a sample. */
function ofRaters(lines: readonly string[], kind: 'ORDINAL'): AgreementCounts {
  const symbols = [...new Set(lines.join(''))].sort();
  const counts = new AgreementCounts(symbols.length, { kind, values: [] });
  for (const said of columns(lines))
    counts.change(
      [],
      said.map((symbol, annotator) => ({ annotator, label: symbols.indexOf(symbol) })),
    );
  return counts;
}

function columns(lines: readonly string[]): string[][] {
  return [...(lines[0] ?? '')].map((_, i) => lines.map((line) => line.charAt(i)));
}

/** Digits from 1 are classes from 0. */
function patternsOf(samples: readonly (readonly string[])[]): UnitPattern[] {
  const units = new UnitPatterns();
  for (const said of samples)
    units.count(
      said.filter((digit) => digit !== '.').map((digit) => Number(digit) - 1),
      1,
    );
  return units.list();
}
