import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FullSelection, Strategy } from '@concord/sdk/strategy';
import bald from '../../plugins/bald.ts';
import classBalancedMargin from '../../plugins/class-balanced-margin.ts';
import dmbal from '../../plugins/dmbal.ts';
import entropy from '../../plugins/entropy.ts';
import hybrid from '../../plugins/hybrid.ts';
import kCenterGreedy from '../../plugins/k-center-greedy.ts';
import leastConfident from '../../plugins/least-confident.ts';
import margin from '../../plugins/margin.ts';
import powerMargin from '../../plugins/power-margin.ts';
import random from '../../plugins/random.ts';
import typiclust from '../../plugins/typiclust.ts';
import voteEntropy from '../../plugins/vote-entropy.ts';
import { UnknownStrategyError } from '../../src/strategies/errors.ts';
import type { StrategyHost, StrategyHostOptions } from '../../src/strategies/host.ts';
import type { JsonObject } from '../../src/strategies/json.ts';
import { plan } from '../../src/strategies/plan.ts';
import { available, checkPool, NO_ROW, type SamplePool } from '../../src/strategies/pool.ts';
import { type Run, run } from '../../src/strategies/run.ts';

export const BUILT_IN = fileURLToPath(new URL('../../plugins', import.meta.url));

export const builtIns = {
  bald,
  'class-balanced-margin': classBalancedMargin,
  dmbal,
  entropy,
  hybrid,
  'k-center-greedy': kCenterGreedy,
  'least-confident': leastConfident,
  margin,
  'power-margin': powerMargin,
  random,
  typiclust,
  'vote-entropy': voteEntropy,
} satisfies Record<string, Strategy>;

export const environment: StrategyHostOptions['environment'] = {
  setTimer(fn, ms) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

interface RunningOptions {
  seed?: number;
  parameters?: unknown;
  others?: readonly Strategy[];
  states?: Readonly<Record<string, JsonObject>>;
  seat?: number;
}

/** What a worker does, without one: plans a strategy and runs it. */
export async function runOf(
  strategy: Strategy,
  pool: SamplePool,
  count: number,
  { seed = 1, parameters, others = [], states = {}, ...seat }: RunningOptions = {},
): Promise<Run> {
  checkPool(pool);
  const known = [...Object.values(builtIns), ...others, strategy].reverse();
  const find = async (name: string) => {
    const found = known.find((one) => one.name === name);
    if (found === undefined) throw new UnknownStrategyError(name, []);
    return found;
  };
  const planned = await plan(find, strategy.name, parameters, available(pool));
  const options = { seed, signal: new AbortController().signal, states, ...seat };
  return run(planned, pool, count, options);
}

export async function choose(
  strategy: Strategy,
  pool: SamplePool,
  count: number,
  options?: RunningOptions,
): Promise<FullSelection> {
  return (await runOf(strategy, pool, count, options)).selection;
}

/** A pool in which the i-th row is the i-th sample's prediction; a row of null is a sample without one. */
export function poolOf(
  rows: readonly (readonly number[] | null)[],
  { ordinals, accepted = [] }: { ordinals?: readonly number[]; accepted?: readonly number[] } = {},
): SamplePool {
  const predicted = rows.filter((row) => row !== null);
  const named = ordinals ?? rows.map((_, i) => i);
  const rowOf = new Uint32Array(Math.max(0, ...named) + 1).fill(NO_ROW);
  let next = 0;
  rows.forEach((row, i) => {
    if (row !== null) rowOf[named[i] as number] = next++;
  });
  return {
    ...unpredicted(0, predicted[0]?.length ?? 2),
    ordinals: Uint32Array.from(named),
    accepted: Uint8Array.from(rows, (_, i) => (accepted.includes(i) ? 1 : 0)),
    predictions: { rowOf, probabilities: Float32Array.from(predicted.flat()), passes: null },
  };
}

/** A pool of samples 0 … length − 1 before the first prediction run. */
export function unpredicted(length: number, classes = 2): SamplePool {
  return {
    ordinals: Uint32Array.from({ length }, (_, i) => i),
    accepted: new Uint8Array(length),
    labelSet: Array.from({ length: classes }, (_, c) => `class ${c}`),
    predictions: null,
    embeddings: null,
    labelled: null,
    classCounts: null,
    cost: null,
  };
}

/** A folder of plugins that is removed when the `using` block ends. */
export async function pluginFolder(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'concord-plugins-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true });
    },
  };
}

/** A plugin's text, as a researcher would write it: `body` has its `score` or `select`. */
export const plugin = (name: string, body: string, before = '') => `
import { defineStrategy } from '@concord/sdk/strategy';
${before}
export default defineStrategy({
  name: '${name}',
  description: 'For this test.',
  maximum: () => 1,
  ${body}
});
`;

/** A host that is closed when the `using` block ends. */
export async function closing(opening: Promise<StrategyHost>) {
  const host = await opening;
  return { host, [Symbol.asyncDispose]: () => host.close() };
}
