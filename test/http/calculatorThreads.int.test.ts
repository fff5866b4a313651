import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnswerColumns } from '../../src/domain/answerColumns.ts';
import { tallyAnswers } from '../../src/domain/answerTallies.ts';
import { DRAWS, MODES, STATES } from '../../src/domain/assignmentTable.ts';
import { type Answers, dawidSkene } from '../../src/domain/dawidSkene.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { hash32 } from '../../src/domain/random.ts';
import { CalculatorThreads } from '../../src/http/calculatorThreads.ts';

const WORKER = fileURLToPath(new URL('../../src/http/calculatorWorker.ts', import.meta.url));

/** Two people a sample, of twenty, who are right in three of four. */
function answersTo(samples: number): Answers {
  const says = (i: number, k: number) => hash32(k, i) % 4 > 0;
  return {
    classes: 4,
    annotators: 20,
    offsets: Uint32Array.from({ length: samples + 1 }, (_, i) => 2 * i),
    annotator: Uint32Array.from({ length: 2 * samples }, (_, i) => (i + (i % 2) * (i % 19)) % 20),
    label: Uint16Array.from({ length: 2 * samples }, (_, i) =>
      says(i >> 1, i % 2) ? (i >> 1) % 4 : hash32(9, i) % 4,
    ),
    known: new Int32Array(samples).fill(-1),
    forPrior: new Uint8Array(samples),
  };
}

/** Answers that several people gave to each sample, as a report looks through them. */
function columns(samples: number): AnswerColumns {
  const rows = 3 * samples;
  return {
    classes: 4,
    scale: NOMINAL,
    sample: Uint32Array.from({ length: rows }, (_, row) => Math.floor(row / 3)),
    annotator: Uint32Array.from({ length: rows }, (_, row) => row % 3),
    rating: Int32Array.from({ length: rows }, (_, row) => hash32(5, row) % 4),
    label: Int32Array.from({ length: rows }, (_, row) => hash32(5, row) % 4),
    predicted: new Int32Array(rows).fill(1),
    suggestion: new Int32Array(rows).fill(1),
    mode: new Uint8Array(rows).fill(MODES.indexOf('SHOWN')),
    answeredAt: Float64Array.from({ length: rows }, (_, row) => 1_000 * row),
    milliseconds: new Float32Array(rows).fill(2_000),
    state: new Uint8Array(rows).fill(STATES.indexOf('SUBMITTED')),
    draw: new Uint8Array(rows).fill(DRAWS.indexOf('POOL')),
    publishedAt: Float64Array.of(-1, 1_500, 1e9),
  };
}

describe('what takes long, in threads', () => {
  let entry: URL;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [WORKER],
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    });
    const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
    entry = new URL(`data:text/javascript;base64,${code}`);
  });

  it('estimates come to the same as here, while this thread goes on', async () => {
    const threads = new CalculatorThreads(entry);
    const answers = answersTo(2_000);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const [one, other] = await Promise.all([
      threads.fit(answers, { seed: 1 }),
      threads.fit(answers, { seed: 1, restarts: 0 }),
    ]);
    clearInterval(timer);
    expect(one).toEqual(dawidSkene(answers, { seed: 1 }));
    expect(other).toEqual(dawidSkene(answers, { seed: 1, restarts: 0 }));
    expect(turns).toBeGreaterThan(0);
    await threads.close();
  });

  it('looks through the answers of a report beside what this thread does, and takes them along', async () => {
    const threads = new CalculatorThreads(entry);
    const given = columns(500);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const tallies = await threads.tally(given);
    clearInterval(timer);
    expect(tallies).toEqual(tallyAnswers(columns(500)));
    expect(tallies).toMatchObject({ time: { measured: 1_500 }, answersBefore: [0, 2, 1_500] });
    expect(tallies.trend).toHaveLength(11);
    expect(turns).toBeGreaterThan(0);
    expect(given.rating).toHaveLength(0);
    await threads.close();
  });

  it('estimates fail with their thread, and do not keep a service from closing', async () => {
    const threads = new CalculatorThreads(entry);
    await expect(threads.fit({ ...answersTo(1), annotator: null } as never, {})).rejects.toThrow();
    const long = threads.fit(answersTo(200_000), { restarts: 50 });
    const rejected = expect(long).rejects.toThrow('exited');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await threads.close();
    await rejected;
    await expect(threads.fit(answersTo(1), {})).rejects.toThrow('closed');
  });
});
