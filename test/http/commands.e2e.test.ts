import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import { ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');

/** `concord verify`, `replay`, `backup`, `restore` and `copy`, as they are run from a shell. */
describe('the commands beside the service', () => {
  let folder: string;
  const started: ServiceProcess[] = [];
  const at = (name: string) => join(folder, name);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-commands-'));
  });
  afterEach(async () => {
    for (const process of started.splice(0)) await process.kill();
    await rm(folder, { recursive: true });
  });

  async function serve(store: string): Promise<ServiceProcess> {
    const args = ['--store', store, '--port', '0'];
    const service = await ServiceProcess.ready({ args, env: { CONCORD_OWNER_TOKEN: OWNER } });
    started.push(service);
    return service;
  }

  /** Runs a command to its end. */
  async function concord(...args: readonly string[]) {
    const command = new ServiceProcess({ args });
    started.push(command);
    const { code } = await command.exited;
    expect(command.errors).not.toContain('    at ');
    return { code, out: command.log, errors: command.errors };
  }

  async function done(...args: readonly string[]): Promise<string> {
    const { code, out, errors } = await concord(...args);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    return out;
  }

  async function ask<T>({ url }: ServiceProcess, query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
    if (!data || errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  async function createProject(service: ServiceProcess, name: string): Promise<string> {
    const query = `mutation ($input: CreateProjectInput!) { createProject(input: $input) { ... on Project { id } } }`;
    const input = { name, labels: ['spam', 'ham'], seed: 1 };
    const { createProject } = await ask<{ createProject: { id: string } }>(service, query, { input });
    return createProject.id;
  }

  /** Imports a part, counted from 1. */
  async function importPart(service: ServiceProcess, project: string, part: number): Promise<void> {
    const query = `mutation ($input: ImportSamplesInput!) { importSamples(input: $input) { ... on ImportedPart { count } } }`;
    const samples = Array.from({ length: 100 }, (_, i) => ({ key: `${part}-${i}`, data: `${part} ${i}` }));
    await ask(service, query, { input: { project, importId: 'i', part: part - 1, samples } });
  }

  /** A store with two projects, which nobody has open. */
  async function makeStore(store: string): Promise<void> {
    const service = await serve(store);
    for (const name of ['Mail', 'Birds']) await importPart(service, await createProject(service, name), 1);
    await service.end();
  }

  async function projectsOf(store: string): Promise<string[]> {
    const opened = await openLmdbStore(store);
    const journals = await opened.journals();
    await opened.close();
    return journals.filter((journal) => journal !== 'directory');
  }

  it('end quietly when whoever reads them has read enough', async () => {
    const command = new ServiceProcess({ args: ['check-strategy', 'plugins/margin.ts'] });
    started.push(command);
    command.child.stdout?.destroy();
    await command.exited;
    expect(command.errors).toBe('');
  });

  it('back up a service that is written to, and restore it whole', async () => {
    const service = await serve(at('store'));
    const project = await createProject(service, 'Mail');
    let parts = 0;
    let isDone = false;
    const writing = (async () => {
      while (!isDone) await importPart(service, project, ++parts);
    })();
    await expect.poll(() => parts, { timeout: 20_000 }).toBeGreaterThan(5);
    const acknowledged = parts - 1;
    expect(await done('verify', '--store', at('store'))).toMatch(
      /^\S+: identical \(\d+ commits, \d+ chunks, no snapshot\)\n$/,
    );
    expect(await done('backup', '--store', at('store'), '--to', at('backup'))).toContain('backed up');
    isDone = true;
    await writing;
    await service.kill();

    expect(await done('verify', '--store', at('backup'))).toContain('identical');
    await done('restore', '--from', at('backup'), '--store', at('restored'));
    expect(await done('verify', '--store', at('restored'))).toContain('identical');
    const restored = await serve(at('restored'));
    const query = 'query ($id: ID!) { node(id: $id) { ... on Project { name progress { samples } } } }';
    const { node } = await ask<{ node: { name: string; progress: { samples: number } } }>(restored, query, {
      id: project,
    });
    expect(node.name).toBe('Mail');
    expect(node.progress.samples).toBeGreaterThanOrEqual(acknowledged * 100);
    expect(node.progress.samples % 100).toBe(0);

    for (const command of [
      ['restore', '--from', at('backup'), '--store', at('restored')],
      ['backup', '--store', at('store'), '--to', at('backup')],
    ]) {
      const { code, errors } = await concord(...command);
      expect(code).toBe(1);
      expect(errors).toMatch(/^concord: .* is not empty/);
    }
  });

  it('copy projects between stores, by name, all, and again', async () => {
    await makeStore(at('store'));
    await makeStore(at('other'));
    const [first, second] = await projectsOf(at('store'));
    const copied = await done('copy', '--from', at('store'), '--to', at('other'), 'Birds');
    expect(copied).toMatch(/^\S+: 2 commits and 1 chunks, compared and identical\n/);
    expect(await projectsOf(at('other'))).toHaveLength(3);
    for (let i = 0; i < 2; i++) await done('copy', '--from', at('store'), '--to', at('whole'));
    expect(await projectsOf(at('whole'))).toEqual([first, second]);
    for (const store of ['other', 'whole'])
      expect(await done('verify', '--store', at(store))).toContain('identical');

    const service = await serve(at('other'));
    const { projects } = await ask<{ projects: { edges: { node: { name: string } }[] } }>(
      service,
      '{ projects(first: 10) { edges { node { name } } } }',
    );
    expect(projects.edges.map(({ node }) => node.name).sort()).toEqual(['Birds', 'Birds', 'Mail']);
    // A folder that a service uses is not copied to.
    const refused = await concord('copy', '--from', at('store'), '--to', at('other'));
    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('open in another process') });
    await service.end();
    const clash = await concord('copy', '--from', at('store'), '--to', at('other'));
    expect(clash).toMatchObject({ code: 1, errors: expect.stringContaining('nothing is overwritten') });
    // Nor is anything left there that nobody knows.
    expect(await projectsOf(at('other'))).toHaveLength(3);
    const unknown = await concord('copy', '--from', at('store'), '--to', at('new'), 'Fish');
    expect(unknown).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/no project Fish; there is .*Mail/),
    });
  });

  it('run a past round again, and another strategy in its place', async () => {
    const service = await serve(at('store'));
    const project = await createProject(service, 'Mail');
    await importPart(service, project, 1);
    const query = `mutation ($input: OpenRoundInput!) { openRound(input: $input) { __typename ... on Round { size } ... on Error { message } } }`;
    const input = { project, strategy: 'random', size: 10, seed: 1 };
    expect(await ask(service, query, { input })).toMatchObject({ openRound: { size: 10 } });
    // While the service is running.
    const replay = (...args: readonly string[]) => concord('replay', '--store', at('store'), ...args);
    expect(await replay('Mail', '1')).toEqual({
      code: 0,
      errors: '',
      out: 'round 1, random: identical\n  10 of 10 samples are chosen again, of 10; Jaccard 1.000\n',
    });
    const hybrid = ['--strategy', 'hybrid', '--parameters', '{"base":"random"}', 'Mail', '1'];
    const compared = await replay(...hybrid);
    expect(compared).toMatchObject({ code: 0, out: expect.stringMatching(/^round 1, hybrid: compared\n/) });
    expect(compared.out).toMatch(/rank {2}then +hybrid\n {2}0 +1-\d+ +1-\d+/);
    expect(await replay('--strategy', 'entropy', 'Mail', '1')).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^round 1, entropy: impossible\n {2}The strategy 'entropy' needs probabilities/,
      ),
    });
    expect((await replay('Mail', '2')).errors).toContain('project Mail has no round 2');
  });

  it('find what is damaged', async () => {
    await makeStore(at('store'));
    const store = await openLmdbStore(at('store'));
    const [project = '', other = ''] = (await store.journals()).filter((name) => name !== 'directory');
    await takeSnapshot(store, project, PROJECT_KIND, {
      pause: async () => undefined,
      now: () => 1,
      onUselessSnapshot: () => undefined,
    });
    for await (const { id, putAt } of store.chunks())
      if (putAt > 1) await store.deleteChunks([id], putAt + 1);
    await store.close();
    const { code, out } = await concord('verify', '--store', at('store'));
    expect(code).toBe(1);
    expect(out).toMatch(
      new RegExp(
        `^${project}: DAMAGED \\(2 commits, 1 chunks, snapshot at 2\\)\\n  chunk \\w+ is missing`,
        'm',
      ),
    );
    expect(out).toMatch(new RegExp(`^${other}: DAMAGED \\(2 commits, 1 chunks, no snapshot\\)`, 'm'));
  });

  it('copy nothing onto itself, whatever leads there', async () => {
    await makeStore(at('store'));
    await symlink(at('store'), at('link'));
    const { code, errors } = await concord('copy', '--from', at('store'), '--to', at('link'));
    expect({ code, errors }).toMatchObject({ code: 1, errors: expect.stringContaining('the same store') });
  });

  it.each([
    [['verify', '--store', '/nowhere/at/all'], 1, 'there is no store'],
    [['backup', '--store', '/nowhere/at/all', '--to', '/tmp/never'], 1, 'there is no store'],
    [['restore', '--from', '/nowhere/at/all', '--store', '/tmp/never'], 1, 'there is no store'],
    [['copy', '--from', './x', '--to', 'x'], 1, 'the same store'],
    [['backup'], 2, '--to is missing'],
    [['copy', '--nothing'], 2, 'concord copy --help'],
    [['replay', 'Mail'], 1, 'the number of a round'],
    [['replay', 'Mail', 'three'], 1, 'three is no number'],
    [['replay', '--parameters', '{}', 'Mail', '1'], 1, '--parameters go with --strategy'],
    [['replay', '--strategy', 'a', '--parameters', '[1]', 'Mail', '1'], 1, 'must be a JSON object'],
  ])('say what is wrong with %j', async (args, code, message) => {
    const outcome = await concord(...args);
    expect(outcome).toMatchObject({ code, out: '' });
    expect(outcome.errors).toContain(message);
  });

  it.each(['verify', 'replay', 'backup', 'restore', 'copy'])('explain %s', async (command) => {
    expect(await done(command, '--help')).toMatch(new RegExp(`^Usage: concord ${command} `));
  });
});
