import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestDatabase } from '../journal/wire.ts';
import { describeNeeding } from '../support/needing.ts';
import {
  type Assignment,
  addMember,
  createProject,
  importSamples,
  isRefused,
  must,
  mutate,
  openRound,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';

const HELD = '... on Queue { assignments { id } empty { reason } }';

interface Held {
  readonly assignments: readonly Assignment[];
  readonly empty: { readonly reason: string } | null;
}

describeNeeding('CONCORD_TEST_MONGODB', 'two nodes over one MongoDB database', (server) => {
  let database: TestDatabase;
  let nodes: readonly [Service, Service];

  beforeEach(async () => {
    database = new TestDatabase(server);
    const first = await startService({ folder: database.url });
    nodes = [first, await startService({ folder: database.url })];
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await database.drop();
  });

  async function project(samples: number, policy: object = {}): Promise<string> {
    const [here] = nodes;
    const id = await createProject(here, { policy: { workSessionMinutes: 0, ...policy } });
    const part = Array.from({ length: samples }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(here, id, part);
    await openRound(here, id, { size: samples, strategy: 'random' });
    return id;
  }

  it('tell the readers of one what was acknowledged by the other', async () => {
    const [here, there] = nodes;
    const id = await project(3);
    const { token } = await addMember(here, id, 'ANNOTATOR');
    const progress = 'subscription ($id: ID!) { progress(project: $id) { answers } }';
    const reader = overWebSocket(there, there.ownerToken, progress, { id });
    expect((await reader.next())?.data).toEqual({ progress: { answers: 0 } });

    const { assignments } = await must<Held>(here, token, 'claim', { project: id, hold: 3 }, HELD);
    for (const { id: assignment } of assignments) {
      await must(here, token, 'submit', { assignment, label: 'ham' }, '... on Submission { __typename }');
    }

    const told: number[] = [];
    while (told.at(-1) !== 3) {
      const push = await reader.next();
      told.push(
        (push?.data as { progress: { answers: number } } | undefined)?.progress.answers ?? Number.NaN,
      );
    }
    expect(told).toEqual([...told].sort());
    await reader.close();
  });

  it('end the streams of a token that was revoked at the other', async () => {
    const [here, there] = nodes;
    const id = await project(1);
    const { token, id: member } = await addMember(here, id, 'VIEWER');
    const reader = overWebSocket(there, token, 'subscription ($id: ID!) { progress(project: $id) { seq } }', {
      id,
    });
    await reader.next();
    const input = { project: id, member };
    await must(here, here.ownerToken, 'revokeTokens', input, '... on RevokedTokens { __typename }');
    await expect(reader.next()).rejects.toMatchObject({ code: 4403 });
  });

  it('give nothing twice and exceed no overlap, though both decide the same project', async () => {
    const [here] = nodes;
    const id = await project(60, { overlap: 2, overlapShare: 1 });
    const people = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => ({
        node: nodes[i % 2] as Service,
        ...(await addMember(here, id, 'ANNOTATOR')),
      })),
    );
    let acknowledged = 0;
    const work = async ({ node, token }: (typeof people)[number]) => {
      for (;;) {
        const queue = await mutate<Held>(node, token, 'claim', { project: id, hold: 2 }, HELD);
        if (isRefused(queue)) {
          // The other node was faster, again and again.
          expect(queue.code).toBe('STORE_UNAVAILABLE');
          continue;
        }
        if (queue.assignments.length === 0 && queue.empty?.reason !== 'ALL_HELD') return;
        for (const { id: assignment } of queue.assignments) {
          const input = { assignment, label: 'spam' };
          const answer = await mutate(node, token, 'submit', input, '... on Submission { __typename }');
          if (!isRefused(answer)) acknowledged++;
        }
      }
    };
    await Promise.all(people.map(work));
    expect(acknowledged).toBe(120);
  });
});
