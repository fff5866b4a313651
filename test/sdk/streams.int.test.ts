import {
  BadCursorError,
  type Client,
  type ClientOptions,
  createClient,
  ForbiddenError,
  ServiceError,
  UnauthenticatedError,
} from '@concord/sdk/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeService } from './fakeService.ts';

const project = 'project';
const samples = (n: number) => ({ __typename: 'PrioritizedSamples', round: 1, samples: [], cursor: `c${n}` });
const progress = (seq: number) => ({ seq, samples: 9, labelled: 0, answers: 0, round: null });

let service: FakeService;
let client: Client;

function connect(options: Partial<ClientOptions> = {}): Client {
  client = createClient({
    url: service.url,
    token: 'token',
    retry: { minDelayMs: 5, maxDelayMs: 20 },
    ...options,
  });
  return client;
}

function iterate<T>(stream: AsyncIterable<T>): AsyncIterator<T> {
  return stream[Symbol.asyncIterator]();
}

async function cursors(feed: AsyncIterator<{ readonly cursor: string }>, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push((await feed.next()).value.cursor);
  return read;
}

beforeEach(async () => {
  service = await FakeService.start();
});

afterEach(async () => {
  client?.close();
  await service.stop();
});

describe('a feed', () => {
  it.each([
    ['cut', undefined],
    ['closed with 1000', 1000],
    ['closed with 1001, going away', 1001],
    ['closed with 1012, restarting', 1012],
    ['closed with 1013, too slow', 1013],
    ['closed with 4403, forbidden', 4403],
  ])('goes on behind the last push when the connection is %s', async (_, code) => {
    const feed = iterate(connect().followPrioritized({ project }));
    const first = await service.next();
    expect(first).toMatchObject({ operationName: 'FollowPrioritized', variables: { project } });
    expect(first.variables).not.toHaveProperty('after');
    first.push('prioritized', samples(1));
    first.push('prioritized', samples(2));
    expect(await cursors(feed, 2)).toEqual(['c1', 'c2']);
    first.close(code, 'bye');
    const second = await service.next();
    expect(second.variables).toEqual({ project, after: 'c2' });
    second.push('prioritized', samples(3));
    expect(await cursors(feed, 1)).toEqual(['c3']);
    second.close(code, 'bye');
    expect((await service.next()).variables).toEqual({ project, after: 'c3' });
  });

  it('goes on when the service completes it', async () => {
    const feed = iterate(connect().followPrioritized({ project, after: 'c0' }));
    const first = await service.next();
    expect(first.variables).toEqual({ project, after: 'c0' });
    first.push('prioritized', samples(1));
    expect(await cursors(feed, 1)).toEqual(['c1']);
    first.complete();
    const second = await service.next();
    expect(second.variables).toEqual({ project, after: 'c1' });
  });

  it('moves on behind a reset', async () => {
    const feed = iterate(connect().followPrioritized({ project, after: 'old' }));
    const first = await service.next();
    first.push('prioritized', { __typename: 'FeedReset', reason: 'too old', cursor: 'c9' });
    expect((await feed.next()).value).toMatchObject({ __typename: 'FeedReset', reason: 'too old' });
    first.close();
    expect((await service.next()).variables).toEqual({ project, after: 'c9' });
  });

  it('lets the service rest while its reader is slow, and loses nothing', async () => {
    const feed = iterate(connect().followPrioritized({ project }));
    const first = await service.next();
    for (let n = 1; n <= 100; n++) first.push('prioritized', samples(n));
    await first.left;
    const read = await cursors(feed, 60);
    const second = await service.next();
    expect(second.variables).toEqual({ project, after: 'c64' });
    for (let n = 65; n <= 100; n++) second.push('prioritized', samples(n));
    read.push(...(await cursors(feed, 40)));
    expect(read).toEqual(Array.from({ length: 100 }, (_, i) => `c${i + 1}`));
  });

  it('is refused with an error of its own class', async () => {
    const feed = iterate(connect().followPrioritized({ project, after: 'nonsense' }));
    const asked = await service.next();
    asked.errors({ message: 'no', extensions: { code: 'BAD_CURSOR', problem: 'it is malformed' } });
    const error = await feed.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadCursorError);
    expect(error).toMatchObject({ code: 'BAD_CURSOR', problem: 'it is malformed', message: 'no' });
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });
});

