import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@concord/sdk/client';
import { GraphQLError } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Metrics } from '../../src/http/metrics.ts';
import { Addresses, Rates, type ServerLimits, trustedDocuments } from '../../src/http/serverLimits.ts';
import { createProject, mutate } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { RawSocket } from './rawSocket.ts';

const TOKEN = 'metrics'.padEnd(40, '0');
const MANIFEST = fileURLToPath(new URL('../../schema/sdk-documents.json', import.meta.url));

/** Nothing here runs a strategy, and none need be compiled for it. */
let plugins: string;
beforeAll(async () => {
  plugins = await mkdtemp(join(tmpdir(), 'concord-no-plugins-'));
});
afterAll(() => rm(plugins, { recursive: true }));

let service: Service | null = null;
afterEach(async () => {
  await service?.close();
  service = null;
});

async function serve(limits: Partial<ServerLimits>, metrics?: Metrics): Promise<Service> {
  service = await startService({ limits, plugins, ...(metrics && { metrics }) });
  return service;
}

const code = (errors: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[]) =>
  errors[0]?.extensions?.['code'];

describe('the rate of a token', () => {
  it('is so many operations a second, and twice as many at once', () => {
    let now = 0;
    const rates = new Rates(10, () => now);
    const take = (token = 'a') => rates.take({ member: 'm', token, expires: null });
    const taken = () => {
      let count = 0;
      for (; ; count++) {
        try {
          take();
        } catch (error) {
          expect(error).toBeInstanceOf(GraphQLError);
          expect((error as GraphQLError).extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfter: 1 });
          return count;
        }
      }
    };
    expect(taken()).toBe(20);
    take('b');
    now = 1_000;
    expect(taken()).toBe(10);
    now = 100_000;
    expect(taken()).toBe(20);
  });

  it('is refused over HTTP with 429 and when to come back, and over WebSocket with the code', async () => {
    const { url, ownerToken, ask } = await serve({ rate: 2 });
    const replies = [];
    for (let i = 0; i < 6; i++) replies.push(await ask(ownerToken, '{ viewer { id } }'));
    const refused = replies.find(({ status }) => status === 429);
    expect(code(refused?.errors ?? [])).toBe('RATE_LIMITED');
    expect(refused?.headers.get('retry-after')).toBe('1');
    expect(replies[0]?.status).toBe(200);
    const socket = await RawSocket.connect(url, ownerToken);
    for (let i = 0; i < 6; i++) socket.subscribe(`${i}`, '{ viewer { id } }');
    let message = await socket.hearAny();
    while (message.type !== 'error') message = await socket.hearAny();
    expect(code(message.payload as never)).toBe('RATE_LIMITED');
    await socket.close();
  });
});

describe('what is handed on because it cannot be answered at once', () => {
  const RATE = 10;
  const BURST = 2 * RATE;

  it.each([
    [
      'a stream of events that is not shared',
      'text/event-stream',
      'subscription { strategies { name } }',
      200,
    ],
    ['variables that do not fit', 'application/json', 'query ($id: ID!) { node(id: $id) { id } }', 400],
  ])('is counted once: %s', async (_, accept, query, expected) => {
    const { url, ownerToken } = await serve({ rate: RATE });
    const ending = new AbortController();
    const asked = Array.from({ length: BURST }, () =>
      fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { accept, authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        signal: ending.signal,
      }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    ending.abort();
    expect(statuses).toEqual(statuses.map(() => expected));
  });
});

describe('connections of one address', () => {
  it('are counted until they close', () => {
    const addresses = new Addresses(2);
    const leave = addresses.enter('a');
    expect(
      [addresses.enter('a'), addresses.enter('a'), addresses.enter('b')].map((one) => one !== null),
    ).toEqual([true, false, true]);
    leave?.();
    expect(addresses.enter('a')).not.toBeNull();
  });

  it('beyond the limit are told so and closed', async () => {
    const { url } = await serve({ connections: 2 });
    const { hostname, port } = new URL(url);
    const open = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), hostname, () => resolve(socket));
      });
    const kept = [await open(), await open()];
    const third = await open();
    const text = await new Promise<string>((resolve) =>
      third.once('data', (bytes) => resolve(String(bytes))),
    );
    expect(text).toMatch(/^HTTP\/1\.1 429 /);
    for (const socket of kept) socket.destroy();
  });
});

