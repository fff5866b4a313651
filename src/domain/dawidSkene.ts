import { hash32 } from './random.ts';

/**
 * What people's answers say of the samples' true classes, and at the same time how each person errs: the maximum
 * likelihood estimate by EM of A. P. Dawid and A. M. Skene 1979, "Maximum likelihood estimation of observer error-rates
 * using the EM algorithm", Applied Statistics 28(1), pages 20-28.
 *
 * A sample is of class c with probability `prior[c]`, and annotator a then answers l with probability
 * `confusion[a][c][l]`, whatever others answer. Probabilities of a sample are sums of logarithms, so that any number of
 * answers to one sample can be taken.
 */

/** Stands for a class that is not known. */
const UNKNOWN = -1;

/** Answers to samples, as columns. Samples, annotators and classes are numbers from 0. */
export interface Answers {
  readonly classes: number;
  readonly annotators: number;
  /** Where the answers to each sample begin, and at last where they end: one more than there are samples. */
  readonly offsets: Uint32Array;
  /** Beside each answer: who gave it, and the class. */
  readonly annotator: Uint32Array;
  readonly label: Uint16Array;
  /** The class of each sample whose class is known beforehand (gold), or −1. */
  readonly known: Int32Array;
  /** 1 for each sample over which the class prior is estimated. If there are none, it is flat. */
  readonly forPrior: Uint8Array;
}

/** What is taken to be known before the first answer, in answers: a Dirichlet prior, so that nothing is impossible. */
export interface Smoothing {
  /** So many right answers to samples of each class, of each annotator. It keeps classes from changing places. */
  readonly right: number;
  /** So many answers to samples of each class, spread evenly over all labels. */
  readonly spread: number;
  /** So many samples of each class, in the class prior. */
  readonly prior: number;
}

export interface FitOptions {
  /** {@link NO_SMOOTHING} gives the maximum likelihood estimate as published. Default: {@link SMOOTHING}. */
  readonly smoothing?: Smoothing;
  /** How many more starts are tried, from votes that are shaken at random; the likeliest is taken. Default: 3. */
  readonly restarts?: number;
  /** Of those starts; uint32. Default: 0. */
  readonly seed?: number;
  /** Default: 500. */
  readonly maxIterations?: number;
}

const SMOOTHING: Smoothing = { right: 1, spread: 0.1, prior: 1 };
export const NO_SMOOTHING: Smoothing = { right: 0, spread: 0, prior: 0 };

/** Whose classes, matrices and probabilities these are, {@link Answers} says. */
export interface DawidSkeneFit {
  readonly classes: number;
  readonly annotators: number;
  /** annotators × true classes × answers: each row of one annotator and true class sums to 1. */
  readonly confusion: Float64Array;
  /** The same for somebody of whom nothing is known. */
  readonly newcomer: Float64Array;
  /** How likely each class is before any answer. */
  readonly prior: Float64Array;
  /** The logarithm of the likelihood, and of the Dirichlet prior's density but for a constant. */
  readonly objective: number;
  readonly iterations: number;
  /** The last iteration added less than {@link TOLERANCE} to the objective, a sample; else it was cut short. */
  readonly converged: boolean;
}

/** One person's answer to a sample. */
export interface Answer {
  readonly annotator: number;
  readonly label: number;
}

const RESTARTS = 3;
const MAX_ITERATIONS = 500;
/** Logarithms so far below the largest add nothing that a double would show. */
const NEGLIGIBLE = -40;
const TOLERANCE = 1e-6;

/** The likeliest fit of several starts. The same answers and seed give the same fit. */
export function dawidSkene(answers: Answers, options: FitOptions = {}): DawidSkeneFit {
  const { restarts = RESTARTS, seed = 0, maxIterations = MAX_ITERATIONS, smoothing = SMOOTHING } = options;
  const run = (start: number) =>
    new Expectation(answers, smoothing).run(
      voteShares(answers, hash32(seed, start), start > 0),
      maxIterations,
    );
  let best = run(0);
  for (let start = 1; start <= restarts; start++) {
    const other = run(start);
    if (other.objective > best.objective) best = other;
  }
  return best;
}