describe('a state', () => {
  it('gives a slow reader the newest only', async () => {
    const state = iterate(connect().watchProgress({ project }));
    const first = await service.next();
    for (let seq = 1; seq <= 200; seq++) first.push('progress', progress(seq));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await state.next()).value).toMatchObject({ seq: 200 });
    first.close();
    const second = await service.next();
    expect(second.variables).toEqual({ project });
    second.push('progress', progress(201));
    expect((await state.next()).value).toMatchObject({ seq: 201 });
  });

  it('tells why it may not be seen any more', async () => {
    const state = iterate(connect().watchProgress({ project }));
    const first = await service.next();
    first.push('progress', progress(1));
    await state.next();
    first.complete();
    (await service.next()).errors({ message: 'no', extensions: { code: 'FORBIDDEN', allowed: ['OWNER'] } });
    await expect(state.next()).rejects.toBeInstanceOf(ForbiddenError);
  });

  it('hands on a fault', async () => {
    const state = iterate(connect().watchProgress({ project }));
    (await service.next()).errors({ message: 'fault 7', extensions: { code: 'INTERNAL_SERVER_ERROR' } });
    const error = await state.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', message: 'fault 7' });
  });
});

describe('a token', () => {
  it('is asked for anew after 4403', async () => {
    let given = 0;
    service.admit = (authorization) => (authorization === 'Bearer token-1' ? 4403 : undefined);
    const state = iterate(connect({ token: async () => `token-${++given}` }).watchProgress({ project }));
    (await service.next()).push('progress', progress(1));
    expect((await state.next()).value).toMatchObject({ seq: 1 });
    expect(service.authorizations).toEqual(['Bearer token-1', 'Bearer token-2']);
  });

  it.each([
    ['fixed, with 4401', 'token', 4401, 1],
    ['fixed, with 4403', 'token', 4403, 2],
    ['renewable, with 4403', () => 'token', 4403, 3],
  ])('that is refused for good ends streams: %s', async (_, token, code, attempts) => {
    service.admit = () => code;
    const { watchProgress } = connect({ token });
    const both = [1, 2].map(() => iterate(watchProgress({ project })).next());
    for (const failed of both) await expect(failed).rejects.toBeInstanceOf(UnauthenticatedError);
    expect(service.authorizations).toHaveLength(attempts);
  });

  it('whose function throws ends the stream with what it threw', async () => {
    const token = () => Promise.reject(new Error('no wallet'));
    await expect(iterate(connect({ token }).watchProgress({ project })).next()).rejects.toThrow('no wallet');
  });
});

describe('leaving', () => {
  it('ends the subscription, and with the last one the connection', async () => {
    const feed = iterate(connect().followPrioritized({ project }));
    const state = iterate(client.watchProgress({ project }));
    const first = await service.next();
    const second = await service.next();
    expect(service.connections).toBe(1);
    await feed.return?.();
    await first.left;
    second.push('progress', progress(1));
    expect((await state.next()).value).toMatchObject({ seq: 1 });
    await state.return?.();
    await second.left;
    await expect.poll(() => service.connections).toBe(0);
  });

  it('by close() ends every stream, those that wait for a connection too', async () => {
    const waiting = iterate(connect().watchProgress({ project })).next();
    await service.next();
    await service.stop();
    client.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await iterate(client.watchProgress({ project })).next()).toEqual({ done: true, value: undefined });
  });

  it('by a signal throws its reason', async () => {
    const leaving = new AbortController();
    const waiting = iterate(connect().watchProgress({ project }, { signal: leaving.signal })).next();
    const asked = await service.next();
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await asked.left;
  });
});
