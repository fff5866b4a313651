import {
  bald,
  entropy,
  farthestFirst,
  hashText,
  highest,
  kMeans,
  leastConfident,
  logarithms,
  margin,
  NearestCentres,
  randomAt,
  stageKeeper,
  voteEntropy,
} from '@concord/sdk/strategy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** Rows of probabilities, certain, even, tiny and absent ones among them. */
const matrix = fc
  .record({ classes: fc.oneof(fc.integer({ min: 2, max: 20 }), fc.constantFrom(63, 64, 65, 129, 1000)) })
  .chain(({ classes }) =>
    fc
      .array(
        fc.oneof(
          fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: classes, maxLength: classes }),
          fc
            .tuple(fc.nat(classes - 1), fc.constantFrom(0, 1e-12, 1e-9, 1e-6, 1e-3))
            .map(([sure, rest]) => Array.from({ length: classes }, (_, c) => (c === sure ? 1 : rest))),
          fc.constant(new Array<number>(classes).fill(1)),
        ),
        { minLength: 1, maxLength: 9 },
      )
      .map((rows) => ({ classes, ...flat(rows) })),
  );

function flat(rows: readonly (readonly number[])[]) {
  const normal = rows.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((p) => (sum === 0 ? 1 / row.length : p / sum));
  });
  return { length: rows.length, probabilities: Float32Array.from(normal.flat()) };
}

type Matrix = { length: number; classes: number; probabilities: Float32Array };
const rowsOf = ({ length, classes, probabilities }: Matrix) =>
  Array.from({ length }, (_, i) => [...probabilities.subarray(i * classes, (i + 1) * classes)]);

/** The formulas as they are written in books, in float64. */
const plain = {
  entropy: (row: number[]) =>
    Math.max(
      0,
      row.reduce((sum, p) => sum - p * Math.log(p + 1e-10), 0),
    ),
  margin: (row: number[]) => {
    const [first = 0, second = 0] = row.toSorted((a, b) => b - a);
    return Math.max(0, 1 - (first - second));
  },
  leastConfident: (row: number[]) => Math.max(0, 1 - Math.max(...row)),
};

