import { confidenceSequence } from './confidence.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** Thresholds that may be suggested, ascending. */
const THRESHOLDS = [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995] as const;

/** An answer to a sample that the model had no part in choosing, and was not seen beside. */
export interface HeldOutAnswer {
  readonly confidence: number;
  readonly isError: boolean;
  /** It is an audit: drawn among the accepted only. */
  readonly isAudit: boolean;
}

/**
 * The lowest threshold above which the error rate is below a limit, so far as answers show; null: of none do they.
 *
 * At or above what was accepted, audits and random draws are both uniform samples; below it, only random draws are.
 * A threshold is taken if the upper end of the anytime-valid interval of its error rate is below the limit, at a
 * chance of error that is shared out over all thresholds (Bonferroni): so it may be looked at as often as one likes,
 * and with 95 % nothing is ever suggested that does not keep the limit.
 *
 * @param accepted the threshold at which audits were drawn, or null
 */
export function suggestedThreshold(
  answers: readonly HeldOutAnswer[],
  accepted: number | null,
  limit: number,
): number | null {
  for (const threshold of THRESHOLDS) {
    const at = Math.fround(threshold);
    const isAbove = accepted !== null && at >= accepted;
    const above = answers.filter(({ confidence, isAudit }) => confidence >= at && (isAbove || !isAudit));
    const errors = above.filter(({ isError }) => isError).length;
    const { upper } = confidenceSequence(errors, above.length, { alpha: 0.05 / THRESHOLDS.length });
    if (upper < limit) return threshold;
  }
  return null;
}

/** The answers from which a threshold for the current run can be suggested. It looks through all assignments. */
export function heldOutAnswers(project: Project): HeldOutAnswer[] {
  const { assignments, samples, currentRun } = project;
  const answers: HeldOutAnswer[] = [];
  if (currentRun === undefined) return answers;
  const runs = assignments.run.view();
  for (let row = 0; row < runs.length; row++) {
    if (runs[row] !== currentRun.number || !assignments.isCounted(row)) continue;
    const draw = assignments.draw(row);
    const sample = assignments.sample.get(row);
    const predicted = assignments.predicted.get(row);
    const isAudit = draw === 'AUDIT';
    if (predicted === NONE || assignments.isShown(row)) continue;
    if (draw !== 'RANDOM' && (!isAudit || currentRun.isFloor(sample))) continue;
    const isError = assignments.firstLabel(row) !== predicted;
    answers.push({ confidence: samples.confidence.get(sample), isError, isAudit });
  }
  return answers;
}
