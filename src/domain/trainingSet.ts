import { majority } from './consensus.ts';
import { classesOf, likeliest } from './consensusEstimate.ts';
import type { DawidSkeneFit } from './dawidSkene.ts';
import type { Draw } from './events.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** Where a training label comes from: gold, whose answer is known, a ruling, people's consensus, or a prediction that stood in for them. */
export type LabelSource = 'GOLD' | 'RULING' | 'CONSENSUS' | 'AUTO_ACCEPTED';

/** A sample with the label that a model may learn from. */
export interface TrainingLabel {
  readonly sample: number;
  readonly label: number;
  readonly source: LabelSource;
  /** Why people were asked first; null for an auto-accepted one, and for gold to which no answer counts. */
  readonly draw: Draw | null;
  /** Answers for this label, of how many that count; 0 of 0 for an auto-accepted one. */
  readonly votes: number;
  readonly of: number;
  /**
   * How sure it is, 0…1: of gold and of a ruling 1, of a majority the share of its votes, of an estimate its probability, of an auto-accepted one
   * the model's.
   */
  readonly confidence: number;
}

/** What the training set is to take in. */
export interface TrainingOptions {
  /** What is auto-accepted while its audits have not decided. */
  readonly provisional: boolean;
  /** People's consensus as it was estimated; null: by majority. */
  readonly estimate: DawidSkeneFit | null;
}

/**
 * The training label of a sample, or null: nobody has answered, the answers tie, it was erased, so that there is nothing
 * to learn from, or it is auto-accepted by a run whose audits have not proven it (unless `provisional` takes those in
 * too).
 */
export function trainingLabel(
  project: Project,
  sample: number,
  { provisional, estimate }: TrainingOptions,
): TrainingLabel | null {
  if (project.samples.isErased(sample)) return null;
  const known = project.gold.labelOf(sample);
  if (known === undefined && project.samples.counted.get(sample) === 0)
    return acceptedLabel(project, sample, provisional);
  const labels = project.countedLabels(sample);
  const ruled = known === undefined ? ruledLabel(project, sample) : { label: known, confidence: 1 };
  const found = ruled ?? (estimate === null ? majorityOf(labels) : estimated(project, estimate, sample));
  if (found === null) return null;
  const votes = labels.filter((label) => label === found.label).length;
  return {
    sample,
    source: known !== undefined ? 'GOLD' : ruled === null ? 'CONSENSUS' : 'RULING',
    draw: firstDraw(project, sample),
    votes,
    of: labels.length,
    ...found,
  };
}

function ruledLabel({ rulings }: Project, sample: number) {
  const ruling = rulings.get(sample);
  return ruling === undefined ? null : { label: ruling.label, confidence: 1 };
}

function majorityOf(labels: readonly number[]) {
  const consensus = majority(labels);
  if (consensus.kind !== 'label') return null;
  return { label: consensus.label, confidence: consensus.votes / consensus.of };
}

function estimated(project: Project, estimate: DawidSkeneFit, sample: number) {
  const classes = classesOf(project, estimate, sample);
  return classes === null ? null : likeliest(classes);
}

function acceptedLabel(project: Project, sample: number, provisional: boolean): TrainingLabel | null {
  const { samples, currentRun } = project;
  const status = currentRun?.autoAccept;
  const accepted = samples.isAccepted(sample) && !samples.isUnanswerable(sample);
  if (!accepted || !(status === 'PROVEN' || (provisional && status === 'PROVISIONAL'))) return null;
  const confidence = samples.confidence.get(sample);
  const label = samples.predicted.get(sample);
  return { sample, label, source: 'AUTO_ACCEPTED', draw: null, votes: 0, of: 0, confidence };
}

/** Up to `count` training labels of samples from `from` on, by ordinal. */
export function trainingLabels(
  project: Project,
  { from, count, ...options }: TrainingOptions & { readonly from: number; readonly count: number },
): TrainingLabel[] {
  const labels: TrainingLabel[] = [];
  for (let sample = from; sample < project.samples.size && labels.length < count; sample++) {
    const label = trainingLabel(project, sample, options);
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
