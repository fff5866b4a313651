import type { Project } from './project.ts';
import { settledLabel } from './rulings.ts';
import { NONE } from './sampleTable.ts';

/** What people have labelled, in the order of ordinals. */
export interface LabelledSamples {
  /** Samples with a ruling, or a majority among the answers that count. */
  readonly ordinals: Uint32Array;
  /** Beside each: its class as it was ruled, else the one that most chose. */
  readonly labels: Uint16Array;
}

export function labelledSamples(project: Project): LabelledSamples {
  const counted = project.samples.counted.view();
  const ordinals = new Uint32Array(project.labelled);
  const labels = new Uint16Array(project.labelled);
  let count = 0;
  for (let sample = 0; sample < counted.length; sample++) {
    if (counted[sample] === 0) continue;
    const label = settledLabel(project, sample);
    if (label === NONE) continue;
    ordinals[count] = sample;
    labels[count++] = label;
  }
  return { ordinals: ordinals.slice(0, count), labels: labels.slice(0, count) };
}

/** How many labels there are of each class. */
export function classCounts(labels: Uint16Array, classes: number): Uint32Array {
  const counts = new Uint32Array(classes);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  return counts;
}

/**
 * The mean time, in seconds, of an answer with each class, over the answers that count and whose time was measured;
 * the mean over all where there is none of a class. Null if none was measured.
 */
export function answerSeconds(project: Project): Float32Array | null {
  const { assignments, labels } = project;
  const milliseconds = assignments.milliseconds.view();
  const classes = assignments.label.view();
  const sums = new Float64Array(labels.length);
  const counts = new Uint32Array(labels.length);
  for (let row = 0; row < milliseconds.length; row++) {
    const time = milliseconds[row] as number;
    if (Number.isNaN(time) || !assignments.isCounted(row)) continue;
    const label = classes[row] as number;
    sums[label] = (sums[label] as number) + time / 1_000;
    counts[label] = (counts[label] as number) + 1;
  }
  const sum = sums.reduce((total, one) => total + one, 0);
  const count = counts.reduce((total, one) => total + one, 0);
  if (count === 0) return null;
  return Float32Array.from(sums, (one, label) =>
    counts[label] === 0 ? sum / count : one / (counts[label] as number),
  );
}