describe('a WebSocket', () => {
  it('that shows no token in time is closed, as a connection is that asks nothing; and one has so many operations', async () => {
    const { url, ownerToken } = await serve({ initSeconds: 1, idleSeconds: 1, operations: 1 });
    const silent = await RawSocket.open(url);
    const { hostname, port } = new URL(url);
    const idle = connect(Number(port), hostname);
    idle.write('GET /health HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n');
    const answered = once(idle, 'data').then(([bytes]) => String(bytes));
    const closed = once(idle, 'end');
    expect((await silent.closed).code).toBe(4408);
    expect(await answered).toContain('Keep-Alive: timeout=1\r\n');
    await closed;
    idle.destroy();
    const socket = await RawSocket.connect(url, ownerToken);
    socket.subscribe('1', 'subscription { strategies { name } }');
    await socket.hear('next');
    socket.subscribe('2', 'subscription { strategies { name } }');
    const { payload } = await socket.hear('error');
    expect(code(payload as never)).toBe('TOO_MANY_OPERATIONS');
    await socket.close();
  });
});

describe('what a document may be', () => {
  it('is an option each', async () => {
    const { ownerToken, ask } = await serve({
      depth: 3,
      cost: 200,
      tokens: 100,
      introspection: false,
      bodyMiB: 1,
    });
    const asked = async (query: string) => code((await ask(ownerToken, query)).errors);
    expect(await asked('{ projects { edges { node { id } } } }')).toBe('QUERY_TOO_DEEP');
    expect(await asked('{ projects(first: 100) { edges { cursor } } }')).toBe('QUERY_TOO_COSTLY');
    expect(await asked(`{ ${'viewer '.repeat(110)} }`)).toBe('OPERATION_TOO_LARGE');
    expect(await asked('{ __schema { queryType { name } } }')).toBe('GRAPHQL_VALIDATION_FAILED');
    const { status } = await ask(ownerToken, '{ viewer { id } }', { padding: 'x'.repeat(1_100_000) });
    expect(status).toBe(413);
  });

  it('can be confined to a manifest, with which the SDK works and nothing else does', async () => {
    const { url, ownerToken, ask } = await serve({ documents: await trustedDocuments(MANIFEST) });
    expect(code((await ask(ownerToken, '{ viewer { id } }')).errors)).toBe('UNTRUSTED_DOCUMENT');
    const client = createClient({ url: `${url}/graphql`, token: ownerToken });
    expect((await client.viewer()).kind).toBe('PERSON');
    client.close();
    await expect(trustedDocuments(fileURLToPath(import.meta.url))).rejects.toThrow();
  });
});

describe('a browser', () => {
  it('is not made to send what nobody asked for, and is told what pages may do', async () => {
    const { url, ownerToken } = await serve({});
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': type, authorization: `Bearer ${ownerToken}` },
        body: 'query={viewer{id}}',
      });
      expect(response.status, type).toBe(415);
    }
    const page = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'sha256-[\w+/=]{44}';/);
    expect(policy).toContain("frame-ancestors 'none'");
    // To its end: an answer under way holds the service up for 5 seconds when it stops.
    await page.text();
    const health = await fetch(`${url}/health`);
    expect(health.headers.get('x-content-type-options')).toBe('nosniff');
    expect(health.headers.get('x-frame-options')).toBe('DENY');
  });
});

describe('the figures at /metrics', () => {
  it('count what was done and refused, without a name of anybody or anything', async () => {
    const running = await serve({}, new Metrics({ token: null }));
    const project = await createProject(running, { name: 'A secret project' });
    await mutate(running, running.ownerToken, 'claim', { project: 'nothing' });
    const socket = await RawSocket.connect(running.url, running.ownerToken);
    const response = await fetch(`${running.url}/metrics`);
    const text = await response.text();
    await socket.close();
    expect(response.headers.get('content-type')).toContain('text/plain');
    for (const line of [
      'concord_commands_total{command="createProject",outcome="DONE"} 1',
      'concord_refusals_total{code="NOT_FOUND"} 1',
      'concord_commit_events_count{journal="project"} 1',
      'concord_commit_seconds_count{journal="directory"} 2',
      'concord_fences_lost_total 0',
      'concord_connections 1',
      'concord_subscribers_dropped_total 0',
      'concord_changes_coalesced_total 0',
      'concord_samples{state="unlabelled"} 0',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
    for (const secret of [project, 'A secret project', running.ownerToken])
      expect(text).not.toContain(secret);
  });

  it('are for this machine, or with a token for who shows it', async () => {
    const { url } = await serve({}, new Metrics({ token: null }));
    expect((await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(403);
    await service?.close();
    const guarded = await serve({}, new Metrics({ token: TOKEN }));
    const asked = (authorization?: string) =>
      fetch(`${guarded.url}/metrics`, authorization === undefined ? {} : { headers: { authorization } });
    const statuses = [
      asked(),
      asked(`Bearer ${TOKEN}x`),
      asked(`Bearer ${guarded.ownerToken}`),
      asked(`Bearer ${TOKEN}`),
    ];
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([403, 403, 403, 200]);
  });

  it('are not there when nothing is counted', async () => {
    const { url } = await serve({});
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });
});
