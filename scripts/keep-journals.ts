import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { allOf, createClient } from '@concord/sdk/client';
import { connectDriver } from '@concord/sdk/driver';
import { encodeValue } from '../src/journal/codec.ts';
import { openStore } from '../src/journal/open.ts';
import type { StoredValue } from '../src/journal/port.ts';

/*
 * Keeps what this release writes, so that every later one can be tried on it. Run it once, with the build of the release:
 *
 *   npm run build && node dist/scripts/keep-journals.js test/releases/0.1.0
 *
 * It starts the service on a new store, and has an owner, a trainer and two annotators do what people do. It writes
 * FILE.gz, the journals, chunks and names as MessagePack, and FILE.json, what the service answered about them at the end.
 */

const [, , to = ''] = process.argv;
/** The test comes in with it. It opens nothing but this file. */
const OWNER = 'owner-of-a-kept-journal'.padEnd(40, '0');
const LABELS = ['ham', 'spam', 'unsure'];
const SAMPLES = 60;

const folder = await mkdtemp(join(tmpdir(), 'concord-keep-'));
const service = spawn(
  process.execPath,
  [fileURLToPath(new URL('../bundle/http/cli.js', import.meta.url)), '--store', folder, '--port', '0'],
  { env: { ...process.env, CONCORD_OWNER_TOKEN: OWNER }, stdio: ['ignore', 'pipe', 'inherit'] },
);
let url = '';
for await (const line of createInterface(service.stdout)) {
  const { msg, url: found } = JSON.parse(line) as { readonly msg: string; readonly url?: string };
  if (msg !== 'ready' || found === undefined) continue;
  url = found;
  break;
}

const driver = connectDriver({ url, token: OWNER });
const made = await driver.createProject({
  name: 'Kept',
  labels: LABELS,
  guidelines: 'Spam is what nobody asked for.',
  preset: 'ACTIVE_LEARNING',
  policy: { autoAcceptThreshold: 0.9, auditShare: 0.5, overlapShare: 0.5, withoutRound: 'POOL' },
  seed: 7,
});
const project = await driver.project(made.id);
const keys = Array.from({ length: SAMPLES }, (_, i) => `mail-${i}`);
await project.importSamples(keys.map((key, i) => ({ key, data: { text: `mail number ${i}` } })));
const ann = await project.addMember({ name: 'Ann', role: 'ANNOTATOR' });
const ben = await project.addMember({ name: 'Ben', role: 'ANNOTATOR', tokenDays: 30 });
const gone = await project.addMember({ name: 'Gone', role: 'VIEWER' });
await driver.client.issueToken({ project: project.id, member: ann.member.id });
await driver.client.revokeTokens({ project: project.id, member: gone.member.id });
await driver.client.setRole({ project: project.id, member: gone.member.id, role: null });

const people = [ann, ben].map(({ token }) => createClient({ url, token }));
/** Each answers so many, now and then wrongly, skips one and takes one back. */
async function work(count: number): Promise<void> {
  for (const [who, client] of people.entries()) {
    for (let i = 0; i < count; i++) {
      const { assignments } = await client.claim({ project: project.id, hold: 2 });
      const [first, second] = assignments;
      if (first === undefined) return;
      if (i === 1 && second !== undefined) await client.release({ assignment: second.id });
      if (i === 2) await client.skip({ assignment: first.id, reason: 'cannot be read' });
      else {
        const label = LABELS[(i + (i % 5 === 0 ? who : 0)) % 2] ?? '';
        await client.submit({ assignment: first.id, label, milliseconds: 900 + i });
        if (i === 3) {
          await client.undo({ assignment: first.id });
          await client.submit({ assignment: first.id, label: 'unsure' });
        }
      }
    }
  }
}

await driver.client.openRound({ project: project.id, size: 8, strategy: 'random', seed: 1 });
await work(10);
const open = await driver.client.currentRound({ project: project.id });
if (open) await driver.client.closeRound({ round: open.id });
const probabilities = Float32Array.from(
  keys.flatMap((_, i) => (i % 3 === 0 ? [0.95, 0.04, 0.01] : [0.4, 0.35, 0.25])),
);
await project.publishPredictions({ model: 'kept-1', keys, probabilities });
await project.publishEmbeddings({
  model: 'encoder-1',
  keys,
  embeddings: Float32Array.from({ length: SAMPLES * 4 }, (_, i) => Math.sin(i)),
});
await driver.client.updatePolicy({ project: project.id, policy: { overlap: 2 } });
await project.openRound({ size: 12, strategy: 'entropy', seed: 2 });
await work(8);
const samples: { key: string; consensus: unknown }[] = [];
for await (const sample of allOf((after) =>
  driver.client.annotatedSamples({ project: project.id, first: 100, after }),
)) {
  samples.push({ key: sample.key, consensus: sample.consensus });
}
const progress = await project.progress();
const agreement = await project.agreement();
const members: { name: string | null; role: string }[] = [];
for await (const { member, role } of allOf((after) =>
  driver.client.members({ project: project.id, first: 100, after }),
)) {
  members.push({ name: member.name, role });
}
driver.close();
service.kill();
await once(service, 'close');

const store = await openStore(folder);
const journals: Record<string, StoredValue> = {};
const chunks: Uint8Array[] = [];
const names: Record<string, StoredValue> = {};
for (const journal of await store.journals()) {
  const commits: StoredValue[] = [];
  for await (const { seq, id, time, events } of store.read(journal, 0)) {
    commits.push({ seq, id, time, events });
    for (const event of events as readonly { readonly type: string; readonly member?: string }[]) {
      if (event.type !== 'memberAdded' || event.member === undefined) continue;
      const name = await store.getDocument('member-names', event.member);
      if (name !== undefined) names[event.member] = name;
    }
  }
  journals[journal] = commits;
}
for await (const { id } of store.chunks()) chunks.push((await store.getChunk(id)) ?? new Uint8Array());
await store.close();
await rm(folder, { recursive: true });

const figures = {
  owner: OWNER,
  project: project.id,
  annotator: ann.token,
  progress,
  agreement,
  members,
  samples,
};
const bytes = gzipSync(encodeValue({ journals, chunks, names }), { level: 9 });
await writeFile(`${to}.gz`, bytes);
await writeFile(`${to}.json`, `${JSON.stringify(figures, null, 2)}\n`);
process.stdout.write(`${bytes.length} bytes in ${to}.gz\n`);
