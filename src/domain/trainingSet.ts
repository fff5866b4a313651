import { majority } from './consensus.ts';
import type { Draw } from './events.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** Where a training label comes from: people's majority, or a prediction that stood in for them. */
export type LabelSource = 'CONSENSUS' | 'AUTO_ACCEPTED';

/** A sample with the label that a model may learn from. */
export interface TrainingLabel {
  readonly sample: number;
  readonly label: number;
  readonly source: LabelSource;
  /** Why people were asked; null for an auto-accepted one. */
  readonly draw: Draw | null;
  /** Answers for this label, of how many that count; 0 of 0 for an auto-accepted one. */
  readonly votes: number;
  readonly of: number;
}

/**
 * The training label of a sample, or null: nobody has answered, the answers tie, or it is auto-accepted by a
 * run whose audits have not proven it (unless `provisional` takes those in too).
 */
export function trainingLabel(project: Project, sample: number, provisional: boolean): TrainingLabel | null {
  const consensus = majority(project.countedLabels(sample));
  switch (consensus.kind) {
    case 'label': {
      const { label, votes, of } = consensus;
      return { sample, label, source: 'CONSENSUS', draw: firstDraw(project, sample), votes, of };
    }
    case 'tie':
      return null;
    case 'none': {
      const status = project.currentRun?.autoAccept;
      const accepted = project.samples.isAccepted(sample) && !project.samples.isUnanswerable(sample);
      if (!accepted || !(status === 'PROVEN' || (provisional && status === 'PROVISIONAL'))) return null;
      const label = project.samples.predicted.get(sample);
      return { sample, label, source: 'AUTO_ACCEPTED', draw: null, votes: 0, of: 0 };
    }
  }
}

/** Up to `count` training labels of samples from `from` on, by ordinal. */
export function trainingLabels(
  project: Project,
  {
    from,
    count,
    provisional,
  }: { readonly from: number; readonly count: number; readonly provisional: boolean },
): TrainingLabel[] {
  const labels: TrainingLabel[] = [];
  for (let sample = from; sample < project.samples.size && labels.length < count; sample++) {
    const label = trainingLabel(project, sample, provisional);
    if (label !== null) labels.push(label);
  }
  return labels;
}

/** Why the sample was asked first: the draw of its oldest answer that counts. */
function firstDraw(project: Project, sample: number): Draw | null {
  let oldest = NONE;
  for (const row of project.assignmentsOf(sample)) if (project.assignments.isCounted(row)) oldest = row;
  return oldest === NONE ? null : project.assignments.draw(oldest);
}
