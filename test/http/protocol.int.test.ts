import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { addMember, createProject, importSamples } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { type Message, RawSocket } from './rawSocket.ts';
import { until } from './waiting.ts';

const SHARED = 'subscription ($project: ID!) { progress(project: $project) { samples } }';
/** Not shared: each subscriber has its own. */
const OWN = 'subscription ($project: ID!) { queue(project: $project) { answers } }';
const QUERY = '{ __typename }';

/**
 * graphql-transport-ws by the letter, message by message, for streams that are shared and those that are not. How
 * connections are opened, and the close codes of credentials: see `websocket.int.test.ts`.
 */
describe('graphql-transport-ws', () => {
  let service: Service;
  let project: string;
  let token: string;
  let parts = 0;
  const opened: RawSocket[] = [];

  beforeAll(async () => {
    service = await startService();
    project = await createProject(service, { policy: { withoutRound: 'POOL' } });
    token = (await addMember(service, project, 'ANNOTATOR')).token;
  });
  afterAll(() => service.close());
  afterEach(async () => {
    for (const socket of opened.splice(0)) await socket.close();
    await until('nobody follows anything', () => service.concord.hub.size === 0);
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  async function bare() {
    const socket = await RawSocket.open(service.url);
    opened.push(socket);
    return socket;
  }
  async function connected() {
    const socket = await RawSocket.connect(service.url, token);
    opened.push(socket);
    return socket;
  }
  const change = () =>
    importSamples(service, project, [{ key: `${parts}`, data: 'ü'.repeat(100) }], { part: parts++ });
  /** Resolves when everything that was said has been dealt with. */
  async function settled(socket: RawSocket) {
    socket.say({ type: 'ping', payload: { settled: true } });
    const before: Message[] = [];
    for (;;) {
      const message = await socket.hearAny();
      if (message.type === 'pong') return before;
      before.push(message);
    }
  }

  describe('pings', () => {
    it('are answered, with what they bring, before and after the acknowledgement', async () => {
      const socket = await bare();
      socket.say({ type: 'ping', payload: { at: 1 } });
      expect(await socket.hear('pong')).toEqual({ type: 'pong', payload: { at: 1 } });
      socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
      await socket.hear('connection_ack');
      socket.say({ type: 'ping' });
      expect(await socket.hear('pong')).toEqual({ type: 'pong' });
    });

    it('need not be asked for: a pong that nobody waits for is taken', async () => {
      const socket = await connected();
      socket.say({ type: 'pong' });
      expect(await settled(socket)).toEqual([]);
    });
  });

  describe('closes with 4400 at', () => {
    it.each([
      ['an id that is empty', { type: 'subscribe', id: '', payload: { query: QUERY } }],
      ['an id that is no text', { type: 'subscribe', id: 1, payload: { query: QUERY } }],
      ['no payload', { type: 'subscribe', id: '1' }],
      [
        'variables that are a list',
        { type: 'subscribe', id: '1', payload: { query: QUERY, variables: 'x' } },
      ],
      ['a name that is no text', { type: 'subscribe', id: '1', payload: { query: QUERY, operationName: 1 } }],
      ['a completion without an id', { type: 'complete' }],
      ['an introduction with what is no object', { type: 'connection_init', payload: 'x' }],
      ['a payload of a ping that is no object', { type: 'ping', payload: 'x' }],
      ['a message that is the service’s to say', { type: 'connection_ack' }],
      ['the same', { type: 'next', id: '1', payload: {} }],
      ['no type', {}],
      ['null', 'null'],
    ])('%s', async (_, message) => {
      const socket = await connected();
      socket.say(message);
      expect(await socket.closed).toMatchObject({ code: 4400 });
    });
  });

  it('closes with 4429 at a second introduction, even before the first is answered', async () => {
    const socket = await bare();
    const init = { type: 'connection_init', payload: { authorization: `Bearer ${token}` } };
    socket.say(init);
    socket.say(init);
    expect(await socket.closed).toMatchObject({ code: 4429 });
  });

  it('closes with 4401 at a subscription that does not wait for the acknowledgement', async () => {
    const socket = await bare();
    socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    socket.subscribe('1', QUERY);
    expect(await socket.closed).toMatchObject({ code: 4401 });
  });

  it('answers a query with one next and a completion, and several each under its own id', async () => {
    const socket = await connected();
    for (const id of ['a', 'b']) socket.subscribe(id, QUERY);
    const heard = await settled(socket);
    while (heard.length < 4) heard.push(await socket.hearAny());
    for (const id of ['a', 'b']) {
      expect(heard.filter((message) => message.id === id)).toEqual([
        { type: 'next', id, payload: { data: { __typename: 'Query' } } },
        { type: 'complete', id },
      ]);
    }
  });

  it('says nothing more of an operation after its error, and takes the id anew', async () => {
    const socket = await connected();
    socket.subscribe('1', '{');
    await socket.hear('error');
    expect(await settled(socket)).toEqual([]);
    socket.subscribe('1', QUERY);
    await socket.hear('next');
    await socket.hear('complete');
  });

  it('takes an id anew as soon as it has said that its operation is over', async () => {
    const socket = await connected();
    for (let i = 0; i < 100; i++) {
      socket.subscribe('1', QUERY);
      await socket.hear('next');
      await socket.hear('complete');
      socket.subscribe('1', '{');
      await socket.hear('error');
    }
  });

  it('takes the completion of what is not there as one that came too late', async () => {
    const socket = await connected();
    socket.say({ type: 'complete', id: 'never' });
    socket.subscribe('1', QUERY);
    await socket.hear('next');
    await socket.hear('complete');
    socket.say({ type: 'complete', id: '1' });
    expect(await settled(socket)).toEqual([]);
  });

  describe.each([
    ['shared', SHARED],
    ['of one’s own', OWN],
  ])('a stream that is %s', (_, stream) => {
    it('says nothing more once its completion was taken', async () => {
      const socket = await connected();
      socket.subscribe('1', stream, { project });
      await socket.hear('next');
      socket.say({ type: 'complete', id: '1' });
      await settled(socket);
      await change();
      await until('it is let go', () => service.concord.hub.size === 0);
      expect(await settled(socket)).toEqual([]);
    });

    it('may be completed before anything came, and its id taken at once for another', async () => {
      const socket = await connected();
      const subscribe = { type: 'subscribe', id: '1', payload: { query: stream, variables: { project } } };
      const complete = { type: 'complete', id: '1' };
      socket.sayTogether(Array.from({ length: 20 }, () => [subscribe, complete]).flat());
      socket.sayTogether([{ ...subscribe, payload: { query: QUERY } }]);
      const heard: Message[] = [];
      while (heard.at(-1)?.type !== 'complete') heard.push(await socket.hearAny());
      expect(heard.at(-2)?.payload).toEqual({ data: { __typename: 'Query' } });
      await until('nobody is left behind', () => service.concord.hub.size === 0);
    });

    it('closes with 4409 at its id, while it runs', async () => {
      const socket = await connected();
      socket.subscribe('1', stream, { project });
      await socket.hear('next');
      socket.subscribe('1', QUERY);
      expect(await socket.closed).toMatchObject({ code: 4409 });
    });

    it('runs beside others on the connection, and on other connections under the same id', async () => {
      const [one, two] = [await connected(), await connected()];
      for (const socket of [one, two]) {
        for (const id of ['1', '2']) socket.subscribe(id, stream, { project });
        const ids = [(await socket.hear('next')).id, (await socket.hear('next')).id];
        expect(ids.sort()).toEqual(['1', '2']);
      }
    });
  });

  it('keeps messages whole, whichever way they go out: pushes of groups between long answers', async () => {
    for (let i = 0; i < 5; i++) await change();
    const socket = await connected();
    socket.subscribe('shared', SHARED, { project });
    await socket.hear('next');
    // Answers go through `ws`, pushes beside it.
    const names = Array.from({ length: 1_000 }, (_, i) => `${'n'.repeat(150)}${i}: __typename`);
    const long = `{ ${names.join(' ')} }`;
    const answers = 20;
    for (let i = 0; i < answers; i++) {
      socket.subscribe(`q${i}`, long);
      if (i % 2 === 0) await change();
    }
    const seen = new Map<string, number>();
    while ([...seen.keys()].filter((id) => id.startsWith('q')).length < answers) {
      const { id = '', type } = await socket.hearAny();
      if (type === 'next') seen.set(id, (seen.get(id) ?? 0) + 1);
    }
    expect(seen.get('shared')).toBeGreaterThan(1);
  });
});
