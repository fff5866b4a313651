import { type AnswerColumns, drawIn } from './answerColumns.ts';
import type { Draw } from './events.ts';
import { NONE } from './sampleTable.ts';

/** An answer as it counts for the agreement, with when it was given. */
export interface TimedRating {
  /** Of its assignment. */
  readonly row: number;
  readonly sample: number;
  readonly annotator: number;
  readonly label: number;
  readonly at: number;
  readonly draw: Draw;
}

/** The answers of one sample that several people have labelled, oldest first. */
export type JointRatings = readonly TimedRating[];

/**
 * Every sample with two ratings or more, in the order in which the second of them came: what the figures of
 * agreement rest on, laid out in time. A rating is the answer that somebody gave blind; see `AssignmentTable.rating`.
 */
export function jointRatings(columns: AnswerColumns): JointRatings[] {
  const { sample: samples, annotator, rating, answeredAt } = columns;
  const counts = new Uint16Array(samples.reduce((most, sample) => Math.max(most, sample), NONE) + 1);
  for (const [row, label] of rating.entries()) {
    const sample = samples[row] as number;
    if (label !== NONE) counts[sample] = (counts[sample] as number) + 1;
  }
  const joint = new Map<number, TimedRating[]>();
  for (const [row, label] of rating.entries()) {
    const sample = samples[row] as number;
    if (label === NONE || (counts[sample] as number) < 2) continue;
    const own = {
      row,
      sample,
      annotator: annotator[row] as number,
      label,
      at: answeredAt[row] as number,
      draw: drawIn(columns, row),
    };
    const ratings = joint.get(sample);
    if (ratings === undefined) joint.set(sample, [own]);
    else ratings.push(own);
  }
  for (const ratings of joint.values()) ratings.sort((one, other) => one.at - other.at);
  return [...joint.values()].sort((one, other) => secondOf(one) - secondOf(other));
}

function secondOf(ratings: JointRatings): number {
  return ratings[1]?.at ?? 0;
}
