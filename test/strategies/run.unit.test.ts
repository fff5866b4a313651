import { defineStrategy, type Selection, type Strategy } from '@concord/sdk/strategy';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { StrategyFailedError, StrategyParametersError } from '../../src/strategies/errors.ts';
import type { SamplePool } from '../../src/strategies/pool.ts';
import { choose, poolOf, unpredicted } from './support.ts';

const description = 'For this test.';

function selecting(select: (pool: { ordinals: Uint32Array; count: number }) => unknown): Strategy {
  return defineStrategy({ name: 'test', description, select: (pool) => select(pool) as Selection });
}

function scoring(score: (rows: { length: number; ordinals: Uint32Array }) => unknown): Strategy {
  return defineStrategy({
    name: 'test',
    description,
    maximum: () => 1,
    score: (rows) => score(rows) as Float64Array,
  });
}

const first = ({ ordinals, count }: { ordinals: Uint32Array; count: number }) => ordinals.slice(0, count);

describe('what a strategy answers', () => {
  const pool = unpredicted(10);

  it.each<[string, Strategy, RegExp]>([
    ['NaN', scoring(({ length }) => new Float64Array(length).fill(Number.NaN)), /score of sample 0 is NaN/],
    ['a negative score', scoring(({ length }) => new Float32Array(length).fill(-1)), /sample 0 is -1/],
    ['an infinite score', scoring(({ length }) => new Float64Array(length).fill(1 / 0)), /is Infinity/],
    ['too few scores', scoring(() => new Float64Array(3)), /3 scores for 10 samples/],
    ['a plain array', scoring(({ length }) => new Array(length).fill(0)), /Float64Array or Float32Array/],
    ['a promise of scores', scoring(async ({ length }) => new Float64Array(length)), /Float64Array or/],
    ['nothing', selecting(() => undefined), /must return a selection/],
    ['no ordinals', selecting(() => ({})), /ordinals must be a Uint32Array/],
    ['plain ordinals', selecting(() => ({ ordinals: [1, 2] })), /ordinals must be a Uint32Array/],
    ['a sample twice', selecting(() => ({ ordinals: Uint32Array.of(1, 2, 3, 1) })), /sample 1 twice/],
    ['an unknown sample', selecting(() => ({ ordinals: Uint32Array.of(1, 2, 3, 99) })), /99, which is not/],
    ['too many', selecting(({ ordinals }) => ({ ordinals })), /10 samples, more than the 4/],
    ['too few', selecting(() => ({ ordinals: Uint32Array.of(1, 2) })), /2 samples, fewer than the 4/],
    [
      'scores without maximum',
      selecting((pool) => ({ ordinals: first(pool), scores: new Float64Array(4) })),
      /no maximum/,
    ],
    [
      'scores of another length',
      selecting((pool) => ({ ordinals: first(pool), scores: new Float64Array(5) })),
      /scores must be/,
    ],
    [
      'a negative score of a selection',
      selecting((pool) => ({ ordinals: first(pool), scores: Float64Array.of(1, -1, 1, 1) })),
      /sample 1 is -1/,
    ],
    [
      'normalised scores above 1',
      selecting((pool) => ({ ordinals: first(pool), normalised: Float64Array.of(1, 2, 1, 1) })),
      /normalised must be/,
    ],
    [
      'random samples of unknown probability',
      selecting((pool) => ({ ordinals: first(pool), random: Uint8Array.of(1, 0, 0, 0) })),
      /need an inclusionProbability/,
    ],
    [
      'a flag that is no flag',
      selecting((pool) => ({ ordinals: first(pool), random: Uint8Array.of(2, 0, 0, 0) })),
      /0 and 1 alone/,
    ],
    [
      'a probability of nothing',
      selecting((pool) => ({ ordinals: first(pool), inclusionProbability: 0.5 })),
      /goes with random samples/,
    ],
  ])('is refused with %s', async (_, strategy, detail) => {
    const refused = choose(strategy, pool, 4);
    await expect(refused).rejects.toThrow(StrategyFailedError);
    await expect(refused).rejects.toMatchObject({
      strategy: 'test',
      reason: 'invalid-result',
      detail: expect.stringMatching(detail),
    });
  });

  it('is refused when its maximum is none', async () => {
    const strategy = defineStrategy({
      name: 'test',
      description,
      maximum: () => 0,
      score: ({ length }) => new Float64Array(length).fill(1),
    });
    await expect(choose(strategy, pool, 1)).rejects.toThrow(/maximum for 2 classes is 0/);
  });

  it.each<[string, Strategy]>([
    [
      'an error',
      scoring(() => {
        throw new TypeError('boom');
      }),
    ],
    [
      'an error later',
      selecting(async () => {
        throw new TypeError('boom');
      }),
    ],
  ])('passes on %s with the strategy’s name', async (_, strategy) => {
    await expect(choose(strategy, pool, 1)).rejects.toMatchObject({
      message: 'strategy test failed: TypeError: boom',
      reason: 'threw',
      cause: expect.any(TypeError),
    });
  });

  it('may leave all but the ordinals open', async () => {
    expect(
      await choose(
        selecting((pool) => ({ ordinals: first(pool) })),
        pool,
        2,
      ),
    ).toEqual({
      ordinals: Uint32Array.of(0, 1),
      scores: Float64Array.of(Number.NaN, Number.NaN),
      normalised: Float64Array.of(0, 0),
      random: Uint8Array.of(0, 0),
      inclusionProbability: null,
      reasons: null,
    });
  });
});

