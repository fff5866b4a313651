import { count, type Latency, median, medianLatency, shares } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { BenchCluster, type Counts } from './cluster.ts';
import { costs } from './labels.ts';
import type { Options } from './options.ts';
import { run } from './tasks.ts';

const CROWDS = [1, 30] as const;
const SAMPLES = 60_000;
const WARM_UP = 3;

interface Figures {
  readonly rate: number;
  readonly submit: Latency;
  /** Processor time a label, in microseconds. */
  readonly nodes: number;
  readonly store: number;
}

/** A submit at the node that decides, and at another one. */
export async function forwardingRows(options: Options, tell: (what: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const crowd of CROWDS) {
    const direct: Figures[] = [];
    const forwarded: Figures[] = [];
    for (let turn = 0; turn < options.repeats; turn++) {
      const cluster = await BenchCluster.start(2, options.profiles);
      try {
        for (const [place, runs] of [
          [0, direct],
          [1, forwarded],
        ] as const) {
          tell(`forwarding: ${crowd} at a time, ${place === 0 ? 'direct' : 'forwarded'}`);
          runs.push(await measured(cluster, crowd, place, options.seconds));
        }
      } finally {
        await cluster.stop();
      }
    }
    const who = crowd === 1 ? 'one label after the other' : `${crowd} annotators without a pause`;
    rows.push(rowOf(`${who}, at the node that decides`, direct), rowOf('the same, forwarded', forwarded));
  }
  return rows;
}

/** @param place of the node that is asked; the first one decides */
async function measured(
  cluster: BenchCluster,
  crowd: number,
  place: number,
  seconds: number,
): Promise<Figures> {
  const project = await cluster.project(0, SAMPLES, crowd);
  const people = cluster.people(project, () => place);
  let before: Promise<Counts> | null = null;
  const { rate, submit } = await run('saturate', { people, warmUp: WARM_UP, seconds }, () => {
    before = cluster.counts();
  });
  const after = await cluster.counts();
  const { nodes, store, forwarded } = costs((await before) ?? after, after, rate * seconds);
  if (forwarded > 0.5 !== place > 0)
    throw new Error(`a share of ${forwarded} was forwarded from node ${place}`);
  return { rate, submit, nodes, store };
}

function rowOf(what: string, runs: readonly Figures[]): Row {
  const of = (look: (figures: Figures) => number) => count(median(runs.map(look)));
  return told(
    what,
    `${shares(medianLatency(runs.map(({ submit }) => submit)))}; nodes ${of(({ nodes }) => nodes)} µs a label`,
    `p50 / p95 / p99 of a submit; processor time of both nodes together, and of the store ${of(({ store }) => store)} µs; ${of(({ rate }) => rate)} labels/s; median of ${runs.length}`,
  );
}
