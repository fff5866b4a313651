import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestDatabase } from '../journal/wire.ts';
import { describeNeeding } from '../support/needing.ts';
import {
  type Assignment,
  addMember,
  claim,
  createProject,
  importSamples,
  isRefused,
  must,
  mutate,
  openRound,
  type Person,
  type Queue,
} from '../support/project.ts';
import type { Service, Variables } from '../support/service.ts';
import { overWebSocket, type Reader } from '../support/streams.ts';
import { type Node, startNode } from './nodeProcesses.ts';

const HELD = '... on Queue { assignments { id } empty { reason } }';
const SUBMITTED = '... on Submission { assignment { state } }';

const ACTIVITY = `subscription ($project: ID!, $after: String) { activity(project: $project, after: $after) {
  ... on ActivityEvents { cursor events { ... on PolicyChanged { policy { roundSize } } } } } }`;

interface Pushed {
  readonly activity: {
    readonly cursor: string;
    readonly events: readonly { readonly policy?: { readonly roundSize: number } }[];
  };
}

interface Held {
  readonly assignments: readonly Assignment[];
  readonly empty: { readonly reason: string } | null;
}

/** What a project is called in the store, by its global id. */
const nameOf = (id: string) => Buffer.from(id, 'base64').toString('utf8').split(':')[1];

/** For the helpers, which take a service in this process and use no more of it. */
const service = (node: Node) => node as unknown as Service;