/** How likely each class is, given the answers to a sample. Of no answers: the class prior. */
export function posterior(fit: DawidSkeneFit, answers: Iterable<Answer>): Float64Array {
  const { classes, annotators, confusion, newcomer, prior } = fit;
  const logs = prior.map(Math.log);
  for (const { annotator, label } of answers) {
    const isKnown = annotator < annotators;
    const matrix = isKnown ? confusion : newcomer;
    const first = (isKnown ? annotator * classes * classes : 0) + label;
    for (let c = 0; c < classes; c++)
      logs[c] = (logs[c] as number) + Math.log(matrix[first + c * classes] as number);
  }
  normalise(logs);
  return logs;
}

/** How likely an annotator's answer is right, for a sample whose class is drawn from the class prior. */
export function accuracy({ classes, confusion, prior }: DawidSkeneFit, annotator: number): number {
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    sum += (prior[c] as number) * (confusion[(annotator * classes + c) * classes + c] as number);
  }
  return sum;
}

/** Gives the class of each answered sample as likely as it has votes, or that times a random weight. */
function voteShares(answers: Answers, seed: number, shaken: boolean) {
  return (sample: number, into: Float64Array): void => {
    const { offsets, label, classes } = answers;
    into.fill(0);
    for (let i = offsets[sample] as number; i < (offsets[sample + 1] as number); i++) {
      into[label[i] as number] = (into[label[i] as number] as number) + 1;
    }
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      // Exponential weights: shares are then drawn from a Dirichlet distribution of as many votes.
      const weight = shaken ? -Math.log((hash32(seed, sample, c) + 0.5) / 2 ** 32) : 1;
      sum += into[c] = (into[c] as number) * weight;
    }
    for (let c = 0; c < classes; c++) into[c] = sum > 0 ? (into[c] as number) / sum : 1 / classes;
  };
}

/**
 * One run of EM. Both steps are taken sample by sample, so that memory grows with annotators × classes² and not with
 * samples. Matrices are kept as annotators × answers × true classes here: what one answer touches lies together.
 */
class Expectation {
  readonly #answers: Answers;
  readonly #smoothing: Smoothing;
  readonly #counts: Float64Array;
  readonly #logs: Float64Array;
  readonly #rates: Float64Array;
  readonly #classCounts: Float64Array;
  readonly #prior: Float64Array;
  readonly #drawn: number;

  constructor(answers: Answers, smoothing: Smoothing) {
    const { annotators, classes, forPrior } = answers;
    this.#answers = answers;
    this.#smoothing = smoothing;
    const cells = annotators * classes * classes;
    this.#counts = new Float64Array(cells);
    this.#logs = new Float64Array(cells);
    this.#rates = new Float64Array(cells);
    this.#classCounts = new Float64Array(classes);
    this.#prior = new Float64Array(classes).fill(1 / classes);
    this.#drawn = forPrior.reduce((sum, one) => sum + one, 0);
  }

