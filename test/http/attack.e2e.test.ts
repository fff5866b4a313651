import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawSocket } from './rawSocket.ts';
import { ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const many = (count: number, text: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ');
const TYPES =
  'types { name description fields { name description args { name type { name ofType { name } } } type { name ofType { name ofType { name } } } } }';

/** What ended the service before there were limits, in a small heap: it lives, and goes on answering others. */
describe('a service with 256 MB under attack', () => {
  let folder: string;
  let service: ServiceProcess;
  let project: string;
  let anna: string;
  const opened: Socket[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-attack-'));
    service = await ServiceProcess.ready({
      args: ['--store', folder, '--port', '0'],
      env: { CONCORD_OWNER_TOKEN: OWNER, NODE_OPTIONS: '--max-old-space-size=256' },
    });
    const made = { name: 'Attacked', labels: ['a', 'b'], policy: { withoutRound: 'POOL' } };
    project = (await mutate(OWNER, 'createProject', made, '... on Project { id }'))['id'] as string;
    const samples = Array.from({ length: 20 }, (_, i) => ({
      key: `${i}`,
      data: { text: `${i}`.padEnd(200_000, 'x') },
    }));
    await mutate(
      OWNER,
      'importSamples',
      { project, importId: 'i', part: 0, samples },
      '... on ImportedPart { count }',
    );
    const member = { project, name: 'Anna', role: 'ANNOTATOR' };
    anna = (await mutate(OWNER, 'addMember', member, '... on NewToken { token }'))['token'] as string;
    await mutate(anna, 'claim', { project, hold: 20 }, '... on Queue { answers }');
  });
  afterAll(async () => {
    for (const socket of opened) socket.destroy();
    await service.kill();
    await rm(folder, { recursive: true });
  });

  async function mutate(token: string, name: string, input: object, selection: string) {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { it: ${name}(input: $input) { __typename ${selection} ... on Error { code message } } }`;
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const { data } = (await response.json()) as { data: { it: Record<string, unknown> } };
    expect(data.it).not.toHaveProperty('code');
    return data.it;
  }

  /** Sends a request and never reads what comes. */
  function unread(query: string, token: string | null): void {
    const { hostname, port } = new URL(service.url);
    const body = JSON.stringify({ query, variables: { id: project } });
    const authorization = token === null ? '' : `Authorization: Bearer ${token}\r\n`;
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: x\r\n${authorization}Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    opened.push(socket);
  }

  /** The longest that /health took while something went on. */
  async function healthDuring(attack: () => Promise<unknown> | undefined): Promise<number> {
    let worst = 0;
    let goesOn = true;
    const probing = (async () => {
      while (goesOn) {
        const since = performance.now();
        expect((await fetch(`${service.url}/health`)).status).toBe(200);
        worst = Math.max(worst, performance.now() - since);
        await pause(20);
      }
    })();
    await attack();
    await pause(1_000);
    goesOn = false;
    await probing;
    return worst;
  }

  const queues = (count: number) =>
    `query ($id: ID!) { project(id: $id) { ${many(count, (i) => `m${i}: queue { assignments { data } }`)} } }`;
  const WAVES: readonly (readonly [string, number, string, 'anna' | 'nobody'])[] = [
    ['400 times the schema', 20, `{ ${many(400, (i) => `s${i}: __schema { ${TYPES} }`)} }`, 'nobody'],
    ['the schema, as tools ask for it', 100, `{ __schema { ${TYPES} } }`, 'nobody'],
    ['a document that is dear to validate', 20, `{ ${many(200, () => 'viewer { id id }')} }`, 'nobody'],
    ['2,500 times the payloads of a queue', 4, queues(2_500), 'anna'],
    ['as many as an operation may cost', 30, queues(70), 'anna'],
    ['what one answer may hold', 60, queues(1), 'anna'],
    ['nesting without end', 4, `{ ${'a{'.repeat(100_000)}b${'}'.repeat(100_001)}`, 'anna'],
  ];

  it.each(WAVES)('by %s, %i times, unread', async (_, times, query, who) => {
    const worst = await healthDuring(async () => {
      for (let i = 0; i < times; i++) unread(query, who === 'anna' ? anna : null);
    });
    console.log(`the longest answer of /health: ${Math.round(worst)} ms`);
    // Not how fast it is, but that nobody is kept waiting for the readers who never read.
    expect(worst).toBeLessThan(10_000);
    expect(service.child.exitCode ?? service.child.signalCode).toBeNull();
  });

  it('by queues over WebSocket that nobody reads', async () => {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => RawSocket.connect(service.url, anna)));
    const worst = await healthDuring(async () => {
      for (const socket of sockets) {
        socket.socket.pause();
        for (let i = 0; i < 20; i++) {
          socket.subscribe(
            `${i}`,
            'subscription ($id: ID!) { queue(project: $id) { assignments { data } } }',
            { id: project },
          );
        }
      }
    });
    // Not how fast it is, but that nobody is kept waiting for the readers who never read.
    expect(worst).toBeLessThan(10_000);
    for (const socket of sockets) await socket.close();
  });

  it('and no fault of its own, and serves as before', async () => {
    for (const socket of opened.splice(0)) socket.destroy();
    expect(service.log).not.toContain('"level":50');
    const health = (await (await fetch(`${service.url}/health`)).json()) as object;
    expect(health).toEqual({ status: 'ok', faults: 0 });
    await mutate(anna, 'claim', { project, hold: 20 }, '... on Queue { assignments { data } }');
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
