import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ByteBudget } from '../../src/http/byteBudget.ts';
import { SMALL_BODY_BYTES } from '../../src/http/server.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/http/serverLimits.ts';
import { DRAIN_BATCH, DRAIN_PAUSE_MS } from '../../src/http/websocket.ts';
import { StoreFullError, StoreUnavailableError } from '../../src/journal/port.ts';
import { addMember, createProject, importSamples, mutate, type Person } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents } from '../support/streams.ts';
import { RawSocket } from './rawSocket.ts';
import { until } from './waiting.ts';

const MAX_BODY_BYTES = DEFAULT_SERVER_LIMITS.bodyMiB * 1024 * 1024;

const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { samples } }';
const QUEUE = 'subscription ($project: ID!) { queue(project: $project) { answers } }';

describe('the HTTP server', () => {
  let service: Service;
  let project: string;

  beforeAll(async () => {
    service = await startService({ allowedOrigins: ['https://one.example', 'https://two.example'] });
    project = await createProject(service);
  });
  afterAll(() => service.close());

  const faultsIn = ({ log }: Service) => log.filter(({ level }) => level >= 50);

  function post(body: BodyInit, headers: Record<string, string> = {}) {
    return fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  }
  const authorization = () => ({ authorization: `Bearer ${service.ownerToken}` });
  const bodyOf = (bytes: number) => {
    const [head, tail] = ['{"query":"{__typename}","variables":{"x":"', '"}}'];
    return head + 'x'.repeat(bytes - head.length - tail.length) + tail;
  };

  it('says that it lives and that it is ready', async () => {
    const health = await fetch(`${service.url}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', faults: 0 }]);
    const ready = await fetch(`${service.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
  });

  it.each(['/', '/graphql/', '/graphqlx', '/health/', '//', '/%', '/../graphql'])(
    'has nothing at %s, and says where the API is',
    async (path) => {
      const { hostname, port } = new URL(service.url);
      const [response] = await once(httpRequest({ hostname, port, path }).end(), 'response');
      expect(response.statusCode).toBe(404);
      const [text] = await once(response, 'data');
      expect(JSON.parse(String(text)).error).toContain('/graphql');
    },
  );

  it('shows GraphiQL to a browser', async () => {
    const page = await fetch(`${service.url}/graphql`, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('Concord');
  });

  describe('pages of other origins', () => {
    const cors = async (origin: string) => {
      const asked = { origin, 'access-control-request-method': 'POST' };
      const preflight = await fetch(`${service.url}/graphql`, { method: 'OPTIONS', headers: asked });
      const answer = await post('{"query":"{__typename}"}', { origin });
      return [preflight, answer].map(({ headers }) => headers.get('access-control-allow-origin'));
    };

    it.each(['https://one.example', 'https://two.example'])(
      'that are allowed may use it: %s',
      async (origin) => {
        expect(await cors(origin)).toEqual([origin, origin]);
      },
    );

    it.each(['https://other.example', 'null'])('that are not may not: %s', async (origin) => {
      expect(await cors(origin)).toEqual([null, null]);
    });

    it('may not where none is allowed', async () => {
      const closed = await startService();
      const { headers } = await fetch(`${closed.url}/graphql?query={__typename}`, {
        headers: { origin: 'https://one.example' },
      });
      expect(headers.get('access-control-allow-origin')).toBeNull();
      await closed.close();
    });

    it('get no credentials of the browser’s', async () => {
      const { headers } = await post('{"query":"{__typename}"}', { origin: 'https://one.example' });
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    });
  });

  describe('bodies', () => {
    it('are taken up to the limit', async () => {
      const response = await post(bodyOf(MAX_BODY_BYTES), authorization());
      expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
    });

    it('over it are refused, in a way that their sender gets to read', async () => {
      const response = await post(bodyOf(MAX_BODY_BYTES + 1), authorization());
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' }, message: expect.stringContaining('33554433') }],
      });
    });

    it('that would never end are refused before they are read, and cut off', async () => {
      const { hostname, port } = new URL(service.url);
      const socket = connect(Number(port), hostname);
      socket.write(
        `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{`,
      );
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 413/);
      await once(socket, 'close');
    });

    it('of unknown length are refused', async () => {
      const stream = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode('{"query":"{__typename}"}'));
          controller.close();
        },
      });
      const response = await fetch(`${service.url}/graphql`, {
        method: 'POST',
        body: stream,
        duplex: 'half',
        headers: { 'content-type': 'application/json' },
      } as RequestInit);
      expect(response.status).toBe(411);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'LENGTH_REQUIRED' } }] });
    });

    it.each([
      ['no token', {}],
      ['a bad one', { authorization: `Bearer ${'x'.repeat(40)}` }],
      ['a malformed one', { authorization: 'Bearer x' }],
    ])('that are large are not even read with %s', async (_, headers) => {
      const response = await post(bodyOf(SMALL_BODY_BYTES + 1), headers);
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    });

    it('that are large wait for each other rather than for memory', async () => {
      const { hostname, port } = new URL(service.url);
      const headers = {
        ...authorization(),
        'content-type': 'application/json',
        'content-length': MAX_BODY_BYTES,
      };
      const begin = () => httpRequest({ hostname, port, path: '/graphql', method: 'POST', headers });
      const taking = vi.spyOn(ByteBudget.prototype, 'take');
      const holding = [begin(), begin()];
      for (const request of holding) {
        request.on('error', () => undefined);
        request.write('{');
      }
      await until('they have taken all the room', () => taking.mock.calls.length === 2);
      const waiting = post(bodyOf(SMALL_BODY_BYTES + 1), authorization());
      const answered = vi.fn();
      void waiting.then(answered);
      await until('it waits', () => taking.mock.calls.length === 3);
      const small = await post('{"query":"{__typename}"}', authorization());
      expect(small.status).toBe(200);
      expect(answered).not.toHaveBeenCalled();
      for (const request of holding) request.destroy();
      expect((await waiting).status).toBe(200);
      taking.mockRestore();
    });

    it('that break off leave nothing behind', async () => {
      const { hostname, port } = new URL(service.url);
      for (const length of [1_000, SMALL_BODY_BYTES * 2]) {
        const socket = connect(Number(port), hostname);
        socket.write(
          `POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${service.ownerToken}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`,
        );
        await once(socket, 'ready');
        socket.resetAndDestroy();
      }
      const response = await post(bodyOf(SMALL_BODY_BYTES * 2), authorization());
      expect(response.status).toBe(200);
      expect(faultsIn(service)).toEqual([]);
    });
  });

  describe('server-sent events', () => {
    let anna: Person;

    beforeAll(async () => {
      anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
    });
    afterEach(() => until('nobody follows anything', () => service.concord.hub.size === 0));

    it('push a state as it changes, and let go of who leaves', async () => {
      const events = overEvents(service, service.ownerToken, PROGRESS, { project });
      const first = await events.next();
      await importSamples(service, project, [{ key: 'a', data: 1 }], { importId: 'sse' });
      const second = await events.next();
      expect([first, second]).toMatchObject([
        { data: { progress: { samples: 0 } } },
        { data: { progress: { samples: 1 } } },
      ]);
      await events.close();
    });

    it('let go of who leaves at once', async () => {
      for (let i = 0; i < 20; i++) {
        const events = overEvents(service, service.ownerToken, PROGRESS, { project });
        if (i % 2 === 0) await events.next();
        await events.close();
      }
    });

    it('end with a role that is taken away', async () => {
      const events = overEvents(service, anna.token, QUEUE, { project });
      await events.next();
      await mutate(service, service.ownerToken, 'setRole', { project, member: anna.id, role: 'VIEWER' });
      expect(await events.next()).toBeNull();
      await mutate(service, service.ownerToken, 'setRole', { project, member: anna.id, role: 'ANNOTATOR' });
    });

    it('end with a token that is revoked', async () => {
      const events = overEvents(service, anna.token, QUEUE, { project });
      await events.next();
      await mutate(service, service.ownerToken, 'revokeTokens', { project, member: anna.id });
      // Broken off, for it is not at its end.
      await expect(events.next()).rejects.toThrow('terminated');
    });

    it('end about a second after a token has run out, though nothing else happens', async () => {
      const bob = await addMember(service, project, 'ANNOTATOR', { name: 'Bob', tokenDays: 1 });
      const events = overEvents(service, bob.token, QUEUE, { project });
      await events.next();
      service.advance(86_400_000);
      await expect(events.next(1_500)).rejects.toThrow('terminated');
    });
  });

  it('logs no token, whoever sends it and wherever it fails', async () => {
    await service.ask(`${service.ownerToken}x`, '{ viewer { id } }');
    await service.ask(service.ownerToken, '{ nothing }');
    const text = JSON.stringify(service.log);
    expect(text).not.toContain(service.ownerToken);
  });
});

