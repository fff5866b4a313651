import { randomAt } from '@concord/sdk/strategy';
import { describe, expect, it } from 'vitest';
import type { SamplePool } from '../../src/strategies/pool.ts';
import { builtIns, choose, poolOf, unpredicted } from './support.ts';

/** What the strategies beyond the classic four promise, on pools small enough to see through. */

interface Inputs {
  readonly embeddings?: readonly (readonly number[])[];
  /** The label of each sample that people have labelled, by its ordinal. */
  readonly labelled?: Readonly<Record<number, number>>;
  readonly passes?: readonly (readonly (readonly number[])[])[];
  readonly classCounts?: readonly number[];
  readonly accepted?: readonly number[];
}

/** A pool of samples 0, 1, 2 … with predictions and what else is given; those that are labelled are left out. */
function pool(rows: readonly (readonly number[])[], inputs: Inputs): SamplePool {
  const { embeddings, labelled = {}, passes, classCounts, accepted = [] } = inputs;
  const all = poolOf(rows, { accepted });
  const labels = Object.entries(labelled).map(([ordinal, label]) => [Number(ordinal), label] as const);
  const isOpen = (ordinal: number) => labelled[ordinal] === undefined;
  const rowOf = Uint32Array.from(rows, (_, i) => i);
  return {
    ...all,
    ordinals: all.ordinals.filter(isOpen),
    accepted: all.accepted.filter((_, i) => isOpen(i)),
    predictions: all.predictions && {
      ...all.predictions,
      passes: passes?.map((pass) => Float32Array.from(pass.flat())) ?? null,
    },
    embeddings: embeddings
      ? { rowOf, values: Float32Array.from(embeddings.flat()), dimensions: embeddings[0]?.length ?? 1 }
      : null,
    labelled: {
      ordinals: Uint32Array.from(labels, ([ordinal]) => ordinal),
      labels: Uint16Array.from(labels, ([, label]) => label),
    },
    classCounts: Uint32Array.from(classCounts ?? all.labelSet.map(() => 0)),
  };
}

const even = (length: number) => Array.from({ length }, () => [0.5, 0.5]);

/** `count` points around each centre, none farther than a half in each direction. */
function heaps(centres: readonly (readonly [number, number])[], count: number): number[][] {
  return centres.flatMap(([x, y], heap) =>
    Array.from({ length: count }, (_, i) => [x + randomAt(heap, i, 0) - 0.5, y + randomAt(heap, i, 1) - 0.5]),
  );
}

describe('bald', () => {
  const passes = [
    [
      [1, 0],
      [0.5, 0.5],
      [0.9, 0.1],
    ],
    [
      [0, 1],
      [0.5, 0.5],
      [0.8, 0.2],
    ],
  ];
  const { bald, 'vote-entropy': voteEntropy } = builtIns;

  it('prefers passes that are sure and disagree to passes that agree to be unsure', async () => {
    const { ordinals, scores, normalised } = await choose(bald, pool(even(3), { passes }), 3);
    expect([...ordinals]).toEqual([0, 2, 1]);
    expect(scores[0]).toBeCloseTo(Math.log(2), 5);
    expect(normalised[0]).toBeCloseTo(1, 5);
    expect(scores[2]).toBeCloseTo(0, 5);
  });

  it('vote entropy counts votes alone', async () => {
    const { ordinals, scores } = await choose(voteEntropy, pool(even(3), { passes }), 3);
    expect(ordinals[0]).toBe(0);
    expect(scores[0]).toBeCloseTo(Math.log(2), 12);
    expect([scores[1], scores[2]]).toEqual([0, 0]);
  });
});

