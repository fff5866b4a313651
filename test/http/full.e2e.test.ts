import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMount, onDisk } from '../journal/processes.ts';
import { ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const MB = 1024 * 1024;

// `canMount` has said why, where it is skipped.
describe.skipIf(!canMount)('a service whose disk is full', () => {
  let folder: string;
  let service: ServiceProcess;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-full-'));
    service = await ServiceProcess.ready({
      args: ['--store', join(folder, 'store'), '--port', '0'],
      env: { CONCORD_OWNER_TOKEN: OWNER },
      command: (command) => onDisk('size=64m', folder, command),
    });
  });
  afterEach(async () => {
    await service.kill();
    await rm(folder, { recursive: true });
  });

  async function mutate(name: string, input: object, selection: string) {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER}` },
      body: JSON.stringify({
        query: `mutation ($input: ${type}!) { it: ${name}(input: $input) { __typename ${selection} ... on Error { code message } } }`,
        variables: { input },
      }),
    });
    return ((await response.json()) as { data: { it: Record<string, unknown> } }).data.it;
  }

  it('says so by a typed refusal, keeps nothing of what it refused, and goes on when there is space', async () => {
    const given = { name: 'Full', labels: ['a', 'b'] };
    const { id: project } = await mutate('createProject', given, '... on Project { id }');
    const importPart = (part: number) =>
      mutate(
        'importSamples',
        { project, importId: 'i', part, samples: [{ key: `${part}`, data: part }] },
        '... on ImportedPart { count first }',
      );
    expect(await importPart(0)).toEqual({ __typename: 'ImportedPart', count: 1, first: 0 });

    // The disk as the service sees it: nobody else does.
    const ballast = `/proc/${service.pid}/root${folder}/ballast`;
    await writeFile(ballast, new Uint8Array(50 * MB));
    const refused = { __typename: 'StoreFullError', code: 'STORE_FULL' };
    expect(await importPart(1)).toMatchObject(refused);
    expect(await mutate('createProject', given, '... on Project { id }')).toMatchObject(refused);
    const member = { project, name: 'Anna', role: 'ANNOTATOR' };
    expect(await mutate('addMember', member, '... on NewToken { token }')).toMatchObject(refused);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);

    await rm(ballast);
    expect(await importPart(1)).toEqual({ __typename: 'ImportedPart', count: 1, first: 1 });
    expect(await importPart(1)).toEqual({ __typename: 'ImportedPart', count: 1, first: 1 });
    expect(await mutate('addMember', member, '... on NewToken { token }')).toMatchObject({
      __typename: 'NewToken',
    });
    // A full disk is for whoever runs the service to see, and no fault of its own.
    const said = service.log.split('\n').filter((line) => /store takes|fault/.test(line));
    expect(said.map((line) => JSON.parse(line).msg)).toEqual([
      'the store takes no writes',
      'the store takes writes again',
    ]);
    expect(await service.end()).toMatchObject({ code: 0 });
  });
});
