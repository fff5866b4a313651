import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Assignment,
  type Client,
  createClient,
  type Queue,
  StoreUnavailableError,
} from '@concord/sdk/client';
import { Subscribers } from '../live/subscribers.ts';
import { Connection } from '../scale/connection.ts';
import { latency } from '../scale/figures.ts';
import { CLASSES } from '../scale/workload.ts';
import type { Labelled, Person, Report, TaskName, Tasks } from './tasks.ts';

const PROGRESS = 'subscription ($project: ID!) { progress(project: $project) { seq answers } }';
/** How long before a node is killed everybody claims, and how long it is waited for what comes then, in milliseconds. */
const BEFORE_KILL_MS = 2_000;
/** How long after the last submit it is waited for the last push, in milliseconds. */
const LATEST_PUSH_MS = 30_000;
/** How often each claims meanwhile, in milliseconds. */
const CLAIM_EVERY_MS = 20;

/** The load generator: it does the one task that it is sent. */
const TASKS: { readonly [T in TaskName]: (input: Tasks[T]['input']) => Promise<Tasks[T]['output']> } = {
  async saturate({ people, warmUp, seconds }) {
    const clients = people.map(connected);
    const measured = new Measured(warmUp, seconds);
    await Promise.all(
      clients.map(async ({ client, project }) => {
        let next = first(await client.claim({ project, hold: 1 }));
        while (performance.now() < measured.until) {
          const since = performance.now();
          next = first(await submitted(client, next));
          measured.add(since);
        }
      }),
    );
    for (const { connection } of clients) connection.close();
    return measured.labelled;
  },

  async push({ people, watchers, warmUp, seconds, rate }) {
    const clients = people.map(connected);
    const hands = await Promise.all(clients.map(({ client, project }) => client.claim({ project, hold: 1 })));
    const pushes: number[] = [];
    const watching = new Map<string, Watch[]>();
    const all: Subscribers[] = [];
    for (const { url, token, project } of watchers) {
      const options = { url, count: 1, token, queries: [PROGRESS], variables: { project }, greeted: true };
      const subscribers = await Subscribers.open(options);
      const watch = new Watch(pushes);
      subscribers.onPush = (text) => watch.pushed(String(text));
      watching.set(project, [...(watching.get(project) ?? []), watch]);
      all.push(subscribers);
    }
    const measured = new Measured(warmUp, seconds);
    const everyMs = (clients.length / rate) * 1_000;
    const since = performance.now();
    await Promise.all(
      clients.map(async ({ client, project }, i) => {
        let next = first(hands[i] as Queue);
        for (let due = since + (i / clients.length) * everyMs; due < measured.until; due += everyMs) {
          await sleep(Math.max(0, due - performance.now()));
          const sentAt = performance.now();
          const queue = await submitted(client, next);
          if (measured.add(sentAt)) {
            for (const watch of watching.get(project) ?? []) watch.expect(queue.seq, sentAt);
          }
          next = first(queue);
        }
      }),
    );
    // Those that are late count too, and none may be missing.
    const late = performance.now() + LATEST_PUSH_MS;
    const isWaiting = () => [...watching.values()].some((some) => some.some((watch) => watch.isWaiting));
    while (isWaiting() && performance.now() < late) await sleep(20);
    if (isWaiting()) throw new Error(`pushes have not come within ${LATEST_PUSH_MS} ms`);
    for (const { connection } of clients) connection.close();
    for (const subscribers of all) subscribers.close();
    return { ...measured.labelled, push: latency(pushes) };
  },

  async takeOver({ people, pid }) {
    const clients = people.map(connected);
    const killed = { at: Number.POSITIVE_INFINITY };
    const answered = new Map<string, number>();
    const projects = new Set(people.map(({ project }) => project));
    let refused = 0;
    setTimeout(() => {
      process.kill(pid, 'SIGKILL');
      killed.at = performance.now();
    }, BEFORE_KILL_MS);
    await Promise.all(
      clients.map(async ({ client, project }) => {
        while (answered.size < projects.size) {
          const since = performance.now();
          try {
            await client.claim({ project, hold: 1 });
            // What was sent before may have been decided by the node that is killed.
            if (since > killed.at && !answered.has(project))
              answered.set(project, performance.now() - killed.at);
          } catch (error) {
            if (!(error instanceof StoreUnavailableError)) throw error;
            refused++;
          }
          await sleep(CLAIM_EVERY_MS);
        }
      }),
    );
    for (const { connection } of clients) connection.close();
    return { milliseconds: [...answered.values()], refused };
  },
};

/** Pushes of one watcher, and the submits that they tell of. */
class Watch {
  readonly #milliseconds: number[];
  /** Submits whose push has not come, and pushes that may have come before their submit was answered. */
  #expected: { readonly seq: number; readonly sentAt: number }[] = [];
  readonly #recent: { readonly seq: number; readonly at: number }[] = [];

  constructor(milliseconds: number[]) {
    this.#milliseconds = milliseconds;
  }

  pushed(text: string): void {
    const at = performance.now();
    const { seq } = JSON.parse(text).payload.data.progress as { readonly seq: number };
    this.#recent.push({ seq, at });
    if (this.#recent.length > 1_000) this.#recent.splice(0, 500);
    for (const expected of this.#expected)
      if (expected.seq <= seq) this.#milliseconds.push(at - expected.sentAt);
    this.#expected = this.#expected.filter((expected) => expected.seq > seq);
  }

  /** Whether the push of a submit has not come yet. */
  get isWaiting(): boolean {
    return this.#expected.length > 0;
  }

  expect(seq: number, sentAt: number): void {
    const came = this.#recent.find((push) => push.seq >= seq);
    if (came) this.#milliseconds.push(came.at - sentAt);
    else this.#expected.push({ seq, sentAt });
  }
}

/** Submits, from the end of the warm-up on. */
class Measured {
  readonly #milliseconds: number[] = [];
  readonly #from: number;
  readonly until: number;

  constructor(warmUp: number, seconds: number) {
    this.#from = performance.now() + warmUp * 1_000;
    this.until = this.#from + seconds * 1_000;
    setTimeout(() => report('begun'), warmUp * 1_000);
  }

  /** Tells whether it counts. */
  add(since: number): boolean {
    const now = performance.now();
    const counts = since >= this.#from && now < this.until;
    if (counts) this.#milliseconds.push(now - since);
    return counts;
  }

  get labelled(): Labelled {
    return {
      rate: this.#milliseconds.length / ((this.until - this.#from) / 1_000),
      submit: latency(this.#milliseconds),
    };
  }
}

function connected({ url, token, project }: Person) {
  const connection = new Connection(url);
  return { client: createClient({ url, token, fetch: connection.fetch }), connection, project };
}

async function submitted(client: Client, { id }: Assignment): Promise<Queue> {
  const label = CLASSES[id.charCodeAt(id.length - 3) % CLASSES.length] as string;
  return (await client.submit({ assignment: id, label, milliseconds: 1_234, hold: 1 })).queue;
}

function first({ assignments: [assignment], empty }: Queue): Assignment {
  if (assignment === undefined) throw new Error(`there is nothing left to label: ${empty?.reason}`);
  return assignment;
}

function report(what: Report): void {
  process.send?.(what);
}

async function perform<T extends TaskName>({ task, input }: { task: T; input: Tasks[T]['input'] }) {
  report({ output: await TASKS[task](input) });
}

process.once('message', (message) => {
  perform(message as { task: TaskName; input: never }).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
