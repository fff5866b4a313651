import { request } from 'node:http';
import { queryObjects } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HeldAnswer } from '../../src/http/answers.ts';
import { EventLine } from '../../src/http/eventLine.ts';
import { Group } from '../../src/http/group.ts';
import { GroupReader } from '../../src/http/groupReader.ts';
import { Inbox } from '../../src/http/inbox.ts';
import { Outbox } from '../../src/http/outbox.ts';
import { Follower } from '../../src/service/hub.ts';
import { RawSocket } from '../http/rawSocket.ts';
import { until } from '../http/waiting.ts';
import { createProject, importSamples, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const STREAMS = [
  'subscription ($project: ID!) { progress(project: $project) { samples } }',
  'subscription ($project: ID!) { agreement(project: $project) { alpha { __typename } } }',
  'subscription ($project: ID!) { prioritized(project: $project) { __typename } }',
  // Not shared: the samples of a round are for those who steer, and its own page to each.
  'subscription ($project: ID!) { progress(project: $project) { round { samples(first: 1) { edges { cursor } } } } }',
] as const;
/** CI has a thousand come; ten thousand, with more time. */
const VISITS = Number(process.env['CHURN_VISITS'] ?? 500);
const AT_ONCE = 100;

/** What a connection, an operation and a stream are made of. */
const PARTS = [WebSocket, EventLine, Inbox, Outbox, Group, GroupReader, Follower, HeldAnswer];

/** How many of each there are, once the garbage is collected. */
const parts = () => PARTS.map((type) => queryObjects(type, { format: 'count' }));

describe('connections that come and go', () => {
  let service: Service;
  let project: string;
  const resources = () => process.getActiveResourcesInfo().filter((name) => name !== 'Immediate').length;

  beforeAll(async () => {
    // As many come as the machine lets in, all with one token.
    service = await startService({ limits: { rate: 0 } });
    project = await createProject(service);
    await importSamples(service, project, [{ key: '1', data: 1 }]);
    await openRound(service, project, { size: 1, strategy: 'random' });
  });
  afterAll(() => service.close());

  /** Connects, follows something or everything, and leaves in one of the ways there are. */
  async function visit(i: number) {
    if (i % 10 === 3) return visitByEvents(Math.floor(i / 10));
    const socket = await RawSocket.connect(service.url, service.ownerToken);
    const ids = i % 5 === 4 ? [0, 1, 2, 3] : [i % 4];
    for (const id of ids) socket.subscribe(`${id}`, STREAMS[id] as string, { project });
    if (i % 3 > 0) await socket.hear('next');
    if (i % 7 === 0) for (const id of ids) socket.say({ type: 'complete', id: `${id}` });
    if (i % 2 === 0) return socket.close();
    socket.socket.close();
    await socket.closed;
  }

  /** The same by server-sent events: leaves before anything came, or after something did. */
  async function visitByEvents(i: number) {
    const asked = request(`${service.url}/graphql`, {
      method: 'POST',
      agent: false,
      headers: {
        accept: 'text/event-stream',
        authorization: `Bearer ${service.ownerToken}`,
        'content-type': 'application/json',
      },
    });
    const gone = new Promise((resolve) => asked.once('close', resolve));
    asked.on('error', () => undefined);
    asked.end(JSON.stringify({ query: STREAMS[i % 4], variables: { project } }));
    await new Promise((resolve) => {
      if (i % 3 === 0) asked.once('finish', resolve);
      else asked.once('response', (response) => response.once('data', resolve));
    });
    asked.destroy();
    await gone;
  }

  async function visits(count: number) {
    for (let first = 0; first < count; first += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => visit(first + i)));
    }
    await until('everybody is gone', () => service.concord.hub.size === 0);
  }

  it('leave no listener, iterator, timer or part of themselves behind', { timeout: 300_000 }, async () => {
    const handles = resources();
    // Those of a connection that is kept alive, and of other test files in this process.
    const before = parts();
    await visits(VISITS);
    await until('every handle is closed', () => resources() <= handles);
    const more = parts().map((count, i) => Math.max(0, count - (before[i] ?? 0)));
    expect(more).toEqual(PARTS.map(() => 0));
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});
