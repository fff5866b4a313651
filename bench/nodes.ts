import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { forwardingRows } from './nodes/forwarding.ts';
import { labelRows } from './nodes/labels.ts';
import { HELP, PARTS, readOptions } from './nodes/options.ts';
import { StoreServer } from './nodes/storeServer.ts';
import { takeOverRows } from './nodes/takeovers.ts';
import { type Row, table } from './scale/table.ts';

/**
 * Several nodes over one store: what they do together, what it costs to ask the wrong one, and how long a killed one is
 * missed. Each node is a process, and so are the store's server and the load generator.
 *
 * `npm run bench:nodes` writes bench/results/nodes.md; `npm run bench:nodes -- --help` tells how to run less.
 */
const RESULTS = join('bench', 'results');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const tell = (what: string) => process.stderr.write(`${what} …\n`);
  const parts: Readonly<Record<(typeof PARTS)[number], () => Promise<readonly Row[]>>> = {
    labels: () => labelRows(options, tell),
    forwarding: () => forwardingRows(options, tell),
    takeover: () => takeOverRows(options, tell),
  };
  const store = await StoreServer.open();
  await store.stop('concord_bench_none');
  const [loadBefore = 0] = loadavg();
  const rows: Row[] = [];
  for (const part of PARTS) {
    if (options.only.length === 0 || options.only.includes(part)) rows.push(...(await parts[part]()));
  }
  const page = `# Concord on several nodes

Written by \`npm run bench:nodes\`: ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, load ${loadBefore.toFixed(1)} before it
began and ${loadavg()[0]?.toFixed(1)} at its end. The store is ${store.name}.
The nodes, the store's server and the load generator are processes of their own **on the same ${cpus().length} cores**: where all cores are
busy, more nodes only divide them, and what is shown is what a cluster costs, not what it gains on machines of its own. What can be
carried over is the processor time a label, of the nodes and of the store: a machine has so many microseconds in a second for
each core. Latencies are p50 / p95 / p99; to a push they are measured at 200 labels/s in all, from sending a submit to its arrival at
each of the subscribers of its project, of whom each node has one. The median of ${options.repeats} runs.

${table(rows)}
`;
  process.stdout.write(page);
  if (options.only.length > 0 || options.profiles !== null) return;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'nodes.md'), page);
}

await main();
