import { MIN_FOR_BAND } from './agreementFigure.ts';
import { type Interval, wilson } from './confidence.ts';
import { majority } from './consensus.ts';
import type { JointRatings } from './jointRatings.ts';
import type { Project } from './project.ts';

/** How many of some answers were the same as the others'. */
export interface Agreeing {
  readonly answers: number;
  readonly agreeing: number;
}

/** One annotator's work, and whether it has changed. */
export interface PersonFigures {
  readonly annotator: number;
  /** Answers that stand. */
  readonly answers: number;
  readonly skips: number;
  /** The middle one of the times that were measured, in seconds; null: none was. */
  readonly medianSeconds: number | null;
  /** Answers to samples that others have labelled too and do not tie on, and those of them like the others' majority. */
  readonly withOthers: Agreeing;
  /** The same of the older and of the newer half of these answers. */
  readonly early: Agreeing;
  readonly late: Agreeing;
  /** By how much that has changed, −1…1, with its interval; null: a half has fewer than {@link MIN_FOR_BAND}. */
  readonly change: { readonly difference: number; readonly interval: Interval } | null;
}

/**
 * The interval of a change is one of 99 %: among many people, one in twenty would seem to change by chance.
 */
const LEVEL = 0.99;

/** Every annotator who has answered, in the order in which they began. */
export function peopleOverTime(project: Project, joint: readonly JointRatings[]): PersonFigures[] {
  const { assignments, annotators } = project;
  const seconds: number[][] = annotators.map(() => []);
  for (let row = 0; row < assignments.size; row++) {
    const time = assignments.milliseconds.get(row);
    if (assignments.state(row) === 'SUBMITTED' && !Number.isNaN(time))
      seconds[assignments.annotator.get(row)]?.push(time / 1_000);
  }
  const compared: { at: number; agrees: boolean }[][] = annotators.map(() => []);
  for (const ratings of joint) {
    for (const own of ratings) {
      const others = majority(ratings.filter((rating) => rating !== own).map(({ label }) => label));
      if (others.kind !== 'label') continue;
      compared[own.annotator]?.push({ at: own.at, agrees: own.label === others.label });
    }
  }
  return annotators
    .filter(({ answers }) => answers > 0)
    .map(({ index, answers, skips }): PersonFigures => {
      const inTime = (compared[index] ?? []).sort((one, other) => one.at - other.at);
      const half = inTime.length >> 1;
      const [early, late] = [agreeing(inTime.slice(0, half)), agreeing(inTime.slice(half))];
      return {
        annotator: index,
        answers,
        skips,
        medianSeconds: median(seconds[index] ?? []),
        withOthers: agreeing(inTime),
        early,
        late,
        change: changeBetween(early, late),
      };
    });
}

function agreeing(answers: readonly { readonly agrees: boolean }[]): Agreeing {
  return { answers: answers.length, agreeing: answers.filter(({ agrees }) => agrees).length };
}

/**
 * The difference of two shares, and its interval from the Wilson intervals of both (R. G. Newcombe 1998, "Interval
 * estimation for the difference between independent proportions", Statistics in Medicine 17, method 10).
 *
 * @param level its coverage, in (0, 1)
 */
export function changeBetween(early: Agreeing, late: Agreeing, level = LEVEL): PersonFigures['change'] {
  if (Math.min(early.answers, late.answers) < MIN_FOR_BAND) return null;
  const [before, after] = [early.agreeing / early.answers, late.agreeing / late.answers];
  const [a, b] = [wilson(early.agreeing, early.answers, level), wilson(late.agreeing, late.answers, level)];
  const difference = after - before;
  return {
    difference,
    interval: {
      lower: difference - Math.hypot(after - b.lower, a.upper - before),
      upper: difference + Math.hypot(b.upper - after, before - a.lower),
    },
  };
}

export function median(values: readonly number[]): number | null {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}
