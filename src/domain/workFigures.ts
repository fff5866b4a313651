import { MIN_FOR_BAND } from './agreementFigure.ts';
import { type ChangePoint, type Counted, changeIn } from './changeTest.ts';
import { type Interval, normalQuantile, wilson } from './confidence.ts';
import { quantileBin, type TimeBins, timeCount, timeQuantile } from './timeSketch.ts';
import type { Work, WorkLog } from './workLog.ts';

/** What a count of somebody's work says, how sure it is, and when it says nothing. */

/** Held back: it rests on fewer than it takes. */
export interface Withheld {
  readonly withheld: 'TOO_FEW';
  /** On how many it rests, and how many it takes. */
  readonly n: number;
  readonly needed: number;
}

/** A share of `n`, with Wilson's interval of 95 %. */
export interface ShareOf {
  readonly value: number;
  readonly interval: Interval;
  readonly n: number;
}

/** Answers an hour at work. */
export interface Throughput {
  readonly value: number;
  /** 95 %, taking the count for one of Poisson's. */
  readonly interval: Interval;
  readonly n: number;
  readonly hours: number;
}

/** How long an answer takes, in seconds, each within 9 %. */
export interface AnswerTime {
  readonly median: number;
  /** 95 %, of the median, from the ranks between which it lies. */
  readonly interval: Interval;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly n: number;
}

/** The share `count` of `n`. */
export function shareOf(count: number, n: number): ShareOf | Withheld {
  if (n < MIN_FOR_BAND) return tooFew(n);
  return { value: count / n, interval: wilson(count, n), n };
}

/**
 * Answers an hour at work, with the interval of a Poisson count by Byar's approximation (N. E. Breslow & N. E. Day 1987,
 * "Statistical Methods in Cancer Research" II, formula 2.13). People work more evenly than that, so it is rather too wide.
 */
export function throughput({ answers, activeMs }: Pick<Work, 'answers' | 'activeMs'>): Throughput | Withheld {
  if (answers < MIN_FOR_BAND || activeMs === 0) return tooFew(answers);
  const hours = activeMs / 3_600_000;
  const z = normalQuantile(0.975);
  const bound = (count: number, side: 1 | -1) =>
    count * (1 - 1 / (9 * count) + (side * z) / (3 * Math.sqrt(count))) ** 3;
  return {
    value: answers / hours,
    interval: { lower: bound(answers, -1) / hours, upper: bound(answers + 1, 1) / hours },
    n: answers,
    hours,
  };
}

/**
 * The median and the quartiles of measured times. The median's interval reaches from one ordered time to another: so many
 * are below the true one as heads fall in n throws (W. J. Conover 1999, "Practical Nonparametric Statistics", ch. 3.2).
 */
export function answerTime(bins: TimeBins | null): AnswerTime | Withheld {
  const n = bins === null ? 0 : timeCount(bins);
  if (bins === null || n < MIN_FOR_BAND) return tooFew(n);
  const quantile = (share: number) => timeQuantile(bins, Math.min(1, Math.max(0, share))) as number;
  const half = normalQuantile(0.975) / (2 * Math.sqrt(n));
  return {
    median: quantile(0.5),
    interval: { lower: quantile(0.5 - half), upper: quantile(0.5 + half) },
    lowerQuartile: quantile(0.25),
    upperQuartile: quantile(0.75),
    n,
  };
}

/** Six of the histogram's bins: 2^(−6/4). */
const HASTY_BINS = 6;
/** An answer is hasty if it took less than this part of what is usual. */
export const HASTY = 2 ** (-HASTY_BINS / 4);

/** Times by which accepted suggestions are judged: those of somebody's other answers. Null: too few were measured. */
export function usualTimes({ times, acceptedTimes }: Pick<Work, 'times' | 'acceptedTimes'>): TimeBins | null {
  if (times === null) return null;
  const others = times.map((count, bin) => count - (acceptedTimes?.[bin] ?? 0));
  return timeCount(others) < MIN_FOR_BAND ? null : others;
}

/**
 * Rubber-stamping: of the suggestions that somebody accepted, the share that they accepted in less than {@link HASTY} of
 * the median time of their other answers. A rule of our own: it takes the person for their own measure, and leaves out
 * that accepting is quicker than choosing by itself.
 *
 * @param usual see {@link usualTimes}
 */
export function rubberStamped(
  { acceptedTimes }: Pick<Work, 'acceptedTimes'>,
  usual: TimeBins | null,
): ShareOf | Withheld {
  const n = acceptedTimes === null ? 0 : timeCount(acceptedTimes);
  if (usual === null || acceptedTimes === null) return tooFew(Math.min(n, MIN_FOR_BAND - 1));
  const from = quantileBin(usual, 0.5) - HASTY_BINS;
  return shareOf(timeCount(acceptedTimes.subarray(0, Math.max(0, from))), n);
}

/** Whether somebody agrees less or more than before: with the others, or with gold. */
export type DriftVerdict = 'NO_CHANGE_SHOWN' | 'WORSE' | 'BETTER';

export interface Drift {
  readonly verdict: DriftVerdict;
  /** The likeliest time of a change, in milliseconds since 1970, whether it is shown or not. */
  readonly since: number;
  readonly change: ChangePoint;
}

/** What may drift: agreement with consensus, or with gold. */
export type DriftingShare = (work: Work) => Counted;

export const WITH_CONSENSUS: DriftingShare = ({ compared, agreeing }) => ({ answers: compared, agreeing });
export const WITH_GOLD: DriftingShare = ({ checks, correct }) => ({ answers: checks, agreeing: correct });

/** See {@link changeIn}. It takes as many answers as any other figure on either side of some change. */
export function driftOf(log: WorkLog, share: DriftingShare): Drift | Withheld {
  const stretches = log.inTime().filter(({ work }) => share(work).answers > 0);
  const series = stretches.map(({ work }) => share(work));
  const n = series.reduce((sum, { answers }) => sum + answers, 0);
  const change = n < 2 * MIN_FOR_BAND ? null : changeIn(series, log.level);
  if (change === null) return { withheld: 'TOO_FEW', n, needed: 2 * MIN_FOR_BAND };
  const { before, after } = change;
  const isWorse = after.agreeing / after.answers < before.agreeing / before.answers;
  const verdict = change.hasChanged ? (isWorse ? 'WORSE' : 'BETTER') : 'NO_CHANGE_SHOWN';
  return { verdict, since: stretches[change.at]?.from ?? 0, change };
}

/** What is said in place of a figure that takes {@link MIN_FOR_BAND}, and rests on `n`. */
export function tooFew(n: number): Withheld {
  return { withheld: 'TOO_FEW', n, needed: MIN_FOR_BAND };
}