  run(start: (sample: number, into: Float64Array) => void, maxIterations: number): DawidSkeneFit {
    this.#forEach(start);
    this.#maximise();
    const enough = TOLERANCE * (this.#answers.offsets.length - 1);
    let objective = this.#expect() + this.#logDensity();
    let converged = false;
    let iterations = 0;
    for (; !converged && iterations < maxIterations; iterations++) {
      this.#maximise();
      const before = objective;
      objective = this.#expect() + this.#logDensity();
      converged = Math.abs(objective - before) < enough;
    }
    return { ...this.#result(), objective, iterations, converged };
  }

  /** Counts all samples, each by how likely its classes are; gives the logarithm of the likelihood. */
  #expect(): number {
    const { classes, offsets, annotator, label, known } = this.#answers;
    const logs = this.#logs;
    const logPrior = this.#prior.map(Math.log);
    let likelihood = 0;
    this.#forEach((sample, into) => {
      into.set(logPrior);
      for (let i = offsets[sample] as number; i < (offsets[sample + 1] as number); i++) {
        const from = ((annotator[i] as number) * classes + (label[i] as number)) * classes;
        for (let c = 0; c < classes; c++) into[c] = (into[c] as number) + (logs[from + c] as number);
      }
      const truth = known[sample] as number;
      likelihood += truth === UNKNOWN ? normalise(into) : (into[truth] as number);
    });
    return likelihood;
  }

  /** Counts all samples anew, each by what `look` says of its classes; those of known class by that. */
  #forEach(look: (sample: number, into: Float64Array) => void): void {
    const { classes, offsets, annotator, label, known, forPrior } = this.#answers;
    const counts = this.#counts.fill(0);
    const classCounts = this.#classCounts.fill(0);
    const shares = new Float64Array(classes);
    for (let sample = 0; sample + 1 < offsets.length; sample++) {
      look(sample, shares);
      const truth = known[sample] as number;
      if (truth !== UNKNOWN) shares.fill(0)[truth] = 1;
      for (let i = offsets[sample] as number; i < (offsets[sample + 1] as number); i++) {
        const from = ((annotator[i] as number) * classes + (label[i] as number)) * classes;
        for (let c = 0; c < classes; c++)
          counts[from + c] = (counts[from + c] as number) + (shares[c] as number);
      }
      if (forPrior[sample] === 1) {
        for (let c = 0; c < classes; c++) classCounts[c] = (classCounts[c] as number) + (shares[c] as number);
      }
    }
  }

  /** Takes the rates that make what was counted likeliest. */
  #maximise(): void {
    const { annotators, classes } = this.#answers;
    this.#maximisePrior();
    const sums = new Float64Array(classes);
    for (let a = 0; a < annotators; a++) {
      const first = a * classes * classes;
      sums.fill(0);
      for (let l = 0, at = first; l < classes; l++) {
        for (let c = 0; c < classes; c++, at++)
          sums[c] = (sums[c] as number) + (this.#counts[at] as number) + this.#before(c, l);
      }
      for (let l = 0, at = first; l < classes; l++) {
        for (let c = 0; c < classes; c++, at++) {
          const sum = sums[c] as number;
          // Of a class that nobody has, no answer is likelier than another.
          const rate = sum > 0 ? ((this.#counts[at] as number) + this.#before(c, l)) / sum : 1 / classes;
          this.#rates[at] = rate;
          this.#logs[at] = Math.log(rate);
        }
      }
    }
  }

  #maximisePrior(): void {
    if (this.#drawn === 0) return;
    const { prior } = this.#smoothing;
    const { classes } = this.#answers;
    for (let c = 0; c < classes; c++) {
      const share = ((this.#classCounts[c] as number) + prior) / (this.#drawn + classes * prior);
      this.#prior[c] = share;
    }
  }

  /** The answers that are taken to have been given before. */
  #before(c: number, l: number): number {
    const { right, spread } = this.#smoothing;
    return spread / this.#answers.classes + (c === l ? right : 0);
  }

  #logDensity(): number {
    const { annotators, classes } = this.#answers;
    const { prior } = this.#smoothing;
    let sum = 0;
    const add = (weight: number, log: number) => {
      if (weight > 0) sum += weight * log;
    };
    for (let a = 0, at = 0; a < annotators; a++) {
      for (let l = 0; l < classes; l++) {
        for (let c = 0; c < classes; c++, at++) add(this.#before(c, l), this.#logs[at] as number);
      }
    }
    if (this.#drawn > 0) for (const share of this.#prior) add(prior, Math.log(share));
    return sum;
  }

  #result() {
    const { annotators, classes } = this.#answers;
    const confusion = new Float64Array(this.#rates.length);
    for (let a = 0; a < annotators; a++) {
      for (let c = 0; c < classes; c++) {
        for (let l = 0; l < classes; l++) {
          confusion[(a * classes + c) * classes + l] = this.#rates[(a * classes + l) * classes + c] as number;
        }
      }
    }
    const { right, spread } = this.#smoothing;
    const newcomer = Float64Array.from({ length: classes * classes }, (_, at) => {
      const isDiagonal = Math.floor(at / classes) === at % classes;
      const known = right + spread > 0;
      return known ? (spread / classes + (isDiagonal ? right : 0)) / (right + spread) : 1 / classes;
    });
    return { classes, annotators, confusion, newcomer, prior: this.#prior };
  }
}

/** Turns logarithms into shares that sum to 1, and gives the logarithm of their sum. Of all impossible: even shares. */
function normalise(logs: Float64Array): number {
  // Loops by index: iterators cost several times as much, and this is done for each sample in each step.
  const { length } = logs;
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < length; c++) if ((logs[c] as number) > most) most = logs[c] as number;
  if (most === Number.NEGATIVE_INFINITY) {
    logs.fill(1 / length);
    return most;
  }
  let sum = 0;
  for (let c = 0; c < length; c++) {
    const below = (logs[c] as number) - most;
    const share = below < NEGLIGIBLE ? 0 : Math.exp(below);
    logs[c] = share;
    sum += share;
  }
  const scale = 1 / sum;
  for (let c = 0; c < length; c++) logs[c] = (logs[c] as number) * scale;
  return most + Math.log(sum);
}
