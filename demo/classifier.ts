import type { SparseRow } from './features.ts';

export interface TrainOptions {
  /**
   * Strength of the L2 penalty (1/C of liblinear and scikit-learn). Rows have length 1, so little is needed; the
   * default is where random sampling of some hundred mails does best.
   */
  readonly l2?: number;
  /** The most steps that L-BFGS takes. */
  readonly iterations?: number;
}

export interface Classifier {
  readonly classes: readonly string[];
  /** Class probabilities, n × K in row-major order; each row sums to 1 within float32's precision. */
  probabilities(rows: readonly SparseRow[]): Float32Array;
}

/**
 * Multinomial logistic regression on sparse rows, with an L2 penalty, fitted by L-BFGS: the standard text
 * classifier of scikit-learn and liblinear, whose probabilities can be trusted without a calibration step (naive
 * Bayes says 0.999 to nearly everything). Written out here because npm has no kept library for it: those with
 * probabilities are dense (ml-logistic-regression) or naive Bayes over words (wink, bayes, classificator), and
 * natural brings database clients along.
 *
 * - Deterministic: it starts at zero and draws nothing. Only places that occur in `rows` get a weight (any other
 *   would stay at zero), so the cost follows the labels at hand, not the vocabulary.
 * - Every class has one imaginary, empty example. It keeps the intercept finite, and probabilities humble,
 *   while a class has few examples or none: ten spam and nothing else is "ham with 1 in 12", not never.
 */
export function train(
  rows: readonly SparseRow[],
  labels: readonly string[],
  classes: readonly string[],
  options: TrainOptions = {},
): Classifier {
  const { l2 = 0.003, iterations = 100 } = options;
  if (rows.length !== labels.length)
    throw new RangeError(`${rows.length} rows, but ${labels.length} labels.`);
  const k = classes.length;
  const targets = labels.map((label) => {
    const target = classes.indexOf(label);
    if (target < 0)
      throw new RangeError(`Label ${JSON.stringify(label)} is not one of ${classes.join(', ')}.`);
    return target;
  });

  // Number the places in use: the weights of place p are w[position(p)·k …], the intercepts are the last k.
  const position = new Map<number, number>();
  for (const row of rows)
    for (const place of row.indices) if (!position.has(place)) position.set(place, position.size);
  const compact = rows.map((row) => ({
    indices: row.indices.map((place) => position.get(place) ?? 0),
    values: row.values,
  }));
  const problem: Problem = { rows: compact, targets, classes: k, places: position.size, l2 };
  const w = minimise(
    (at, gradient) => lossAndGradient(problem, at, gradient),
    (position.size + 1) * k,
    iterations,
  );

  return {
    classes,
    probabilities(wanted) {
      const out = new Float32Array(wanted.length * k);
      const scores = new Float64Array(k);
      wanted.forEach((row, i) => {
        scores.set(w.subarray(position.size * k));
        row.indices.forEach((place, j) => {
          const p = position.get(place);
          if (p !== undefined) addScaled(scores, row.values[j] as number, w, p * k);
        });
        softmax(scores);
        out.set(scores, i * k);
      });
      return out;
    },
  };
}

/** A fit as numbers: rows over `places` compact places, targets as class numbers. */
export interface Problem {
  readonly rows: readonly SparseRow[];
  readonly targets: readonly number[];
  readonly classes: number;
  readonly places: number;
  readonly l2: number;
}

