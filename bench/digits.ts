import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { learningCurveChart } from '../demo/chart.ts';
import { type Curve, type CurvePoint, meanCurve } from '../demo/learning-curve.ts';
import { startService } from '../demo/service.ts';
import { percent } from '../demo/terminal.ts';
import { type ArmOptions, runArm, SEED_SET } from './digits/arm.ts';
import { divide, loadDigits } from './digits/digits.ts';
import { orSayWhatIsMissing } from './python.ts';
import { aimed, type Row, table } from './scale/table.ts';

/**
 * How many labels margin and DMBAL need on handwritten digits, beside random, through the whole service.
 *
 * The rule, fixed before the first run: the mean curve of all seeds, and its first point that is at least as accurate.
 * Curves are steps; nothing is interpolated or smoothed.
 *
 * `npm run bench:digits` writes bench/results/digits.{md,svg}. It needs scikit-learn for the data.
 */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const HELD_OUT = 540;
const RESULTS = join('bench', 'results');
/** Arms at a time: each waits for the service most of the time. */
const AT_ONCE = 2;

const ARMS = {
  'DMBAL by 100': { strategy: 'dmbal', roundSize: 100, labels: 320 },
  'random by 100': { strategy: 'random', roundSize: 100, labels: 320 },
  margin: { strategy: 'margin', roundSize: 10, labels: 300 },
  random: { strategy: 'random', roundSize: 10, labels: 600 },
} as const;
type ArmName = keyof typeof ARMS;

async function main(): Promise<void> {
  const digits = await loadDigits();
  const folder = await mkdtemp(join(tmpdir(), 'concord-bench-'));
  const service = await startService({ folder, port: 0 });
  const names = Object.keys(ARMS) as ArmName[];
  const curves = Object.fromEntries(names.map((name) => [name, [] as Curve[]])) as Record<ArmName, Curve[]>;
  try {
    const left = SEEDS.flatMap((seed) => names.map((name) => ({ seed, name }))).values();
    const worker = async () => {
      for (const { seed, name } of left) {
        const options: ArmOptions = { ...service, ...ARMS[name], seed };
        curves[name].push(await runArm(divide(digits, HELD_OUT, seed), options));
        process.stderr.write(`seed ${seed}, ${name} …\n`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const means = Object.fromEntries(names.map((name) => [name, meanCurve(curves[name])])) as Record<
    ArmName,
    CurvePoint[]
  >;
  const text = page(means);
  process.stdout.write(text);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'digits.md'), text);
  await writeFile(
    join(RESULTS, 'digits.svg'),
    learningCurveChart({
      title: 'Handwritten digits: accuracy by labels spent',
      subtitle: `${SEEDS.length} seeds and their mean; logistic regression on the pixels`,
      accuracyOf: 'held-out digits',
      series: names.map((name) => ({ name, runs: curves[name] })),
    }),
  );
}

/** The labels with which a mean curve is first as accurate, or Infinity. */
function labelsFor(curve: Curve, accuracy: number): number {
  return curve.find((point) => point.accuracy >= accuracy)?.labels ?? Number.POSITIVE_INFINITY;
}

function at(curve: Curve, labels: number): number {
  return curve.find((point) => point.labels === labels)?.accuracy ?? Number.NaN;
}

function page(means: Readonly<Record<ArmName, CurvePoint[]>>): string {
  const reaching = ([accuracy, most]: readonly [number, number]): Row => {
    const needed = labelsFor(means.margin, accuracy);
    const random = labelsFor(means.random, accuracy);
    const figure = Number.isFinite(needed) ? `${needed} labels` : 'not reached';
    const note = `random needs ${Number.isFinite(random) ? random : `more than ${ARMS.random.labels}`}`;
    return aimed(
      `margin reaches ${percent(accuracy, 0)}`,
      figure,
      { value: needed, most, unit: 'labels' },
      note,
    );
  };
  const dmbal = at(means['DMBAL by 100'], 120);
  const rows = [
    ...(
      [
        [0.9, 80],
        [0.95, 170],
      ] as const
    ).map(reaching),
    aimed(
      'DMBAL at 120 labels, in batches of 100',
      dmbal.toFixed(3),
      { value: dmbal, least: 0.92, unit: '' },
      `random has ${at(means['random by 100'], 120).toFixed(3)}`,
    ),
  ];
  const steps = [20, 60, 80, 100, 120, 170, 220, 300, 320, 420, 530, 600];
  const curve = steps.map((labels) => {
    const cells = Object.values(means).map((mean) => {
      const accuracy = at(mean, labels);
      return Number.isNaN(accuracy) ? '' : percent(accuracy, 1);
    });
    return `| ${[labels, ...cells].join(' | ')} |`;
  });
  const names = Object.keys(means);
  return `# Labels that active learning saves on handwritten digits

Written by \`npm run bench:digits\`. scikit-learn's \`load_digits\`, pixels / 16; ${HELD_OUT} held out, drawn anew for each of ${SEEDS.length} seeds.
Multinomial logistic regression (C = 1). ${SEED_SET} random digits first, then rounds of 10, or of 100 where it says so, through the whole
service: import, claims, answers, training set, predictions and rounds over the SDK. Every label is right, and each
digit is labelled once. Figures are of the mean curve; its first point that is at least as accurate counts.

${table(rows)}

| labels | ${names.join(' | ')} |
| --- | ${names.map(() => '---').join(' | ')} |
${curve.join('\n')}

![Learning curves](digits.svg)
`;
}

await orSayWhatIsMissing(main);
