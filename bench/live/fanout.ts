import { count, median } from '../scale/figures.ts';
import { aimed, type Row, told } from '../scale/table.ts';
import { fieldsOf, progressDocument } from './document.ts';
import { ServerProcess } from './process.ts';
import { type OpenProject, openProject } from './project.ts';
import { Subscribers } from './subscribers.ts';

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
/** Not counted, at the beginning. */
const WARM_UP_MS = 1_000;
/** Samples to be labelled, more than any run gets through. */
const SAMPLES = 5_000;

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
  const { cpu, rate } = await MEASURE.ours({ subscribers: 1, bytes: 1_024, operations: 1, seconds });
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
  const opened = await openProject(SAMPLES);
  const all = await Subscribers.open({
    ...target(opened, subscribers),
    queries: [progressDocument(1_024)],
  });
  const committed: number[] = [];
  const asked: number[] = [];
  for (let i = 0; i < 30; i++) {
    const received = all.reached(all.pushes + subscribers);
    const since = performance.now();
    await opened.change();
    const answered = performance.now();
    await received;
    if (i < 5) continue;
    asked.push(performance.now() - since);
    committed.push(performance.now() - answered);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  all.close();
  await opened.close();
  const value = median(asked);
  return aimed(
    'one change to its last of 5,000 receivers',
    `${value.toFixed(0)} ms`,
    { value, most: 75, unit: 'ms' },
    `from sending the change; from its answer ${median(committed).toFixed(0)} ms; median of ${asked.length}, the longest ${Math.max(...asked).toFixed(0)} ms`,
  );
}

type Name = 'raw' | 'stock' | 'ours';

async function compared<N extends Name>(load: Load, tell: (what: string) => void, names: readonly N[]) {
  const turns = new Map<N, Figures[]>();
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of names) {
      tell(`${name}: ${count(load.subscribers)} × ${load.operations} × ${load.bytes} bytes`);
      const figures = await MEASURE[name](load);
      turns.set(name, [...(turns.get(name) ?? []), figures]);
    }
  }
  const entries = [...turns].map(([name, all]) => [
    name,
    { rate: median(all.map(({ rate }) => rate)), cpu: median(all.map(({ cpu }) => cpu)) },
  ]);
  return Object.fromEntries(entries) as Record<N, Figures>;
}

const MEASURE: { readonly [N in Name]: (load: Load) => Promise<Figures> } = {
  async raw(load) {
    const server = await ServerProcess.start('rawServer', [
      `${await messageBytes(load)}`,
      `${load.operations}`,
    ]);
    const all = await Subscribers.open({ ...nobody(server, load), queries: [] });
    const figures = await measured(server, all, load, () => server.ask({ broadcast: 1 }));
    await server.stop();
    return figures;
  },

  async stock(load) {
    const server = await ServerProcess.start('stockServer');
    const all = await Subscribers.open({ ...nobody(server, load), queries: [progressDocument(load.bytes)] });
    // It has no first push that would tell that everybody follows.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const figures = await measured(server, all, load, () => server.ask({ broadcast: 1 }));
    await server.stop();
    return figures;
  },

  async ours(load) {
    const opened = await openProject(SAMPLES);
    const queries = Array.from({ length: load.operations }, (_, i) => progressDocument(load.bytes, i));
    const all = await Subscribers.open({ ...target(opened, load.subscribers), queries });
    const figures = await measured(opened.server, all, load, (by) => opened.change(by));
    await opened.close();
    return figures;
  },
};

/**
 * Every server is driven the same: two changes are on their way at a time, and each is followed by the next when one
 * subscriber, in the midst of all, has received something since. So the next change is there before the last is
 * delivered, and no server waits for this process.
 */
async function measured(
  server: ServerProcess,
  all: Subscribers,
  { seconds, subscribers, operations }: Load,
  change: (by: number) => Promise<unknown>,
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
  all.close();
  return { rate: deliveries / (took / 1_000), cpu: (after.cpu - before.cpu) / deliveries };
}

/** A message of such a subscription as Concord sends it, in bytes. */
async function messageBytes({ bytes }: Load): Promise<number> {
  const opened = await openProject(SAMPLES);
  const all = await Subscribers.open({ ...target(opened, 1), queries: [progressDocument(bytes)] });
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

function nobody({ url }: ServerProcess, { subscribers }: Load) {
  return { url, count: subscribers, token: '', variables: { project: 'p' }, greeted: false };
}

export function target({ url, token, project }: OpenProject, subscribers: number) {
  return { url, count: subscribers, token, variables: { project }, greeted: true };
}

function shown({ rate, cpu }: Figures): string {
  return `${count(rate)}/s, ${cpu.toFixed(1)} µs`;
}

function ratio(one: Figures, other: Figures): string {
  return `${(one.rate / other.rate).toFixed(2)} ×`;
}
