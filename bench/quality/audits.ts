import { drawAudits } from '../../src/domain/auditDraw.ts';
import { confidenceSequence } from '../../src/domain/confidence.ts';
import { POLICY_PRESETS } from '../../src/domain/policy.ts';
import { uniform } from '../../src/domain/random.ts';
import { aimed, type Row } from '../scale/table.ts';
import { askPython } from './python.ts';

const DRAWS = 100;
const HARMLESS_RUNS = 200;
const { share, cap, floor, errorLimit } = POLICY_PRESETS.QUALITY.audit;

interface Predictions {
  readonly predicted: readonly number[];
  readonly confidence: readonly number[];
  readonly truth: readonly number[];
}

/** How soon audits suspend a model that is sure and wrong, and how seldom one that is good enough. */
export async function auditRows(tell: (what: string) => void): Promise<Row[]> {
  tell('audits of a model of digits');
  const model = await askPython<Predictions>({ what: 'digits' });
  const threshold = Math.fround(0.95);
  const accepted = [...model.truth.keys()].filter((i) => Math.fround(model.confidence[i] ?? 0) >= threshold);
  const isError = (i: number) => model.predicted[i] !== model.truth[i];
  const wrong = accepted.filter(isError).length / accepted.length;
  const labels = accepted.map((i) => model.predicted[i] ?? 0);
  const until = Array.from({ length: DRAWS }, (_, seed) =>
    labelsUntilSuspended({ samples: accepted, labels }, isError, seed),
  ).sort((a, b) => a - b);
  const median = ((until[DRAWS / 2 - 1] ?? 0) + (until[DRAWS / 2] ?? 0)) / 2;
  tell('audits of a model at half the limit');
  const harmed = Array.from({ length: HARMLESS_RUNS }, (_, seed) => isWronglySuspended(seed)).filter(
    Boolean,
  ).length;
  return [
    aimed(
      'Audited labels until a bad model is suspended, median',
      String(median),
      { value: median, most: 40, unit: 'labels' },
      `scikit-learn's digits and Gaussian naive Bayes learnt from 500: accepts ${percent(accepted.length / model.truth.length)} at 0.95, of which ${percent(wrong)} are wrong; limit ${percent(errorLimit)}; ${DRAWS} seeds, at most ${until.at(-1)}; audits for floors of classes count too`,
    ),
    aimed(
      'Runs of a model at half the limit that are suspended wrongly',
      percent(harmed / HARMLESS_RUNS),
      { value: (100 * harmed) / HARMLESS_RUNS, most: 5, unit: '%' },
      `error rate ${percent(errorLimit / 2)}, ${cap} audits looked at one by one; ${HARMLESS_RUNS} runs`,
    ),
  ];
}

/** Infinity: all audits were answered, and it was not. */
function labelsUntilSuspended(
  accepted: { readonly samples: readonly number[]; readonly labels: readonly number[] },
  isError: (sample: number) => boolean,
  seed: number,
): number {
  const budget = Math.min(Math.ceil(share * accepted.samples.length), cap);
  const { audits, floors } = drawAudits(accepted, { budget, floor, classes: 10, seed });
  let [audited, errors] = [0, 0];
  for (const [i, sample] of audits.entries()) {
    if (floors[i] === 1) continue;
    audited++;
    if (isError(sample)) errors++;
    if (confidenceSequence(errors, audited).lower > errorLimit) return i + 1;
  }
  return Number.POSITIVE_INFINITY;
}

function isWronglySuspended(seed: number): boolean {
  let errors = 0;
  for (let audited = 1; audited <= cap; audited++) {
    if (uniform(seed, audited, 3) < errorLimit / 2) errors++;
    if (confidenceSequence(errors, audited).lower > errorLimit) return true;
  }
  return false;
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