describe('scores of probabilities', () => {
  it('entropy is the formula, to within a millionth of 1 or of itself', () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        const expected = rowsOf(rows).map(plain.entropy);
        entropy(rows).forEach((score, i) => {
          const exact = expected[i] as number;
          expect(Math.abs(score - exact)).toBeLessThan(1e-6 * Math.max(1, exact));
          expect(score).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });

  it('margin and least confidence are the formulas, exactly', () => {
    fc.assert(
      fc.property(matrix, (rows) => {
        expect([...margin(rows)]).toEqual(rowsOf(rows).map(plain.margin));
        expect([...leastConfident(rows)]).toEqual(rowsOf(rows).map(plain.leastConfident));
      }),
    );
  });

  it.each([
    ['entropy', entropy],
    ['margin', margin],
    ['leastConfident', leastConfident],
  ])('%s of a row is the same to the last bit, whatever stood before or stands beside it', (_, score) => {
    fc.assert(
      fc.property(matrix, fc.float({ noNaN: false }), ({ length, classes, probabilities }, junk) => {
        const together = score({ length, classes, probabilities });
        score({ length: 40, classes, probabilities: new Float32Array(40 * classes).fill(junk) });
        for (let i = 0; i < length; i++) {
          const alone = probabilities.subarray(i * classes, (i + 1) * classes);
          expect(score({ length: 1, classes, probabilities: alone })[0]).toBe(together[i]);
        }
      }),
    );
  });

  it('take any number of rows, and leave them as they are', () => {
    const classes = 10;
    const length = 20_001;
    const probabilities = Float32Array.from({ length: length * classes }, (_, i) => randomAt(1, i) / 5);
    const before = probabilities.slice();
    const scores = margin({ length, classes, probabilities });
    expect(probabilities.every((p, i) => p === before[i])).toBe(true);
    for (const i of [0, 1, 3275, 3276, 3277, 20_000]) {
      const row = [...probabilities.subarray(i * classes, (i + 1) * classes)];
      expect(scores[i]).toBe(plain.margin(row));
    }
    expect(margin({ length: 0, classes, probabilities: new Float32Array(0) })).toHaveLength(0);
  });
});

describe('scores of passes', () => {
  const passes = fc
    .tuple(matrix, fc.integer({ min: 2, max: 6 }), fc.nat(1000))
    .map(([{ length, classes, probabilities }, count, seed]) => ({
      length,
      classes,
      // Each pass has the rows in another order of classes, so that they differ.
      passes: Array.from({ length: count }, (_, pass) =>
        probabilities.map((_, i) => {
          const row = Math.floor(i / classes);
          const shift = Math.floor(randomAt(seed, row, pass) * classes);
          return probabilities[row * classes + ((i + shift) % classes)] as number;
        }),
      ),
    }));

  it('BALD is the entropy of the mean less the mean of the entropies, to within two millionths', () => {
    fc.assert(
      fc.property(passes, (rows) => {
        const each = rows.passes.map((probabilities) => rowsOf({ ...rows, probabilities }));
        bald(rows).forEach((score, i) => {
          const members = each.map((pass) => pass[i] as number[]);
          const mean = (members[0] as number[]).map(
            (_, c) => members.reduce((sum, row) => sum + (row[c] as number), 0) / members.length,
          );
          const entropies = members.map(plain.entropy).reduce((a, b) => a + b, 0) / members.length;
          const exact = Math.max(0, plain.entropy(mean) - entropies);
          expect(Math.abs(score - exact)).toBeLessThan(2e-6 * Math.max(1, entropies));
          expect(score).toBeGreaterThanOrEqual(0);
        });
      }),
    );
  });

  it('vote entropy is the entropy of the votes', () => {
    fc.assert(
      fc.property(passes, (rows) => {
        const each = rows.passes.map((probabilities) => rowsOf({ ...rows, probabilities }));
        voteEntropy(rows).forEach((score, i) => {
          const counts = new Map<number, number>();
          for (const pass of each) {
            const row = pass[i] as number[];
            const vote = row.indexOf(Math.max(...row));
            counts.set(vote, (counts.get(vote) ?? 0) + 1);
          }
          const exact = [...counts.values()].reduce((sum, v) => {
            const share = v / rows.passes.length;
            return sum - share * Math.log(share);
          }, 0);
          expect(score).toBeCloseTo(exact, 12);
        });
      }),
    );
  });

  it.each([
    ['bald', bald],
    ['voteEntropy', voteEntropy],
  ])('%s of a row is the same to the last bit wherever the rows are split', (_, score) => {
    fc.assert(
      fc.property(passes, ({ length, classes, passes }) => {
        const together = score({ length, classes, passes });
        for (let i = 0; i < length; i++) {
          const alone = passes.map((pass) => pass.subarray(i * classes, (i + 1) * classes));
          expect(score({ length: 1, classes, passes: alone })[0]).toBe(together[i]);
        }
      }),
    );
  });
});

it('scores have the same bits on every machine and under every version of Node', () => {
  const classes = 7;
  const length = 1000;
  const pass = (stream: number) => {
    const weights = Array.from({ length: length * classes }, (_, i) => {
      const u = randomAt(5, i, stream);
      return u * u * u * u;
    });
    return Float32Array.from(weights, (weight, i) => {
      const from = i - (i % classes);
      return weight / weights.slice(from, from + classes).reduce((a, b) => a + b);
    });
  };
  const passes = [pass(0), pass(1), pass(2)];
  const rows = { length, classes, probabilities: passes[0] as Float32Array };
  const bits = (scores: Float64Array) => hashText(new Uint8Array(scores.buffer).join());
  expect({
    entropy: bits(entropy(rows)),
    margin: bits(margin(rows)),
    bald: bits(bald({ length, classes, passes })),
    voteEntropy: bits(voteEntropy({ length, classes, passes })),
    logarithms: bits(logarithms(Float64Array.from({ length }, (_, i) => randomAt(5, i)))),
  }).toMatchInlineSnapshot(`
    {
      "bald": 633323930,
      "entropy": 3097314959,
      "logarithms": 2475403533,
      "margin": 3202329461,
      "voteEntropy": 1285488923,
    }
  `);
});

it('logarithms are those of Math.log, or next to them', () => {
  const values = Float64Array.of(1, Math.E, 0.5, 1e-300, 1e300, Number.MIN_VALUE, 1 - 2 ** -53);
  logarithms(values).forEach((value, i) => {
    const exact = Math.log(values[i] as number);
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -52);
  });
});