describe('what a strategy is given', () => {
  it('comes in blocks, from which nothing follows', async () => {
    const seen: number[] = [];
    const strategy = defineStrategy({
      name: 'test',
      description,
      needs: ['probabilities'],
      maximum: () => 1,
      score({ length, ordinals }, { random }) {
        seen.push(length);
        return Float64Array.from(ordinals, (ordinal) => random(ordinal));
      },
    });
    const pool = (classes: number): SamplePool => ({
      ...unpredicted(40_000, classes),
      predictions: {
        rowOf: Uint32Array.from({ length: 40_000 }, (_, i) => i),
        probabilities: new Float32Array(40_000 * classes),
        passes: null,
      },
    });
    const narrow = await choose(strategy, pool(2), 50);
    expect(seen.length).toBeGreaterThan(1);
    const wide = await choose(strategy, pool(50), 50);
    expect(seen.at(-2)).toBeLessThan(seen[0] as number);
    expect(wide).toEqual(narrow);
  });

  it('is a copy', async () => {
    const pool = poolOf([
      [0.6, 0.4],
      [0.5, 0.5],
      [0.9, 0.1],
    ]);
    const kept = structuredClone(pool);
    const vandals = [
      defineStrategy({
        name: 'test',
        description,
        needs: ['probabilities'],
        maximum: () => 1,
        score({ length, ordinals, probabilities }) {
          ordinals.fill(0);
          probabilities.fill(0);
          return new Float64Array(length);
        },
      }),
      defineStrategy({
        name: 'test',
        description,
        needs: ['probabilities'],
        select({ ordinals, accepted, probabilities, count }) {
          const chosen = ordinals.slice(0, count);
          ordinals.fill(0);
          accepted.fill(1);
          probabilities.fill(0);
          return { ordinals: chosen };
        },
      }),
    ];
    for (const vandal of vandals) {
      expect((await choose(vandal, pool, 3)).ordinals).toHaveLength(3);
      expect(pool).toEqual(kept);
    }
  });

  it('is the row of each sample, in whatever order the matrix has them', async () => {
    const pool: SamplePool = {
      ...unpredicted(0),
      ordinals: Uint32Array.of(3, 5, 8, 9),
      accepted: new Uint8Array(4),
      predictions: {
        rowOf: Uint32Array.from({ length: 10 }, (_, ordinal) => [9, 0, 0, 3, 0, 5].indexOf(ordinal) >>> 0),
        probabilities: Float32Array.of(0.1, 0.9, 0, 1, 0, 1, 0.3, 0.7, 0, 1, 0.4, 0.6),
        passes: null,
      },
    };
    const strategy = defineStrategy({
      name: 'test',
      description,
      needs: ['probabilities'],
      maximum: () => 1,
      select: ({ ordinals, probabilities }) => ({
        ordinals,
        scores: Float64Array.from(ordinals, (_, i) => probabilities[2 * i] as number),
      }),
    });
    const { ordinals, scores } = await choose(strategy, pool, 4);
    expect([...ordinals]).toEqual([3, 5, 9]);
    expect([...scores]).toEqual([Math.fround(0.3), Math.fround(0.4), Math.fround(0.1)]);
  });

  it('are random numbers of its own', async () => {
    const named = (name: string) =>
      defineStrategy({
        name,
        description,
        maximum: () => 1,
        score: ({ ordinals }, { random }) => Float64Array.from(ordinals, (ordinal) => random(ordinal)),
      });
    const one = await choose(named('one'), unpredicted(100), 10);
    expect(await choose(named('one'), unpredicted(100), 10)).toEqual(one);
    expect(await choose(named('two'), unpredicted(100), 10)).not.toEqual(one);
  });
});

