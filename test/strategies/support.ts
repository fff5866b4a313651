import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FullSelection, Strategy } from '@concord/sdk/strategy';
import entropy from '../../plugins/entropy.ts';
import hybrid from '../../plugins/hybrid.ts';
import leastConfident from '../../plugins/least-confident.ts';
import margin from '../../plugins/margin.ts';
import random from '../../plugins/random.ts';
import { UnknownStrategyError } from '../../src/strategies/errors.ts';
import type { StrategyHost, StrategyHostOptions } from '../../src/strategies/host.ts';
import { plan } from '../../src/strategies/plan.ts';
import { checkPool, NO_ROW, type SamplePool } from '../../src/strategies/pool.ts';
import { run } from '../../src/strategies/run.ts';

export const BUILT_IN = fileURLToPath(new URL('../../plugins', import.meta.url));

export const builtIns = { entropy, margin, 'least-confident': leastConfident, random, hybrid };

export const environment: StrategyHostOptions['environment'] = {
  setTimer(fn, ms) {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** What a worker does, without one: plans a strategy and runs it. */
export async function choose(
  strategy: Strategy,
  pool: SamplePool,
  count: number,
  {
    seed = 1,
    parameters,
    others = [],
  }: { seed?: number; parameters?: unknown; others?: readonly Strategy[] } = {},
): Promise<FullSelection> {
  checkPool(pool);
  const known = [...Object.values(builtIns), ...others, strategy].reverse();
  const find = async (name: string) => {
    const found = known.find((one) => one.name === name);
    if (found === undefined) throw new UnknownStrategyError(name, []);
    return found;
  };
  const planned = await plan(find, strategy.name, parameters, pool.matrix === null ? [] : ['probabilities']);
  return run(planned, pool, count, seed);
}

/** A pool in which the i-th row is the i-th sample's prediction; a row of null is a sample without one. */
export function poolOf(
  rows: readonly (readonly number[] | null)[],
  { ordinals, accepted = [] }: { ordinals?: readonly number[]; accepted?: readonly number[] } = {},
): SamplePool {
  const predicted = rows.filter((row) => row !== null);
  const classes = predicted[0]?.length ?? 2;
  let next = 0;
  return {
    ordinals: Uint32Array.from(ordinals ?? rows.map((_, i) => i)),
    accepted: Uint8Array.from(rows, (_, i) => (accepted.includes(i) ? 1 : 0)),
    rows: Uint32Array.from(rows, (row) => (row === null ? NO_ROW : next++)),
    matrix: Float32Array.from(predicted.flat()),
    classes,
  };
}

/** A pool of samples 0 … length − 1 before the first prediction run. */
export function unpredicted(length: number, classes = 2): SamplePool {
  return {
    ordinals: Uint32Array.from({ length }, (_, i) => i),
    accepted: new Uint8Array(length),
    rows: null,
    matrix: null,
    classes,
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
