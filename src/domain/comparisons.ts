import { majority } from './consensus.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** An answer beside what its sample is without it. */
export interface Comparison {
  readonly annotator: number;
  /** When it was given. */
  readonly at: number;
  readonly agrees: boolean;
}

/**
 * Each answer of the base overlap to a sample, as it was given blind, beside what the sample is without it: as it was
 * ruled, else the label that most of the others' answers have. Where those tie, or there are none, it is left out.
 */
export function comparisonsOf(project: Project, sample: number): readonly Comparison[] {
  const { assignments } = project;
  const newest = project.samples.assignments.get(sample);
  const ruling = project.rulings.get(sample);
  // Most samples have had one person.
  if (newest === NONE || (ruling === undefined && assignments.next.get(newest) === NONE)) return [];
  const comparisons: Comparison[] = [];
  for (const row of project.assignmentsOf(sample)) {
    const label = assignments.rating.get(row);
    if (label === NONE) continue;
    const expected = ruling?.label ?? majorityWithout(project, sample, row);
    if (expected === NONE) continue;
    const annotator = assignments.annotator.get(row);
    comparisons.push({ annotator, at: assignments.answeredAt.get(row), agrees: label === expected });
  }
  return comparisons;
}

function majorityWithout(project: Project, sample: number, own: number): number {
  const { assignments } = project;
  const labels: number[] = [];
  for (const row of project.assignmentsOf(sample)) {
    if (row !== own && assignments.isCounted(row)) labels.push(assignments.label.get(row));
  }
  const found = majority(labels);
  return found.kind === 'label' ? found.label : NONE;
}
