import { bald, entropy, leastConfident, margin, type Need, type Rows, TopK } from '@concord/sdk/strategy';
import { Blocks } from '../../src/strategies/blocks.ts';
import { openStrategyHost, type SamplePool, type StrategyHost } from '../../src/strategies/host.ts';
import { median } from '../scale/figures.ts';
import { aimed, type Row } from '../scale/table.ts';
import { COUNT, type Inputs, POINTS, SAMPLES } from './inputs.ts';
import type { Numpy } from './numpy.ts';

const TURNS = 7;
/** Turns before those that count: the worker starts, its code is compiled and then optimised. */
const WARM = 8;

interface Scored {
  readonly needs: readonly Need[];
  readonly score: (rows: Rows<Need>) => Float64Array;
}

interface Case {
  readonly strategy: string;
  readonly what: string;
  /** The most that the host may take of what numpy takes. */
  readonly aim: number;
  /** For a strategy that scores row by row: what its time is made of can be measured one by one. */
  readonly parts: Scored | null;
}

const scored = (need: Need, score: unknown): Scored => ({ needs: [need], score: score as Scored['score'] });

const CASES: readonly Case[] = [
  { strategy: 'entropy', what: '1M × 10', aim: 0.5, parts: scored('probabilities', entropy) },
  { strategy: 'margin', what: '1M × 10', aim: 0.15, parts: scored('probabilities', margin) },
  { strategy: 'least-confident', what: '1M × 10', aim: 0.15, parts: scored('probabilities', leastConfident) },
  { strategy: 'bald', what: '1M × 10 × 5', aim: 0.5, parts: scored('passes', bald) },
  { strategy: 'k-center-greedy', what: '10,000 × 128', aim: 1.5, parts: null },
];

/** Score and exact top 1,000 through the host as the service opens it, in turns with numpy on one thread. */
export async function scoringRows(
  plugins: string,
  inputs: Inputs,
  numpy: Numpy,
  tell: (what: string) => void,
): Promise<Row[]> {
  const usual = { folder: plugins, environment: { setTimer } };
  const host = await openStrategyHost(usual);
  const alone = await openStrategyHost({ ...usual, workers: 1 });
  try {
    const rows: Row[] = [];
    for (const each of CASES) {
      tell(each.strategy);
      rows.push(await row(each, { host, alone }, inputs, numpy));
    }
    return rows;
  } finally {
    await host.close();
    await alone.close();
  }
}

interface Hosts {
  /** With as many workers as the service has. */
  readonly host: StrategyHost;
  /** With one worker: whether it is of use that others help. */
  readonly alone: StrategyHost;
}

async function row(
  { strategy, what, aim, parts }: Case,
  { host, alone }: Hosts,
  inputs: Inputs,
  numpy: Numpy,
): Promise<Row> {
  const pool = parts === null ? inputs.embedded : inputs.predicted;
  const ours: number[] = [];
  const oneWorker: number[] = [];
  const theirs: Record<string, number[]> = {};
  for (let turn = -WARM; turn < TURNS; turn++) {
    const request = { strategy, seed: turn + WARM, count: COUNT, pool };
    const took = await timed(() => host.select(request));
    const yardstick = await numpy.turn(strategy);
    // After numpy's turn as well, so that for neither is anything of the pool in a cache.
    const tookAlone = await timed(() => alone.select(request));
    await numpy.turn(strategy);
    if (turn < 0) continue;
    ours.push(took);
    oneWorker.push(tookAlone);
    for (const [name, milliseconds] of Object.entries(yardstick)) {
      theirs[name] = [...(theirs[name] ?? []), milliseconds];
    }
  }
  const { columns, ...usual } = Object.fromEntries(
    Object.entries(theirs).map(([name, turns]) => [name, median(turns)]),
  );
  const [best = ['', Number.NaN]] = Object.entries(usual).sort(([, a], [, b]) => a - b);
  const ratio = median(ours) / best[1];
  const others = Object.entries({ ...usual, ...(columns === undefined ? {} : { 'by columns': columns }) })
    .filter(([name]) => name !== best[0])
    .map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(0)} ms`);
  const limits = parts === null ? inSearch() : inParts(parts, pool, median(oneWorker));
  return aimed(
    `${strategy}, ${what}, the ${COUNT.toLocaleString('en-US')} highest`,
    `${ratio.toFixed(2)} × (${median(ours).toFixed(1)} ms)`,
    { value: ratio, most: aim, unit: '×' },
    `numpy's ${best[0]} ${best[1].toFixed(1)} ms${others.length > 0 ? `; ${others.join(', ')}` : ''}. With one worker ${median(oneWorker).toFixed(1)} ms: ${limits}`,
  );
}

function inSearch(): string {
  return `Distances of ${POINTS.toLocaleString('en-US')} points, those alone that may be the farthest: summed four numbers at a time`;
}

/** No worker's: the last that there is. */
const SEAT = 15;

/** What a selection is made of, each measured alone on this thread. */
function inParts({ needs, score }: Scored, pool: SamplePool, whole: number): string {
  const brought = medianOf(() => {
    for (const _ of new Blocks(pool, needs, SEAT).of(pool));
  });
  const computed = medianOf(() => {
    for (const { rows } of new Blocks(pool, needs, SEAT).of(pool)) score(rows);
  });
  const chosen = medianOf(() => {
    const top = new TopK(COUNT, 1, SAMPLES, 0);
    for (const { rows, ordinals } of new Blocks(pool, needs, SEAT).of(pool)) top.offer(score(rows), ordinals);
    top.top();
  });
  const parts = [
    ['looking through the pool', brought],
    ['arithmetic', computed - brought],
    ['choosing', chosen - computed],
    ['host and messages', whole - chosen],
  ] as const;
  return parts.map(([name, took]) => `${name} ${Math.max(0, took).toFixed(1)}`).join(', ');
}

/** More than any cache holds. */
const ELSEWHERE = 64 * 1024 * 1024;

function medianOf(work: () => void): number {
  const turns: number[] = [];
  const elsewhere = new Uint8Array(ELSEWHERE);
  for (let turn = -WARM; turn < TURNS; turn++) {
    // As after numpy's turn, nothing of the pool is in a cache.
    elsewhere.fill(turn + WARM);
    const since = performance.now();
    work();
    if (turn >= 0) turns.push(performance.now() - since);
  }
  return median(turns);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

function setTimer(fn: () => void, ms: number): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}
