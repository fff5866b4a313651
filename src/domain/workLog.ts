import { TIME_BINS, type TimeBins, timeBin } from './timeSketch.ts';

/**
 * What somebody has done, counted in stretches of time: an hour each at first. Once they have worked in more than
 * {@link MOST_STRETCHES} of them, stretches become twice as long, and two neighbours one. So the log of one person is
 * bounded, however long a project runs, and what it says follows from what happened and not from when it was asked.
 *
 * A count is moved in constant time, and taken back exactly: at the time at which it was counted.
 */

/** What is counted of one stretch. */
export interface WorkCounts {
  /** Answers given in it that stand, repeats included. */
  answers: number;
  skips: number;
  expiries: number;
  /** Answers and skips, those that were taken back included: there was work. */
  acts: number;
  /** Time at work in milliseconds: see {@link WorkLog.acted}. */
  activeMs: number;
  /** Answers given beside a suggestion; those of them that are as it said. */
  shown: number;
  accepted: number;
  /** Answers that can be compared with what others say, or a ruling; those that are the same. */
  compared: number;
  agreeing: number;
  /** First answers to what is gold now; those that are right by what is known now. */
  checks: number;
  correct: number;
  /** Answers to repeats; those that are as the first time. */
  repeats: number;
  same: number;
}

export const WORK_FIELDS: readonly (keyof WorkCounts)[] = [
  'answers',
  'skips',
  'expiries',
  'acts',
  'activeMs',
  'shown',
  'accepted',
  'compared',
  'agreeing',
  'checks',
  'correct',
  'repeats',
  'same',
];

/** The counts of one stretch, or of several together. */
export class Work implements WorkCounts {
  answers = 0;
  skips = 0;
  expiries = 0;
  acts = 0;
  activeMs = 0;
  shown = 0;
  accepted = 0;
  compared = 0;
  agreeing = 0;
  checks = 0;
  correct = 0;
  repeats = 0;
  same = 0;
  /** How long answers took whose time was measured; of those, the accepted suggestions. Null before the first. */
  times: TimeBins | null = null;
  acceptedTimes: TimeBins | null = null;

  add(other: Work): void {
    for (const field of WORK_FIELDS) this[field] += other[field];
    this.times = sumOf(this.times, other.times);
    this.acceptedTimes = sumOf(this.acceptedTimes, other.acceptedTimes);
  }

  copy(): Work {
    const copy = new Work();
    copy.add(this);
    return copy;
  }

  countTime(seconds: number, isAccepted: boolean, by: 1 | -1): void {
    this.times = counted(this.times, seconds, by);
    if (isAccepted) this.acceptedTimes = counted(this.acceptedTimes, seconds, by);
  }
}

/** The most stretches of one person. */
export const MOST_STRETCHES = 60;
const HOUR_MS = 3_600_000;
/** Whoever has done nothing for so long has been away. */
const AWAY_MS = 5 * 60_000;

/** One person's work over time. */
export class WorkLog {
  /** Length of a stretch: an hour × 2^level. */
  level = 0;
  /** When they last did something, or came back to; 0: never. */
  lastAt = 0;
  /** The `seq` of the newest commit that moved a count. */
  changedAt = 0;
  /** By the stretch's number since 1970, in no order. */
  readonly stretches = new Map<number, Work>();

  get stretchMs(): number {
    return HOUR_MS * 2 ** this.level;
  }

  /** The stretch of a time. */
  at(time: number): Work {
    const number = Math.floor(time / this.stretchMs);
    const existing = this.stretches.get(number);
    if (existing !== undefined) return existing;
    const work = new Work();
    this.stretches.set(number, work);
    if (this.stretches.size <= MOST_STRETCHES) return work;
    while (this.stretches.size > MOST_STRETCHES) this.#double();
    return this.at(time);
  }

  /**
   * They have answered or skipped something: the time since they last did is time at work. After more than five minutes
   * they have been away, and only what was measured of this one answer is known.
   */
  acted(time: number, measuredMs: number): void {
    const gap = time - this.lastAt;
    const known = Number.isNaN(measuredMs) ? 0 : Math.min(measuredMs, AWAY_MS);
    const work = this.at(time);
    work.activeMs += gap <= AWAY_MS ? gap : known;
    work.acts++;
    this.lastAt = time;
  }

