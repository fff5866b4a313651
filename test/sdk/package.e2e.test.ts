import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScript, type Service, startService } from './service.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SDK = join(ROOT, 'sdk');
const run = promisify(execFile);

/** Uses each entry point once, and the service over HTTP and WebSocket. */
const SCRIPT = `
import { createClient, NotFoundError } from '@concord/sdk/client';
import { connectDriver } from '@concord/sdk/driver';
import { connectAnnotator } from '@concord/sdk/annotator';
import { FORMATS, writePages } from '@concord/sdk/formats';
import { defineStrategy } from '@concord/sdk/strategy';

const { CONCORD_URL: url, CONCORD_TOKEN: token } = process.env;
const driver = connectDriver({ url, token });
const project = await driver.createProject({ name: 'packed', labels: ['a', 'b'], policy: { overlapShare: 0 } });
await project.importSamples([{ key: 'k', data: 'hello' }]);
await project.openRound({ size: 1, strategy: 'random' });
const member = await project.addMember({ name: 'ada', role: 'ANNOTATOR' });
const annotator = await connectAnnotator({ url, token: member.token, project: project.id });
for await (const assignment of annotator.assignments({ endOn: ['NO_ROUND'] })) {
  await annotator.submit(assignment, 'a');
}
annotator.close();
const client = createClient({ url, token });
for await (const { answers } of client.watchProgress({ project: project.id })) {
  if (answers !== 1) continue;
  break;
}
for (const { writer } of Object.values(FORMATS)) {
  let file = '';
  for await (const text of writePages(project.exportPages(), writer())) file += text;
  if (!file.includes('hello')) throw new Error(file);
}
const missing = await driver.project('nonsense').catch((error) => error);
if (!(missing instanceof NotFoundError)) throw missing;
const strategy = defineStrategy({
  name: 'zero', description: 'Nothing.', maximum: () => 1, score: ({ length }) => new Float64Array(length),
});
console.log('labelled with', strategy.kind, client.viewer.name);
client.close();
driver.close();
`;

const TYPED = `
import { createClient, type Queue, UnknownLabelError } from '@concord/sdk/client';
import { connectDriver } from '@concord/sdk/driver';
import { connectAnnotator } from '@concord/sdk/annotator';
import { readCsv } from '@concord/sdk/formats';
import { defineStrategy } from '@concord/sdk/strategy';

export async function use(url: string, token: string): Promise<Queue | null> {
  const project = await connectDriver({ url, token }).project('p');
  await project.publishPredictions({ model: 'm', keys: ['k'], probabilities: Float32Array.of(0.5, 0.5) });
  const file = (async function* () {
    yield 'key,text';
  })();
  await project.importSamples(project.withoutExisting(readCsv(file)));
  const annotator = await connectAnnotator({ url, token, project: project.id });
  for await (const { data, id } of annotator) console.log(id, data);
  return createClient({ url, token }).queue({ project: 'p' });
}
export const known = (error: unknown): readonly string[] => (error instanceof UnknownLabelError ? error.known : []);
export default defineStrategy({
  name: 'zero', description: 'Nothing.', maximum: () => 1, score: ({ length }) => new Float64Array(length),
});
// @ts-expect-error there is no such option
createClient({ url: '', token: '', tokn: '' });
`;

describe('the packed SDK, installed in a clean folder', () => {
  let folder: string;
  let service: Service;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-packed-'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: SDK });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', ...flags, join(folder, filename)], { cwd: folder });
    service = await startService();
  });

  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has what it says and no more', async () => {
    const installed = join(folder, 'node_modules/@concord/sdk');
    expect((await readdir(installed)).sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'package.json',
      'src',
    ]);
    const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    for (const entry of Object.values<string | Record<string, string>>(exports)) {
      const files = typeof entry === 'string' ? [entry] : Object.values(entry);
      for (const file of files) expect(await readFile(join(installed, file), 'utf8')).not.toBe('');
    }
  });

  it('works, with no GraphQL library there', async () => {
    // A peer of graphql-ws's server, which npm installs beside it.
    await rm(join(folder, 'node_modules/graphql'), { recursive: true, force: true });
    await writeFile(join(folder, 'use.js'), SCRIPT);
    const env = { CONCORD_URL: service.url, CONCORD_TOKEN: service.ownerToken };
    expect(await runScript(join(folder, 'use.js'), env, folder).done()).toBe('labelled with score viewer\n');
  });

  it.each([
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ])('has types that stand by themselves, resolved as by %s/%s', async (module, moduleResolution) => {
    await mkdir(join(folder, 'typed'), { recursive: true });
    await writeFile(join(folder, 'typed/use.ts'), TYPED);
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'ES2022', lib: ['ES2022', 'DOM'], types: [] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
    };
    await writeFile(join(folder, 'typed/tsconfig.json'), JSON.stringify({ compilerOptions }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await expect(run(process.execPath, [tsc, '-p', join(folder, 'typed')])).resolves.toBeDefined();
  });
});

describe('what is written about it', () => {
  it('shows code from the examples only', async () => {
    const examples = await readdir(join(SDK, 'examples'));
    const texts = await Promise.all(examples.map((file) => readFile(join(SDK, 'examples', file), 'utf8')));
    const readme = await readFile(join(SDK, 'README.md'), 'utf8');
    const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, block = '']) => block);
    expect(blocks.length).toBeGreaterThan(3);
    for (const block of blocks)
      expect(
        texts.some((text) => text.includes(block)),
        block,
      ).toBe(true);
  });
});
