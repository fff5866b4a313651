import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../bench/scale/freePort.ts';
import { TestDatabase } from '../journal/wire.ts';
import { describeNeeding } from '../support/needing.ts';
import { addMember, createProject, importSamples, mutation } from '../support/project.ts';
import { clientOf, type Service } from '../support/service.ts';
import { overEvents, overWebSocket } from '../support/streams.ts';
import { type Node, startNode } from './nodeProcesses.ts';

const DEPLOY = fileURLToPath(new URL('../../deploy/', import.meta.url));
const PROJECTS = 16;
/** How often Caddy's sample looks for a node that is gone. */
const HEALTH_INTERVAL_MS = 2_000;
const FOLLOWED = 'subscription ($id: ID!) { progress(project: $id) { samples } }';

describeNeeding('CONCORD_TEST_COMPOSE', 'the compose file', (compose) => {
  it('is one, and tells who has set no secret to do so', async () => {
    const config = (env: Readonly<Record<string, string>>) =>
      promisify(execFile)(compose, ['-f', 'compose.yaml', 'config'], {
        cwd: DEPLOY,
        env: { PATH: process.env['PATH'], ...env },
      });
    const secrets = { CONCORD_CLUSTER_SECRET: 'a'.repeat(32), CONCORD_OWNER_TOKEN: 'b'.repeat(32) };
    const { stdout } = await config(secrets);
    for (const name of ['mongodb:', 'node-1:', 'node-2:', 'balancer:', secrets.CONCORD_CLUSTER_SECRET]) {
      expect(stdout).toContain(name);
    }
    await expect(config({})).rejects.toMatchObject({ stderr: expect.stringContaining('make one of 32') });
  });
});

/** How each balancer is started with its sample, in a folder of its own. */
const BALANCERS = [
  {
    need: 'CONCORD_TEST_NGINX',
    sample: 'nginx.conf',
    stop: 'SIGTERM',
    listens: 'listen 8080;',
    at: (port: number) => `listen 127.0.0.1:${port};`,
    args: (folder: string, file: string) => [
      ...['-p', folder, '-c', file, '-e', 'stderr'],
      ...['-g', `daemon off; pid ${join(folder, 'pid')};`],
    ],
  },
  {
    need: 'CONCORD_TEST_CADDY',
    sample: 'Caddyfile',
    // Else it would wait for connections that are kept alive.
    stop: 'SIGKILL',
    listens: ':8080 {',
    // Without the port of its own that Caddy is governed by.
    at: (port: number) => `{\n\tadmin off\n}\nhttp://127.0.0.1:${port} {`,
    args: (_: string, file: string) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
] as const;

for (const { need, sample, stop, listens, at, args } of BALANCERS) {
  describeNeeding('CONCORD_TEST_MONGODB', `two nodes behind ${sample}`, (server) => {
    describeNeeding(need, 'and who runs it', (program) => {
      let database: TestDatabase;
      let nodes: readonly [Node, Node];
      let folder: string;
      let balancer: ChildProcess;
      /** The service, through the balancer. */
      let service: Service;

      beforeAll(async () => {
        database = new TestDatabase(server);
        const first = await startNode(database.url);
        nodes = [first, await startNode(database.url)];
        folder = await mkdtemp(join(tmpdir(), 'concord-balancer-'));
        const port = await freePort();
        const file = join(folder, sample);
        const text = await readFile(join(DEPLOY, sample), 'utf8');
        const changes = [
          [listens, at(port)],
          ['node-1:4000', new URL(nodes[0].url).host],
          ['node-2:4000', new URL(nodes[1].url).host],
        ] as const;
        for (const [sought] of changes) expect(text).toContain(sought);
        await writeFile(
          file,
          changes.reduce((all, [sought, instead]) => all.replace(sought, instead), text),
        );
        balancer = spawn(program, args(folder, file), {
          stdio: 'ignore',
          env: { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
        });
        const url = `http://127.0.0.1:${port}`;
        service = { ...clientOf(url), ownerToken: first.ownerToken } as unknown as Service;
        while ((await fetch(`${url}/ready`).catch(() => null))?.status !== 200) {
          if (balancer.exitCode !== null) throw new Error(`it ended with code ${balancer.exitCode}`);
          await sleep(50);
        }
      });
      afterAll(async () => {
        balancer.kill(stop);
        if (balancer.exitCode === null) await once(balancer, 'exit');
        await Promise.all(nodes.map((node) => node.process.kill()));
        await database.drop();
        await rm(folder, { recursive: true });
      });

      /** Claims, asked for in the name of a project as the sample wants it. */
      async function claim(project: string, token: string): Promise<number> {
        const { status } = await fetch(`${service.url}/graphql`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            authorization: `Bearer ${token}`,
            'x-concord-project': project,
          },
          body: JSON.stringify({ query: mutation('claim'), variables: { input: { project, hold: 1 } } }),
        });
        return status;
      }

      async function claimsAt({ url }: Node): Promise<number> {
        const page = await (await fetch(`${url}/metrics`)).text();
        return Number(
          /^concord_commands_total\{command="claim",outcome="DONE"\} (\d+)/m.exec(page)?.[1] ?? 0,
        );
      }

      const claims = () => Promise.all(nodes.map(claimsAt));

      it('keeps a project at one node, and has both at work', async () => {
        for (let i = 0; i < PROJECTS; i++) {
          const project = await createProject(service);
          const { token } = await addMember(service, project, 'ANNOTATOR');
          const before = await claims();
          for (let n = 0; n < 4; n++) expect(await claim(project, token)).toBe(200);
          const after = await claims();
          expect(after.map((count, node) => count - (before[node] ?? 0)).sort()).toEqual([0, 4]);
        }
        // One in 32,768 runs has all at one node.
        expect((await claims()).every((count) => count > 0)).toBe(true);
      });

      it.each([
        ['WebSockets', overWebSocket],
        ['event streams', overEvents],
      ])('lets %s through, and holds nothing back', async (_, follow) => {
        const id = await createProject(service);
        const reader = follow(service, service.ownerToken, FOLLOWED, { id });
        expect(await reader.next()).toMatchObject({ data: { progress: { samples: 0 } } });
        await importSamples(service, id, [{ key: 'a', data: 1 }]);
        expect(await reader.next()).toMatchObject({ data: { progress: { samples: 1 } } });
        await reader.close();
      });

      it('goes on with one node when the other is gone', async () => {
        await nodes[0].process.end('SIGTERM');
        const gone = performance.now();
        const query = '{ __typename }';
        // What was for that node may be refused until the balancer has looked for it again; then all is answered.
        let refused = gone;
        for (let asked = 0; performance.now() - refused < HEALTH_INTERVAL_MS + 500; asked++) {
          const response = await fetch(`${service.url}/graphql`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'x-concord-project': `${asked % 8}` },
            body: JSON.stringify({ query }),
          });
          if (response.status === 502) refused = performance.now();
          if (refused - gone > 10_000) throw new Error('it is still asked');
          await sleep(20);
        }
        const projects = await Promise.all(Array.from({ length: 4 }, () => createProject(service)));
        for (const id of projects) {
          const named = 'query ($id: ID!) { project(id: $id) { name } }';
          expect(await service.query(service.ownerToken, named, { id })).toMatchObject({
            project: { name: 'Project' },
          });
        }
      });
    });
  });
}
