import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ProjectEvent } from '../../src/domain/events.ts';
import { addMember, createProject, importSamples, mutation, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

const CLIENTS = 200;
const SAMPLES = 600;
const LABELS = ['spam', 'ham'];
const QUEUE = '... on Queue { assignments { id } empty { reason } }';
const CLAIM = mutation('claim', QUEUE);
const SUBMIT = mutation('submit', '... on Submission { assignment { id state } }');
const SKIP = mutation('skip', '... on Assignment { id state }');
const WATCH = 'subscription ($project: ID!) { queue(project: $project) { assignments { id } } }';

interface Answer {
  readonly __typename: string;
  readonly code?: string;
  readonly assignments?: readonly { readonly id: string }[];
  readonly empty?: { readonly reason: string } | null;
}

/** What the journal says, held against the rules of the queue by other means than the service's. */
class Ledger {
  readonly #assignments = new Map<string, { readonly sample: number; readonly member: string }>();
  readonly #held = new Map<number, Set<string>>();
  readonly #counted = new Map<number, Set<string>>();
  readonly #had = new Set<string>();
  readonly #overlapping: ReadonlySet<number>;
  /** Labels by assignment. */
  readonly labels = new Map<string, number>();

  constructor(overlapping: ReadonlySet<number>) {
    this.#overlapping = overlapping;
  }

  take(event: ProjectEvent): void {
    if (event.type === 'granted') {
      const { assignment, sample, member } = event;
      this.#assignments.set(assignment, event);
      const had = `${sample} ${member}`;
      if (this.#had.has(had)) throw new Error(`${member} is given sample ${sample} twice`);
      this.#had.add(had);
      this.#at(this.#held, sample).add(assignment);
      const taken = this.#at(this.#held, sample).size + this.#at(this.#counted, sample).size;
      const overlap = this.#overlapping.has(sample) ? 2 : 1;
      if (taken > overlap) throw new Error(`sample ${sample} is in ${taken} hands of ${overlap}`);
    } else if ('assignment' in event) {
      const { assignment } = event;
      const { sample } = this.#assignments.get(assignment) as { sample: number };
      if (event.type === 'renewed') return;
      this.#at(this.#held, sample).delete(assignment);
      if (event.type === 'released' || event.type === 'expired') {
        // It may come again to who gave it back, or lost it.
        this.#had.delete(`${sample} ${this.#assignments.get(assignment)?.member}`);
      }
      if (event.type !== 'submitted') return;
      if (this.labels.has(assignment)) throw new Error(`${assignment} is answered twice`);
      this.labels.set(assignment, event.label);
      if (event.counted) this.#at(this.#counted, sample).add(assignment);
    }
  }

  #at(sets: Map<number, Set<string>>, sample: number): Set<string> {
    let set = sets.get(sample);
    if (set === undefined) {
      set = new Set();
      sets.set(sample, set);
    }
    return set;
  }
}

describe('two hundred annotators at once, over WebSocket', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.close());

  it('get nothing twice, exceed no overlap, lose no label, and the round ends', {
    timeout: 60_000,
  }, async () => {
    const project = await createProject(service, {
      policy: {
        overlap: 2,
        overlapShare: 0.3,
        workSessionMinutes: 0,
        graceSeconds: 0,
        assignmentMinutes: 0.1,
      },
    });
    const samples = Array.from({ length: SAMPLES }, (_, i) => ({ key: `${i}`, data: i }));
    await importSamples(service, project, samples);
    await openRound(service, project, { size: SAMPLES, strategy: 'random' });
    const tokens: string[] = [];
    for (let i = 0; i < CLIENTS; i++) tokens.push((await addMember(service, project, 'ANNOTATOR')).token);

    /** What was acknowledged: the labels by assignment. */
    const acknowledged = new Map<string, string>();
    const open = (i: number) =>
      createClient({
        url: `${service.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        lazy: false,
        connectionParams: { authorization: `Bearer ${tokens[i]}` },
      });
    async function does(client: Client, query: string, input: object): Promise<Answer> {
      for await (const { data, errors } of client.iterate<{ answer: Answer }>({
        query,
        variables: { input },
      })) {
        if (data) return data.answer;
        throw new Error(JSON.stringify(errors));
      }
      throw new Error('there was no answer');
    }

    /** Works until there is nothing left; some leave in the middle, and come back, or do not. */
    async function annotate(i: number): Promise<void> {
      let client = open(i);
      for (let turn = 0; ; turn++) {
        const watching = client.iterate({ query: WATCH, variables: { project } });
        await watching.next();
        // Two tabs ask at the same time: they share one queue.
        const [queue] = await Promise.all([
          does(client, CLAIM, { project, hold: 3 }),
          does(client, CLAIM, { project, hold: 3 }),
        ]);
        const assignments = queue.assignments ?? [];
        expect(assignments.length).toBeLessThanOrEqual(3);
        for (const { id } of assignments) {
          if (Math.random() < 0.05) {
            await does(client, SKIP, { assignment: id });
            continue;
          }
          const label = LABELS[Math.floor(Math.random() * 2)] as string;
          // Sent twice, it is recorded once.
          const answers = await Promise.all([
            does(client, SUBMIT, { assignment: id, label }),
            does(client, SUBMIT, { assignment: id, label }),
          ]);
          for (const { __typename: type, code } of answers)
            expect([type, code]).toEqual(['Submission', undefined]);
          acknowledged.set(id, label);
        }
        await watching.return?.();
        if (
          assignments.length === 0 &&
          ['DONE', 'NO_ROUND', 'ALL_HAD_BY_YOU'].includes(queue.empty?.reason ?? '')
        )
          break;
        if (i % 10 === 0 && turn === 1) {
          // Holds something, and is gone: it goes back, for nobody waits for them.
          await does(client, CLAIM, { project, hold: 2 });
          await client.dispose();
          if (i % 20 === 0) return;
          client = open(i);
        }
        if (assignments.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await client.dispose();
    }

    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => annotate(i)));

    const [, id = ''] = atob(project).split(':');
    const { store } = service.concord;
    const overlapping = new Set<number>();
    const events: ProjectEvent[] = [];
    for await (const commit of store.read(id, 0))
      events.push(...(commit.events as unknown as ProjectEvent[]));
    for (const event of events) {
      if (event.type === 'samplesImported') for (const sample of event.overlapping) overlapping.add(sample);
    }
    const ledger = new Ledger(overlapping);
    for (const event of events) ledger.take(event);
    for (const [assignment, label] of acknowledged) {
      const [, local = ''] = atob(assignment).split(':');
      const [, own = ''] = local.split('/');
      expect(ledger.labels.get(own)).toBe(LABELS.indexOf(label));
    }
    expect(acknowledged.size).toBe(ledger.labels.size);
    expect(acknowledged.size).toBeGreaterThan(SAMPLES * 0.9);
    expect(events.filter(({ type }) => type === 'roundClosed')).toMatchObject([{ reason: 'SETTLED' }]);
  });
});