describe('faults', () => {
  it('are told by their number only, logged, and counted', async () => {
    const service = await startService();
    const project = await createProject(service);
    const { live } = await reach(service, project);
    vi.spyOn(live.host, 'read').mockRejectedValueOnce(new Error('a secret detail'));
    const reply = await service.ask(
      service.ownerToken,
      'query ($id: ID!) { node(id: $id) { ... on Project { progress { samples } } } }',
      { id: project },
    );
    const [error] = reply.errors;
    const fault = String(error?.extensions?.['fault']);
    expect(error?.message).toBe(`Something went wrong on our side. The log has it as ${fault}.`);
    expect(error?.extensions).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
    expect(reply.status).toBe(500);
    const logged = service.log.filter((line) => line['fault'] === fault);
    expect(logged).toMatchObject([{ level: 50, err: { message: 'a secret detail' } }]);
    expect(await (await fetch(`${service.url}/health`)).json()).toEqual({ status: 'ok', faults: 1 });
    await service.close();
  });

  it.each([
    ['STORE_FULL', new StoreFullError('no space')],
    ['STORE_UNAVAILABLE', new StoreUnavailableError('out of reach')],
  ])('of the store are refusals, also where only reading was asked: %s', async (code, failure) => {
    const service = await startService();
    const project = await createProject(service);
    const { live } = await reach(service, project);
    vi.spyOn(live.host, 'read').mockRejectedValueOnce(failure);
    const { errors } = await service.ask(
      service.ownerToken,
      'query ($id: ID!) { node(id: $id) { ... on Project { progress { samples } } } }',
      { id: project },
    );
    expect(errors[0]?.extensions).toMatchObject({ code });
    await service.close();
  });

  async function reach(service: Service, project: string) {
    const [id = ''] = Buffer.from(project, 'base64').toString().split(':').slice(1);
    return { live: service.concord.project(id) };
  }
});

