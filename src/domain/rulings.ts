import { labelIndex } from './classNames.ts';
import { majority } from './consensus.ts';
import type { Decision } from './decision.ts';
import { mustNotBeErased } from './erasingSamples.ts';
import type { Project } from './project.ts';
import { notFound, refuse } from './refusals.ts';
import { NONE } from './sampleTable.ts';

/** Adjudication: an expert rules on what a sample is, whatever the answers to it were. */

/** A ruling that stands. */
export interface Ruling {
  readonly label: number;
  readonly reason: string;
  readonly by: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** The most characters of a reason. */
export const MAX_REASON = 1_000;

/**
 * Rules on a sample that somebody has answered. It takes the place of an earlier ruling; the same again does nothing.
 * From then on nobody takes back an answer to it.
 */
export function* rule(
  project: Project,
  {
    by,
    sample,
    label,
    reason,
  }: { readonly by: string; readonly sample: number; readonly label: string; readonly reason: string },
): Decision<number> {
  mustExist(project, sample);
  mustSay(reason);
  mustNotBeErased(project, sample);
  const index = labelIndex(project, label);
  if (project.samples.counted.get(sample) === 0) {
    throw refuse('INVALID_INPUT', { field: 'sample', problem: 'nobody has answered it' });
  }
  const known = project.gold.labelOf(sample);
  if (known !== undefined && known !== index) {
    const problem = `it is gold, and known to be '${project.labels[known]}': change that, or take it out of gold`;
    throw refuse('INVALID_INPUT', { field: 'label', problem });
  }
  const earlier = project.rulings.get(sample);
  if (earlier?.label !== index || earlier.reason !== reason || earlier.by !== by) {
    yield { type: 'ruled', sample, label: index, reason, by };
  }
  return sample;
}

/** Takes back the ruling on a sample, so that its answers say again what it is. Without one, nothing happens. */
export function* reopenRuling(
  project: Project,
  { by, sample, reason }: { readonly by: string; readonly sample: number; readonly reason: string },
): Decision<number> {
  mustExist(project, sample);
  mustSay(reason);
  if (project.rulings.has(sample)) yield { type: 'rulingReopened', sample, reason, by };
  return sample;
}

/** What a sample is: as it is known or was ruled, else by the majority of its answers; {@link NONE} without one. */
export function settledLabel(project: Project, sample: number): number {
  const settled = project.gold.labelOf(sample) ?? project.rulings.get(sample)?.label;
  if (settled !== undefined) return settled;
  const consensus = majority(project.countedLabels(sample));
  return consensus.kind === 'label' ? consensus.label : NONE;
}

function mustExist({ samples }: Project, sample: number): void {
  if (!(Number.isInteger(sample) && sample >= 0 && sample < samples.size)) throw notFound('sample');
}

function mustSay(reason: string): void {
  if (reason.trim() !== '' && reason.length <= MAX_REASON) return;
  const problem = `${reason.length} characters, and not only spaces, must be 1 to ${MAX_REASON}`;
  throw refuse('INVALID_INPUT', { field: 'reason', problem });
}
