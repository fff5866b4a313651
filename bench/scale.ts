import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { annotatedRows } from './scale/annotated.ts';
import { appendRows } from './scale/appends.ts';
import { HELP, readOptions } from './scale/options.ts';
import { Scenario } from './scale/scenario.ts';
import { type Row, table } from './scale/table.ts';

/**
 * What a project of a million samples costs: import, publish, rounds, people at work, memory, restart. The
 * service runs as it is built and started by anybody, on the embedded store; clients are processes beside it
 * and use the SDK over HTTP and WebSocket.
 *
 * `npm run bench` writes bench/results/scale.md; `npm run bench -- --help` tells how to run less.
 */
const FULL = 1_000_000;
const RESULTS = join('bench', 'results');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'concord-bench-'));
  const tell = (what: string) => process.stderr.write(`${what} …\n`);
  const [loadBefore = 0] = loadavg();
  const rows: Row[] = [];
  try {
    rows.push(...(await new Scenario(join(folder, 'store'), options, tell).run()));
    tell('restarts of a project that is answered');
    rows.push(...(await annotatedRows(join(folder, 'answered'), options.samples, options.repeats)));
    tell('appends');
    rows.push(...(await appendRows(folder)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const page = `# Concord at ${options.samples.toLocaleString('en-US')} samples

Written by \`npm run bench\`: ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, load ${loadBefore.toFixed(1)} before it
began and ${loadavg()[0]?.toFixed(1)} at its end. The built service on the embedded store, in a process of its own; its clients in processes beside it, on the
same cores, through the SDK. (For the labelling, the SDK is given a lean \`fetch\` over real sockets: the platform's
costs more than the server.)

${table(rows)}
`;
  process.stdout.write(page);
  if (options.samples !== FULL || options.profiles !== null) return;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'scale.md'), page);
}

await main();
