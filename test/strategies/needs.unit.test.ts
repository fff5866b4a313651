import {
  defineStrategy,
  type Need,
  type Pool,
  type Rows,
  type Samples,
  type Strategy,
} from '@concord/sdk/strategy';
import { describe, expect, it } from 'vitest';
import { MissingInputError, StrategyFailedError } from '../../src/strategies/errors.ts';
import { NO_ROW, type SamplePool } from '../../src/strategies/pool.ts';
import { choose, runOf, unpredicted } from './support.ts';

const description = 'For this test.';
const numbers = (...values: number[]) => Float32Array.from(values);

/** Six samples: 1 and 4 are labelled, 2 has no prediction, 3 and 4 have no embedding, 5 is auto-accepted. */
const pool: SamplePool = {
  ordinals: Uint32Array.of(0, 2, 3, 5),
  accepted: Uint8Array.of(0, 0, 0, 1),
  labelSet: ['ham', 'spam'],
  predictions: {
    rowOf: Uint32Array.of(4, 3, NO_ROW, 2, 1, 0),
    probabilities: numbers(0.5, 0.5, 0.4, 0.6, 0.3, 0.7, 0.1, 0.9, 0, 1),
    passes: [
      numbers(0.5, 0.5, 0.5, 0.5, 0.25, 0.75, 0, 1, 0, 1),
      numbers(0.5, 0.5, 0.25, 0.75, 0.5, 0.5, 0.25, 0.75, 0, 1),
    ],
  },
  embeddings: {
    rowOf: Uint32Array.of(0, 1, 2, NO_ROW, NO_ROW, 3),
    values: numbers(0, 0, 0, 1, 1, 1, 2, 2, 2, 5, 5, 5),
    dimensions: 3,
  },
  labelled: { ordinals: Uint32Array.of(1, 4), labels: Uint16Array.of(1, 0) },
  classCounts: Uint32Array.of(1, 1),
  cost: numbers(2.5, 4),
};

const plain = (numbers: ArrayLike<number> | null) => numbers && Array.from(numbers);
const shown = ({ ordinals, probabilities, passes, embeddings, dimensions }: Samples<Need>) => ({
  ordinals: plain(ordinals),
  probabilities: plain(probabilities),
  passes: passes?.map(plain) ?? null,
  embeddings: plain(embeddings),
  dimensions,
});
const rounded = (...values: number[]) => values.map(Math.fround);
const nothing = { probabilities: null, passes: null, embeddings: null, dimensions: null };

/** Runs a strategy with these needs, and gives what `look` made of what it was given. */
async function given<Seen>(
  needs: readonly Need[],
  look: (pool: Pool<Need>, context: Parameters<Extract<Strategy, { kind: 'select' }>['select']>[1]) => Seen,
): Promise<Seen> {
  let seen: { value: Seen } | undefined;
  const strategy = defineStrategy({
    name: 'looks',
    description,
    needs,
    select(pool, context) {
      seen = { value: look(pool, context) };
      return { ordinals: pool.ordinals.slice(0, pool.count) };
    },
  });
  await choose(strategy, pool, 4);
  if (seen === undefined) throw new Error('it did not run');
  return seen.value;
}

