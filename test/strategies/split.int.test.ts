import { sharedMatrices } from '@concord/sdk/strategy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStrategyHost, type StrategyHost } from '../../src/strategies/host.ts';
import { NO_ROW, type SamplePool } from '../../src/strategies/pool.ts';
import { BUILT_IN, environment, plugin, pluginFolder, unpredicted } from './support.ts';

/** A large pool is scored by several workers; who scores what must not show. */

const SAMPLES = 400_000;
const CLASSES = 6;

/** Rows of few different values, so that ties abound; some samples have none, some are auto-accepted. */
function largePool(): SamplePool {
  const rowOf = new Uint32Array(new SharedArrayBuffer(4 * SAMPLES));
  const { memory, matrices } = sharedMatrices(1, SAMPLES * CLASSES);
  const probabilities = matrices[0] as Float32Array;
  const accepted = new Uint8Array(SAMPLES);
  let row = 0;
  for (let i = 0; i < SAMPLES; i++) {
    rowOf[i] = i % 97 === 0 ? NO_ROW : row++;
    accepted[i] = i % 31 === 0 ? 1 : 0;
    const sure = 0.3 + ((i * 7919) % 50) / 100;
    probabilities.fill((1 - sure) / (CLASSES - 1), i * CLASSES, (i + 1) * CLASSES);
    probabilities[i * CLASSES + (i % CLASSES)] = sure;
  }
  return {
    ...unpredicted(SAMPLES, CLASSES),
    accepted,
    predictions: { rowOf, probabilities, memory, passes: null },
  };
}

const THREAD = "import { threadId } from 'node:worker_threads';";

let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let pool: SamplePool;
beforeAll(async () => {
  pool = largePool();
  plugins = await pluginFolder({
    'late.ts': plugin(
      'late',
      `needs: ['probabilities'],
      score({ length, ordinals }) {
        if (ordinals.includes(${SAMPLES - 2})) throw new Error('it met the last');
        return new Float64Array(length).fill(0.5);
      },`,
    ),
    'nan.ts': plugin(
      'nan',
      `needs: ['probabilities'],
      score: ({ ordinals }) => Float64Array.from(ordinals, (o) => (o > 300_000 ? NaN : 0.5)),`,
    ),
    'once.ts': plugin(
      'once',
      // Ends every thread but the first that it runs in.
      `needs: ['probabilities'],
      score({ length, ordinals }) {
        if (ordinals[0] > 5) globalThis.first ??= false;
        globalThis.first ??= true;
        if (!globalThis.first) process.exit(3);
        return Float64Array.from({ length }, (_, i) => (ordinals[i] % 1000) / 1000);
      },`,
    ),
    'threads.ts': plugin(
      'threads',
      `needs: ['probabilities'],
      score: ({ length }) => new Float64Array(length).fill(threadId % 7 / 10),`,
      THREAD,
    ),
  });
});
afterAll(() => plugins[Symbol.asyncDispose]());

const open = (folder: string, workers: number) => openStrategyHost({ folder, environment, workers });
const closing = async <T>(host: StrategyHost, work: (host: StrategyHost) => Promise<T>): Promise<T> => {
  try {
    return await work(host);
  } finally {
    await host.close();
  }
};

describe('a pool that is scored by several workers', () => {
  it.each(['entropy', 'margin', 'hybrid', 'power-margin'])(
    'gives the same by 1, 2 and 3 of them: %s',
    async (strategy) => {
      const answers: unknown[] = [];
      for (const workers of [1, 2, 3]) {
        await closing(await open(BUILT_IN, workers), async (host) => {
          const request = { strategy, seed: 7, count: 3_000, pool };
          // The first starts threads ahead, the second has their help, the third finds more of them.
          for (let i = 0; i < 3; i++) answers.push(await host.select(request));
        });
      }
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    },
  );

  it('is scored by several indeed', async () => {
    await closing(await open(plugins.folder, 2), async (host) => {
      const request = { strategy: 'threads', seed: 1, count: SAMPLES, pool };
      const threads = async () => new Set((await host.select(request)).scores).size;
      expect(await threads()).toBe(1);
      await expect.poll(threads, { timeout: 15_000 }).toBe(2);
    });
  });

  it.each([
    ['late', 'Error: it met the last'],
    ['nan', 'the score of sample 300001 is NaN; it must be finite and ≥ 0'],
  ])('fails alike by any number: %s', async (strategy, detail) => {
    for (const workers of [1, 3]) {
      await closing(await open(plugins.folder, workers), async (host) => {
        for (let i = 0; i < 3; i++) {
          const failing = host.select({ strategy, seed: 1, count: 10, pool });
          await expect(failing).rejects.toMatchObject({ detail: expect.stringContaining(detail) });
        }
      });
    }
  });

  it('is scored to the end though a helper is lost', async () => {
    await closing(await open(plugins.folder, 3), async (host) => {
      const request = { strategy: 'once', seed: 1, count: 100, pool };
      const answers: unknown[] = [];
      for (let i = 0; i < 4; i++) answers.push(await host.select(request));
      for (const answer of answers) expect(answer).toEqual(answers[0]);
    });
  });
});
