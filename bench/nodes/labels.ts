import { count, type Latency, median, medianLatency, shares } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { BenchCluster, type Counts } from './cluster.ts';
import type { Options } from './options.ts';
import { run } from './tasks.ts';

/** Annotators in all: as many at each of three nodes, and in each of 30 projects. */
const PEOPLE = 90;
/** Samples in all. */
const SAMPLES = 90_000;
/** Labels a second while pushes are timed: what people do, and less than what any of this can take. */
const PACE = 200;
const WARM_UP = 4;

interface Setting {
  readonly nodes: number;
  readonly projects: number;
  /** Whether everybody is at the node that decides their project, or all are spread over all nodes. */
  readonly isKept: boolean;
}

const SETTINGS: readonly Setting[] = [1, 30].flatMap((projects) => [
  { nodes: 1, projects, isKept: true },
  { nodes: 3, projects, isKept: true },
  { nodes: 3, projects, isKept: false },
]);

interface Figures {
  readonly rate: number;
  readonly submit: Latency;
  readonly push: Latency;
  /** Processor time a label, in microseconds, of all nodes and of the store. */
  readonly nodes: number;
  readonly store: number;
  /** Of the commands, what share another node has decided. */
  readonly forwarded: number;
}

/** Labels a second, and from a label to its push, by how many nodes and projects there are. */
export async function labelRows(options: Options, tell: (what: string) => void): Promise<Row[]> {
  const all = new Map<Setting, Figures[]>(SETTINGS.map((setting) => [setting, []]));
  for (let turn = 0; turn < options.repeats; turn++) {
    for (const nodes of [1, 3]) {
      const cluster = await BenchCluster.start(nodes, options.profiles);
      try {
        for (const [setting, runs] of all) {
          if (setting.nodes !== nodes) continue;
          tell(`labels: ${named(setting)}, ${turn + 1} of ${options.repeats}`);
          runs.push(await measured(cluster, setting, options.seconds));
        }
      } finally {
        await cluster.stop();
      }
    }
  }
  return [...all].map(([setting, runs]) => rowOf(setting, runs));
}

async function measured(
  cluster: BenchCluster,
  { projects, isKept }: Setting,
  seconds: number,
): Promise<Figures> {
  const made = [];
  for (let place = 0; place < projects; place++) {
    const project = await cluster.project(place, SAMPLES / projects, PEOPLE / projects);
    made.push({ place, project });
  }
  const people = made.flatMap(({ place, project }) =>
    cluster.people(project, (person) => (isKept ? place : place + person)),
  );
  const watchers = made.flatMap(({ project: { id } }) =>
    cluster.nodes.map(({ url }) => ({ url, token: cluster.owner, project: id })),
  );
  const { push } = await run('push', { people, watchers, warmUp: WARM_UP, seconds, rate: PACE });
  let before: Promise<Counts> | null = null;
  const { rate, submit } = await run('saturate', { people, warmUp: WARM_UP, seconds }, () => {
    before = cluster.counts();
  });
  const after = await cluster.counts();
  return { rate, submit, push, ...costs((await before) ?? after, after, rate * seconds) };
}

/** What labels have cost, each. */
export function costs(before: Counts, after: Counts, labels: number) {
  const each = (from: number, to: number) => ((to - from) / labels) * 1e6;
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    nodes: each(sum(before.nodes), sum(after.nodes)),
    store: each(before.store ?? Number.NaN, after.store ?? Number.NaN),
    forwarded: (after.forwarded - before.forwarded) / labels,
  };
}

function rowOf(setting: Setting, runs: readonly Figures[]): Row {
  const of = (look: (figures: Figures) => number) => median(runs.map(look));
  const push = medianLatency(runs.map((figures) => figures.push));
  const submit = medianLatency(runs.map((figures) => figures.submit));
  const rates = runs.map(({ rate }) => count(rate)).join(', ');
  return told(
    named(setting),
    `${count(of(({ rate }) => rate))} labels/s; to push ${shares(push)}`,
    `${rates}; submit ${shares(submit)} at that rate; ${(of(({ forwarded }) => forwarded) * 100).toFixed(0)} % forwarded; processor time a label: nodes ${count(of(({ nodes }) => nodes))} µs, store ${count(of(({ store }) => store))} µs`,
  );
}

function named({ nodes, projects, isKept }: Setting): string {
  const where =
    nodes === 1
      ? '1 node'
      : `${nodes} nodes, ${isKept ? 'people where their project is decided' : 'people anywhere'}`;
  return `${projects === 1 ? '1 project' : `${projects} projects`}, ${where}`;
}
