import type { Draw } from './events.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** An answer as it counts for the agreement, with when it was given. */
export interface TimedRating {
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
export function jointRatings({ assignments, samples }: Project): JointRatings[] {
  const joint: TimedRating[][] = [];
  for (let sample = 0; sample < samples.size; sample++) {
    const ratings: TimedRating[] = [];
    for (let row = samples.assignments.get(sample); row !== NONE; row = assignments.next.get(row)) {
      const label = assignments.rating.get(row);
      if (label === NONE) continue;
      const [annotator, at] = [assignments.annotator.get(row), assignments.answeredAt.get(row)];
      ratings.push({ sample, annotator, label, at, draw: assignments.draw(row) });
    }
    if (ratings.length >= 2) joint.push(ratings.sort((one, other) => one.at - other.at));
  }
  return joint.sort((one, other) => secondOf(one) - secondOf(other));
}

function secondOf(ratings: JointRatings): number {
  return ratings[1]?.at ?? 0;
}