  /** They were given something: if they had been away, they are at work from now on. */
  began(time: number): void {
    if (time - this.lastAt > AWAY_MS) this.lastAt = time;
  }

  /** In the order of time. */
  inTime(): { readonly from: number; readonly until: number; readonly work: Work }[] {
    const { stretchMs } = this;
    return [...this.stretches]
      .sort(([one], [other]) => one - other)
      .map(([number, work]) => ({ from: number * stretchMs, until: (number + 1) * stretchMs, work }));
  }

  /** All of it together. */
  total(): Work {
    const total = new Work();
    for (const work of this.stretches.values()) total.add(work);
    return total;
  }

  #double(): void {
    const halves = [...this.stretches];
    this.stretches.clear();
    this.level++;
    for (const [number, work] of halves) {
      const whole = this.stretches.get(Math.floor(number / 2));
      if (whole === undefined) this.stretches.set(Math.floor(number / 2), work);
      else whole.add(work);
    }
  }
}

/** Null once there is none: a log that was restored looks like that too. */
function counted(bins: TimeBins | null, seconds: number, by: 1 | -1): TimeBins | null {
  const moved = bins ?? newBins();
  const bin = timeBin(seconds);
  moved[bin] = (moved[bin] as number) + by;
  return moved.some((count) => count > 0) ? moved : null;
}

function newBins(): TimeBins {
  return new Uint32Array(TIME_BINS);
}

/** Bins of their own, so that neither moves with the other. */
function sumOf(one: TimeBins | null, other: TimeBins | null): TimeBins | null {
  if (one === null || other === null) return (one ?? other)?.slice() ?? null;
  return one.map((count, bin) => count + (other[bin] as number));
}

/** Logs as two columns: what a snapshot keeps of them. */
export interface SavedLogs {
  /** {@link LOG_WIDTH} numbers a stretch: annotator, level, lastAt, changedAt, the stretch's number, then its counts. */
  readonly stretches: Float64Array;
  /** Three numbers a bin in use: the stretch's row, the bin (+ {@link TIME_BINS}: of accepted suggestions), the count. */
  readonly bins: Uint32Array;
}

const HEAD = 5;
const LOG_WIDTH = HEAD + WORK_FIELDS.length;

export function savedLogs(logs: readonly WorkLog[]): SavedLogs {
  const stretches: number[] = [];
  const bins: number[] = [];
  for (const [annotator, { level, lastAt, changedAt, stretches: own }] of logs.entries()) {
    const head = [annotator, level, lastAt, changedAt];
    // A log without a stretch still has when they came.
    if (own.size === 0) stretches.push(...head, -1, ...WORK_FIELDS.map(() => 0));
    for (const [number, work] of own) {
      const row = stretches.length / LOG_WIDTH;
      stretches.push(...head, number, ...WORK_FIELDS.map((field) => work[field]));
      for (const [offset, times] of [work.times, work.acceptedTimes].entries()) {
        times?.forEach((count, bin) => {
          if (count > 0) bins.push(row, offset * TIME_BINS + bin, count);
        });
      }
    }
  }
  return { stretches: Float64Array.from(stretches), bins: Uint32Array.from(bins) };
}

/** @throws {Error} they do not fit each other */
export function restoreLogs({ stretches, bins }: SavedLogs, logOf: (annotator: number) => WorkLog): void {
  const works: Work[] = [];
  for (let at = 0; at < stretches.length; at += LOG_WIDTH) {
    const [annotator = 0, level = 0, lastAt = 0, changedAt = 0, number = -1] = stretches.subarray(
      at,
      at + HEAD,
    );
    const log = Object.assign(logOf(annotator), { level, lastAt, changedAt });
    const work = new Work();
    for (const [i, field] of WORK_FIELDS.entries()) work[field] = stretches[at + HEAD + i] as number;
    works.push(work);
    if (number >= 0) log.stretches.set(number, work);
  }
  for (let at = 0; at < bins.length; at += 3) {
    const [row = 0, place = 0, count = 0] = bins.subarray(at, at + 3);
    const work = works[row];
    if (work === undefined) throw new Error(`there is no stretch ${row} of work`);
    const kind = place < TIME_BINS ? 'times' : 'acceptedTimes';
    const times = work[kind] ?? newBins();
    times[place % TIME_BINS] = count;
    work[kind] = times;
  }
}