describe('a strategy is given what it needs, of the samples that have it', () => {
  it.each<[readonly Need[], object]>([
    [[], { ...nothing, ordinals: [0, 2, 3, 5] }],
    [['labelled', 'classCounts', 'cost'], { ...nothing, ordinals: [0, 2, 3, 5] }],
    [
      ['probabilities'],
      { ...nothing, ordinals: [0, 3, 5], probabilities: rounded(0, 1, 0.3, 0.7, 0.5, 0.5) },
    ],
    [
      ['passes'],
      {
        ...nothing,
        ordinals: [0, 3, 5],
        passes: [
          [0, 1, 0.25, 0.75, 0.5, 0.5],
          [0, 1, 0.5, 0.5, 0.5, 0.5],
        ],
      },
    ],
    [
      ['embeddings'],
      { ...nothing, ordinals: [0, 2, 5], embeddings: [0, 0, 0, 2, 2, 2, 5, 5, 5], dimensions: 3 },
    ],
    [
      ['embeddings', 'probabilities'],
      {
        ordinals: [0, 5],
        probabilities: [0, 1, 0.5, 0.5],
        passes: null,
        embeddings: [0, 0, 0, 5, 5, 5],
        dimensions: 3,
      },
    ],
  ])('%j', async (needs, expected) => {
    expect(await given(needs, shown)).toEqual(expected);
    // Row by row it is the same, but for the auto-accepted.
    let rows: unknown;
    const scoring = defineStrategy({
      name: 'scores',
      description,
      needs,
      maximum: () => 1,
      score(block: Rows<Need>) {
        rows = shown(block);
        return new Float64Array(block.length);
      },
    });
    await choose(scoring, { ...pool, accepted: new Uint8Array(4) }, 4);
    expect(rows).toEqual(expected);
  });

  it('and of some of the pool, in their order', async () => {
    const looking = given(['embeddings'], (pool) => {
      expect(() => pool.only(Uint32Array.of(0, 3))).toThrow('sample 3 is not in the pool');
      return shown(pool.only(Uint32Array.of(5, 0)));
    });
    expect(await looking).toEqual({
      ...nothing,
      ordinals: [5, 0],
      embeddings: [5, 5, 5, 0, 0, 0],
      dimensions: 3,
    });
  });

  it('and of what people have labelled', async () => {
    const labelled = (...needs: Need[]) =>
      given(['labelled', ...needs], (_, { labelled }) => ({
        ...shown(labelled),
        labels: plain(labelled.labels),
      }));
    expect(await labelled()).toEqual({ ...nothing, ordinals: [1, 4], labels: [1, 0] });
    expect(await labelled('embeddings')).toEqual({
      ...nothing,
      ordinals: [1],
      labels: [1],
      embeddings: [1, 1, 1],
      dimensions: 3,
    });
    expect(await given([], (_, { labelled }) => labelled)).toBeNull();
  });

  it('and of the project', async () => {
    const context = await given(['classCounts', 'cost'], (_, context) => context);
    expect(context).toMatchObject({
      labelSet: ['ham', 'spam'],
      classCounts: Uint32Array.of(1, 1),
      cost: numbers(2.5, 4),
    });
    expect(context.signal.aborted).toBe(false);
    expect(await given([], (_, { classCounts, cost }) => [classCounts, cost])).toEqual([null, null]);
  });

  it('and changes it for itself alone', async () => {
    const kept = structuredClone(pool);
    await given(
      ['probabilities', 'passes', 'embeddings', 'labelled', 'classCounts', 'cost'],
      (pool, context) => {
        const { labelled, classCounts, cost } = context;
        const some = pool.only(Uint32Array.of(0));
        const all = [pool, some, labelled].flatMap((given) => [
          given.ordinals,
          given.probabilities,
          given.embeddings,
          ...given.passes,
        ]);
        for (const numbers of [...all, labelled.labels, classCounts, cost]) numbers.fill(7);
        pool.accepted.fill(1);
      },
    ).catch((error) => expect(error).toBeInstanceOf(StrategyFailedError));
    expect(pool).toEqual(kept);
  });

  it.each<[Need, Partial<SamplePool>]>([
    ['probabilities', { predictions: null }],
    ['passes', { predictions: null }],
    [
      'passes',
      { predictions: { ...(pool.predictions as object), passes: null } as SamplePool['predictions'] },
    ],
    ['embeddings', { embeddings: null }],
    ['cost', { cost: null }],
  ])('or is refused: %s', async (need, lacking) => {
    const strategy = defineStrategy({
      name: 'needs',
      description,
      needs: [need],
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    });
    const refused = choose(strategy, { ...pool, ...lacking }, 1);
    await expect(refused).rejects.toThrow(MissingInputError);
    await expect(refused).rejects.toMatchObject({ strategy: 'needs', need });
  });
});

