import { defineStrategy, type Strategy } from '@concord/sdk/strategy';
import { conformance } from '@concord/sdk/strategy/testing';
import { describe, expect, it } from 'vitest';
import { chooseOn } from '../../sdk/src/strategy/testing/stand.ts';
import { type Universe, universe } from '../../sdk/src/strategy/testing/universe.ts';
import type { SamplePool } from '../../src/strategies/pool.ts';
import { builtIns, choose } from './support.ts';

const others = Object.values(builtIns);

describe.each(others.map((strategy) => [strategy.name, strategy] as const))('%s', (_, strategy) => {
  for (const { name, run } of conformance(strategy, { others })) it(name, run);
});

/** The same samples as the host is given them. */
function poolOf(from: Universe): SamplePool {
  const rowOf = new Uint32Array((from.ordinals.at(-1) ?? 0) + 1).fill(0xffffffff);
  from.ordinals.forEach((ordinal, place) => {
    rowOf[ordinal] = place;
  });
  const ordinals = (places: readonly number[]) =>
    Uint32Array.from(places, (place) => from.ordinals[place] ?? 0);
  const labels = Uint16Array.from(from.labelled, (place) => place % from.classes);
  return {
    ordinals: ordinals(from.open),
    accepted: Uint8Array.from(from.open, (place) => Number(from.accepted.has(place))),
    labelSet: Array.from({ length: from.classes }, (_, label) => `class ${label}`),
    predictions: { rowOf, probabilities: from.probabilities, passes: from.passes },
    embeddings: { rowOf, values: from.embeddings, dimensions: from.dimensions },
    labelled: { ordinals: ordinals(from.labelled), labels },
    classCounts: Uint32Array.from(
      { length: from.classes },
      (_, label) => labels.filter((one) => one === label).length,
    ),
    cost: Float32Array.from({ length: from.classes }, (_, label) => 2 + label / 4),
  };
}

it('the stand on which strategies are tried chooses what the host chooses', async () => {
  const pools = [
    universe('a', { open: 50, classes: 5 }),
    universe('b', { open: 30, classes: 2, rows: 'alike' }),
    universe('c', { open: 30, classes: 3, labelled: 0, rows: 'certain' }),
  ];
  for (const strategy of others) {
    for (const pool of pools) {
      for (const seed of [1, 2]) {
        const parameters = strategy.name === 'hybrid' ? { base: 'entropy', share: 0.3 } : {};
        const parsed = await strategy.parameters?.['~standard'].validate(parameters);
        const made = parsed === undefined ? {} : (parsed as { value: unknown }).value;
        const { signal } = new AbortController();
        const stood = await chooseOn(strategy, pool, { count: 12, seed, parameters: made, others, signal });
        expect(stood).toEqual(await choose(strategy, poolOf(pool), 12, { seed, parameters }));
      }
    }
  }
});

