import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Row, table } from './scale/table.ts';
import { claimRows } from './strategies/claims.ts';
import { makeInputs, writeInputs } from './strategies/inputs.ts';
import { Numpy } from './strategies/numpy.ts';
import { HELP, PARTS, readOptions } from './strategies/options.ts';
import { scoringRows } from './strategies/scoring.ts';

/**
 * What the strategy host costs: a million rows scored by the shipped strategies, in turns with numpy; and what
 * people who label notice of it.
 *
 * `npm run bench:strategies` writes bench/results/strategies.md; with `-- --help` it tells how to run less.
 */
const RESULTS = join('bench', 'results');
const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));

async function scoring(tell: (what: string) => void): Promise<{ rows: Row[]; numpy: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'concord-bench-'));
  try {
    tell('making a million rows');
    const inputs = makeInputs();
    await writeInputs(inputs, folder);
    const numpy = await Numpy.start(folder);
    try {
      return { rows: await scoringRows(PLUGINS, inputs, numpy, tell), numpy: numpy.version };
    } finally {
      numpy.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const parts = readOptions(process.argv.slice(2));
  if (parts === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const tell = (what: string) => process.stderr.write(`${what} …\n`);
  const [loadBefore = 0] = loadavg();
  const scored = parts.includes('scoring') ? await scoring(tell) : { rows: [], numpy: 'not run' };
  const rows = [...scored.rows, ...(parts.includes('claims') ? await claimRows(tell) : [])];
  const page = `# Concord's strategies at a million samples

Written by \`npm run bench:strategies\`: ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, numpy ${scored.numpy}, load
${loadBefore.toFixed(1)} before it began and ${loadavg()[0]?.toFixed(1)} at its end. A strategy is run through the host as the service runs it, which has two workers
that share the rows, and with one worker beside: score and exact choice, from the call to the answer. numpy has one thread and takes turns with it; both figures are medians
of seven, after eight that warm up. The ratio is to numpy's best of sort, partition, einsum and plain reductions. What numpy would take if it went
column by column, as hardly anybody writes it, is told beside it.

${table(rows)}
`;
  process.stdout.write(page);
  if (parts.length < PARTS.length) return;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'strategies.md'), page);
}

await main();
