/**
 * How far a share that was counted, such as the error rate of an audit, may be from the true one.
 *
 * Two kinds, not to be mixed up. `wilson` is for display: 95 % right for an n that was fixed beforehand. To
 * decide something while watching the count grow takes `confidenceSequence`: the fixed interval, looked at
 * again and again, excludes the truth sooner or later with certainty.
 */

/** Both ends are within the range of the figure, 0 to 1 for a share, and lower ≤ upper. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/** The parameters of a Beta distribution, both > 0. */
export interface BetaPrior {
  readonly a: number;
  readonly b: number;
}

export interface SequenceOptions {
  /** The chance, over all looks together, that the sequence ever excludes the true rate; 0.05 by default. */
  readonly alpha?: number;
  /**
   * Where the rate is expected, fixed before the first look. It moves the width only: the guarantee holds under
   * any prior. Beta(½, ½) by default, which is narrow at the ends, where error rates are.
   */
  readonly prior?: BetaPrior;
}

const JEFFREYS: BetaPrior = { a: 0.5, b: 0.5 };

/** Of a bisection: enough for the last bit of any bound down to 1e-6. */
const HALVINGS = 72;

/**
 * The score interval of a binomial share (E. B. Wilson 1927, "Probable inference, the law of succession, and
 * statistical inference", JASA 22): every p whose normal approximation does not reject errors of n.
 *
 * @param level the coverage, in (0, 1)
 * @returns [0, 1] for n = 0
 */
export function wilson(errors: number, n: number, level = 0.95): Interval {
  checkCounts(errors, n);
  if (!(level > 0 && level < 1)) throw new RangeError(`A level is in (0, 1), not ${level}`);
  if (n === 0) return { lower: 0, upper: 1 };
  const z = normalQuantile((1 + level) / 2);
  const centre = (errors + (z * z) / 2) / (n + z * z);
  const half = (z / (n + z * z)) * Math.sqrt((errors * (n - errors)) / n + (z * z) / 4);
  // The ends are exactly 0 and 1 where nothing and everything was an error, but for rounding.
  return { lower: errors === 0 ? 0 : centre - half, upper: errors === n ? 1 : centre + half };
}

/**
 * An anytime-valid interval of a Bernoulli rate: with probability ≥ 1 - alpha the true rate is in the intervals
 * of all n at once, so that one may look after every answer and stop or act whenever the interval says so.
 *
 * With k errors of n, M(p) = ∫ q^k (1-q)^(n-k) dBeta(q; a, b) / (p^k (1-p)^(n-k)) is a martingale of mean 1 if
 * p is the true rate, and so ever reaches 1/alpha with probability ≤ alpha (Ville's inequality). The interval is
 * every p with M(p) < 1/alpha (H. Robbins 1970, "Statistical methods related to the law of the iterated
 * logarithm", Ann. Math. Statist. 41). log M is convex with its minimum, never above 0, at k/n: so the set is
 * an interval that holds k/n, and each end is found by bisection on its own side.
 */
