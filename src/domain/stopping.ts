/**
 * Signals of when labelling more is hardly worth it, worked out when a prediction run is published, over the pool:
 * what the run says of samples that nobody has labelled. They need no labels of their own. None of them decides
 * anything here; see docs/strategies.md.
 *
 * - Mean uncertainty: J. Zhu, H. Wang, E. Hovy, M. Ma, "Confidence-based stopping criteria for active learning for data
 *   annotation", ACM TSLP 6(3), 2010 (overall uncertainty).
 * - Classification change: J. Zhu, H. Wang, E. Hovy, "Multi-criteria-based strategy to stop active learning for data
 *   annotation", COLING 2008.
 * - Kappa: M. Bloodgood, K. Vijay-Shanker, "A method for stopping active learning based on stabilizing predictions and
 *   the need for user-adjustable stopping", CoNLL 2009. There it is of a stop set that never changes; here of the pool,
 *   which shrinks as it is labelled.
 */
export interface StoppingSignals {
  /** Samples of which the run speaks and that nobody has labelled or given up. */
  readonly pool: number;
  /** The mean over the pool of entropy / ln(classes), 0…1; null if the pool is empty. */
  readonly meanUncertainty: number | null;
  /** Samples of the pool of which the run before spoke as well. */
  readonly compared: number;
  /** Those of them whose likeliest class is another one now. */
  readonly changed: number;
  /** Cohen's kappa between the likeliest classes of both runs, −1…1; null if nothing was compared, or chance alone agrees. */
  readonly kappa: number | null;
}

/**
 * So many runs must agree with the one before, and so well on average, for predictions to be called stable. They are the
 * defaults of `KappaAverage` in small-text (webis-de/small-text), after the paper of 2009, whose own text was not looked
 * at for them; there it is the mean change of kappa that must be below 0.01.
 */
const STABLE_RUNS = 3;
const STABLE_KAPPA = 0.99;

/** Whether predictions have become stable: the mean of the last three kappas is 0.99 or more. */
export function isStable(newestLast: readonly StoppingSignals[]): boolean {
  const last = newestLast.slice(-STABLE_RUNS).map(({ kappa }) => kappa);
  if (last.length < STABLE_RUNS || last.includes(null)) return false;
  const mean = last.reduce<number>((sum, kappa) => sum + (kappa ?? 0), 0) / STABLE_RUNS;
  // Three times 0.99 sums to a hair below 2.97.
  return mean >= STABLE_KAPPA - 1e-9;
}

/** Counts the signals, sample by sample. */
export class StoppingCount {
  #pool = 0;
  #uncertainty = 0;
  #compared = 0;
  #same = 0;
  readonly #now: Uint32Array;
  readonly #before: Uint32Array;

  constructor(classes: number) {
    this.#now = new Uint32Array(classes);
    this.#before = new Uint32Array(classes);
  }

  /** @param before the class that the run before thought likeliest; −1: it did not speak of the sample */
  add(label: number, before: number, uncertainty: number): void {
    this.#pool++;
    this.#uncertainty += uncertainty;
    if (before < 0) return;
    this.#compared++;
    if (label === before) this.#same++;
    this.#now[label] = (this.#now[label] as number) + 1;
    this.#before[before] = (this.#before[before] as number) + 1;
  }

  get signals(): StoppingSignals {
    const compared = this.#compared;
    const expected = this.#now.reduce((sum, count, c) => sum + count * (this.#before[c] as number), 0);
    const byChance = expected / compared ** 2;
    const observed = this.#same / compared;
    return {
      pool: this.#pool,
      meanUncertainty: this.#pool === 0 ? null : this.#uncertainty / this.#pool,
      compared,
      changed: compared - this.#same,
      kappa: compared === 0 || byChance === 1 ? null : (observed - byChance) / (1 - byChance),
    };
  }
}

/** Uncertainties are kept in 16 bits: 65,535 stands for 1. */
const FULL = 0xffff;

/** The upper bits of a float32's mantissa, by which the logarithm is looked up. */
const BITS = 11;
const LOG2 = Float64Array.from({ length: 1 << BITS }, (_, i) => Math.log2(1 + (i + 0.5) / (1 << BITS)));

/**
 * The uncertainty of each row, entropy / ln(classes), in 16 bits.
 *
 * The logarithm is looked up by a number's exponent and the first 11 bits of its mantissa, several times faster than
 * it is computed: a row is off by less than 0.0004, and as much too high as too low, so that the mean is closer by far.
 *
 * @param probabilities rows × classes, checked before
 */
export function uncertainties(probabilities: Float32Array, classes: number): Uint16Array {
  const bits = new Uint32Array(probabilities.buffer, probabilities.byteOffset, probabilities.length);
  const rows = new Uint16Array(probabilities.length / classes);
  const scale = FULL / Math.log2(classes);
  for (let row = 0, at = 0; row < rows.length; row++) {
    let entropy = 0;
    for (const end = at + classes; at < end; at++) {
      const p = probabilities[at] as number;
      const word = bits[at] as number;
      if (p > 0)
        entropy -= p * ((word >>> 23) - 127 + (LOG2[(word >>> (23 - BITS)) & ((1 << BITS) - 1)] as number));
    }
    rows[row] = Math.max(0, Math.min(FULL, Math.round(entropy * scale)));
  }
  return rows;
}

/**
 * Uncertainties as a chunk keeps them: two zero bytes, then 16 bits a row, little-endian. With the zeros, no chunk that
 * somebody has made up can be taken for a record of the service, which is text.
 */
export function encodeUncertainties(rows: Uint16Array): Uint8Array {
  const words = new Uint16Array(rows.length + 1);
  words.set(rows, 1);
  return new Uint8Array(words.buffer);
}

/** Each a number in 0…1. */
export function decodeUncertainties(bytes: Uint8Array): Float32Array {
  // A copy, for a chunk may begin at any byte of a larger buffer, and typed arrays need an aligned one.
  const words = new Uint16Array(new Uint8Array(bytes).buffer, 2);
  return Float32Array.from(words, (word) => word / FULL);
}