describe('at its end the server', () => {
  it('lets idle connections go, and answers what is under way', async () => {
    const service = await startService();
    const agent = new Agent({ keepAlive: true });
    const { hostname, port } = new URL(service.url);
    const body = '{"query":"{__typename}"}';
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const begin = () => httpRequest({ hostname, port, path: '/graphql', method: 'POST', headers, agent });
    const idle = begin();
    idle.end(body);
    const [first] = await once(idle, 'response');
    await first.resume();
    await once(first, 'end');
    const slow = begin();
    slow.write(body.slice(0, 5));
    await until(
      'it is under way',
      () => slow.socket?.bytesWritten !== undefined && slow.socket.bytesWritten > 0,
    );
    await fetch(`${service.url}/health`);
    const since = Date.now();
    const closing = service.close();
    slow.end(body.slice(5));
    const [answer] = await once(slow, 'response');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await closing;
    expect(Date.now() - since).toBeLessThan(2_000);
    agent.destroy();
  });

  it('tells WebSocket clients to come back, all of them, a batch at a time', async () => {
    const service = await startService();
    const count = DRAIN_BATCH * 2 + 1;
    const sockets = await Promise.all(
      Array.from({ length: count }, () => RawSocket.connect(service.url, service.ownerToken)),
    );
    const told: number[] = [];
    const { close } = WebSocket.prototype;
    const closing = vi.spyOn(WebSocket.prototype, 'close').mockImplementation(function (
      this: WebSocket,
      ...args
    ) {
      // Whoever hears a close says it back, with the reason as bytes.
      if (args[1] === 'Restarting') told.push(performance.now());
      close.apply(this, args);
    });
    await service.close();
    closing.mockRestore();
    expect(told).toHaveLength(count);
    for (const first of [DRAIN_BATCH, DRAIN_BATCH * 2]) {
      // A timer may be early by less than a millisecond, never by more.
      expect((told[first] ?? 0) - (told[first - 1] ?? 0)).toBeGreaterThan(DRAIN_PAUSE_MS - 1.5);
    }
    for (const socket of sockets) expect((await socket.closed).code).toBe(1012);
  });

  it('cuts event streams off, so that nobody takes that for the end of what they asked for', async () => {
    const service = await startService();
    const project = await createProject(service);
    const events = overEvents(service, service.ownerToken, PROGRESS, { project });
    await events.next();
    await service.close();
    await expect(events.next()).rejects.toThrow();
  });

  it('may be told twice', async () => {
    const service = await startService();
    await Promise.all([service.close(), service.close()]);
  });
});