export function confidenceSequence(errors: number, n: number, options: SequenceOptions = {}): Interval {
  checkCounts(errors, n);
  const { alpha = 0.05, prior = JEFFREYS } = options;
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha is in (0, 1), not ${alpha}`);
  if (!(prior.a > 0 && prior.b > 0)) throw new RangeError('The parameters of a Beta prior are above 0');
  if (n === 0) return { lower: 0, upper: 1 };

  const right = n - errors;
  const logMixture = logBeta(prior.a + errors, prior.b + right) - logBeta(prior.a, prior.b);
  const limit = -Math.log(alpha);
  const excludes = (p: number) => logMixture - errors * Math.log(p) - right * Math.log1p(-p) >= limit;
  const mean = errors / n;
  return {
    lower: errors === 0 ? 0 : bisect(excludes, 0, mean),
    upper: errors === n ? 1 : bisect(excludes, 1, mean),
  };
}

/** The point of the normal distribution with probability `p`, in (0, 1), below it: 1.959964 for 0.975. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`A probability in (0, 1) has a quantile, ${p} has none`);
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(AS241.centre, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(Math.min(p, 1 - p)));
  const tail = r <= 5 ? ratio(AS241.tail, r - 1.6) : ratio(AS241.farTail, r - 5);
  return q < 0 ? -tail : tail;
}

/**
 * The point of Student's distribution of `freedom` ≥ 1 degrees with probability `p`, in (0, 1), below it: 2.2010 for
 * 0.975 and 11 degrees. Exact for one and two degrees; else the expansion of Abramowitz & Stegun 26.7.5, which for
 * 0.975 is within 0.004 of it at three degrees, 0.001 at four, and 0.00001 from nine on.
 */
export function studentQuantile(p: number, freedom: number): number {
  const x = normalQuantile(p);
  if (!(freedom >= 1)) throw new RangeError(`There are at least 1 degrees of freedom, not ${freedom}`);
  if (freedom === 1) return Math.tan(Math.PI * (p - 0.5));
  if (freedom === 2) return (2 * p - 1) * Math.sqrt(2 / (4 * p * (1 - p)));
  const terms = [
    [1, 1],
    [3, 16, 5],
    [-15, 17, 19, 3],
    [-945, -1920, 1482, 776, 79],
  ] as const;
  const divisors = [4, 96, 384, 92_160];
  return terms.reduce((sum, odd, i) => {
    // Coefficients of x, x³, x⁵ …
    const polynomial = odd.reduceRight<number>((value, coefficient) => value * x * x + coefficient, 0) * x;
    return sum + polynomial / (divisors[i] ?? 1) / freedom ** (i + 1);
  }, x);
}

/** The end of the excluded side that is next to the boundary, so that rounding never narrows an interval. */
function bisect(excludes: (p: number) => boolean, excluded: number, included: number): number {
  let outside = excluded;
  let inside = included;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (outside + inside) / 2;
    if (excludes(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}

/** ln B(a, b) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * ln Γ(x) for x > 0, to about 1e-15 of its size: Stirling's series (Abramowitz & Stegun 6.1.41), whose first
 * omitted term is below 1e-13 from x = 12 on; smaller x are stepped up there by Γ(x + 1) = x·Γ(x).
 */
function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 12) product *= shifted++;
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  const series =
    inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (
    (shifted - 0.5) * Math.log(shifted) - shifted + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product)
  );
}

function checkCounts(errors: number, n: number): void {
  if (!Number.isSafeInteger(errors) || !Number.isSafeInteger(n) || errors < 0 || errors > n) {
    throw new RangeError(`${errors} errors of ${n} is not a count`);
  }
}

interface Rational {
  /** Coefficients from the highest power down. */
  readonly above: readonly number[];
  readonly below: readonly number[];
}

function ratio({ above, below }: Rational, x: number): number {
  return polynomial(above, x) / polynomial(below, x);
}

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/**
 * M. J. Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics
 * 37: routine PPND16, accurate to about one part in 1e16. The digits are the published ones, rounded to what a
 * double holds.
 */
const AS241 = {
  centre: {
    above: [
      2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
      1971.5909503065513, 133.14166789178438, 3.3871328727963665,
    ],
    below: [
      5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
      687.1870074920579, 42.31333070160091, 1,
    ],
  },
  tail: {
    above: [
      7.745450142783414e-4, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
      5.769497221460691, 4.630337846156546, 1.4234371107496835,
    ],
    below: [
      1.0507500716444169e-9, 5.475938084995345e-4, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
      1.6763848301838038, 2.053191626637759, 1,
    ],
  },
  farTail: {
    above: [
      2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
      0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
    ],
    below: [
      2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 7.868691311456133e-4,
      0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
    ],
  },
} as const satisfies Record<string, Rational>;
