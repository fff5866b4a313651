import { once } from 'node:events';
import { connect } from 'node:net';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_SERVER_LIMITS } from '../../src/http/serverLimits.ts';
import { MAX_MESSAGE_BYTES } from '../../src/http/websocket.ts';
import {
  addMember,
  createProject,
  importSamples,
  mutate,
  openRound,
  type Person,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { RawSocket } from './rawSocket.ts';
import { until } from './waiting.ts';

const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { seq samples } }';
const QUEUE = 'subscription ($project: ID!) { queue(project: $project) { answers } }';
const PRIORITIZED =
  'subscription ($project: ID!) { prioritized(project: $project) { ... on PrioritizedSamples { samples { data } } } }';
const CURSOR =
  'subscription ($project: ID!, $after: String) { prioritized(project: $project, after: $after) { __typename } }';
const SAMPLES =
  'query ($project: ID!) { node(id: $project) { ... on Project { samples(first: 50) { edges { node { data } } } } } }';

describe('GraphQL over WebSocket', () => {
  let service: Service;
  let project: string;
  const opened: RawSocket[] = [];

  beforeAll(async () => {
    service = await startService({ allowedOrigins: ['https://allowed.example'] });
    project = await createProject(service);
    await importSamples(
      service,
      project,
      Array.from({ length: 100 }, (_, i) => ({ key: `${i}`, data: 'x'.repeat(30_000) })),
    );
  });
  afterAll(() => service.close());

  afterEach(async () => {
    for (const socket of opened.splice(0)) await socket.close();
    // Nobody is left behind, whatever they did.
    await until('nobody follows anything', () => service.concord.hub.size === 0);
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  async function open(options?: Parameters<typeof RawSocket.open>[1]) {
    const socket = await RawSocket.open(service.url, options);
    opened.push(socket);
    return socket;
  }
  async function connected(token = service.ownerToken) {
    const socket = await RawSocket.connect(service.url, token);
    opened.push(socket);
    return socket;
  }
  /** Whether the socket still answers. */
  async function isAlive(socket: RawSocket) {
    socket.subscribe('alive', '{ __typename }');
    await socket.hear('next');
    await socket.hear('complete');
  }

  describe('is opened', () => {
    it('by programs, by its own pages, and by those of allowed origins', async () => {
      for (const origin of [undefined, service.url, 'https://allowed.example']) {
        await open(origin === undefined ? {} : { origin });
      }
    });

    it.each(['https://other.example', 'null', 'http://127.0.0.1.other.example', 'nonsense'])(
      'not by pages of %s',
      async (origin) => {
        await expect(open({ origin })).rejects.toThrow('403');
      },
    );

    it('at its own path only', async () => {
      const socket = new WebSocket(`${service.url.replace('http', 'ws')}/other`, 'graphql-transport-ws');
      const [error] = await once(socket, 'error');
      expect(String(error)).toContain('404');
    });

    it('with the protocol, and no other', async () => {
      const socket = await open({ protocol: 'graphql-ws' }).catch((error: unknown) => error);
      if (socket instanceof RawSocket) expect((await socket.closed).code).toBe(4406);
      else expect(String(socket)).toContain('subprotocol');
    });

    it.each(['//', '/graphql/../..', 'http://[/', '*', '/%'])(
      'not by a request for %s, which does no harm either',
      async (path) => {
        const { hostname, port } = new URL(service.url);
        const socket = connect(Number(port), hostname);
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        );
        const [answer] = await once(socket, 'data');
        expect(String(answer)).toMatch(/^HTTP\/1\.1 4/);
        socket.resetAndDestroy();
        await isAlive(await connected());
      },
    );
  });

  describe('closes', () => {
    const init = (payload?: unknown) => ({ type: 'connection_init', payload });

    it.each([
      [4401, 'no credentials', init()],
      [4401, 'empty credentials', init({ authorization: '' })],
      [4401, 'a malformed token', init({ authorization: 'Bearer short' })],
      [4401, 'another scheme', init({ authorization: `Basic ${'x'.repeat(40)}` })],
      [4401, 'credentials that are no text', init({ authorization: { toString: 1 } })],
      [4403, 'an unknown token, which may have run out', init({ authorization: `Bearer ${'x'.repeat(40)}` })],
    ])('with %i at %s', async (code, _, message) => {
      const socket = await open();
      socket.say(message);
      expect(await socket.closed).toMatchObject({ code });
    });

    it.each([
      ['no JSON', 'no JSON'],
      ['JSON of no message', '[]'],
      ['an unknown type', '{"type":"unknown"}'],
      ['an operation without an id', '{"type":"subscribe","payload":{"query":"{__typename}"}}'],
      ['an operation without a query', '{"type":"subscribe","id":"1","payload":{}}'],
      ['a query that is no text', '{"type":"subscribe","id":"1","payload":{"query":1}}'],
    ])('with 4400 at %s', async (_, text) => {
      const socket = await connected();
      socket.say(text);
      expect(await socket.closed).toMatchObject({ code: 4400 });
    });

    it('with 4401 at an operation before the acknowledgement', async () => {
      const socket = await open();
      socket.subscribe('1', '{ __typename }');
      expect(await socket.closed).toMatchObject({ code: 4401 });
    });

    it('with 4408 when nobody introduces themselves', async () => {
      expect(await (await open()).closed).toMatchObject({ code: 4408 });
    });

    it('with 4409 at an id in use', async () => {
      const socket = await connected();
      socket.subscribe('1', PROGRESS, { project });
      await socket.hear('next');
      socket.subscribe('1', PROGRESS, { project });
      expect(await socket.closed).toMatchObject({ code: 4409 });
    });

    it('with 4429 at a second introduction', async () => {
      const socket = await connected();
      socket.say(init({ authorization: `Bearer ${service.ownerToken}` }));
      expect(await socket.closed).toMatchObject({ code: 4429 });
    });

    it('with 1009 at an oversize message', async () => {
      const socket = await connected();
      socket.say('x'.repeat(MAX_MESSAGE_BYTES + 1));
      expect(await socket.closed).toMatchObject({ code: 1009 });
    });

    it.each([
      ['reserved bits', [0xf1, 0x80, 0, 0, 0, 0]],
      ['an unknown opcode', [0x83, 0x80, 0, 0, 0, 0]],
      ['no mask', [0x81, 0x01, 0x61]],
      ['text that is no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff]],
    ])('at frames with %s, and lives on', async (_, bytes) => {
      const socket = await connected();
      const { _socket } = socket.socket as unknown as { _socket: import('node:net').Socket };
      _socket.write(Buffer.from(bytes));
      expect([1002, 1007]).toContain((await socket.closed).code);
      await isAlive(await connected());
    });

    it('nothing when a peer vanishes in the middle', async () => {
      const socket = await connected();
      socket.subscribe('1', PROGRESS, { project });
      await socket.hear('next');
      const { _socket } = socket.socket as unknown as { _socket: import('node:net').Socket };
      _socket.resetAndDestroy();
      await socket.closed;
      await isAlive(await connected());
    });
  });

  describe('answers errors of one operation, and keeps the socket, at', () => {
    const errorsOf = (payload: unknown) => payload as { message: string; extensions?: object }[];

    it.each([
      ['a syntax error', '{', 'Syntax Error'],
      ['a validation error', '{ nothing }', 'Cannot query field "nothing"'],
      ['no operation', 'fragment A on Query { __typename }', ''],
    ])('%s', async (_, query, message) => {
      const socket = await connected();
      socket.subscribe('1', query);
      const [error] = errorsOf((await socket.hear('error')).payload);
      expect(error?.message).toContain(message);
      await isAlive(socket);
    });

    it('an ambiguous operation', async () => {
      const socket = await connected();
      socket.subscribe('1', 'query A { __typename } query B { __typename }');
      expect(errorsOf((await socket.hear('error')).payload)[0]?.message).toBe('Unable to identify operation');
      await isAlive(socket);
    });

    it.each([
      ['variables that are no good', PROGRESS, { project: { no: 'id' } }, 'BAD_USER_INPUT'],
      ['a project that is not there', PROGRESS, { project: 'UHJvamVjdDpub25l' }, 'NOT_FOUND'],
      ['a cursor that is none', CURSOR, { after: 'nonsense' }, 'BAD_CURSOR'],
    ])('%s, without what is meant for HTTP', async (_, query, variables, code) => {
      const socket = await connected();
      socket.subscribe('1', query, { project, ...variables });
      const { payload } = await socket.hear('next');
      const [error] = (payload as { errors: { message: string; extensions?: object }[] }).errors;
      expect(error?.extensions).toMatchObject({ code });
      expect(error?.extensions).not.toHaveProperty('http');
      await socket.hear('complete');
      await isAlive(socket);
    });

    it('too many operations at a time', async () => {
      const socket = await connected();
      for (let i = 0; i < DEFAULT_SERVER_LIMITS.operations; i++) {
        socket.subscribe(`s${i}`, PROGRESS, { project });
        await socket.hear('next');
      }
      socket.subscribe('one more', PROGRESS, { project });
      const [error] = errorsOf((await socket.hear('error')).payload);
      expect(error?.extensions).toEqual({ code: 'TOO_MANY_OPERATIONS' });
      socket.say({ type: 'complete', id: 's0' });
      await isAlive(socket);
    });
  });

  it('knows on every operation who asks', async () => {
    const anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
    const viewers = await Promise.all(
      [service.ownerToken, anna.token].map(async (token) => {
        const socket = await connected(token);
        socket.subscribe('1', '{ viewer { id } }');
        const { payload } = await socket.hear('next');
        return (payload as { data: { viewer: { id: string } } }).data.viewer.id;
      }),
    );
    expect(viewers[1]).toBe(anna.id);
    expect(viewers[0]).not.toBe(anna.id);
  });

  it('takes the token under either spelling', async () => {
    const socket = await open();
    socket.say({ type: 'connection_init', payload: { Authorization: `Bearer ${service.ownerToken}` } });
    await socket.hear('connection_ack');
  });

  it('lets a subscriber go who leaves before the first push', async () => {
    const socket = await connected();
    for (let i = 0; i < 20; i++) {
      socket.subscribe(`${i}`, PROGRESS, { project });
      socket.say({ type: 'complete', id: `${i}` });
    }
    await until('they are gone', () => service.concord.hub.size === 0);
    const other = await connected();
    for (let i = 0; i < 20; i++) other.subscribe(`${i}`, PROGRESS, { project });
    await other.close();
  });

  describe('access', () => {
    let anna: Person;

    beforeAll(async () => {
      anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
    });

    async function following(token: string) {
      const socket = await connected(token);
      socket.subscribe('1', QUEUE, { project });
      await socket.hear('next');
      return socket;
    }

    it('ends streams with a role that is taken away, and keeps the connection', async () => {
      const socket = await following(anna.token);
      await mutate(service, service.ownerToken, 'setRole', { project, member: anna.id, role: 'VIEWER' });
      await socket.hear('complete');
      await isAlive(socket);
      await mutate(service, service.ownerToken, 'setRole', { project, member: anna.id, role: 'ANNOTATOR' });
    });

    it('closes with 4403 when tokens are revoked, before it would say that a stream is complete', async () => {
      const sockets = [await following(anna.token), await connected(anna.token)];
      await mutate(service, service.ownerToken, 'revokeTokens', { project, member: anna.id });
      for (const socket of sockets) {
        expect(await socket.closed).toMatchObject({ code: 4403 });
        expect(socket.unheard).toEqual([]);
      }
    });

    it('closes with 4403 within a second after a token has run out, with and without streams', async () => {
      const bob = await addMember(service, project, 'ANNOTATOR', { name: 'Bob', tokenDays: 1 });
      const sockets = [await following(bob.token), await connected(bob.token)];
      service.advance(86_400_000);
      const since = Date.now();
      for (const socket of sockets) {
        expect(await socket.closed).toMatchObject({ code: 4403 });
        expect(socket.unheard).toEqual([]);
      }
      expect(Date.now() - since).toBeLessThan(1_000);
    });
  });

  describe('the reference client', () => {
    function client(token: () => string, onClosed: (code: number) => void = () => undefined): Client {
      return createClient({
        url: `${service.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: () => ({ authorization: `Bearer ${token()}` }),
        retryAttempts: 5,
        retryWait: async () => undefined,
        on: { closed: (event) => onClosed((event as CloseEvent).code) },
      });
    }

    it('comes back with another token when its own has run out', async () => {
      const cleo = await addMember(service, project, 'ANNOTATOR', { name: 'Cleo', tokenDays: 1 });
      const fresh = await addMember(service, project, 'ANNOTATOR', { name: 'Fresh' });
      let token = cleo.token;
      const codes: number[] = [];
      const own = client(
        () => token,
        (code) => codes.push(code),
      );
      const queue = own.iterate({ query: QUEUE, variables: { project } });
      await queue.next();
      token = fresh.token;
      service.advance(86_400_000);
      await expect(queue.next()).resolves.toMatchObject({ done: false });
      expect(codes[0]).toBe(4403);
      await queue.return?.();
      await own.dispose();
    });

    it('gives up without credentials', async () => {
      const own = client(() => '');
      await expect(own.iterate({ query: '{ __typename }' }).next()).rejects.toMatchObject({ code: 4401 });
    });
  });

  describe('a reader who does not read', () => {
    let large: string;

    beforeAll(async () => {
      large = await createProject(service);
      const samples = Array.from({ length: 1_000 }, (_, i) => ({ key: `${i}`, data: 'x'.repeat(20_000) }));
      await importSamples(service, large, samples);
      await openRound(service, large, { size: 1_000, strategy: 'random' });
    });

    it('holds up its own streams, and no others', async () => {
      const reading = vi.spyOn(service.concord.payloads, 'json');
      const slow = await connected();
      slow.socket.pause();
      for (let i = 0; i < 10; i++) slow.subscribe(`${i}`, PRIORITIZED, { project: large });
      const quick = await connected();
      quick.subscribe('all', PRIORITIZED, { project: large });
      for (let i = 0; i < 20; i++) await quick.hear('next');
      // 10 streams of 1,000 samples each: only what the network's buffers take has been read for them.
      expect(reading.mock.calls.length).toBeLessThan(5_000);
      slow.socket.resume();
      for (let i = 0; i < 10 * 20; i++) await slow.hear('next');
      reading.mockRestore();
    });

    it('is told to come back later when it asks for ever more', async () => {
      const socket = await connected();
      socket.socket.pause();
      const reading = vi.spyOn(service.concord.payloads, 'json');
      for (let i = 0; i < 60; i++) socket.subscribe(`${i}`, SAMPLES, { project: large });
      await until('much is answered', () => reading.mock.calls.length >= 10 * 50);
      reading.mockRestore();
      socket.socket.resume();
      expect(await socket.closed).toEqual({ code: 1013, reason: 'Too slow' });
    });
  });
});
