import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createProject } from '../support/project.ts';
import { clientOf, type Service } from '../support/service.ts';
import { Issuer } from './issuer.ts';
import { ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const WHO = '{ viewer { name } projects { edges { node { name } } } }';

let folder: string;
let issuer: Issuer;
let process: ServiceProcess;
let ask: Service['ask'];

async function start(options: readonly string[]): Promise<Service> {
  process = await ServiceProcess.ready({
    args: ['--store', folder, '--port', '0', ...options],
    env: { CONCORD_OWNER_TOKEN: OWNER },
  });
  return { ...clientOf(process.url), ownerToken: OWNER } as Service;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concord-sign-on-'));
  issuer = await Issuer.start();
  // A rule names a project that is there.
  const before = await start([]);
  await createProject(before, { name: 'Mail' });
  await process.end('SIGTERM');
  const provider = ['--oidc-issuer', issuer.url, '--oidc-audience', 'labelling'];
  const claims = ['--oidc-groups-claim', 'teams', '--oidc-name-claim', 'nick', '--oidc-tolerance', '0'];
  const keys = ['--oidc-jwks', `${issuer.url}/keys`];
  ({ ask } = await start([...provider, ...keys, ...claims, '--oidc-role', 'readers=Mail:annotator']));
});
afterAll(async () => {
  await process.kill();
  await issuer.close();
  await rm(folder, { recursive: true });
});

const token = (claims: JWTPayload = {}, key = {}) =>
  issuer.token('ann', { aud: 'labelling', teams: ['readers'], nick: 'Ann', ...claims }, key);

it('a service that is told of a provider lets in whom it signs for, in the role of their group', async () => {
  const { data } = await ask(await token(), WHO);
  expect(data).toEqual({ viewer: { name: 'Ann' }, projects: { edges: [{ node: { name: 'Mail' } }] } });
  // Where its keys are was said: it was not asked.
  expect(issuer.asked).toEqual(['/keys']);
});

const now = () => Math.floor(Date.now() / 1_000);

it.each<[string, () => Promise<string>]>([
  ['has run out', () => token({ exp: now() - 1 })],
  ['is for another service', () => token({ aud: 'concord' })],
  ['is of another issuer', () => token({ iss: 'https://elsewhere.example' })],
  ['gives no role anywhere', () => issuer.token('bob', { aud: 'labelling', teams: ['others'] })],
  [
    'is signed by another under the name of its key',
    async () => {
      const other = await Issuer.start();
      const claims = { iss: issuer.url, aud: 'labelling', teams: ['readers'] };
      const foreign = await other.token('ann', claims);
      await other.close();
      return foreign;
    },
  ],
])('a token that %s lets nobody in', async (_, made) => {
  const { status, data, errors } = await ask(await made(), WHO);
  expect([status, errors[0]?.extensions?.['code'], data ?? null]).toEqual([401, 'UNAUTHENTICATED', null]);
});
