import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../http/waiting.ts';
import { addMember, createProject, importSamples, mutate, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { samples } }';
const FEED = `subscription ($project: ID!, $after: String) { prioritized(project: $project, after: $after) {
  ... on PrioritizedSamples { cursor samples { rank } } ... on FeedReset { reason } } }`;
const PAGE = 'https://pages.example';

interface Event {
  readonly id: string | null;
  readonly type: string;
  readonly data: string;
}

/** A reader of server-sent events as browsers have it, which tells the lines that they hide too. */
class EventReader {
  readonly events: Event[] = [];
  text = '';
  headers: NodeJS.Dict<string | string[]> = {};
  status = 0;
  /** How it ended; null: it goes on. */
  end: 'ended' | 'broken' | null = null;
  readonly close: () => void;

  constructor(
    { url }: Service,
    token: string,
    {
      query,
      variables,
      byGet = false,
      headers = {},
    }: {
      readonly query: string;
      readonly variables: object;
      readonly byGet?: boolean;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) {
    const path = byGet
      ? `/graphql?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`
      : '/graphql';
    const asked = request(`${url}${path}`, {
      method: byGet ? 'GET' : 'POST',
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
        ...(byGet ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    this.close = () => asked.destroy();
    asked.on('error', () => {
      this.end ??= 'broken';
    });
    asked.on('response', (response) => {
      this.headers = response.headers;
      this.status = response.statusCode ?? 0;
      response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
      response.on('end', () => {
        this.end ??= 'ended';
      });
      response.on('error', () => {
        this.end ??= 'broken';
      });
    });
    asked.end(byGet ? undefined : JSON.stringify({ query, variables }));
  }

  #take(text: string): void {
    this.text += text;
    const blocks = this.text.split('\n\n').slice(0, -1);
    this.events.length = 0;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1] ?? null;
      const type = field('event');
      if (type !== null) this.events.push({ id: field('id'), type, data: field('data') ?? '' });
    }
  }

  async pushes(count: number): Promise<readonly Event[]> {
    await until(`${count} events`, () => this.events.length >= count);
    return this.events;
  }
}

describe('shared streams as server-sent events', () => {
  let service: Service;
  let project: string;
  let parts = 0;
  const change = () => importSamples(service, project, [{ key: `${parts}`, data: parts }], { part: parts++ });

  beforeAll(async () => {
    service = await startService({ allowedOrigins: [PAGE] });
    project = await createProject(service);
    await change();
  });
  afterAll(() => service.close());

  const gone = () => until('nobody follows anything', () => service.concord.hub.size === 0);

  it('are those of the WebSockets: one group, however they are asked for, and nothing that a proxy might hold back', async () => {
    const readers = [false, true, false, true].map(
      (byGet) =>
        new EventReader(service, service.ownerToken, { query: PROGRESS, variables: { project }, byGet }),
    );
    for (const reader of readers) await reader.pushes(1);
    expect(service.concord.hub.size).toBe(1);
    await change();
    for (const reader of readers) {
      const [, second] = await reader.pushes(2);
      expect(second).toEqual({
        id: null,
        type: 'next',
        data: `{"data":{"progress":{"samples":${parts}}}}`,
      });
      expect(reader.headers).toMatchObject({
        'content-type': expect.stringMatching(/^text\/event-stream/),
        'cache-control': expect.stringContaining('no-cache'),
        'x-accel-buffering': 'no',
      });
      expect(reader.text).toMatch(/^retry: \d+\n/);
      reader.close();
    }
    await gone();
  });

  it('give a sign of life while nothing happens, which is no event', async () => {
    const quiet = await startService({ beatMs: 20 });
    try {
      const own = await createProject(quiet);
      const variables = { project: own };
      const reader = new EventReader(quiet, quiet.ownerToken, { query: PROGRESS, variables, byGet: true });
      await reader.pushes(1);
      const read = reader.text.length;
      await until('two signs of life', () => /^(?::\n\n){2,}$/.test(reader.text.slice(read)));
      expect(reader.events).toHaveLength(1);
      reader.close();
      await until('nobody follows anything', () => quiet.concord.hub.size === 0);
    } finally {
      await quiet.close();
    }
  });

  it('may be read by pages of origins that are allowed, and of no others', async () => {
    const from = async (origin: string) => {
      const reader = new EventReader(service, service.ownerToken, {
        query: PROGRESS,
        variables: { project },
        headers: { origin },
      });
      await reader.pushes(1);
      reader.close();
      return reader.headers['access-control-allow-origin'];
    };
    expect(await from(PAGE)).toBe(PAGE);
    expect(await from('https://others.example')).toBeUndefined();
    await gone();
  });

  it('give a feed’s cursor as each event’s id, and go on behind the last one that a browser has', async () => {
    const own = await createProject(service);
    await importSamples(
      service,
      own,
      Array.from({ length: 120 }, (_, i) => ({ key: `${i}`, data: i })),
    );
    await openRound(service, own, { size: 120 });
    const follow = (headers: Readonly<Record<string, string>> = {}) =>
      new EventReader(service, service.ownerToken, { query: FEED, variables: { project: own }, headers });
    const ranks = ({ data }: Event) =>
      (JSON.parse(data).data.prioritized.samples as { rank: number }[]).map(({ rank }) => rank);
    const whole = follow();
    const all = [...(await whole.pushes(3))];
    whole.close();
    for (const { id, data } of all) expect(id).toBe(JSON.parse(data).data.prioritized.cursor);
    const resumed = follow({ 'last-event-id': all[0]?.id ?? '' });
    expect((await resumed.pushes(2)).map(ranks)).toEqual(all.slice(1).map(ranks));
    resumed.close();
    const lost = follow({ 'last-event-id': 'nonsense' });
    const [said, over] = await lost.pushes(2);
    expect(JSON.parse(said?.data ?? '').errors[0].extensions.code).toBe('BAD_CURSOR');
    expect(over?.type).toBe('complete');
    await gone();
  });

  it('end with their reader’s access: completed with the role, broken off with the token, who may come with another', async () => {
    const [moved, revoked] = [
      await addMember(service, project, 'ANNOTATOR'),
      await addMember(service, project, 'ANNOTATOR'),
    ];
    const stays = new EventReader(service, service.ownerToken, { query: PROGRESS, variables: { project } });
    const [one, two] = [moved, revoked].map(
      ({ token }) => new EventReader(service, token, { query: PROGRESS, variables: { project } }),
    ) as [EventReader, EventReader];
    for (const reader of [stays, one, two]) await reader.pushes(1);
    await mutate(service, service.ownerToken, 'setRole', {
      project,
      member: moved.id,
      role: 'VIEWER',
    });
    await until('one has ended', () => one.end !== null);
    expect(one.end).toBe('ended');
    expect(one.events.at(-1)?.type).toBe('complete');
    await mutate(service, service.ownerToken, 'revokeTokens', { project, member: revoked.id });
    await until('the other has ended', () => two.end !== null);
    expect(two.end).toBe('broken');
    expect(two.events.every(({ type }) => type === 'next')).toBe(true);
    await change();
    await stays.pushes(2);
    expect(stays.end).toBeNull();
    stays.close();
    await gone();
  });

  it('leave what is not shared, and what is wrong, to be answered as before', async () => {
    const anna = await addMember(service, project, 'ANNOTATOR');
    const queue = new EventReader(service, anna.token, {
      query: 'subscription ($project: ID!) { queue(project: $project) { seq } }',
      variables: { project },
    });
    await queue.pushes(1);
    queue.close();
    const wrong = new EventReader(service, 'x'.repeat(40), { query: PROGRESS, variables: { project } });
    await until('it is answered', () => wrong.status !== 0);
    expect(wrong.status).toBe(401);
    await gone();
  });
});