describe('nearest centres', () => {
  const points = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }))
    .chain(([dimensions, length, centres]) =>
      fc
        .array(fc.integer({ min: -100, max: 100 }), {
          minLength: dimensions * (length + centres),
          maxLength: dimensions * (length + centres),
        })
        .map((numbers) => {
          const all = Float32Array.from(numbers, (number) => number / 8);
          const rows = all.subarray(0, dimensions * length);
          return { dimensions, length, rows, centres: all.subarray(dimensions * length) };
        }),
    );

  it('are the first of the nearest, at their squared distance', () => {
    fc.assert(
      fc.property(points, ({ dimensions, length, rows, centres }) => {
        const nearest = new NearestCentres(rows, dimensions);
        const count = centres.length / dimensions;
        for (let c = 0; c < count; c++) {
          expect(nearest.add(centres.slice(c * dimensions, (c + 1) * dimensions))).toBe(c);
        }
        for (let i = 0; i < length; i++) {
          // Eighths up to 100: every step is exact in float32 as well.
          const distances = Array.from({ length: count }, (_, c) =>
            Array.from({ length: dimensions }, (_, d) => {
              const row = rows[i * dimensions + d] as number;
              return (row - (centres[c * dimensions + d] as number)) ** 2;
            }).reduce((a, b) => a + b),
          );
          expect(nearest.squared[i]).toBe(Math.min(...distances));
          expect(nearest.which[i]).toBe(distances.indexOf(Math.min(...distances)));
        }
        nearest.clear();
        expect([...nearest.squared]).toEqual(new Array(length).fill(Number.POSITIVE_INFINITY));
      }),
    );
  });

  it('refuse rows and centres of another width', () => {
    expect(() => new NearestCentres(new Float32Array(5), 2)).toThrow(RangeError);
    expect(() => new NearestCentres(new Float32Array(4), 2).add(new Float32Array(3))).toThrow(RangeError);
  });
});

describe('farthest first', () => {
  it('takes the very rows, at the very distances, that looking at all of them gives', () => {
    const shape = fc.record({
      dimensions: fc.integer({ min: 1, max: 33 }),
      length: fc.integer({ min: 1, max: 60 }),
      known: fc.integer({ min: 0, max: 9 }),
      seed: fc.nat(),
      // Few different numbers make many rows alike, and many equally far.
      values: fc.constantFrom(2, 5, 1_000_000),
    });
    fc.assert(
      fc.property(shape, ({ dimensions, length, known, seed, values }) => {
        const random = (stream: number) => (_: unknown, i: number) =>
          Math.floor(randomAt(seed, i, stream) * values) / 7;
        const rows = Float32Array.from({ length: length * dimensions }, random(0));
        const centres = Float32Array.from({ length: known * dimensions }, random(1));
        const first = seed % length;
        const taken = farthestFirst(rows, dimensions, length, { centres, first });

        const nearest = new NearestCentres(rows, dimensions);
        for (let c = 0; c < known; c++) nearest.add(centres.subarray(c * dimensions, (c + 1) * dimensions));
        const left = new Set(Array.from({ length }, (_, i) => i));
        for (let k = 0; k < length; k++) {
          const among = [...left].map((i) => nearest.squared[i] as number);
          const row = known + k === 0 ? first : [...left][among.indexOf(Math.max(...among))];
          expect(taken.rows[k]).toBe(row);
          expect(taken.squared[k]).toBe(known + k === 0 ? 0 : Math.max(...among));
          left.delete(row as number);
          nearest.add(nearest.row(row as number));
        }
      }),
    );
  });

  it('takes no more than there are, ends when asked, and refuses what makes no rows', () => {
    expect(farthestFirst(new Float32Array(4), 2, 9).rows).toHaveLength(2);
    expect(farthestFirst(new Float32Array(0), 2, 9).rows).toHaveLength(0);
    const signal = AbortSignal.abort(new Error('enough'));
    expect(() => farthestFirst(new Float32Array(4), 2, 2, { signal })).toThrow('enough');
    expect(() => farthestFirst(new Float32Array(5), 2, 1)).toThrow(RangeError);
    expect(() => farthestFirst(new Float32Array(4), 2, 1, { first: 2 })).toThrow(RangeError);
  });
});

