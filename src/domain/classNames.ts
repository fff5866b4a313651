import type { Project } from './project.ts';
import { refuse } from './refusals.ts';

/**
 * The index of a class.
 * @throws {Refusal} UNKNOWN_LABEL
 */
export function labelIndex({ labels }: Project, label: string): number {
  const index = labels.indexOf(label);
  if (index < 0) throw refuse('UNKNOWN_LABEL', { label, known: labels });
  return index;
}