/** What is minimised at `w`: Σ −ln p(target) over all rows and the imaginary ones, + l2/2 · |weights|². */
export function lossAndGradient(problem: Problem, w: Float64Array, gradient: Float64Array): number {
  const { rows, targets, classes: k, places, l2 } = problem;
  const intercepts = places * k;
  const scores = new Float64Array(k);
  let loss = 0;
  gradient.fill(0);
  for (let i = 0; i < intercepts; i++) {
    const weight = w[i] as number;
    loss += (l2 / 2) * weight * weight;
    gradient[i] = l2 * weight;
  }
  const example = (target: number, row?: SparseRow): void => {
    scores.set(w.subarray(intercepts));
    row?.indices.forEach((p, j) => {
      addScaled(scores, row.values[j] as number, w, p * k);
    });
    softmax(scores);
    loss -= Math.log(Math.max(scores[target] as number, Number.MIN_VALUE));
    scores[target] = (scores[target] as number) - 1; // now the gradient by the scores
    row?.indices.forEach((p, j) => {
      const value = row.values[j] as number;
      for (let c = 0; c < k; c++)
        gradient[p * k + c] = (gradient[p * k + c] as number) + value * (scores[c] as number);
    });
    for (let c = 0; c < k; c++)
      gradient[intercepts + c] = (gradient[intercepts + c] as number) + (scores[c] as number);
  };
  rows.forEach((row, i) => {
    example(targets[i] as number, row);
  });
  for (let c = 0; c < k; c++) example(c);
  return loss;
}

/**
 * L-BFGS (Nocedal and Wright, algorithm 7.4) with a backtracking line search, for smooth convex functions. Ends
 * when the gradient is 1e-3 of what it was at the start, or when no step improves.
 */
function minimise(
  f: (at: Float64Array, gradient: Float64Array) => number,
  size: number,
  iterations: number,
): Float64Array {
  const memory: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let x = new Float64Array(size);
  let gradient = new Float64Array(size);
  let value = f(x, gradient);
  const enough = 1e-3 * Math.sqrt(dot(gradient, gradient));

  for (let i = 0; i < iterations && Math.sqrt(dot(gradient, gradient)) > enough; i++) {
    const direction = gradient.map((g) => -g);
    const alphas: number[] = [];
    for (const { s, y, rho } of memory) {
      const alpha = rho * dot(s, direction);
      addScaled(direction, -alpha, y);
      alphas.push(alpha);
    }
    const newest = memory[0];
    const scale = newest
      ? 1 / (newest.rho * dot(newest.y, newest.y))
      : 1 / Math.sqrt(dot(gradient, gradient));
    for (let j = 0; j < size; j++) direction[j] = (direction[j] as number) * scale;
    for (const [j, { s, y, rho }] of [...memory.entries()].reverse()) {
      addScaled(direction, (alphas[j] as number) - rho * dot(y, direction), s);
    }

    const slope = dot(gradient, direction);
    let next = x;
    let nextGradient = gradient;
    let nextValue = Number.POSITIVE_INFINITY;
    let step = 1;
    while (nextValue > value + 1e-4 * step * slope) {
      if (step < 1e-10) return x;
      next = x.slice();
      addScaled(next, step, direction);
      nextGradient = new Float64Array(size);
      nextValue = f(next, nextGradient);
      step /= 2;
    }

    const s = next.map((v, j) => v - (x[j] as number));
    const y = nextGradient.map((g, j) => g - (gradient[j] as number));
    const curvature = dot(s, y);
    if (curvature > 1e-12) memory.unshift({ s, y, rho: 1 / curvature });
    if (memory.length > 8) memory.pop();
    x = next;
    gradient = nextGradient;
    value = nextValue;
  }
  return x;
}

function softmax(scores: Float64Array): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const score of scores) max = Math.max(max, score);
  let sum = 0;
  for (let c = 0; c < scores.length; c++) {
    const e = Math.exp((scores[c] as number) - max);
    scores[c] = e;
    sum += e;
  }
  for (let c = 0; c < scores.length; c++) scores[c] = (scores[c] as number) / sum;
}

/** target += factor · source[from …] */
function addScaled(target: Float64Array, factor: number, source: Float64Array, from = 0): void {
  for (let i = 0; i < target.length; i++)
    target[i] = (target[i] as number) + factor * (source[from + i] as number);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
