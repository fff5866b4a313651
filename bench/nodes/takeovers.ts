import { median, seconds } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { BenchCluster } from './cluster.ts';
import type { Options } from './options.ts';
import { run } from './tasks.ts';

const PROJECTS = 10;
const SAMPLES = 1_000;

/** From a kill to the first command that is answered again, of each project that the node had decided. */
export async function takeOverRows(
  { kills, profiles }: Options,
  tell: (what: string) => void,
): Promise<Row[]> {
  const all: number[] = [];
  let refused = 0;
  const cluster = await BenchCluster.start(3, profiles);
  try {
    for (let turn = 0; turn < kills; turn++) {
      tell(`take-over ${turn + 1} of ${kills}`);
      const victim = turn % cluster.nodes.length;
      const people = [];
      for (let i = 0; i < PROJECTS; i++) {
        const project = await cluster.project(victim, SAMPLES, 2);
        people.push(...cluster.people(project, (person) => victim + 1 + person));
      }
      const { pid } = cluster.node(victim);
      const output = await run('takeOver', { people, pid });
      all.push(...output.milliseconds);
      refused += output.refused;
      await cluster.add(victim);
    }
  } finally {
    await cluster.stop();
  }
  return [
    told(
      'a node is killed: until another one answers a command for its project',
      `median ${seconds(median(all))}, at the worst ${seconds(Math.max(...all))}`,
      `${kills} kills (SIGKILL) of one of three nodes, each with ${PROJECTS} projects of ${SAMPLES.toLocaleString('en-US')} samples that it decided; ${refused} claims refused meanwhile with STORE_UNAVAILABLE`,
    ),
  ];
}
