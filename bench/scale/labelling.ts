import { setTimeout as sleep } from 'node:timers/promises';
import { type Assignment, type Client, createClient, type Queue } from '@concord/sdk/client';
import { Connection } from './connection.ts';
import { latency } from './figures.ts';
import type { Labelled, Target, Tasks } from './tasks.ts';
import { CLASSES } from './workload.ts';

/** What is not measured yet, at the beginning of a run: code is being compiled, and connections opened. */
const WARM_UP_MS = 4_000;

/** One annotator's client, on a connection of its own. */
interface Person {
  readonly client: Client;
  readonly connection: Connection;
}

/** Latencies in milliseconds, from the end of the warm-up on. */
class Record {
  readonly submits: number[] = [];
  readonly claims: number[] = [];
  readonly #from = performance.now() + WARM_UP_MS;
  readonly until: number;

  constructor(seconds: number) {
    this.until = this.#from + seconds * 1_000;
  }

  add(list: number[], since: number): void {
    const now = performance.now();
    if (now >= this.#from && now < this.until) list.push(now - since);
  }

  get labelled(): Labelled {
    return {
      rate: this.submits.length / ((this.until - this.#from) / 1_000),
      submit: latency(this.submits),
      claim: this.claims.length === 0 ? null : latency(this.claims),
    };
  }
}

export const labellingTasks = {
  async saturate({ tokens, seconds, topUp, ...target }: Tasks['saturate']['input']): Promise<Labelled> {
    const people = connected(target, tokens);
    const record = new Record(seconds);
    const work = topUp ? submitAndClaim : claimThenSubmit;
    await Promise.all(people.map(({ client }) => work(client, target.project, record)));
    for (const { connection } of people) connection.close();
    return record.labelled;
  },

  async pace({ tokens, seconds, rate, topUp, ...target }: Tasks['pace']['input']): Promise<Labelled> {
    const people = connected(target, tokens);
    const hands = await Promise.all(people.map(({ client }) => claimed(client, target.project)));
    const record = new Record(seconds);
    const everyMs = (people.length / rate) * 1_000;
    const since = performance.now();
    const turns = people.map(async ({ client }, i) => {
      let next: Assignment | undefined = hands[i];
      for (let due = since + (i / people.length) * everyMs; due < record.until; due += everyMs) {
        await sleep(Math.max(0, due - performance.now()));
        if (next === undefined) throw new Error('there is nothing left to label');
        const queue = await submitted(client, next, topUp ? 1 : null);
        record.add(record.submits, due);
        [next] = queue.assignments;
        if (topUp) continue;
        const submittedAt = performance.now();
        next = await claimed(client, target.project);
        record.add(record.claims, submittedAt);
      }
    });
    await Promise.all(turns);
    for (const { connection } of people) connection.close();
    return record.labelled;
  },

  async follow({ url, tokens, project }: Tasks['follow']['input']) {
    await Promise.all(
      tokens.map(async (token) => {
        const states = createClient({ url, token }).watchQueue({ project })[Symbol.asyncIterator]();
        await states.next();
        void drain(states);
      }),
    );
    return { following: tokens.length };
  },
};

async function drain(states: AsyncIterator<Queue>): Promise<void> {
  while (!(await states.next()).done);
}

function connected({ url }: Target, tokens: readonly string[]): Person[] {
  return tokens.map((token) => {
    const connection = new Connection(url);
    return { client: createClient({ url, token, fetch: connection.fetch }), connection };
  });
}

async function claimThenSubmit(client: Client, project: string, record: Record): Promise<void> {
  while (performance.now() < record.until) {
    const since = performance.now();
    const assignment = await claimed(client, project);
    record.add(record.claims, since);
    const claimedAt = performance.now();
    await submitted(client, assignment, null);
    record.add(record.submits, claimedAt);
  }
}

async function submitAndClaim(client: Client, project: string, record: Record): Promise<void> {
  let assignment: Assignment | undefined = await claimed(client, project);
  while (performance.now() < record.until) {
    if (assignment === undefined) throw new Error('there is nothing left to label');
    const since = performance.now();
    const queue = await submitted(client, assignment, 1);
    record.add(record.submits, since);
    [assignment] = queue.assignments;
  }
}

async function claimed(client: Client, project: string): Promise<Assignment> {
  const { assignments, empty } = await client.claim({ project, hold: 1 });
  const [assignment] = assignments;
  if (assignment === undefined) throw new Error(`there is nothing left to label: ${empty?.reason}`);
  return assignment;
}

async function submitted(client: Client, { id }: Assignment, hold: number | null): Promise<Queue> {
  const label = CLASSES[id.charCodeAt(id.length - 3) % CLASSES.length] as string;
  const { queue } = await client.submit({ assignment: id, label, milliseconds: 1_234, hold });
  return queue;
}