describe('rows on a stage', () => {
  const length = 37;
  const classes = 5;
  const stage = stageKeeper()({ length, classes, matrices: 3 });
  const passes = stage.matrices.map((matrix, pass) =>
    matrix
      .map((_, i) => randomAt(1, i, pass))
      .map((p, i, all) => {
        const row = i - (i % classes);
        return p / all.slice(row, row + classes).reduce((a, b) => a + b);
      }),
  );
  const elsewhere = { length, classes, passes, probabilities: passes[1] as Float32Array };
  const there = { ...elsewhere, passes: stage.matrices, probabilities: stage.matrices[1] as Float32Array };

  it('have the same scores as anywhere else, each kept until the rows change', () => {
    stage.refill();
    stage.matrices.forEach((matrix, i) => {
      matrix.set(passes[i] as Float32Array);
    });
    const scores = () => [
      ...[entropy, margin, leastConfident].map((score) => score(there)),
      ...[bald, voteEntropy].map((score) => score(there)),
    ];
    const expected = [
      ...[entropy, margin, leastConfident].map((score) => score(elsewhere)),
      ...[bald, voteEntropy].map((score) => score(elsewhere)),
    ];
    const kept = scores();
    scores();
    expect(kept).toEqual(expected);
    expect(kept[0]?.buffer).toBe(stage.kernels.memory.buffer);
    expect([
      ...highest(
        kept[0] as Float64Array,
        Uint32Array.from({ length }, (_, i) => i),
        9,
        1,
      ),
    ]).toEqual([
      ...highest(
        expected[0] as Float64Array,
        Uint32Array.from({ length }, (_, i) => i),
        9,
        1,
      ),
    ]);
  });
});

describe('k-means', () => {
  /** Three heaps of 30 points around (0, 0), (10, 0) and (0, 10). */
  const heaps = Float32Array.from({ length: 180 }, (_, i) => {
    const heap = Math.floor(i / 60);
    const centre = [
      [0, 0],
      [10, 0],
      [0, 10],
    ][heap]?.[i % 2] as number;
    return centre + randomAt(3, i) - 0.5;
  });

  it('finds heaps, whatever the seed', () => {
    for (let seed = 0; seed < 10; seed++) {
      const { count, which, centres } = kMeans(heaps, 2, 3, { seed });
      expect(count).toBe(3);
      const groups = [0, 1, 2].map((heap) => new Set(which.slice(30 * heap, 30 * heap + 30)));
      expect(groups.map((group) => group.size)).toEqual([1, 1, 1]);
      expect(new Set(groups.flatMap((group) => [...group])).size).toBe(3);
      const [heap = 0] = groups[1] ?? [];
      expect(centres[2 * heap]).toBeCloseTo(10, 0);
      expect(centres[2 * heap + 1]).toBeCloseTo(0, 0);
    }
    expect(kMeans(heaps, 2, 3, { seed: 1 })).toEqual(kMeans(heaps, 2, 3, { seed: 1 }));
  });

  it('heeds weights: a centre is the weighted mean, and what weighs nothing draws none', () => {
    const line = Float32Array.of(0, 1, 100);
    const { count, centres } = kMeans(line, 1, 1, { seed: 1, weights: Float64Array.of(3, 1, 0) });
    expect(count).toBe(1);
    expect(centres[0]).toBeCloseTo(0.25);
  });

  it('makes no more clusters than there are different rows', () => {
    expect(kMeans(Float32Array.of(1, 1, 2, 2), 1, 4, { seed: 1 }).count).toBe(2);
    expect(kMeans(new Float32Array(0), 3, 4, { seed: 1 }).count).toBe(0);
  });

  it('ends when nobody wants its answer', () => {
    const signal = AbortSignal.abort(new Error('enough'));
    expect(() => kMeans(heaps, 2, 3, { seed: 1, signal })).toThrow('enough');
  });
});