describe('ask', () => {
  const asking = (asked: string, count = 2, exclude?: Uint32Array) =>
    defineStrategy({
      name: 'test',
      description,
      asks: () => [{ strategy: 'entropy' }],
      async select(_, { ask }) {
        return ask(asked, exclude === undefined ? { count } : { count, exclude });
      },
    });
  const pool = poolOf([
    [0.5, 0.5],
    [0.6, 0.4],
    [0.7, 0.3],
    [0.8, 0.2],
  ]);

  it('leaves the choice to another strategy, without what is excluded', async () => {
    expect([...(await choose(asking('entropy'), pool, 2)).ordinals]).toEqual([0, 1]);
    expect([...(await choose(asking('entropy', 2, Uint32Array.of(1, 0)), pool, 2)).ordinals]).toEqual([2, 3]);
  });

  it('gives what there is', async () => {
    expect([...(await choose(asking('entropy', 100), pool, 4)).ordinals]).toEqual([0, 1, 2, 3]);
  });

  it('refuses a strategy that was not named beforehand, and a count that is none', async () => {
    await expect(choose(asking('margin'), pool, 2)).rejects.toThrow(/"margin", which its asks does not name/);
    await expect(choose(asking('entropy', -1), pool, 2)).rejects.toThrow(StrategyFailedError);
  });

  it('blames the strategy that failed', async () => {
    const faulty = defineStrategy({
      name: 'faulty',
      description,
      maximum: () => 1,
      score: () => new Float64Array(0),
    });
    const strategy = defineStrategy({
      name: 'test',
      description,
      asks: () => [{ strategy: 'faulty' }],
      select: (_, { ask }) => ask('faulty', { count: 1 }),
    });
    await expect(choose(strategy, pool, 1, { others: [faulty] })).rejects.toMatchObject({
      strategy: 'faulty',
    });
  });

  it('refuses circles, and the same strategy twice', async () => {
    const to = (name: string, ...asked: string[]) =>
      defineStrategy({
        name,
        description,
        asks: () => asked.map((strategy) => ({ strategy })),
        select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
      });
    await expect(choose(to('one', 'two'), pool, 1, { others: [to('two', 'one')] })).rejects.toThrow(
      /one → two → one/,
    );
    await expect(choose(to('one', 'margin', 'margin'), pool, 1)).rejects.toThrow(/names margin twice/);
  });
});

