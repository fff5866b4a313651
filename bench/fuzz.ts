import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from '@concord/sdk/client';
import { pino } from 'pino';
import { realEnvironment } from '../src/http/environment.ts';
import { Faults } from '../src/http/faults.ts';
import { startServer } from '../src/http/server.ts';
import { openStore } from '../src/journal/open.ts';
import { Concord } from '../src/service/concord.ts';
import { admitOwner } from '../src/service/members.ts';
import { openStrategyHost } from '../src/strategies/host.ts';
import { held, leakIn, MAX_GROWTH_MIB } from './fuzz/leak.ts';
import { fuzz } from './fuzz/run.ts';

/*
 * npm run fuzz -- --inputs 100000 --seed 1
 *
 * Sends inputs that are nearly right through every door of a service in this process, and writes bench/results/fuzz.md.
 */

/** How many inputs fill the caches, which hold what was sent last, up to a bound: only what is held beyond is a leak. */
const WARM = 20_000;

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const root = new URL('../../', import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'concord-fuzz-'));
const token = 'owner-of-the-service'.padEnd(40, '0');
const logged: string[] = [];
const logger = pino({ level: 'error', base: null }, { write: (line: string) => void logged.push(line) });
const store = await openStore(folder);
const strategies = await openStrategyHost({
  folder: fileURLToPath(new URL('plugins', root)),
  environment: realEnvironment,
  workers: 1,
});
const concord = new Concord(store, strategies, realEnvironment);
await admitOwner(concord, token);
const server = await startServer({
  concord,
  logger,
  host: '127.0.0.1',
  port: 0,
  allowedOrigins: [],
  limits: { rate: 0 },
});
const client = createClient({ url: `${server.url}/graphql`, token });
const { id: project } = await client.createProject({ name: 'Fuzzed', labels: ['a', 'b'], seed: 1 });
const samples = ['k0', 'k1'].map((key) => ({ key, data: { text: key } }));
await client.importSamples({ project, importId: 'first', part: 0, samples });

const faults = new Faults(logger);
const options = { inputs: Number(values.inputs), seed: Number(values.seed) };
const target = { url: server.url, token, project, concord, faults };
const manifest = new URL('schema/sdk-documents.json', root);
const settle = () => new Promise((resolve) => setTimeout(resolve, 2_000));
// Other inputs than those that follow, or these would be found in the caches.
const warm = await fuzz(target, manifest, { inputs: WARM, seed: options.seed + 1_000 });
await settle();
const before = held();
const { doors } = await fuzz(target, manifest, options);
await settle();
const after = held();
const leak = leakIn(before, after);
const alive = (await client.progress({ project })) !== null;
client.close();
await server.close();
await rm(folder, { recursive: true });

const found = [...warm.doors, ...doors].flatMap(({ door, faults: some }) =>
  some.map((fault) => ({ door, ...fault })),
);
const rows = doors.map(
  ({ door, inputs, seconds, faults: some }) =>
    `| ${door} | ${inputs.toLocaleString('en')} | ${seconds.toFixed(1)} | ${some.length} |`,
);
const report = `# Fuzzing

\`npm run fuzz -- --inputs ${options.inputs} --seed ${options.seed}\`, Node ${process.version}. Valid inputs are bent at random places from a seed;
every tenth is left as it is. A fault is an error without a code of ours, an answer of 500, a message in the log, or a reader
that throws anything but its own error.

| door | inputs | seconds | faults |
| --- | --- | --- | --- |
${rows.join('\n')}

Faults in the log: ${logged.length}. Afterwards the service ${alive ? 'answered as before' : 'did not answer'}; it held ${before.memory.toFixed(0)} MiB after
${WARM.toLocaleString('en')} inputs that filled its caches, and ${after.memory.toFixed(0)} MiB after these, garbage collected: ${leak ?? 'no leak'}, by the bound of ${MAX_GROWTH_MIB} MiB.
${before.handles} and ${after.handles} handles were open.
`;
await writeFile(new URL('bench/results/fuzz.md', root), report);
process.stdout.write(report);
for (const { door, input, problem } of found)
  process.stderr.write(`${door}: ${JSON.stringify(input)}\n${problem}\n`);
for (const line of logged.slice(0, 20)) process.stderr.write(line);
if (leak !== null) process.stderr.write(`A leak: ${leak}.\n`);
process.exitCode = alive && found.length + logged.length === 0 && leak === null ? 0 : 1;