describe('a strategy that breaks its promise is found out', () => {
  const description = 'For this test.';
  const needs = ['probabilities'] as const;
  const maximum = () => 1;
  type Definition = Parameters<typeof defineStrategy>[0];
  const scoring = (
    score: (
      rows: { length: number; ordinals: Uint32Array; probabilities: Float32Array },
      context: { random: (ordinal: number) => number; labelled: Uint32Array },
    ) => unknown,
    more = {},
  ) =>
    defineStrategy({ name: 'broken', description, needs, maximum, score, ...more } as unknown as Definition);
  const selecting = (
    select: (
      pool: {
        length: number;
        count: number;
        ordinals: Uint32Array;
        accepted: Uint8Array;
        probabilities: Float32Array;
      },
      context: { signal: AbortSignal },
    ) => unknown,
    more = {},
  ) =>
    defineStrategy({ name: 'broken', description, needs, maximum, select, ...more } as unknown as Definition);
  const first = (length: number, count: number, ordinals: Uint32Array) => ({
    ordinals: ordinals.slice(0, Math.min(length, count)),
  });
  let calls = 0;

  const SHAPES = 'chooses as many as it should, each once, in the shapes of the contract';
  const SEED = 'chooses the same in the same order under the same seed';
  const SPLIT = 'chooses the same however the rows are split';
  const ORDER = 'gives a row the same score in whatever order the rows stand';

  /** What a module does when it is imported. */
  const tossed = () => {
    const isUp = Math.random() < 0.5;
    return scoring(({ length }) => new Float64Array(length).map((_, i) => (isUp ? i : length - i) / 1e3));
  };
  const dated = () => {
    const year = new Date().getFullYear();
    return scoring(({ length }) => new Float64Array(length).fill(year / 1e5));
  };
  const reloads = new Map([
    ['tosses up when it is imported', async () => tossed()],
    ['asks for the date when it is imported', async () => dated()],
  ]);

  const broken: [string, string, Strategy, RegExp][] = [
    [
      'returns a list',
      SHAPES,
      scoring(({ length }) => new Array(length).fill(0)),
      /must return a Float64Array/,
    ],
    [
      'returns one score too few',
      SHAPES,
      scoring(({ length }) => new Float64Array(length - 1)),
      /scores for \d+ samples/,
    ],
    ['returns NaN', SHAPES, scoring(({ length }) => new Float64Array(length).fill(Number.NaN)), /NaN/],
    ['returns negative scores', SHAPES, scoring(({ length }) => new Float64Array(length).fill(-1)), /≥ 0/],
    ['chooses none', SHAPES, selecting(() => ({ ordinals: new Uint32Array(0) })), /fewer than the/],
    [
      'chooses one twice',
      SHAPES,
      selecting(({ count, ordinals }) => ({ ordinals: new Uint32Array(count).fill(ordinals[0] ?? 0) })),
      /twice/,
    ],
    ['chooses too many', SHAPES, selecting(({ ordinals }) => ({ ordinals })), /more than the/],
    [
      'returns ordinals as a list',
      SHAPES,
      selecting(({ count, ordinals }) => ({ ordinals: [...ordinals].slice(0, count) })),
      /Uint32Array/,
    ],
    [
      'exceeds its maximum',
      'keeps its scores within its bounds, for any number of classes',
      scoring(({ length }) => new Float64Array(length).fill(2)),
      /above its maximum/,
    ],
    [
      'has no maximum for many classes',
      'keeps its scores within its bounds, for any number of classes',
      scoring(({ length }) => new Float64Array(length), {
        maximum: (classes: number) => (classes < 50 ? 1 : Number.NaN),
      }),
      /maximum for 50 classes/,
    ],
    [
      'counts its calls',
      SEED,
      scoring(({ length }) => new Float64Array(length).map((_, i) => ((i * ++calls) % 7) / 7)),
      /second time/,
    ],
    [
      'uses Math.random',
      'uses no chance but its seed, and no clock',
      scoring(({ length }) => new Float64Array(length).map(() => Math.random())),
      /Math.random/,
    ],
    [
      'looks at the clock',
      'uses no chance but its seed, and no clock',
      scoring(({ length }) => new Float64Array(length).fill(Date.now() % 2)),
      /Date.now/,
    ],
    [
      'asks for the date',
      'uses no chance but its seed, and no clock',
      scoring(({ length }) => new Float64Array(length).fill(new Date().getFullYear() / 1e4)),
      /new Date\(\)/,
    ],
    [
      'uses chance and hides what comes of it',
      'uses no chance but its seed, and no clock',
      scoring(({ length }) => {
        try {
          return new Float64Array(length).fill(crypto.getRandomValues(new Uint8Array(1))[0] ?? 0);
        } catch {
          return new Float64Array(length);
        }
      }),
      /crypto.getRandomValues/,
    ],
    ['tosses up when it is imported', 'chooses the same when it is imported anew', tossed(), /Math.random/],
    [
      'asks for the date when it is imported',
      'chooses the same when it is imported anew',
      dated(),
      /new Date/,
    ],
    [
      'scores by the rank within its rows',
      SPLIT,
      scoring(({ length }) => new Float64Array(length).map((_, i) => i / 1000)),
      /blocks of 1/,
    ],
    [
      'scores by the rank within its rows',
      ORDER,
      scoring(({ length }) => new Float64Array(length).map((_, i) => i / 1000)),
      /in reverse/,
    ],
    [
      'divides by the block’s largest',
      SPLIT,
      scoring(({ length, probabilities }) => {
        const most = Math.max(...probabilities);
        return new Float64Array(length).map((_, i) => (probabilities[i] ?? 0) / most / 2);
      }),
      /blocks of/,
    ],
    [
      'breaks ties as it likes',
      'breaks ties, the same way each time',
      selecting(({ count, ordinals }) => {
        const from = ++calls % (ordinals.length - count + 1);
        return { ordinals: ordinals.slice(from, from + count) };
      }),
      /second time/,
    ],
    [
      'writes to its rows',
      'leaves what it is given as it is',
      scoring(({ length, probabilities }) => {
        probabilities.fill(0);
        return new Float64Array(length);
      }),
      /it wrote to rows.probabilities/,
    ],
    [
      'writes to the pool',
      'leaves what it is given as it is',
      selecting(
        ({ length, count, ordinals }) => {
          const chosen = first(length, count, ordinals);
          ordinals.reverse();
          return chosen;
        },
        { needs: [] },
      ),
      /it wrote to pool.ordinals/,
    ],
    [
      'needs two samples',
      'works on one sample, on two, and where nothing needs review',
      selecting(({ length, count, ordinals }) => {
        if (length < 2) throw new Error('too few');
        return first(length, count, ordinals);
      }),
      /one sample: too few/,
    ],
    [
      'insists on review',
      'works on one sample, on two, and where nothing needs review',
      selecting(({ length, count, ordinals, accepted }) => {
        if (!accepted.includes(0)) throw new Error('none');
        return first(length, count, ordinals);
      }),
      /auto-accepted: none/,
    ],
    [
      'insists on labels',
      'works where nothing is labelled yet',
      scoring(
        ({ length }, { labelled }) => {
          if (labelled.length === 0) throw new Error('no labels');
          return new Float64Array(length);
        },
        { needs: ['labelled'] },
      ),
      /none labelled: no labels/,
    ],
    [
      'reads what it does not need',
      'reads nothing but what it needs',
      scoring(
        ({ length, probabilities }) => new Float64Array(length).map((_, i) => probabilities?.[i] ?? 0),
        { needs: [] },
      ),
      /it reads rows.probabilities, and its needs do not have "probabilities"/,
    ],
    [
      'waits for ever',
      'ends when nobody wants its answer any more',
      selecting(() => new Promise(() => {})),
      /had not ended/,
    ],
  ];
  it.each(broken)('%s: %s', async (title, promise, strategy, message) => {
    const reload = reloads.get(title) ?? (async () => strategy);
    const check = conformance(strategy, { patience: 50, reload }).find(({ name }) => name === promise);
    await expect(check?.run()).rejects.toThrow(message);
  });

  it('and no promise goes without a strategy that breaks it', () => {
    const promises = conformance(builtIns.margin).map(({ name }) => name);
    expect(new Set(broken.map(([, promise]) => promise))).toEqual(new Set(promises));
  });

  it('refuses what defineStrategy did not make, and parameters that the strategy refuses', async () => {
    expect(() => conformance({ ...builtIns.margin, contract: 'x' } as unknown as Strategy)).toThrow(
      TypeError,
    );
    const [check] = conformance(builtIns.dmbal, { parameters: { prefilter: 0 } });
    await expect(check?.run()).rejects.toThrow(/dmbal refuses the parameters/);
  });
});
