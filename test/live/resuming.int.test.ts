import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawSocket } from '../http/rawSocket.ts';
import { addMember, createProject, importSamples, must, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const FEED = `subscription ($project: ID!, $after: String) { prioritized(project: $project, after: $after) {
  __typename ... on PrioritizedSamples { round cursor samples { rank data } } } }`;
const ACTIVITY = `subscription ($project: ID!, $after: String) { activity(project: $project, after: $after) {
  __typename ... on ActivityEvents { cursor events {
    __typename ... on PolicyChanged { policy { roundSize } } ... on RoleChanged { role } } } } }`;
/** Events of the activity that a reader is to get. */
const EVENTS = 30;
const ROUNDS = Number(process.env['RESUMING_ROUNDS'] ?? 25);
/** Half of them over WebSocket, half by server-sent events. */
const READERS = 40;
/** Two pushes. */
const SIZE = 60;
const SAMPLES = 300;

interface Samples {
  readonly __typename: string;
  readonly round: number;
  readonly cursor: string;
  readonly samples: readonly { readonly rank: number; readonly data: number }[];
}

interface Activity {
  readonly cursor: string;
  readonly events: readonly {
    readonly __typename: string;
    readonly policy?: { readonly roundSize: number };
    readonly role?: string | null;
  }[];
}

/** What a subscription is read over, until it is cut. */
interface Line {
  /** The data of the next push. */
  next(): Promise<unknown>;
  /** @param how a number in 0…1, for one of the ways there are */
  cut(how: number): Promise<void>;
}

interface Asked {
  readonly query: string;
  readonly project: string;
  readonly after: string | null;
}

async function overWebSocket({ url }: Service, token: string, { query, ...variables }: Asked): Promise<Line> {
  const socket = await RawSocket.connect(url, token);
  socket.subscribe('1', query, variables);
  return {
    next: async () => ((await socket.hear('next')).payload as { data: unknown }).data,
    async cut(how) {
      if (how < 0.4) return socket.close();
      if (how < 0.7) {
        const { _socket } = socket.socket as unknown as { _socket: import('node:net').Socket };
        _socket.resetAndDestroy();
      } else {
        if (how < 0.85) socket.say({ type: 'complete', id: '1' });
        socket.socket.close();
      }
      await socket.closed;
    },
  };
}

/** @param byHeader whether it goes on by `Last-Event-ID`, as browsers do, and not by `after` */
async function overEvents(
  { url }: Service,
  token: string,
  { query, project, after }: Asked,
  byHeader: boolean,
): Promise<Line> {
  const asked: ClientRequest = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(byHeader && after !== null && { 'last-event-id': after }),
    },
  });
  asked.end(JSON.stringify({ query, variables: { project, after: byHeader ? null : after } }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).once('error', reject);
  });
  asked.on('error', () => undefined);
  const texts = response.setEncoding('utf8')[Symbol.asyncIterator]();
  let text = '';
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end < 0) {
          const { value, done } = await texts.next();
          if (done) throw new Error('the stream has ended');
          text += value;
          continue;
        }
        const data = /^data: (.+)$/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (data !== undefined) return JSON.parse(data).data;
      }
    },
    async cut(how) {
      const gone = new Promise((resolve) => asked.once('close', resolve));
      if (how < 0.5) asked.destroy();
      else response.socket.resetAndDestroy();
      await gone;
    },
  };
}

