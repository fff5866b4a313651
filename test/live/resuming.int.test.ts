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
const EVENTS = 40;
const ROUNDS = Number(process.env['RESUMING_ROUNDS'] ?? 25);
const READERS = 12;
/** Three pushes. */
const SIZE = 120;
const SAMPLES = 500;

interface Push {
  readonly data: {
    readonly prioritized: {
      readonly __typename: string;
      readonly round: number;
      readonly cursor: string;
      readonly samples: readonly { readonly rank: number; readonly data: number }[];
    };
  };
}

interface ActivityPush {
  readonly data: {
    readonly activity: {
      readonly cursor: string;
      readonly events: readonly {
        readonly __typename: string;
        readonly policy?: { readonly roundSize: number };
        readonly role?: string | null;
      }[];
    };
  };
}

describe('a feed over connections that are cut at random', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  /** Ends a connection in one of the ways there are. */
  async function cut(socket: RawSocket, how: number): Promise<void> {
    if (how < 0.4) return socket.close();
    if (how < 0.7) {
      const { _socket } = socket.socket as unknown as { _socket: import('node:net').Socket };
      _socket.resetAndDestroy();
    } else {
      if (how < 0.85) socket.say({ type: 'complete', id: '1' });
      socket.socket.close();
    }
    await socket.closed;
  }

  it('gives each reader every sample of every round once and in order, as the journal has them', async () => {
    const project = await createProject(service);
    const samples = Array.from({ length: SAMPLES }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(service, project, samples);
    const annotator = await addMember(service, project, 'ANNOTATOR');
    const last = `${ROUNDS}/${SIZE - 1}`;
    let cuts = 0;

    async function reader(i: number): Promise<readonly string[]> {
      const token = i % 2 === 0 ? service.ownerToken : annotator.token;
      const read: string[] = [];
      let after: string | null = null;
      while (!read.at(-1)?.startsWith(`${last} `)) {
        const socket = await RawSocket.connect(service.url, token);
        socket.subscribe('1', FEED, { project, after });
        const patience = Math.floor(Math.random() * 4);
        for (let push = 0; push < patience && !read.at(-1)?.startsWith(`${last} `); push++) {
          const { data } = (await socket.hear('next')).payload as Push;
          expect(data.prioritized.__typename).toBe('PrioritizedSamples');
          after = data.prioritized.cursor;
          read.push(
            ...data.prioritized.samples.map(({ rank, data: n }) => `${data.prioritized.round}/${rank} ${n}`),
          );
        }
        await cut(socket, Math.random());
        cuts++;
      }
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
    expect(cuts).toBeGreaterThan(ROUNDS * READERS);
  });

  it('gives each reader all that was decided, once and in order, as both journals have it', async () => {
    const project = await createProject(service);
    const drivers = await Promise.all(
      Array.from({ length: READERS }, () => addMember(service, project, 'DRIVER')),
    );
    const told = ({ __typename, policy, role }: ActivityPush['data']['activity']['events'][number]) =>
      `${__typename} ${policy?.roundSize ?? role ?? ''}`;

    async function reader(token: string): Promise<readonly string[]> {
      const read: string[] = [];
      let after: string | null = null;
      const isDone = () => read.at(-1) === `PolicyChanged ${EVENTS}`;
      while (!isDone()) {
        const socket = await RawSocket.connect(service.url, token);
        socket.subscribe('1', ACTIVITY, { project, after });
        const patience = 1 + Math.floor(Math.random() * 3);
        for (let push = 0; push < patience && !isDone(); push++) {
          const { activity } = ((await socket.hear('next')).payload as ActivityPush).data;
          after = activity.cursor;
          read.push(...activity.events.map(told));
        }
        await cut(socket, Math.random());
      }
      return read;
    }

    const readers = Promise.all(drivers.map(({ token }) => reader(token)));
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
});
