import type { MeasuredTime } from './answerTallies.ts';
import type { Project } from './project.ts';

/** How far labelling has come. */
export interface LabellingProgress {
  readonly samples: number;
  /** Samples with an answer that counts; samples that the model stands in for; samples given up. */
  readonly labelled: number;
  readonly autoAccepted: number;
  readonly unanswerable: number;
  /** Answers that stand. */
  readonly answers: number;
}

/** What labelling has cost so far, and what it has come to. */
export interface LabellingCost extends LabellingProgress, MeasuredTime {
  /** Hours that people were at work; see `WorkLog.acted`. */
  readonly hoursAtWork: number;
}

/** It goes through the flags of all samples: a millisecond for a million. */
export function labellingProgress({ samples, labelled, answers, currentRun }: Project): LabellingProgress {
  const { accepted, unanswerable } = samples.count();
  const autoAccepted = currentRun?.autoAccept === 'SUSPENDED' ? 0 : accepted;
  return { samples: samples.size, labelled, autoAccepted, unanswerable, answers };
}
