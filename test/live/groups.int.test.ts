import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Message, RawSocket } from '../http/rawSocket.ts';
import { until } from '../http/waiting.ts';
import {
  addMember,
  createProject,
  importSamples,
  mutate,
  openRound,
  type Person,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const PROGRESS = 'subscription Progress($project: ID!) { progress(project: $project) { seq samples } }';
const PRIORITIZED = `subscription ($project: ID!, $after: String) { prioritized(project: $project, after: $after) {
  ... on PrioritizedSamples { round cursor samples { rank data score } } ... on FeedReset { cursor reason } } }`;

interface Samples {
  readonly round: number;
  readonly cursor: string;
  readonly samples: readonly {
    readonly rank: number;
    readonly data: unknown;
    readonly score: number | null;
  }[];
}

/** Subscribers of one operation in one role are a group: it follows the hub once, however many they are. */
describe('a group of subscribers', () => {
  let service: Service;
  let project: string;
  let parts = 0;
  const opened: RawSocket[] = [];

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  afterEach(async () => {
    for (const socket of opened.splice(0)) await socket.close();
    await until('nobody follows anything', () => service.concord.hub.size === 0);
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  async function connected(token = service.ownerToken) {
    const socket = await RawSocket.connect(service.url, token);
    opened.push(socket);
    return socket;
  }
  const many = (count: number, token?: string) =>
    Promise.all(Array.from({ length: count }, () => connected(token)));
  const change = (samples = 1, data: unknown = { text: 'a text' }) => {
    const part = parts++;
    const list = Array.from({ length: samples }, (_, i) => ({ key: `${part}-${i}`, data }));
    return importSamples(service, project, list, { part });
  };
  const samplesOf = ({ payload }: Message) =>
    (payload as { data: { progress: { samples: number } } }).data.progress.samples;
  const feedOf = ({ payload }: Message) => (payload as { data: { prioritized: Samples } }).data.prioritized;

  describe('of a state', () => {
    beforeAll(async () => {
      project = await createProject(service);
      parts = 0;
    });

    it('begins with the state as it is, and is told of every change, each under its own id', async () => {
      await change(3);
      const sockets = await many(20);
      for (const [i, socket] of sockets.entries()) socket.subscribe(`id ${i} "ü"`, PROGRESS, { project });
      for (const [i, socket] of sockets.entries()) {
        const first = await socket.hear('next');
        expect(first.id).toBe(`id ${i} "ü"`);
        expect(samplesOf(first)).toBe(3);
      }
      expect(service.concord.hub.size).toBe(1);
      await change();
      for (const socket of sockets) expect(samplesOf(await socket.hear('next'))).toBe(4);
    });

    it('shows who comes later what is committed by then', async () => {
      const before = await connected();
      before.subscribe('1', PROGRESS, { project });
      let known = samplesOf(await before.hear('next'));
      for (let i = 0; i < 20; i++) {
        await change();
        known++;
        const later = await connected();
        later.subscribe('1', PROGRESS, { project });
        expect(samplesOf(await later.hear('next'))).toBe(known);
      }
    });

    it('is one with the same document, operation name, variables and role, and another otherwise', async () => {
      const driver = await addMember(service, project, 'DRIVER');
      const other = await createProject(service, { name: 'Other' });
      const [one, two] = [await connected(), await connected(driver.token)];
      one.subscribe('1', PROGRESS, { project });
      one.subscribe('2', PROGRESS, { project, unknown: 1 });
      one.subscribe('3', `${PROGRESS} `, { project });
      one.subscribe('4', PROGRESS, { project: other });
      two.subscribe('1', PROGRESS, { project });
      for (let i = 0; i < 4; i++) await one.hear('next');
      await two.hear('next');
      expect(service.concord.hub.size).toBe(4);
    });

    it('lets those go who complete, close or vanish, and goes on for the others', async () => {
      const [stays, completes, closes] = await many(3);
      if (!stays || !completes || !closes) throw new Error('not connected');
      for (const socket of [stays, completes, closes]) {
        socket.subscribe('1', PROGRESS, { project });
        await socket.hear('next');
      }
      completes.say({ type: 'complete', id: '1' });
      await closes.close();
      await change();
      await stays.hear('next');
      completes.subscribe('1', PROGRESS, { project });
      await completes.hear('next');
      expect(completes.unheard).toEqual([]);
    });

    it('ends for those whose role is taken away or changed, before anything more is pushed', async () => {
      const [anna, ben] = [
        await addMember(service, project, 'VIEWER'),
        await addMember(service, project, 'VIEWER'),
      ];
      const [a, b] = [await connected(anna.token), await connected(ben.token)];
      for (const socket of [a, b]) {
        socket.subscribe('1', PROGRESS, { project });
        await socket.hear('next');
      }
      expect(service.concord.hub.size).toBe(1);
      await mutate(service, service.ownerToken, 'setRole', { project, member: anna.id, role: null });
      await change();
      await a.hear('complete');
      expect(a.unheard).toEqual([]);
      await b.hear('next');
      await mutate(service, service.ownerToken, 'setRole', { project, member: ben.id, role: 'DRIVER' });
      await b.hear('complete');
    });

    it('closes with 4403 on those whose token is revoked, and pushes nothing more to them', async () => {
      const anna = await addMember(service, project, 'VIEWER');
      const [a, owner] = [await connected(anna.token), await connected()];
      for (const socket of [a, owner]) {
        socket.subscribe('1', PROGRESS, { project });
        await socket.hear('next');
      }
      await mutate(service, service.ownerToken, 'revokeTokens', { project, member: anna.id });
      await change();
      expect(await a.closed).toMatchObject({ code: 4403 });
      expect(a.unheard).toEqual([]);
      await owner.hear('next');
    });

    it('pushes nothing to those whose token has run out, even before they are closed', async () => {
      const anna = await addMember(service, project, 'VIEWER', { tokenDays: 1 });
      const a = await connected(anna.token);
      a.subscribe('1', PROGRESS, { project });
      await a.hear('next');
      service.advance(86_400_000);
      await change();
      expect(await a.closed).toMatchObject({ code: 4403 });
      expect(a.unheard).toEqual([]);
    });

    it('gives to a client that did not read the newest, and to the others all of it meanwhile', async () => {
      // A push of 200 kB: what is unread soon does not fit into the system's buffers.
      const fields = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(190)}${i}: seq`);
      const large = `subscription ($project: ID!) { progress(project: $project) { samples ${fields.join(' ')} } }`;
      const [slow, ...quick] = await many(4);
      if (!slow) throw new Error('not connected');
      for (const socket of [slow, ...quick]) {
        socket.subscribe('1', large, { project });
        await socket.hear('next');
      }
      slow.socket.pause();
      let newest = 0;
      for (let i = 0; i < 100; i++) {
        await change();
        for (const socket of quick) newest = samplesOf(await socket.hear('next'));
      }
      slow.socket.resume();
      let [pushes, last] = [0, 0];
      while (last < newest) {
        const samples = samplesOf(await slow.hear('next'));
        expect(samples).toBeGreaterThan(last);
        last = samples;
        pushes++;
      }
      expect(pushes).toBeLessThan(90);
      await change();
      expect(samplesOf(await slow.hear('next'))).toBe(newest + 1);
    });
  });

  describe('of a feed', () => {
    let anna: Person;

    beforeAll(async () => {
      project = await createProject(service);
      parts = 0;
      anna = await addMember(service, project, 'ANNOTATOR');
      await change(400, 'x'.repeat(20_000));
      await openRound(service, project, { size: 300, strategy: 'random' });
    });

    /** Reads the feed to the rank. */
    async function readTo(socket: RawSocket, end: number) {
      const ranks: number[] = [];
      while (ranks.length < end) {
        const push = await socket.hear('next');
        ranks.push(...feedOf(push).samples.map(({ rank }) => rank));
      }
      expect(ranks).toEqual(Array.from({ length: end }, (_, i) => i));
    }

    it('reads and executes it once, however many there are', async () => {
      const reading = vi.spyOn(service.concord.payloads, 'json');
      const sockets = await many(10);
      for (const socket of sockets) socket.subscribe('1', PRIORITIZED, { project });
      await Promise.all(sockets.map((socket) => readTo(socket, 300)));
      expect(reading.mock.calls.length).toBeLessThan(2 * 300);
      expect(service.concord.hub.size).toBe(1);
      reading.mockRestore();
    });

    it('sees it as its role may: scores are for those who steer', async () => {
      const [owner, annotator] = [await connected(), await connected(anna.token)];
      const scores = [];
      for (const socket of [owner, annotator]) {
        socket.subscribe('1', PRIORITIZED, { project });
        const { samples } = feedOf(await socket.hear('next'));
        scores.push(samples.map(({ score }) => score).every((score) => score === null));
        expect(samples[0]?.data).toHaveLength(20_000);
      }
      expect(service.concord.hub.size).toBe(2);
      expect(scores[1]).toBe(true);
    });

    it('resumes each behind its own cursor, in the same group', async () => {
      const first = await connected();
      first.subscribe('1', PRIORITIZED, { project });
      const cursors = [];
      for (let i = 0; i < 6; i++) cursors.push(feedOf(await first.hear('next')).cursor);
      const others = await many(5);
      for (const [i, socket] of others.entries()) {
        socket.subscribe('1', PRIORITIZED, { project, after: cursors[i] });
        expect(feedOf(await socket.hear('next')).samples[0]?.rank).toBe(50 * (i + 1));
      }
      expect(service.concord.hub.size).toBe(1);
    });

    it('gives to a client that did not read all of it, and to the others meanwhile', async () => {
      const [slow, quick] = await many(2);
      if (!slow || !quick) throw new Error('not connected');
      slow.socket.pause();
      for (const socket of [slow, quick]) socket.subscribe('1', PRIORITIZED, { project });
      await readTo(quick, 300);
      slow.socket.resume();
      await readTo(slow, 300);
    });
  });
});
