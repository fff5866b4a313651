import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { FIELD_BYTES } from './live/document.ts';
import { changeRow, fanoutRows, lastRow } from './live/fanout.ts';
import { claimRows, pushRows } from './live/labelling.ts';
import { idleRows, soakRow } from './live/memory.ts';
import { HELP, PARTS, readOptions } from './live/options.ts';
import { type Row, table } from './scale/table.ts';

/**
 * What it costs to let many people feel each other: one change to many subscribers, beside what a plain broadcast
 * and Yoga with graphql-ws make of the same. Servers are processes of their own, all clients are this one.
 *
 * `npm run bench:live` writes bench/results/live.md; `npm run bench:live -- --help` tells how to run less.
 */
const RESULTS = join('bench', 'results');

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const { seconds, soak, samples, only } = options;
  const tell = (what: string) => process.stderr.write(`${what} …\n`);
  const parts: Readonly<Record<(typeof PARTS)[number], () => Promise<readonly Row[]>>> = {
    fanout: () => fanoutRows(seconds, tell),
    change: async () => [await changeRow(seconds, tell)],
    last: async () => [await lastRow(tell)],
    push: () => pushRows(Math.max(seconds, 10), tell),
    idle: () => idleRows(tell),
    soak: async () => [await soakRow(soak, tell)],
    claims: () => claimRows(seconds, samples, tell),
  };
  const [loadBefore = 0] = loadavg();
  const rows: Row[] = [];
  for (const part of PARTS) if (only.length === 0 || only.includes(part)) rows.push(...(await parts[part]()));
  const page = `# Concord live

Written by \`npm run bench:live\`: ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.versions.node}, load ${loadBefore.toFixed(1)} before it
began and ${loadavg()[0]?.toFixed(1)} at its end. Servers are processes of their own; all clients are one more, on the same cores. Figures of
delivery are pushes received by all clients together a second, and the server's processor time for each; the median of three
turns, in which the servers follow each other. Two changes are on their way to every server at a time; each is followed by the
next when a client in the midst of all has received something since. In Concord a change is a label: submitted over HTTP, committed, and synced to the disk; the others
make theirs out of nothing. A field of a push is ${FIELD_BYTES} bytes, name and all; in the SDK's own subscriptions it is 27 in an agreement among ten
people, and 31 in a queue of three samples.

${table(rows)}
`;
  process.stdout.write(page);
  if (only.length > 0) return;
  await mkdir(RESULTS, { recursive: true });
  await writeFile(join(RESULTS, 'live.md'), page);
}

await main();
