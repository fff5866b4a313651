import { count, median } from '../scale/figures.ts';
import { aimed, type Row, told } from '../scale/table.ts';
import { fieldsOf, progressDocument } from './document.ts';
import { ServerProcess } from './process.ts';
import { type OpenProject, openProject } from './project.ts';
import { Subscribers, type SubscribersOptions } from './subscribers.ts';

/** What serving many came to. */
interface Figures {
  /** Pushes received, all together, a second. */
  readonly rate: number;
  /** Processor time of the server for each, in microseconds. */
  readonly cpu: number;
}

interface Load {
  readonly subscribers: number;
  readonly bytes: number;
  /** Operations on each connection that change together. */
  readonly operations: number;
  readonly seconds: number;
}

const SIZES = [
  { subscribers: 1_000, bytes: 1_024 },
  { subscribers: 1_000, bytes: 8_192 },
  { subscribers: 5_000, bytes: 1_024 },
  { subscribers: 5_000, bytes: 8_192 },
] as const;
const OPERATIONS = 8;
/** Each is measured so often, one server after the other, so that what else the machine does falls on all. */
const TURNS = 3;
/** Made before anything is counted, for one subscriber. */
const WARM_UP_CHANGES = 2_000;
/** Not counted either, with all subscribers. */
const WARM_UP_MS = 1_000;
/** Samples to be labelled, more than any run gets through. */
const SAMPLES = 10_000;

/** Deliveries of one change to many: a plain broadcast, Yoga with graphql-ws as they are, and Concord. */
export async function fanoutRows(seconds: number, tell: (what: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const size of SIZES) {
    const load = { ...size, operations: 1, seconds };
    const { raw, stock, ours } = await compared(load, tell, ['raw', 'stock', 'ours']);
    rows.push(
      aimed(
        `${count(size.subscribers)} subscribers, ${count(size.bytes)} bytes in ${fieldsOf(size.bytes)} fields`,
        shown(ours),
        { value: ours.rate / raw.rate, least: 0.9, unit: '× raw `ws`' },
        `${ratio(ours, raw)} raw \`ws\` (${shown(raw)}); by processor time ${(raw.cpu / ours.cpu).toFixed(2)} ×`,
      ),
      aimed(
        'the same',
        '',
        { value: ours.rate / stock.rate, least: 6, unit: '× stock' },
        `${ratio(ours, stock)} Yoga with graphql-ws (${shown(stock)}); by processor time ${(stock.cpu / ours.cpu).toFixed(1)} ×`,
      ),
    );
  }
  const load = { subscribers: 1_000, bytes: 1_024, operations: OPERATIONS, seconds };
  const { raw, ours } = await compared(load, tell, ['raw', 'ours']);
  rows.push(
    aimed(
      `1,000 subscribers, 1,024 bytes, ${OPERATIONS} operations each that change together`,
      shown(ours),
      { value: ours.rate / raw.rate, least: 2.5, unit: '× raw `ws`' },
      `${ratio(ours, raw)} raw \`ws\` sending ${OPERATIONS} messages (${shown(raw)})`,
    ),
  );
  return rows;
}

/** What a change takes by itself, which all who receive it share. */
export async function changeRow(seconds: number, tell: (what: string) => void): Promise<Row> {
  tell('changes with one subscriber');
  const { cpu, rate } = await measure('ours', { subscribers: 1, bytes: 1_024, operations: 1, seconds });
  return told(
    'a change by itself, with one subscriber',
    `${count(cpu)} µs`,
    `of processor time, of all the server's threads: a label is submitted over HTTP, decided, committed and synced, and pushed; ${count(rate)}/s, one after the other. Of each delivery's processor time above it is a thousandth or a five-thousandth part`,
  );
}

/** One change until its last receiver has it. */
export async function lastRow(tell: (what: string) => void): Promise<Row> {
  const subscribers = 5_000;
  tell(`one change to ${count(subscribers)}`);
  const load = { subscribers, bytes: 1_024, operations: 1, seconds: 0 };
  const raw = await lastOf('raw', load);
  const ours = await lastOf('ours', load);
  const value = median(ours.took);
  return aimed(
    'one change to its last of 5,000 receivers',
    `${value.toFixed(0)} ms`,
    { value, most: 75, unit: 'ms' },
    `from sending the change; median of ${ours.took.length}, the longest ${Math.max(...ours.took).toFixed(0)} ms; from its answer ${median(ours.answered).toFixed(0)} ms; a broadcast by raw \`ws\` ${median(raw.took).toFixed(0)} ms`,
  );
}

