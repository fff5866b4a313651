import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@concord/sdk/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../src/journal/open.ts';
import { runConcord, ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');

let folder: string;
let service: ServiceProcess;
let project: string;
/** Every secret that was made. */
const secrets = [OWNER];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concord-tokens-'));
  service = await ServiceProcess.ready({
    args: ['--store', folder, '--port', '0', '--log-level', 'debug'],
    env: { CONCORD_OWNER_TOKEN: OWNER },
  });
  const client = createClient({ url: `${service.url}/graphql`, token: OWNER });
  project = (await client.createProject({ name: 'Mail', labels: ['a', 'b'] })).id;
  secrets.push((await client.addMember({ project, name: 'Ann', role: 'ANNOTATOR' })).token);
  client.close();
});
afterAll(async () => {
  await service.kill();
  await rm(folder, { recursive: true });
});

async function concord(args: readonly string[], token: string | null = OWNER) {
  const env = { CONCORD_URL: `${service.url}/graphql`, ...(token !== null && { CONCORD_TOKEN: token }) };
  return runConcord({ args, env });
}

/** What a command prints that must do what it is told. */
async function done(args: readonly string[], token: string | null = OWNER): Promise<string> {
  const { code, out, errors } = await concord(args, token);
  expect(errors).toBe('');
  expect(code).toBe(0);
  return out.trim();
}

async function secret(args: readonly string[], token: string | null = OWNER): Promise<string> {
  const made = await done(args, token);
  expect(made).toMatch(/^cc[di]_[\w-]{43}$/);
  secrets.push(made);
  return made;
}

it('tokens are made, listed, rotated and ended from the command line', async () => {
  const mine = await secret(['token', 'create', '--project', 'Mail', '--label', 'laptop', 'Ann']);
  const next = await secret(['token', 'rotate', '--overlap', '0'], mine);
  expect((await concord(['token', 'list'], mine)).errors).toContain('not known');
  const list = await done(['token', 'list', '--project', 'Mail']);
  const rows = list.split('\n').filter((row) => row.includes('laptop'));
  expect(rows).toHaveLength(2);
  const [id = ''] = rows.at(-1)?.split('\t') ?? [];
  expect(await done(['token', 'expire', '--days', '1', id])).toContain(id);
  expect(await done(['token', 'revoke', id])).toBe(`${id} is revoked`);
  expect((await concord(['token', 'list'], next)).code).toBe(1);
  expect((await concord(['token', 'create', '--project', 'Mail', 'Nobody'])).errors).toContain('Nobody');
  expect((await concord(['token', 'steal'])).errors).toContain('create, list, expire, revoke, rotate');
});

it('an invitation is sent and accepted from the command line, once', async () => {
  const code = await secret(['invitation', 'create', '--project', 'Mail', '--label', 'for Cy']);
  const token = await secret(['invitation', 'accept', code, 'Cy'], null);
  expect(await done(['token', 'list'], token)).toContain('Cy');
  expect((await concord(['invitation', 'accept', code, 'Dee'], null)).errors).toContain('ACCEPTED');
  expect(await done(['invitation', 'list', '--project', 'Mail'])).toMatch(/for Cy\tACCEPTED\t.*\tCy/);
});

it('a person is erased from the command line, once it is said to be meant', async () => {
  await secret(['token', 'create', '--project', 'Mail', '--label', 'for Ann', 'Ann']);
  const erase = ['erase', '--project', 'Mail', '--reason', 'objection'];
  expect((await concord([...erase, 'person', 'Ann'])).errors).toMatch(/for good: say --yes yes/);
  expect(
    (await concord(['erase', '--project', 'Mail', '--reason', 'anger', 'person', 'Ann'])).errors,
  ).toContain('consent-withdrawn');
  expect(await done(['token', 'list', '--project', 'Mail'])).toContain('Ann');
  expect(await done([...erase, '--yes', 'yes', 'person', 'Ann'])).toMatch(/is erased$/);
  expect(await done(['token', 'list', '--project', 'Mail'])).not.toContain('Ann');
  expect((await concord([...erase, '--yes', 'yes', 'person', 'Ann'])).errors).toContain(
    'nobody in the project is called Ann',
  );
});

it('samples are erased from the command line by their keys', async () => {
  const client = createClient({ url: `${service.url}/graphql`, token: OWNER });
  await client.importSamples({
    project,
    importId: 'i',
    part: 0,
    samples: [{ key: 'a', data: 'a text to erase' }],
  });
  const erase = ['erase', '--project', 'Mail', '--reason', 'unlawful', '--yes', 'yes', 'samples'];
  expect((await concord([...erase, 'a', 'b'])).errors).toContain('there is no sample b');
  expect(await done([...erase, 'a'])).toBe('1 samples are erased');
  expect(await client.samplesWithKeys({ project, keys: ['a'] })).toMatchObject([
    { data: null, isErased: true },
  ]);
  client.close();
});

it('no secret is in the log, at its most talkative, nor in the store', async () => {
  await fetch(`${service.url}/graphql`, { headers: { authorization: `Bearer ${OWNER}x` } });
  await service.end();
  const file = () => readFile(join(folder, 'concord.mdb'), 'latin1');
  const data = await file();
  expect(secrets.length).toBeGreaterThan(5);
  for (const one of secrets) {
    expect(service.log + service.errors).not.toContain(one);
    expect(data.includes(one)).toBe(false);
  }
  // LMDB may have still what was erased above, until the store is opened again.
  const erased = ['for Ann', 'a text to erase'];
  await (await openStore(folder)).close();
  const after = await file();
  expect(erased.filter((text) => after.includes(text))).toEqual([]);
  expect(after).toContain('for Cy');
});
