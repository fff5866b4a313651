import { median } from './peopleOverTime.ts';
import type { Project } from './project.ts';

/** What labelling has cost so far, and what it has come to. */
export interface LabellingCost {
  readonly samples: number;
  /** Samples with an answer that counts; samples that the model stands in for; samples given up. */
  readonly labelled: number;
  readonly autoAccepted: number;
  readonly unanswerable: number;
  /** Answers that stand, and those of them whose time was measured. */
  readonly answers: number;
  readonly measured: number;
  /** Of those: all together in hours, and the middle one in seconds; null: none was measured. */
  readonly hours: number | null;
  readonly medianSeconds: number | null;
}

export function labellingCost(project: Project): LabellingCost {
  const { assignments, samples } = project;
  const times: number[] = [];
  let sum = 0;
  for (let row = 0; row < assignments.size; row++) {
    const time = assignments.milliseconds.get(row);
    if (assignments.state(row) !== 'SUBMITTED' || Number.isNaN(time)) continue;
    times.push(time / 1_000);
    sum += time;
  }
  let [autoAccepted, unanswerable] = [0, 0];
  for (let sample = 0; sample < samples.size; sample++) {
    if (project.isAutoAccepted(sample)) autoAccepted++;
    if (samples.isUnanswerable(sample)) unanswerable++;
  }
  const measured = times.length;
  return {
    samples: samples.size,
    labelled: project.labelled,
    autoAccepted,
    unanswerable,
    answers: project.answers,
    measured,
    hours: measured === 0 ? null : sum / 3_600_000,
    medianSeconds: median(times),
  };
}