/** How long changes take to reach everybody, from when they are sent and from when they are answered, in milliseconds. */
async function lastOf(name: Name, load: Load) {
  const served = await OPEN[name](load);
  await warmUp(served);
  const all = await subscribed(served, load.subscribers);
  const took: number[] = [];
  const answered: number[] = [];
  for (let i = 0; i < 30; i++) {
    const received = all.reached(all.pushes + load.subscribers);
    const since = performance.now();
    let answer = since;
    await Promise.all([
      received,
      served.change(0).then(() => {
        answer = performance.now();
      }),
    ]);
    const now = performance.now();
    if (i >= 5) {
      took.push(now - since);
      answered.push(now - answer);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  all.close();
  await served.close();
  return { took, answered };
}

type Name = 'raw' | 'stock' | 'ours';

async function compared<N extends Name>(load: Load, tell: (what: string) => void, names: readonly N[]) {
  const turns = new Map<N, Figures[]>();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of names) {
      tell(`${name}: ${count(load.subscribers)} × ${load.operations} × ${load.bytes} bytes`);
      const figures = await measure(name, load);
      turns.set(name, [...(turns.get(name) ?? []), figures]);
    }
  }
  const entries = [...turns].map(([name, all]) => [
    name,
    { rate: median(all.map(({ rate }) => rate)), cpu: median(all.map(({ cpu }) => cpu)) },
  ]);
  return Object.fromEntries(entries) as Record<N, Figures>;
}

/** A server under measurement. */
interface Served {
  readonly server: ServerProcess;
  /** How one subscribes to it. */
  readonly target: Omit<SubscribersOptions, 'count'>;
  /** Makes a change that everybody is told; two may be made at a time, by 0 and by 1. */
  change(by: number): Promise<unknown>;
  close(): Promise<void>;
}

const OPEN: { readonly [N in Name]: (load: Load) => Promise<Served> } = {
  async raw(load) {
    const server = await ServerProcess.start('rawServer', [
      `${await messageBytes(load)}`,
      `${load.operations}`,
    ]);
    return broadcasting(server, []);
  },
  async stock({ bytes }) {
    return broadcasting(await ServerProcess.start('stockServer'), [progressDocument(bytes)]);
  },
  async ours({ bytes, operations }) {
    const opened = await openProject(SAMPLES);
    const queries = Array.from({ length: operations }, (_, i) => progressDocument(bytes, i));
    return { ...opened, target: { ...target(opened), queries } };
  },
};

/** A server that makes changes when it is told to. */
function broadcasting(server: ServerProcess, queries: readonly string[]): Served {
  return {
    server,
    target: { url: server.url, token: '', variables: { project: 'p' }, greeted: false, queries },
    change: () => server.ask({ broadcast: 1 }),
    close: () => server.stop(),
  };
}

async function measure(name: Name, load: Load): Promise<Figures> {
  const served = await OPEN[name](load);
  await warmUp(served);
  const all = await subscribed(served, load.subscribers);
  const figures = await measured(served, all, load);
  all.close();
  await served.close();
  return figures;
}

/** Until its code is compiled every server is slower, and the more so the more it does for a change. */
async function warmUp(served: Served): Promise<void> {
  const one = await subscribed(served, 1);
  const make = async (by: number) => {
    for (let i = by; i < WARM_UP_CHANGES; i += 2) await served.change(by);
  };
  await Promise.all([make(0), make(1)]);
  one.close();
}

async function subscribed({ target }: Served, count: number): Promise<Subscribers> {
  const all = await Subscribers.open({ ...target, count });
  // Without a first push nothing tells that everybody follows.
  if (!target.greeted) await new Promise((resolve) => setTimeout(resolve, 2_000));
  return all;
}

/**
 * Every server is driven the same: two changes are on their way at a time, and each is followed by the next when one
 * subscriber, in the midst of all, has received something since. So the next change is there before the last is
 * delivered, and no server waits for this process.
 */
async function measured(
  { server, change }: Served,
  all: Subscribers,
  { seconds, subscribers, operations }: Load,
): Promise<Figures> {
  const midst = subscribers >> 1;
  let received = 0;
  const waiting: (() => void)[] = [];
  all.onPush = (_, subscriber) => {
    if (subscriber !== midst) return;
    received++;
    for (const wake of waiting.splice(0)) wake();
  };
  const make = async (by: number, until: number) => {
    while (performance.now() < until) {
      const next = received + operations;
      await change(by);
      while (received < next) await new Promise<void>((wake) => waiting.push(wake));
    }
  };
  const drive = (until: number) => Promise.all([make(0, until), make(1, until)]);
  await drive(performance.now() + WARM_UP_MS);
  const [before, pushes, since] = [await server.usage(), all.pushes, performance.now()];
  await drive(since + seconds * 1_000);
  const took = performance.now() - since;
  const after = await server.usage();
  const deliveries = all.pushes - pushes;
  return { rate: deliveries / (took / 1_000), cpu: (after.cpu - before.cpu) / deliveries };
}

/** A message of such a subscription as Concord sends it, in bytes. */
async function messageBytes({ bytes }: Load): Promise<number> {
  const opened = await openProject(SAMPLES);
  const all = await Subscribers.open({ ...target(opened), count: 1, queries: [progressDocument(bytes)] });
  let length = 0;
  all.onPush = (text) => {
    length = text.length;
  };
  await opened.change();
  await all.reached(1);
  all.close();
  await opened.close();
  return length;
}

export function target({ url, token, project }: OpenProject) {
  return { url, token, variables: { project }, greeted: true };
}

function shown({ rate, cpu }: Figures): string {
  return `${count(rate)}/s, ${cpu.toFixed(1)} µs`;
}

function ratio(one: Figures, other: Figures): string {
  return `${(one.rate / other.rate).toFixed(2)} ×`;
}