describe('class-balanced-margin', () => {
  const strategy = builtIns['class-balanced-margin'];
  // Of class 0 are samples 0 to 5, more and more certain; of class 1 are 6 and 7.
  const rows = [
    ...Array.from({ length: 6 }, (_, i) => [0.55 + 0.05 * i, 0.45 - 0.05 * i]),
    [0.3, 0.7],
    [0.2, 0.8],
  ];

  it('takes turns, the class with the fewest labels first', async () => {
    const { ordinals, reasons } = await choose(strategy, pool(rows, { classCounts: [2, 0] }), 5);
    expect([...ordinals]).toEqual([6, 7, 0, 1, 2]);
    expect(reasons?.[0]).toBe('looks like class 1, which has 0 labels');
    const balanced = await choose(strategy, pool(rows, { classCounts: [0, 0] }), 4);
    expect([...balanced.ordinals]).toEqual([0, 6, 1, 7]);
  });

  it('keeps margin’s scores and order within a class', async () => {
    const { ordinals, scores } = await choose(strategy, pool(rows, { accepted: [0, 7] }), 8);
    expect([...ordinals].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    const { ordinals: plain, scores: margins } = await choose(builtIns.margin, poolOf(rows), 8);
    ordinals.forEach((ordinal, i) => {
      expect(scores[i]).toBe(margins[plain.indexOf(ordinal)]);
    });
    expect([...ordinals].filter((ordinal) => ordinal < 6)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('power-margin', () => {
  const strategy = builtIns['power-margin'];
  // Margins of 1, 0.5 and 0.25.
  const rows = [
    [0.5, 0.5],
    [0.75, 0.25],
    [0.875, 0.125],
  ];

  it('draws the first in proportion to the margin’s power', async () => {
    const seeds = 2000;
    for (const [beta, weights] of [
      [1, [1, 0.5, 0.25]],
      [2, [1, 0.25, 0.0625]],
      [0, [1, 1, 1]],
    ] as const) {
      const firsts = [0, 0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        const { ordinals } = await choose(strategy, poolOf(rows), 1, { seed, parameters: { beta } });
        firsts[ordinals[0] ?? 0] = (firsts[ordinals[0] ?? 0] ?? 0) + 1;
      }
      const total = weights.reduce<number>((a, b) => a + b, 0);
      weights.forEach((weight, i) => {
        const chance = weight / total;
        // Five standard deviations of a binomial count.
        const most = 5 * Math.sqrt(seeds * chance * (1 - chance));
        expect(Math.abs((firsts[i] ?? 0) - seeds * chance)).toBeLessThan(most);
      });
    }
  });

  it('is margin where beta is large, and keeps margin’s scores', async () => {
    const { ordinals, scores } = await choose(strategy, poolOf(rows), 3, { parameters: { beta: 1000 } });
    expect([...ordinals]).toEqual([0, 1, 2]);
    expect([...scores]).toEqual([1, 0.5, 0.25]);
  });

  it('draws samples of no uncertainty last', async () => {
    const certain = [[1, 0], ...rows, [0, 1]];
    for (let seed = 0; seed < 50; seed++) {
      const { ordinals } = await choose(strategy, poolOf(certain), 5, { seed });
      expect([...ordinals.subarray(3)].sort()).toEqual([0, 4]);
    }
  });
});

describe('k-center-greedy', () => {
  const strategy = builtIns['k-center-greedy'];
  const line = [0, 1, 2, 10, 6].map((x) => [x]);

  it('takes each time what is farthest from all labelled and chosen', async () => {
    const { ordinals, scores, normalised } = await choose(
      strategy,
      pool(even(5), { embeddings: line, labelled: { 0: 1 } }),
      4,
    );
    expect([...ordinals]).toEqual([3, 4, 2, 1]);
    expect([...scores]).toEqual([10, 4, 2, 1]);
    expect([...normalised]).toEqual([1, 0.4, 0.2, 0.1]);
  });

  it('begins anywhere, by the seed, where nothing is labelled', async () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { ordinals, scores } = await choose(strategy, pool(even(5), { embeddings: line }), 2, { seed });
      firsts.add(ordinals[0] as number);
      expect(scores[0]).toBe(0);
    }
    expect(firsts.size).toBe(5);
  });

  it('covers the pool: nothing left is farther than the last score', async () => {
    const embeddings = heaps(
      [
        [0, 0],
        [5, 5],
        [9, 0],
      ],
      40,
    );
    const { ordinals, scores } = await choose(strategy, pool(even(120), { embeddings }), 12);
    const radius = scores.at(-1) as number;
    for (const [x = 0, y = 0] of embeddings) {
      const distances = [...ordinals].map((i) => {
        const [a = 0, b = 0] = embeddings[i] ?? [];
        return Math.hypot(x - a, y - b);
      });
      expect(Math.min(...distances)).toBeLessThanOrEqual(radius + 1e-6);
    }
    expect([...scores.subarray(1)]).toEqual([...scores.subarray(1)].sort((a, b) => b - a));
  });

  it('takes each once where all are alike', async () => {
    const same = Array.from({ length: 6 }, () => [1, 2]);
    const { ordinals } = await choose(strategy, pool(even(6), { embeddings: same }), 6);
    expect([...ordinals].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('dmbal', () => {
  const { dmbal } = builtIns;
  const embeddings = heaps(
    [
      [0, 0],
      [20, 0],
      [0, 20],
      [20, 20],
    ],
    25,
  );

  it('takes one from each cluster, where margin would take all from one', async () => {
    // The first heap is the least certain.
    const rows = embeddings.map((_, i) => (i < 25 ? [0.5, 0.5] : [0.6, 0.4]));
    const uncertain = pool(rows, { embeddings });
    const heapsOf = (ordinals: Uint32Array) => new Set([...ordinals].map((i) => Math.floor(i / 25))).size;
    expect(heapsOf((await choose(builtIns.margin, uncertain, 4)).ordinals)).toBe(1);
    for (let seed = 0; seed < 5; seed++) {
      const { ordinals } = await choose(dmbal, uncertain, 4, { seed, parameters: { prefilter: 25 } });
      expect(heapsOf(ordinals)).toBe(4);
    }
  });

  it('clusters the uncertain ones alone, and is margin without a prefilter', async () => {
    const rows = embeddings.map((_, i) => [0.5 + 0.004 * i, 0.5 - 0.004 * i]);
    const graded = pool(rows, { embeddings });
    const { ordinals } = await choose(dmbal, graded, 5, { parameters: { prefilter: 3 } });
    expect(Math.max(...ordinals)).toBeLessThan(15);
    const plain = await choose(builtIns.margin, graded, 5);
    const same = await choose(dmbal, graded, 5, { parameters: { prefilter: 1 } });
    expect([...same.ordinals]).toEqual([...plain.ordinals]);
  });

  it('chooses as many as were asked for where embeddings are alike', async () => {
    const same = Array.from({ length: 10 }, () => [1, 1]);
    const { ordinals } = await choose(dmbal, pool(even(10), { embeddings: same }), 7);
    expect(new Set(ordinals).size).toBe(7);
  });
});

describe('typiclust', () => {
  const { typiclust } = builtIns;
  // Heaps of 40, 30 and 20, and a stray far off.
  const centres: [number, number][] = [
    [0, 0],
    [20, 0],
    [0, 20],
  ];
  const embeddings = [...centres.flatMap((centre, h) => heaps([centre], 40 - 10 * h)), [60, 60]];
  const heapOf = (i: number) => (i < 40 ? 0 : i < 70 ? 1 : i < 90 ? 2 : 3);

  it('takes the middle of the largest clusters, and strays last', async () => {
    for (let seed = 0; seed < 5; seed++) {
      const { ordinals, scores } = await choose(typiclust, pool(even(91), { embeddings }), 4, { seed });
      expect([...ordinals].map(heapOf)).toEqual([0, 1, 2, 3]);
      for (const ordinal of ordinals.subarray(0, 3)) {
        const [x = 0, y = 0] = embeddings[ordinal] ?? [];
        const [a = 0, b = 0] = centres[heapOf(ordinal)] ?? [];
        expect(Math.hypot(x - a, y - b)).toBeLessThan(0.35);
      }
      for (const score of scores) expect(score > 0 && score <= 1).toBe(true);
    }
  });

  it('leaves clusters that have a label until all others have one', async () => {
    const covered = pool(even(91), { embeddings, labelled: { 0: 0 } });
    const { ordinals } = await choose(typiclust, covered, 3);
    expect([...ordinals].map(heapOf)).toEqual([1, 2, 3]);
  });

  it('comes back to a cluster when there are fewer than samples to choose', async () => {
    const { ordinals } = await choose(typiclust, pool(even(91), { embeddings }), 91, {
      parameters: { clusters: 3 },
    });
    expect(new Set(ordinals).size).toBe(91);
  });
});

it('none is given a pool without what it needs', async () => {
  for (const strategy of Object.values(builtIns)) {
    const lacking = choose(strategy, { ...unpredicted(5), labelled: null }, 1);
    if (strategy.name === 'random') await lacking;
    else await expect(lacking).rejects.toMatchObject({ code: 'missing-input' });
  }
});