describe('a feed over connections that are cut at random', () => {
  let service: Service;
  let cuts = 0;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  /**
   * Reads a feed over line after line, each cut after a push or a few.
   * @param take takes what was pushed, gives its cursor
   * @param isDone whether all has been read
   */
  async function readBroken(
    reader: number,
    token: string,
    asked: Omit<Asked, 'after'>,
    { take, isDone }: { readonly take: (data: unknown) => string; readonly isDone: () => boolean },
  ): Promise<void> {
    let after: string | null = null;
    while (!isDone()) {
      const line: Line =
        reader % 4 < 2
          ? await overWebSocket(service, token, { ...asked, after })
          : await overEvents(service, token, { ...asked, after }, Math.random() < 0.5);
      const patience = Math.floor(Math.random() * 3);
      for (let push = 0; push < patience && !isDone(); push++) after = take(await line.next());
      await line.cut(Math.random());
      cuts++;
    }
  }

  it('gives each reader every sample of every round once and in order, as the journal has them', async () => {
    const project = await createProject(service);
    const samples = Array.from({ length: SAMPLES }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(service, project, samples);
    const annotator = await addMember(service, project, 'ANNOTATOR');
    const last = `${ROUNDS}/${SIZE - 1}`;

    async function reader(i: number): Promise<readonly string[]> {
      const token = i % 2 === 0 ? service.ownerToken : annotator.token;
      const read: string[] = [];
      await readBroken(
        i,
        token,
        { query: FEED, project },
        {
          take: (data) => {
            const { prioritized } = data as { prioritized: Samples };
            expect(prioritized.__typename).toBe('PrioritizedSamples');
            const { round, cursor } = prioritized;
            read.push(...prioritized.samples.map(({ rank, data: n }) => `${round}/${rank} ${n}`));
            return cursor;
          },
          isDone: () => read.at(-1)?.startsWith(`${last} `) === true,
        },
      );
      return read;
    }

    const open = (seed: number) => openRound(service, project, { size: SIZE, strategy: 'random', seed });
    let round = await open(1);
    const readers = Promise.all(Array.from({ length: READERS }, (_, i) => reader(i)));
    for (let number = 2; number <= ROUNDS; number++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      await must(service, service.ownerToken, 'closeRound', { round: round.id });
      round = await open(number);
    }
    const [, id = ''] = atob(project).split(':');
    const announced = await service.concord
      .project(id)
      .read((state) =>
        state.rounds.flatMap(({ number, opened }) =>
          Array.from(opened.samples, (sample, rank) => `${number}/${rank} ${sample}`),
        ),
      );
    expect(announced).toHaveLength(ROUNDS * SIZE);
    for (const read of await readers) {
      // Who had read nothing before it was cut begins with the round that is open then.
      const first = announced.indexOf(read[0] ?? '');
      expect(first % SIZE).toBe(0);
      expect(read).toEqual(announced.slice(first));
    }
  });

  it('gives each reader all that was decided, once and in order, as both journals have it', async () => {
    const project = await createProject(service);
    const drivers = await Promise.all(
      Array.from({ length: READERS }, () => addMember(service, project, 'DRIVER')),
    );

    async function reader({ token }: { readonly token: string }, i: number): Promise<readonly string[]> {
      const read: string[] = [];
      await readBroken(
        i,
        token,
        { query: ACTIVITY, project },
        {
          take: (data) => {
            const { cursor, events } = (data as { activity: Activity }).activity;
            for (const { __typename, policy, role } of events)
              read.push(`${__typename} ${policy?.roundSize ?? role ?? ''}`);
            return cursor;
          },
          isDone: () => read.at(-1) === `PolicyChanged ${EVENTS}`,
        },
      );
      return read;
    }

    const readers = Promise.all(drivers.map(reader));
    const expected = ['ProjectCreated ', ...drivers.map(() => 'RoleChanged DRIVER')];
    for (let i = 1; i <= EVENTS; i++) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      if (i % 5 === 0) {
        await addMember(service, project, 'VIEWER');
        expected.push('RoleChanged VIEWER');
      }
      await must(service, service.ownerToken, 'updatePolicy', { project, policy: { roundSize: i } });
      expected.push(`PolicyChanged ${i}`);
    }
    for (const read of await readers) expect(read).toEqual(expected);
  });

  it('was cut thousands of times for that', () => {
    expect(cuts).toBeGreaterThan(2_000);
  });
});
