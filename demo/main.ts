import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedAnswers } from './annotator.ts';
import { type ArmState, PEOPLE, runArm, SEED_ROUND } from './arm.ts';
import { learningCurveChart } from './chart.ts';
import { findCrossing } from './learning-curve.ts';
import { loadMails } from './mail.ts';
import { type DemoOptions, HELP, readOptions } from './options.ts';
import { type Service, startService } from './service.ts';
import { prepareStudy, type Study } from './study.ts';
import { ProgressBar, percent, roundHeading, roundLine } from './terminal.ts';

/** Mails kept from both arms, to see how good their models are. */
const HELD_OUT = 1_000;
const CHART = join('demo-output', 'learning-curves.svg');

const out = process.stdout;
const say = (text: string) => out.write(`${text}\n`);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    say(HELP);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'concord-demo-'));
  let service: Service | undefined;
  try {
    say('Starting the service on an empty folder, and decoding the mails …');
    const [started, mails] = await Promise.all([startService({ folder, port: options.port }), loadMails()]);
    service = started;
    const study = prepareStudy(mails, HELD_OUT, options.seed);
    say(
      `${started.url}: ${study.pool.length} mails to label, ${study.test.length} held out. ` +
        `${PEOPLE.map(({ name, errorRate }) => `${name} errs in ${percent(errorRate, 0)}`).join(', ')}.\n` +
        `Round 0 is ${SEED_ROUND} mails drawn at random; then '${options.strategy}' chooses ${options.roundSize} a round, and beside it the same is done at random.\n`,
    );
    say(roundHeading());
    const [chosen, random] = await race(started, study, options);
    await report(options, chosen, random);
    if (!options.once) await stayUp(started);
  } finally {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs both arms at the same time, and says a line when both have ended a round. */
async function race(service: Service, study: Study, options: DemoOptions): Promise<[ArmState[], ArmState[]]> {
  const bar = new ProgressBar(out);
  const { url, ownerToken } = service;
  const shared = { ...options, url, ownerToken, answers: new SharedAnswers() };
  const arms = [
    runArm(study, {
      ...shared,
      name: `mail, chosen by ${options.strategy}`,
      onProgress: (what, done, of) => bar.show(what, done, of),
    }),
    runArm(study, { ...shared, name: 'mail, drawn at random', strategy: 'random', parameters: {} }),
  ] as const;
  const chosen: ArmState[] = [];
  const random: ArmState[] = [];
  try {
    for (;;) {
      const [one, other] = await Promise.all([arms[0].next(), arms[1].next()]);
      if (one.done || other.done) return [chosen, random];
      chosen.push(one.value);
      random.push(other.value);
      bar.clear();
      say(roundLine(one.value, other.value));
    }
  } finally {
    bar.clear();
    await Promise.all(arms.map((arm) => arm.return()));
  }
}

async function report(
  options: DemoOptions,
  chosen: readonly ArmState[],
  random: readonly ArmState[],
): Promise<void> {
  say(`\n${'labels'.padStart(8)} ${options.strategy.padStart(18)} ${'random'.padStart(18)}`);
  for (const [i, { labels, accuracy }] of chosen.entries()) {
    const other = random[i];
    if (other === undefined) continue;
    const beside = `${percent(other.accuracy)} at ${other.labels}`;
    say(`${String(labels).padStart(8)} ${percent(accuracy).padStart(18)} ${beside.padStart(18)}`);
  }
  const crossing = findCrossing(chosen, random);
  const end = random.at(-1);
  if (crossing) {
    say(
      `\n'${options.strategy}' reaches what random reaches with ${crossing.referenceLabels} labels ` +
        `(${percent(crossing.accuracy)}) with ${crossing.labels}: ${percent(crossing.share, 0)} of them.`,
    );
  } else if (end) say(`\n'${options.strategy}' does not reach random's ${percent(end.accuracy)} here.`);
  await mkdir('demo-output', { recursive: true });
  const chart = learningCurveChart({
    title: 'Spam or ham: accuracy by labels spent',
    subtitle: `Three annotators, rounds of ${options.roundSize}; every label counts, overlap and audits too`,
    series: [
      { name: options.strategy, runs: [chosen] },
      { name: 'random', runs: [random] },
    ],
    crossing,
  });
  await writeFile(CHART, chart);
  say(`The learning curves are in ${CHART}.`);
}

async function stayUp({ url, ownerToken, log }: Service): Promise<void> {
  say(
    `\nThe service stays up: open ${url} in a browser for GraphiQL, with the header\n` +
      `  {"Authorization": "Bearer ${ownerToken}"}\nIts log is ${log}. Ctrl-C ends it.`,
  );
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

main().catch((error: unknown) => {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
