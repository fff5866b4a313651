import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestDatabase } from '../journal/wire.ts';
import { describeNeeding } from '../support/needing.ts';
import {
  type Assignment,
  addMember,
  createProject,
  importSamples,
  isRefused,
  mutate,
  openRound,
} from '../support/project.ts';
import type { Service } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';
import { TcpProxy } from '../support/tcpProxy.ts';
import { type Node, startNode } from './nodeProcesses.ts';

const HELD = '... on Queue { assignments { id } }';
const PROGRESS = 'query ($id: ID!) { project(id: $id) { progress { answers } } }';
const FOLLOWED = 'subscription ($id: ID!) { progress(project: $id) { answers } }';
const SUBMITTED = '... on Submission { __typename }';
/** Longer than a node waits for its store before it tells those who wait, and shorter than the driver would. */
const AWAY_MS = 8_000;

interface Held {
  readonly assignments: readonly Assignment[];
}

describeNeeding('CONCORD_TEST_MONGODB', 'a node whose store', (server) => {
  let database: TestDatabase;
  let store: TcpProxy;
  let node: Node & Service;

  beforeAll(async () => {
    database = new TestDatabase(server);
    store = await TcpProxy.open(server, 27017);
    const url = new URL(database.url);
    url.host = `127.0.0.1:${store.port}`;
    node = (await startNode(url.href)) as Node & Service;
  });
  afterAll(async () => {
    store.mend();
    await node.process.kill();
    await store.close();
    await database.drop();
  });

  /** A project with a round open, and somebody who holds a sample of it. */
  async function project() {
    const id = await createProject(node, { policy: { workSessionMinutes: 0 } });
    const samples = Array.from({ length: 20 }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(node, id, samples);
    await openRound(node, id, { size: 20, strategy: 'random' });
    const { token } = await addMember(node, id, 'ANNOTATOR');
    const claim = (hold: number) => mutate<Held>(node, token, 'claim', { project: id, hold }, HELD);
    const queue = (await claim(1)) as Held;
    const reader = overWebSocket(node, node.ownerToken, FOLLOWED, { id });
    await reader.next();
    return {
      claim,
      submit: () => {
        const input = { assignment: queue.assignments[0]?.id, label: 'spam' };
        return mutate(node, token, 'submit', input, SUBMITTED);
      },
      read: () => node.ask(node.ownerToken, PROGRESS, { id }),
      reader,
    };
  }

  async function timed<T>(asked: Promise<T>): Promise<{ readonly answer: T; readonly ms: number }> {
    const since = performance.now();
    const answer = await asked;
    return { answer, ms: performance.now() - since };
  }

  it.each([
    ['stands still', async () => store.stall()],
    ['is gone', () => store.cut()],
  ])('%s refuses what it cannot keep, shows what it knows, and goes on when it is back', async (_, leave) => {
    const calm = await project();
    const busy = await project();
    await leave();
    const since = performance.now();
    // What became of it is not known, and so is what the project looks like.
    const underWay = timed(busy.submit());
    const later = timed(calm.submit());
    await sleep(100);
    const doubtful = timed(busy.read());

    while (performance.now() - since < AWAY_MS) {
      const { answer, ms } = await timed(calm.read());
      if (answer.errors.length === 0) {
        expect(answer.data).toEqual({ project: { progress: { answers: 0 } } });
        expect(ms).toBeLessThan(AWAY_MS);
      }
      await sleep(200);
    }
    for (const { answer, ms } of await Promise.all([underWay, later])) {
      expect(answer).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(ms).toBeLessThan(AWAY_MS);
    }
    expect((await doubtful).answer.errors).toMatchObject([{ extensions: { code: 'STORE_UNAVAILABLE' } }]);
    expect((await doubtful).ms).toBeLessThan(AWAY_MS);

    store.mend();
    for (const { submit, read, reader } of [calm, busy]) {
      let answer = await submit();
      while (isRefused(answer)) {
        expect(answer.code).toBe('STORE_UNAVAILABLE');
        await sleep(50);
        answer = await submit();
      }
      expect((await read()).data).toEqual({ project: { progress: { answers: 1 } } });
      expect(await reader.next(15_000)).toMatchObject({ data: { progress: { answers: 1 } } });
      await reader.close();
    }
  });

  it('is slow takes as long as that, and refuses nothing', async () => {
    const { claim, read, reader } = await project();
    store.slow(300);
    const claims = await Promise.all([2, 3, 4, 5, 6].map(claim));
    for (const [i, queue] of claims.entries()) {
      if (isRefused(queue)) throw new Error(`it was refused: ${queue.code}`);
      expect(queue.assignments.length).toBeGreaterThanOrEqual(i + 2);
    }
    store.mend();
    expect((await read()).errors).toEqual([]);
    await reader.close();
  });
});