describe('reasons', () => {
  it('come with what was chosen, also by way of another strategy', async () => {
    const scoring = defineStrategy({
      name: 'scoring',
      description,
      needs: ['probabilities'],
      maximum: () => 1,
      score: ({ length, probabilities }) =>
        Float64Array.from({ length }, (_, i) => probabilities[2 * i] as number),
      reasons: ({ ordinals, probabilities }, scores, { labelSet }) =>
        [...ordinals].map((ordinal, i) => `${ordinal}: ${labelSet[0]} ${scores[i]} ${probabilities[2 * i]}`),
    });
    const asking = defineStrategy({
      name: 'asking',
      description,
      asks: () => [{ strategy: 'scoring' }],
      select: (_, { ask }) => ask('scoring', { count: 1 }),
    });
    const three = Math.fround(0.3);
    expect((await choose(scoring, pool, 2)).reasons).toEqual([`3: ham ${three} ${three}`, '0: ham 0 0']);
    expect((await choose(asking, pool, 1, { others: [scoring] })).reasons).toEqual([
      `3: ham ${three} ${three}`,
    ]);
  });

  it.each<[string, unknown, string]>([
    ['no list', 'unsure', 'reasons must be an array, one text or null an ordinal'],
    ['too few', ['unsure'], 'reasons must be an array, one text or null an ordinal'],
    ['no text', [1, null], 'the reason of sample 0 is not one line of 1 to 200 characters'],
    ['an empty one', ['', null], 'the reason of sample 0 is not one line of 1 to 200 characters'],
    ['two lines', [null, 'a\nb'], 'the reason of sample 2 is not one line of 1 to 200 characters'],
    [
      'too long a one',
      ['x'.repeat(201), null],
      'the reason of sample 0 is not one line of 1 to 200 characters',
    ],
    ['half a character', ['\ud800', null], 'the reason of sample 0 is not one line of 1 to 200 characters'],
  ])('are refused: %s', async (_, reasons, detail) => {
    const strategy = defineStrategy({
      name: 'test',
      description,
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count), reasons: reasons as string[] }),
    });
    await expect(choose(strategy, pool, 2)).rejects.toMatchObject({ reason: 'invalid-result', detail });
  });

  it('are refused where they are a book', async () => {
    const text = (ordinal: number) => String(ordinal).padEnd(200, '.');
    const strategy = (length: number) =>
      defineStrategy({
        name: 'test',
        description,
        select: ({ ordinals }) => ({ ordinals, reasons: [...ordinals].map((i) => text(i % length)) }),
      });
    expect((await choose(strategy(5_000), unpredicted(6_000), 6_000)).reasons).toHaveLength(6_000);
    await expect(choose(strategy(5_001), unpredicted(6_000), 6_000)).rejects.toMatchObject({
      detail: 'its reasons have 1000200 characters; 1000000 are the most',
    });
  });
});

describe('state', () => {
  const counting = defineStrategy({
    name: 'counting',
    description,
    select: ({ ordinals, count }, { state }) => ({
      ordinals: ordinals.slice(0, count),
      state: { rounds: Number(state?.['rounds'] ?? 0) + 1 },
    }),
  });

  it('is what the strategy returned before, also by way of another strategy', async () => {
    const asking = defineStrategy({
      name: 'asking',
      description,
      asks: () => [{ strategy: 'counting' }],
      select: ({ count }, { ask, state }) => {
        expect(state).toBeNull();
        return ask('counting', { count });
      },
    });
    const { states } = await runOf(counting, pool, 1);
    expect(states).toEqual({ counting: { rounds: 1 } });
    expect((await runOf(asking, pool, 1, { states, others: [counting] })).states).toEqual({
      counting: { rounds: 2 },
    });
  });

  it.each<[string, unknown, string]>([
    ['a list', [1], 'the contents of its state are an Array, and no JSON object'],
    ['null', null, 'the contents of its state are null, and no JSON object'],
    ['NaN', { mean: Number.NaN }, 'the contents of its state hold NaN, which JSON cannot (at mean)'],
    ['too much', { text: 'x'.repeat(70_000) }, 'the contents of its state take more than 64 KiB as JSON'],
  ])('is refused: %s', async (_, state, detail) => {
    const strategy = defineStrategy({
      name: 'test',
      description,
      select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count), state: state as object }),
    });
    await expect(runOf(strategy, pool, 2)).rejects.toMatchObject({ reason: 'invalid-result', detail });
  });
});