describeNeeding('CONCORD_TEST_MONGODB', 'three nodes, each a process of its own', (server) => {
  let database: TestDatabase;
  let nodes: Node[];

  beforeAll(async () => {
    database = new TestDatabase(server);
    // The first enters the owner; the others find it.
    const first = await startNode(database.url);
    nodes = [first, ...(await Promise.all([startNode(database.url), startNode(database.url)]))];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.process.kill()));
    await database.drop();
  });

  /** A project that the node decides, with a round open. */
  async function projectAt(node: Node, samples: number, policy: object = {}): Promise<string> {
    const id = await createProject(service(node), { policy: { workSessionMinutes: 0, ...policy } });
    const part = Array.from({ length: samples }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(service(node), id, part);
    await openRound(service(node), id, { size: samples, strategy: 'random' });
    return id;
  }

  /** A mutation, given until it is answered: at a node, or at the next if that one is gone. */
  async function surely<T extends object>(
    usual: number,
    token: string,
    name: string,
    input: Variables,
    selection: string,
  ) {
    for (let at = usual; ; ) {
      const node = service(nodes[at % nodes.length] as Node);
      try {
        const answer = await mutate<T>(node, token, name, input, selection);
        if (!isRefused(answer)) return answer;
        // What became of it is not known: the same again is safe.
        expect(answer.code).toBe('STORE_UNAVAILABLE');
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        at++;
      }
    }
  }

  /** Labels until nothing is left; tells what was acknowledged. */
  async function label(project: string, { token }: Person, usual: number, acknowledged: string[]) {
    for (;;) {
      const { assignments, empty } = await surely<Held>(usual, token, 'claim', { project, hold: 2 }, HELD);
      if (assignments.length === 0 && empty?.reason !== 'ALL_HELD') return;
      for (const { id: assignment } of assignments) {
        await surely(usual, token, 'submit', { assignment, label: 'spam' }, SUBMITTED);
        acknowledged.push(assignment);
      }
    }
  }

  async function answersOf(node: Node, project: string): Promise<number> {
    const query = 'query ($id: ID!) { project(id: $id) { progress { answers } } }';
    const { project: found } = await node.query<{ project: { progress: { answers: number } } }>(
      node.ownerToken,
      query,
      { id: project },
    );
    return found.progress.answers;
  }

  async function metricOf({ url }: Node, name: string): Promise<number> {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length));
  }

  /** The sizes of rounds in the next push of the activity, and its cursor. */
  async function policiesIn(reader: Reader) {
    const push = await reader.next(15_000);
    if (push === null) throw new Error('the activity has ended');
    const { cursor, events } = (push.data as unknown as Pushed).activity;
    return { cursor, sizes: events.flatMap(({ policy }) => policy?.roundSize ?? []) };
  }

  /** Where a reader at the node stands who has been told of a size of rounds, and of nothing after. */
  async function cursorBehind(node: Node, project: string, size: number): Promise<string> {
    const reader = overWebSocket(node, node.ownerToken, ACTIVITY, { project });
    for (;;) {
      const { cursor, sizes } = await policiesIn(reader);
      if (sizes.at(-1) !== size) continue;
      await reader.close();
      return cursor;
    }
  }

  async function* answersAt(reader: Reader) {
    for (let push = await reader.next(15_000); push; push = await reader.next(15_000)) {
      yield (push.data as { progress: { answers: number } }).progress.answers;
    }
  }

  it('decide nothing on what they knew before they were stopped for longer than their lease', async () => {
    const [first] = nodes as [Node, ...Node[]];
    const project = await projectAt(first, 10);
    const { token } = await addMember(service(first), project, 'ANNOTATOR');
    const { assignments } = await must<Held>(service(first), token, 'claim', { project, hold: 1 }, HELD);
    const [{ id: assignment }] = assignments as [Assignment];
    const lease = () => database.db.collection('leases').findOne({ kind: 'journal', name: nameOf(project) });
    const before = await lease();

    const answer = { assignment, label: 'spam' };
    first.process.child.kill('SIGSTOP');
    // It waits for the node that is stopped, in its queue.
    const late = mutate(service(first), token, 'submit', { ...answer, label: 'ham' }, SUBMITTED);
    try {
      expect(await surely(1, token, 'submit', answer, SUBMITTED)).toMatchObject({
        assignment: { state: 'SUBMITTED' },
      });
    } finally {
      first.process.child.kill('SIGCONT');
    }
    const after = await lease();
    expect(after).toMatchObject({ turn: (before?.['turn'] ?? 0) + 1 });
    expect(after?.['node']).not.toBe(before?.['node']);
    expect(await late).toMatchObject({ code: 'ALREADY_ANSWERED', answer: 'spam' });
    expect(await lease()).toEqual(after);
    expect(await answersOf(first, project)).toBe(1);
  });

  it('show at each who is at any of them, and forget whom a revoked token let in', async () => {
    const [first, second, third] = nodes as [Node, Node, Node];
    const project = await projectAt(first, 2);
    const { token, id: member } = await addMember(service(second), project, 'ANNOTATOR');
    const presence = 'subscription ($id: ID!) { presence(project: $id) { connected } }';
    const reader = overWebSocket(third, third.ownerToken, presence, { id: project });
    const connected = async (count: number) => {
      for (;;) {
        const push = await reader.next(5_000);
        if ((push?.data as { presence: { connected: number } } | undefined)?.presence.connected === count)
          return;
      }
    };
    await connected(0);
    const queue = 'subscription ($id: ID!) { queue(project: $id) { answers } }';
    const annotator = overWebSocket(second, token, queue, { id: project });
    await annotator.next();
    await connected(1);
    const input = { project, member };
    await must(
      service(first),
      first.ownerToken,
      'revokeTokens',
      input,
      '... on RevokedTokens { __typename }',
    );
    await expect(annotator.next()).rejects.toMatchObject({ code: 4403 });
    await connected(0);
    await reader.close();
  });

  it('keep somebody to a break that began at another of them', async () => {
    const [first, second, third] = nodes as [Node, Node, Node];
    const project = await projectAt(first, 3, { workSessionMinutes: 60, breakMinutes: 5 });
    const ann = await addMember(service(second), project, 'ANNOTATOR');
    const { workSession } = await claim(service(second), ann, project);
    const ended = await must<Queue>(
      service(third),
      ann.token,
      'endWorkSession',
      { project },
      '... on Queue { workSession { until breakUntil } }',
    );
    expect(Date.parse(ended.workSession?.until ?? '')).toBeLessThan(Date.parse(workSession?.until ?? ''));
    for (const node of nodes) {
      const { empty, workSession: kept } = await claim(service(node), ann, project, 2);
      expect(empty).toEqual({ reason: 'WORK_SESSION_OVER', until: ended.workSession?.breakUntil });
      expect(kept).toEqual(ended.workSession);
    }
  });

  it('give nothing twice, whoever is asked, and tell everybody; one is killed in mid-round', async () => {
    const [first, second, third] = nodes as [Node, Node, Node];
    const project = await projectAt(first, 80, { overlap: 2, overlapShare: 1 });
    const people = await Promise.all(
      Array.from({ length: 6 }, () => addMember(service(second), project, 'ANNOTATOR')),
    );
    const progress = 'subscription ($id: ID!) { progress(project: $id) { answers } }';
    const reader = overWebSocket(third, third.ownerToken, progress, { id: project });

    const changePolicy = (node: Node, roundSize: number) =>
      must(service(node), node.ownerToken, 'updatePolicy', { project, policy: { roundSize } });
    await changePolicy(second, 1);
    const cursor = await cursorBehind(first, project, 1);
    await changePolicy(second, 2);

    const acknowledged: string[] = [];
    const work = Promise.all(people.map((person, i) => label(project, person, i, acknowledged)));
    for await (const answers of answersAt(reader)) if (answers >= 10) break;
    await first.process.end('SIGKILL');
    expect(acknowledged.length).toBeLessThan(150);
    await work;
    await changePolicy(second, 3);

    // Who read at the node that is gone goes on at another.
    const resumed = overWebSocket(third, third.ownerToken, ACTIVITY, { project, after: cursor });
    const read: number[] = [];
    while (read.at(-1) !== 3) read.push(...(await policiesIn(resumed)).sizes);
    expect(read).toEqual([2, 3]);
    await resumed.close();

    expect(await metricOf(third, 'concord_forwarded_total{how="sent"}')).toBeGreaterThan(0);
    // Each sample twice, and no answer that was given is missing or counts more than once.
    expect(new Set(acknowledged).size).toBe(160);
    expect(await answersOf(second, project)).toBe(160);
    for await (const answers of answersAt(reader)) if (answers === 160) break;
    await reader.close();
  });
});
