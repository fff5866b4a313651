import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../demo/annotator.ts';
import { lossAndGradient, train } from '../../demo/classifier.ts';
import { fitFeatures, type SparseRow } from '../../demo/features.ts';

const classes = ['ham', 'spam', 'news'];
const words: Record<string, string[]> = {
  ham: ['meeting', 'patch', 'lunch', 'thanks', 'tomorrow'],
  spam: ['winner', 'cheap', 'click', 'credit', 'guarantee'],
  news: ['today', 'minister', 'report', 'elections', 'weather'],
};
const common = ['the', 'and', 'you', 'for', 'with', 'this'];

function sentences(n: number, seed: number) {
  const random = seededRandom(seed);
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? '';
  return Array.from({ length: n }, (_, i) => {
    const label = classes[i % classes.length] ?? '';
    const own = words[label] ?? [];
    const text = Array.from({ length: 12 }, () => (random() < 0.3 ? pick(own) : pick(common))).join(' ');
    return { label, text };
  });
}

const training = sentences(150, 1);
const test = sentences(300, 2);
const vocabulary = fitFeatures(training.map(({ text }) => text));
const rowsOf = (examples: readonly { text: string }[]) =>
  examples.map(({ text }) => vocabulary.featurise(text));
const labelsOf = (examples: readonly { label: string }[]) => examples.map(({ label }) => label);

describe('fitFeatures', () => {
  it('gives rows of length 1 with ascending places, the same each time', () => {
    const { indices, values } = vocabulary.featurise('The winner and the cheap credit');
    expect([...indices]).toEqual([...indices].sort((a, b) => a - b));
    expect(values.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 6);
    expect(indices.length).toBe(5);
    const again = fitFeatures(training.map(({ text }) => text)).featurise('The winner and the cheap credit');
    expect(again).toEqual({ indices, values });
  });

  it('weighs rare words above common ones, and ignores unseen ones and case', () => {
    const { values } = vocabulary.featurise('winner');
    const both = vocabulary.featurise('the winner');
    const [place] = vocabulary.featurise('winner').indices;
    const weight = (row: SparseRow, at: number | undefined) => row.values[row.indices.indexOf(at ?? -1)] ?? 0;
    expect([...values]).toEqual([1]);
    expect(weight(both, place)).toBeGreaterThan(Math.SQRT1_2);
    expect(vocabulary.featurise('WINNER unheardof')).toEqual(vocabulary.featurise('winner'));
    expect(vocabulary.featurise('').indices.length).toBe(0);
  });

  it('refuses a number of places that is no power of two', () => {
    expect(() => fitFeatures([], { dimensions: 1000 })).toThrow(RangeError);
  });
});

describe('train', () => {
  const classifier = train(rowsOf(training), labelsOf(training), classes, { l2: 0.01 });

  it('learns what can be learned', () => {
    const p = classifier.probabilities(rowsOf(test));
    const right = test.filter(({ label }, i) => {
      const row = [...p.subarray(i * 3, i * 3 + 3)];
      return classes[row.indexOf(Math.max(...row))] === label;
    });
    expect(right.length / test.length).toBeGreaterThan(0.95);
  });

  it('gives probabilities: each within 0 … 1, each row a sum of 1, also for an empty row', () => {
    const p = classifier.probabilities([...rowsOf(test), vocabulary.featurise('')]);
    expect(p).toBeInstanceOf(Float32Array);
    expect(p.length).toBe((test.length + 1) * classes.length);
    for (let i = 0; i < p.length; i += 3) {
      const row = [...p.subarray(i, i + 3)];
      expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
      expect(Math.abs(row.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-6);
    }
  });

  it('means its confidence: on average it is right as often as it says', () => {
    const p = classifier.probabilities(rowsOf(test));
    let said = 0;
    let right = 0;
    test.forEach(({ label }, i) => {
      const row = [...p.subarray(i * 3, i * 3 + 3)];
      said += Math.max(...row) / test.length;
      right += (classes[row.indexOf(Math.max(...row))] === label ? 1 : 0) / test.length;
    });
    expect(Math.abs(said - right)).toBeLessThan(0.1);
  });

  it('is deterministic, and says little when the penalty is strong', () => {
    const again = train(rowsOf(training), labelsOf(training), classes, { l2: 0.01 });
    expect(again.probabilities(rowsOf(test))).toEqual(classifier.probabilities(rowsOf(test)));
    const strict = train(rowsOf(training), labelsOf(training), classes, { l2: 1e6 });
    for (const value of strict.probabilities(rowsOf(test))) expect(value).toBeCloseTo(1 / 3, 2);
  });

  it('stays humble before any label, and when only one class has been seen', () => {
    const none = train([], [], ['ham', 'spam']);
    expect([...none.probabilities(rowsOf(test.slice(0, 1)))]).toEqual([0.5, 0.5]);
    const one = train(rowsOf(test.slice(0, 10)), Array(10).fill('spam'), ['ham', 'spam']);
    expect(one.probabilities([vocabulary.featurise('')])[0]).toBeGreaterThan(1 / 24);
  });

  it('refuses unknown labels and unequal lengths', () => {
    expect(() => train(rowsOf(test.slice(0, 1)), ['junk'], classes)).toThrow(/junk/);
    expect(() => train([], ['ham'], classes)).toThrow(RangeError);
  });

  it('follows the true gradient', () => {
    const row = (...entries: [number, number][]): SparseRow => ({
      indices: Uint32Array.from(entries, ([place]) => place),
      values: Float32Array.from(entries, ([, value]) => value),
    });
    const problem = {
      rows: [row([0, 0.5], [2, 0.25]), row([1, 1]), row([0, 0.75], [3, -0.5])],
      targets: [0, 2, 1],
      classes: 3,
      places: 4,
      l2: 0.3,
    };
    const random = seededRandom(5);
    const at = Float64Array.from({ length: 15 }, () => random() * 2 - 1);
    const gradient = new Float64Array(15);
    lossAndGradient(problem, at, gradient);
    const h = 1e-6;
    at.forEach((value, i) => {
      const up = lossAndGradient(problem, at.with(i, value + h), new Float64Array(15));
      const down = lossAndGradient(problem, at.with(i, value - h), new Float64Array(15));
      expect((up - down) / (2 * h)).toBeCloseTo(gradient[i] ?? Number.NaN, 6);
    });
  });
});
