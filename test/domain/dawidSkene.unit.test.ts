import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Answers,
  accuracy,
  type DawidSkeneFit,
  dawidSkene,
  NO_SMOOTHING,
  posterior,
} from '../../src/domain/dawidSkene.ts';
import { hash32, uniform } from '../../src/domain/random.ts';

interface Said {
  readonly annotator: number;
  readonly label: number;
}

/** Answers to each sample, and what is known of it. */
function columns(
  samples: readonly (readonly Said[])[],
  { classes, annotators, known = {}, forPrior = () => false }: Shape,
): Answers {
  const all = samples.flat();
  const offsets = new Uint32Array(samples.length + 1);
  samples.forEach(({ length }, i) => {
    offsets[i + 1] = (offsets[i] as number) + length;
  });
  return {
    classes,
    annotators,
    offsets,
    annotator: Uint32Array.from(all, ({ annotator }) => annotator),
    label: Uint16Array.from(all, ({ label }) => label),
    known: Int32Array.from(samples, (_, i) => known[i] ?? -1),
    forPrior: Uint8Array.from(samples, (_, i) => Number(forPrior(i))),
  };
}

interface Shape {
  readonly classes: number;
  readonly annotators: number;
  readonly known?: Readonly<Record<number, number>>;
  readonly forPrior?: (sample: number) => boolean;
}

const argMax = (values: Float64Array) => values.indexOf(Math.max(...values));
const labelsOf = (fit: DawidSkeneFit, samples: readonly (readonly Said[])[]) =>
  samples.map((said) => argMax(posterior(fit, said)));

/**
 * Dawid and Skene 1979, Table 1 (page 23): five anaesthetists on the fitness of 45 patients, in classes 1 to 4. The
 * first saw each form three times. Also as `anesthesia` in the R package rater.
 */
const TABLE_1 = `
111 1 1 1 1, 333 4 3 3 4, 112 2 1 2 2, 222 3 1 2 1, 222 3 2 2 2, 222 3 3 2 2, 122 2 1 1 1, 333 3 4 3 3, 222 2 2 2 3,
232 2 2 2 3, 444 4 4 4 4, 222 3 3 4 3, 111 1 1 1 1, 222 3 2 1 2, 121 1 1 1 1, 111 2 1 1 1, 111 1 1 1 1, 111 1 1 1 1,
222 2 2 2 1, 222 1 3 2 2, 222 2 2 2 2, 222 2 2 2 1, 222 3 2 2 2, 221 2 2 2 2, 111 1 1 1 1, 111 1 1 1 1, 232 2 2 2 2,
111 1 1 1 1, 111 1 1 1 1, 112 1 1 2 1, 111 1 1 1 1, 333 3 2 3 3, 111 1 1 1 1, 222 2 2 2 2, 222 3 2 3 2, 433 4 3 4 3,
221 2 2 3 2, 232 3 2 3 3, 333 3 4 3 2, 111 1 1 1 1, 111 1 1 1 1, 121 2 1 1 1, 232 2 2 2 2, 121 1 1 1 1, 222 2 2 2 2`;

