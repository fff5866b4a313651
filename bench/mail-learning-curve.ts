import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedAnswers } from '../demo/annotator.ts';
import { type ArmState, PEOPLE, runArm, SEED_ROUND } from '../demo/arm.ts';
import { learningCurveChart } from '../demo/chart.ts';
import { type Crossing, type Curve, findCrossing, meanCurve } from '../demo/learning-curve.ts';
import { loadMails } from '../demo/mail.ts';
import { startService } from '../demo/service.ts';
import { prepareStudy, type Study } from '../demo/study.ts';
import { percent } from '../demo/terminal.ts';

/**
 * How many labels active learning needs to reach the accuracy that random sampling reaches at its end, on the
 * demo's mail and through the whole service. Both arms share the model, the seed set, the annotators and their
 * slips, and pay for every label, overlap and audits included.
 *
 * The rule, fixed before the first run: over the mean curves of all seeds, the first point of the strategy's that
 * is at least as accurate as the last point of random's. Curves are steps; nothing is interpolated or smoothed.
 *
 * `npm run bench:mail` writes bench/results/mail-learning-curve.{md,svg}.
 */
const SEEDS = [1, 2, 3, 4, 5];
const HELD_OUT = 1_000;
const SETTINGS = { rounds: 15, roundSize: 30, paceMs: 2, parameters: {} };
const STRATEGY = 'hybrid';
const RESULTS = join('bench', 'results');

async function arm(
  study: Study,
  strategy: string,
  seed: number,
  shared: { url: string; ownerToken: string; answers: SharedAnswers },
) {
  const states: ArmState[] = [];
  for await (const state of runArm(study, {
    ...shared,
    ...SETTINGS,
    name: `${strategy} ${seed}`,
    strategy,
    seed,
  })) {
    states.push(state);
  }
  return states;
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'concord-bench-'));
  const [service, mails] = await Promise.all([startService({ folder, port: 0 }), loadMails()]);
  const chosen: ArmState[][] = [];
  const random: ArmState[][] = [];
  try {
    for (const seed of SEEDS) {
      const study = prepareStudy(mails, HELD_OUT, seed);
      const shared = { ...service, answers: new SharedAnswers() };
      const [one, other] = await Promise.all([
        arm(study, STRATEGY, seed, shared),
        arm(study, 'random', seed, shared),
      ]);
      chosen.push(one);
      random.push(other);
      process.stdout.write(`seed ${seed}: ${sentence(findCrossing(one, other))}\n`);
    }
  } finally {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const crossing = findCrossing(meanCurve(chosen), meanCurve(random));
  process.stdout.write(`mean of ${SEEDS.length} seeds: ${sentence(crossing)}\n`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'mail-learning-curve.md'), page(chosen, random, crossing));
  await writeFile(
    join(RESULTS, 'mail-learning-curve.svg'),
    learningCurveChart({
      title: 'Spam or ham: accuracy by labels spent',
      subtitle: `${SEEDS.length} seeds and their mean; every label counts, overlap and audits too`,
      series: [
        { name: STRATEGY, runs: chosen },
        { name: 'random', runs: random },
      ],
      crossing,
    }),
  );
}

function sentence(crossing: Crossing | undefined): string {
  if (crossing === undefined) return `${STRATEGY} does not reach random's end`;
  const { labels, referenceLabels, share, accuracy } = crossing;
  return `${STRATEGY} needs ${labels} labels for the ${percent(accuracy)} that random has with ${referenceLabels}: ${percent(share, 0)}`;
}

function page(
  chosen: readonly ArmState[][],
  random: readonly ArmState[][],
  mean: Crossing | undefined,
): string {
  const end = (curve: Curve | undefined) => percent(curve?.at(-1)?.accuracy ?? Number.NaN, 2);
  const rows = SEEDS.map((seed, i) => {
    const crossing = findCrossing(chosen[i] ?? [], random[i] ?? []);
    const cells = crossing
      ? [String(crossing.labels), String(crossing.referenceLabels), percent(crossing.share, 0)]
      : ['–', '–', '–'];
    return `| ${[seed, end(random[i]), end(chosen[i]), ...cells].join(' | ')} |`;
  });
  const people = PEOPLE.map(({ name, errorRate }) => `${name} ${percent(errorRate, 0)}`).join(', ');
  return `# Labels that active learning saves on mail

Written by \`npm run bench:mail\`. SpamAssassin public corpus, ${HELD_OUT} mails held out, through the whole service:
a seed round of ${SEED_ROUND} random mails, then ${SETTINGS.rounds} rounds of ${SETTINGS.roundSize} chosen by \`${STRATEGY}\` (80 % margin, 20 % random) or at
random. Annotators err: ${people}. A tenth of the mails is labelled by two. Every label counts as cost.

The rule, fixed beforehand: the first point of the mean ${STRATEGY} curve that is at least as accurate as the last point
of the mean random curve. **${mean ? sentence(mean) : 'Not reached'}.**

| seed | random at its end | ${STRATEGY} at its end | ${STRATEGY} reaches that with | random's labels | share |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

![Learning curves](mail-learning-curve.svg)
`;
}

await main();