describe('parameters', () => {
  it('name where they are wrong', async () => {
    const strategy = defineStrategy({
      name: 'test',
      description,
      parameters: z.object({ weights: z.array(z.number()) }),
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    });
    await expect(
      choose(strategy, unpredicted(2), 1, { parameters: { weights: [1, 'x'] } }),
    ).rejects.toMatchObject({
      issues: [{ path: 'weights.1', message: expect.any(String) }],
    });
  });

  const made = (value: unknown) =>
    defineStrategy({
      name: 'test',
      description,
      parameters: z.any().transform(() => value),
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    });
  const circle: Record<string, unknown> = {};
  circle['again'] = circle;
  let wide: unknown[] = [];
  for (let depth = 0; depth < 30; depth++) wide = [wide, wide];

  it.each<[string, unknown, string]>([
    ['an array', [1, 2], 'are an Array, and no JSON object'],
    ['nothing', undefined, 'are undefined, and no JSON object'],
    ['a Map', new Map([[1, 2]]), 'are a Map, and no JSON object'],
    ['a Map within', { at: [new Map()] }, 'hold a Map, which JSON cannot (at at.0)'],
    ['a BigInt', { n: 1n }, 'hold a BigInt, which JSON cannot (at n)'],
    ['NaN', { n: Number.NaN }, 'hold NaN, which JSON cannot (at n)'],
    ['infinity', { n: [1, -1 / 0] }, 'hold -Infinity, which JSON cannot (at n.1)'],
    ['a date', { at: new Date(0) }, 'hold a Date, which JSON cannot (at at)'],
    ['a function', { toJSON: () => ({}) }, 'hold a function, which JSON cannot (at toJSON)'],
    ['a hole', { list: Array(2) }, 'hold undefined, which JSON cannot (at list.0)'],
    ['a circle', circle, 'are nested more than 32 deep (at again.again.again)'],
    ['what is far larger than it looks', { wide }, 'take more than 64 KiB as JSON'],
    ['a long text', { text: 'x'.repeat(65_536) }, 'take more than 64 KiB as JSON'],
    ['half a character', { text: '\ud800' }, 'hold half a surrogate pair (at text)'],
    ['a prototype', JSON.parse('{"__proto__":{"a":1}}'), 'have a key named __proto__ (at __proto__)'],
  ])('are refused where the schema made %s of them', async (_, value, problem) => {
    await expect(choose(made(value), unpredicted(2), 1)).rejects.toMatchObject({
      strategy: 'test',
      reason: 'invalid-result',
      detail: `the parameters that its schema made ${problem}`,
    });
  });

  it('are refused where a getter of theirs throws', async () => {
    const value = Object.defineProperty({}, 'bad', {
      enumerable: true,
      get() {
        throw new Error('not today');
      },
    });
    await expect(choose(made(value), unpredicted(2), 1)).rejects.toMatchObject({
      reason: 'threw',
      detail: 'Error: not today',
    });
  });

  it.each<[string, unknown, string]>([
    ['too large', { list: Array(40_000).fill(1) }, 'the parameters take more than 64 KiB as JSON'],
    ['no object', [], 'the parameters are an Array, and no JSON object'],
  ])('are refused where those given are %s', async (_, parameters, message) => {
    await expect(choose(made({}), unpredicted(2), 1, { parameters })).rejects.toMatchObject({
      constructor: StrategyParametersError,
      issues: [{ path: '', message }],
    });
  });

  it('are what JSON keeps of them', async () => {
    const seen: unknown[] = [];
    const strategy = defineStrategy({
      name: 'test',
      description,
      parameters: z.any().transform(() => ({ a: -0, b: undefined, c: [null, true, 'ä'], d: { e: 1e-7 } })),
      select({ ordinals, count }, { parameters }) {
        seen.push(parameters);
        return { ordinals: ordinals.slice(0, count) };
      },
    });
    await choose(strategy, unpredicted(2), 1);
    expect(seen).toStrictEqual([{ a: 0, c: [null, true, 'ä'], d: { e: 1e-7 } }]);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'its schema answered nothing'],
    ['no issue', { issues: [] }, 'its schema refused the parameters and gave no issue'],
  ])('are refused where the schema answers %s', async (_, answer, detail) => {
    const schema = { '~standard': { version: 1 as const, vendor: 'test', validate: () => answer as never } };
    const strategy = defineStrategy({
      name: 'test',
      description,
      parameters: schema,
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    });
    await expect(choose(strategy, unpredicted(2), 1)).rejects.toMatchObject({ detail });
  });

  it('are refused where asks is no list of strategies', async () => {
    const strategy = defineStrategy({
      name: 'test',
      description,
      asks: () => ['margin'] as never,
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    });
    await expect(choose(strategy, unpredicted(2), 1)).rejects.toThrow(/asks must give a list of/);
  });
});
