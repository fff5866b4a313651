import type { Decision, Moment } from './decision.ts';
import type { PredictionPart } from './events.ts';
import type { PredictionRun } from './predictionRun.ts';
import type { Project } from './project.ts';
import { hash32, sampleWithoutReplacement, stringSeed } from './random.ts';
import { refuse } from './refusals.ts';
import { decodeVerdicts, type Verdicts } from './verdicts.ts';

/** How far a row of probabilities may sum off 1. Float32 softmax over 1,000 classes stays well within it. */
export const SUM_TOLERANCE = 1e-3;

const AUDIT_STREAM = stringSeed('audits');
const NAMED = 10;

/**
 * The pre-annotation of each row: its most probable class and that probability.
 *
 * @param ordinals one a row
 * @param probabilities rows × classes, row-major
 * @throws {Refusal} BAD_PROBABILITIES naming the first rows with a value that is not in 0…1 or a sum off 1 by
 *   more than {@link SUM_TOLERANCE}
 */
export function preAnnotate(ordinals: Uint32Array, probabilities: Float32Array, classes: number): Verdicts {
  const rows = ordinals.length;
  const labels = new Uint16Array(rows);
  const confidences = new Float32Array(rows);
  const bad: { row: number; problem: string }[] = [];
  let count = 0;
  for (let row = 0; row < rows; row++) {
    let best = 0;
    let sum = 0;
    let problem = '';
    for (let c = 0; c < classes; c++) {
      const p = probabilities[row * classes + c] as number;
      if (!(p >= 0 && p <= 1 + SUM_TOLERANCE)) problem ||= `class ${c} has ${p}`;
      if (p > (probabilities[row * classes + best] as number)) best = c;
      sum += p;
    }
    if (problem === '' && Math.abs(sum - 1) > SUM_TOLERANCE) problem = `the sum is ${sum.toFixed(6)}, not 1`;
    if (problem !== '' && ++count <= NAMED) bad.push({ row, problem });
    labels[row] = best;
    // Within the tolerance a probability may be a little above 1; a confidence never is.
    confidences[row] = Math.min(1, probabilities[row * classes + best] as number);
  }
  if (count > 0) throw refuse('BAD_PROBABILITIES', { count, badRows: bad });
  return { ordinals, labels, confidences };
}

export interface NewPredictionRun {
  readonly by: string;
  readonly model: string;
  /** Stored before; every sample at most once over all parts. */
  readonly parts: readonly PredictionPart[];
}

/**
 * Makes a prediction run the current one: decides which unlabelled samples are auto-accepted, and draws the
 * audits among those uniformly at random.
 */
export function* publishPredictions(
  project: Project,
  { by, model, parts }: NewPredictionRun,
  { chunks }: Moment,
): Decision<PredictionRun> {
  if (parts.length === 0) {
    throw refuse('INVALID_INPUT', { field: 'parts', problem: 'a prediction run has at least one part' });
  }
  if (model === '' || model.length > 200) {
    throw refuse('INVALID_INPUT', { field: 'model', problem: 'a model is named by 1 to 200 characters' });
  }
  const { policy, samples } = project;
  // Confidences are float32: as a float64, 0.95 is above the nearest float32, and nothing would equal it.
  const threshold = policy.autoAcceptThreshold === null ? null : Math.fround(policy.autoAcceptThreshold);
  const seen = new Uint8Array(samples.size);
  const duplicates: string[] = [];
  let repeated = 0;
  const accepted: number[] = [];
  for (const part of parts) {
    const { ordinals, confidences } = decodeVerdicts(chunks(part.verdicts));
    for (let i = 0; i < ordinals.length; i++) {
      const sample = ordinals[i] as number;
      if (sample >= samples.size) throw new RangeError(`verdicts on sample ${sample}, which does not exist`);
      if (seen[sample] === 1 && ++repeated <= NAMED) duplicates.push(samples.keys.keyAt(sample));
      seen[sample] = 1;
      const sure = threshold !== null && (confidences[i] as number) >= threshold;
      if (sure && samples.counted.get(sample) === 0 && !samples.isUnanswerable(sample)) accepted.push(sample);
    }
  }
  if (repeated > 0) throw refuse('DUPLICATE_KEYS', { count: repeated, keys: duplicates });
  const run = project.runs.length + 1;
  const { share, cap, errorLimit } = policy.audit;
  const budget = Math.min(Math.ceil(share * accepted.length), cap);
  const seed = hash32(project.created.seed, AUDIT_STREAM, run);
  const audits = sampleWithoutReplacement(seed, accepted.length, budget).map((i) => accepted[i] as number);
  // The verdict may fall after any number of them, so each beginning must be a random sample too.
  const turn = (sample: number) => hash32(seed, sample, 1);
  audits.sort((a, b) => turn(a) - turn(b));
  yield {
    type: 'predictionsPublished',
    run,
    model,
    parts,
    threshold,
    accepted: accepted.length,
    audits,
    errorLimit,
    by,
  };
  return project.currentRun as PredictionRun;
}