/** Table 2: an observer a line; of each true class, how often each class was said. */
const TABLE_2 = [
  [0.89, 0.11, 0, 0, 0.07, 0.88, 0.05, 0, 0, 0.34, 0.66, 0, 0, 0, 0.56, 0.44],
  [0.83, 0.17, 0, 0, 0.05, 0.63, 0.31, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  [1, 0, 0, 0, 0.11, 0.79, 0.11, 0, 0, 0.4, 0.2, 0.4, 0, 0, 0.67, 0.33],
  [0.94, 0.06, 0, 0, 0.05, 0.84, 0.1, 0, 0, 0, 0.8, 0.2, 0, 0, 0.33, 0.67],
  [1, 0, 0, 0, 0.16, 0.73, 0.11, 0, 0, 0.21, 0.79, 0, 0, 0, 0.33, 0.67],
];
const MARGINALS = [0.4, 0.42, 0.11, 0.07];

/** Table 4: the class of each patient, and the probabilities of those that are not certain to two decimals. */
const TABLE_4 = '142222132243121111222222112111131224233111212';
const UNCERTAIN: Readonly<Record<number, readonly number[]>> = {
  7: [0.98, 0.02, 0, 0],
  35: [0, 0.95, 0.05, 0],
  38: [0, 0.02, 0.98, 0],
};

describe('Dawid and Skene', () => {
  const patients = TABLE_1.split(',').map((patient) =>
    patient
      .trim()
      .split(' ')
      .flatMap((forms, annotator) => [...forms].map((said) => ({ annotator, label: Number(said) - 1 }))),
  );
  const answers = columns(patients, { classes: 4, annotators: 5, forPrior: () => true });

  it('comes to what they published, to the decimals they print', () => {
    const fit = dawidSkene(answers, { smoothing: NO_SMOOTHING, restarts: 0 });
    expect(fit.converged).toBe(true);
    const near = (found: ArrayLike<number>, published: readonly number[]) => {
      expect(found).toHaveLength(published.length);
      // Printed values are within half of their last digit, and sums of rounded ones a little more.
      published.forEach((value, i) => {
        expect(Math.abs((found[i] as number) - value)).toBeLessThan(0.0051);
      });
    };
    near(fit.prior, MARGINALS);
    TABLE_2.forEach((rates, observer) => {
      near(fit.confusion.subarray(observer * 16, observer * 16 + 16), rates);
    });
    patients.forEach((said, i) => {
      const certain = MARGINALS.map((_, c) => Number(c === Number(TABLE_4[i]) - 1));
      near(posterior(fit, said), UNCERTAIN[i + 1] ?? certain);
    });
  });

  it('comes to their consensus with the smoothing that is used, and restarts', () => {
    const fit = dawidSkene(answers);
    expect(labelsOf(fit, patients).map((label) => label + 1)).toEqual([...TABLE_4].map(Number));
  });
});

/** Any answers: up to twelve samples, four annotators, four classes. */
const anyAnswers = fc
  .record({ classes: fc.integer({ min: 2, max: 4 }), annotators: fc.integer({ min: 1, max: 4 }) })
  .chain(({ classes, annotators }) =>
    fc.record({
      classes: fc.constant(classes),
      annotators: fc.constant(annotators),
      samples: fc.array(
        fc.array(fc.record({ annotator: fc.nat(annotators - 1), label: fc.nat(classes - 1) }), {
          minLength: 1,
          maxLength: 6,
        }),
        { minLength: 1, maxLength: 12 },
      ),
    }),
  );

describe('the estimate', () => {
  it('is made of probabilities, whatever the answers', () => {
    fc.assert(
      fc.property(anyAnswers, fc.boolean(), ({ samples, ...shape }, published) => {
        const { classes } = shape;
        const input = columns(samples, { ...shape, forPrior: (i) => i % 2 === 0 });
        const fit = dawidSkene(input, published ? { smoothing: NO_SMOOTHING } : {});
        const sums = (values: Float64Array) => {
          for (let at = 0; at < values.length; at += classes) {
            const row = values.subarray(at, at + classes);
            expect(row.every((p) => p >= 0 && p <= 1)).toBe(true);
            expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
          }
        };
        sums(fit.confusion);
        sums(fit.newcomer);
        sums(fit.prior);
        for (const said of samples) sums(posterior(fit, said));
        // Somebody of whom the fit knows nothing.
        sums(posterior(fit, [{ annotator: shape.annotators, label: 0 }]));
      }),
    );
  });

  it('becomes likelier with every iteration', () => {
    fc.assert(
      fc.property(anyAnswers, fc.nat(20), fc.boolean(), ({ samples, ...shape }, count, flat) => {
        const input = columns(samples, { ...shape, forPrior: () => !flat });
        const objectiveAfter = (maxIterations: number) =>
          dawidSkene(input, { restarts: 0, maxIterations }).objective;
        expect(objectiveAfter(count + 1)).toBeGreaterThanOrEqual(objectiveAfter(count) - 1e-9);
      }),
    );
  });

  it('follows the classes when they are given other numbers', () => {
    fc.assert(
      fc.property(anyAnswers, ({ samples, ...shape }) => {
        const turned = (label: number) => shape.classes - 1 - label;
        const other = samples.map((said) =>
          said.map(({ annotator, label }) => ({ annotator, label: turned(label) })),
        );
        const fit = dawidSkene(columns(samples, shape), { restarts: 0 });
        const fitOfOther = dawidSkene(columns(other, shape), { restarts: 0 });
        expect(fitOfOther.objective).toBeCloseTo(fit.objective, 6);
      }),
    );
  });

  it('learns from gold who errs, where votes alone would not tell', () => {
    // The first always says the opposite. Of each other sample, only one of the two has spoken.
    const truth = (i: number) => hash32(1, i) % 2;
    const samples = Array.from({ length: 60 }, (_, i) => {
      const annotator = i % 2;
      return [{ annotator, label: annotator === 0 ? 1 - truth(i) : truth(i) }];
    });
    const known = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i, truth(i)]));
    const shape = { classes: 2, annotators: 2 };
    const right = (fit: DawidSkeneFit) =>
      labelsOf(fit, samples).filter((label, i) => i >= 40 && label === truth(i)).length;
    const fit = dawidSkene(columns(samples, { ...shape, known }));
    expect(right(fit)).toBe(20);
    expect(accuracy(fit, 0)).toBeLessThan(0.2);
    expect(accuracy(fit, 1)).toBeGreaterThan(0.9);
    expect(right(dawidSkene(columns(samples, shape)))).toBe(10);
  });

  it('takes its class prior from the samples of the random draw alone', () => {
    const samples = Array.from({ length: 90 }, (_, i) =>
      [0, 1, 2].map((annotator) => ({ annotator, label: Number(i < 30 ? i < 27 : i % 2) })),
    );
    const shape = { classes: 2, annotators: 3 };
    expect([...dawidSkene(columns(samples, shape)).prior]).toEqual([0.5, 0.5]);
    const { prior } = dawidSkene(columns(samples, { ...shape, forPrior: (i) => i < 30 }));
    // 27 of 30, and one sample of each class beforehand.
    expect(prior[1]).toBeCloseTo(28 / 32, 2);
  });

  it('tells the careless from the careful, and does better than the majority', () => {
    const CLASSES = 4;
    const truth = (i: number) => hash32(7, i) % CLASSES;
    // Six of ten answer at random.
    const says = (annotator: number, i: number) =>
      annotator < 6 || uniform(9, i, annotator) < 0.1 ? hash32(8, i, annotator) % CLASSES : truth(i);
    const samples = Array.from({ length: 600 }, (_, i) =>
      Array.from({ length: 5 }, (_, k) => (i + k * 3) % 10).map((annotator) => ({
        annotator,
        label: says(annotator, i),
      })),
    );
    const fit = dawidSkene(columns(samples, { classes: CLASSES, annotators: 10 }));
    const accuracies = Array.from({ length: 10 }, (_, a) => accuracy(fit, a));
    expect(Math.max(...accuracies.slice(0, 6))).toBeLessThan(0.5);
    expect(Math.min(...accuracies.slice(6))).toBeGreaterThan(0.8);
    const correct = (labels: readonly number[]) => labels.filter((label, i) => label === truth(i)).length;
    const majority = samples.map((said) => {
      const votes = new Float64Array(CLASSES);
      for (const { label } of said) votes[label] = (votes[label] as number) + 1;
      return argMax(votes);
    });
    expect(correct(labelsOf(fit, samples))).toBeGreaterThan(correct(majority) + 60);
  });
});
