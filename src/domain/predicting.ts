import { drawAudits } from './auditDraw.ts';
import type { Decision, Moment } from './decision.ts';
import type { PredictionPart } from './events.ts';
import { MAX_INPUT_BYTES, MAX_PASSES } from './passes.ts';
import type { PredictionRun } from './predictionRun.ts';
import { badRows } from './probabilities.ts';
import type { Project } from './project.ts';
import { hash32, stringSeed } from './random.ts';
import { refuse } from './refusals.ts';
import { decodeUncertainties, StoppingCount } from './stopping.ts';
import { decodeVerdicts, type Verdicts } from './verdicts.ts';

const AUDIT_STREAM = stringSeed('audits');
const NAMED = 10;

/**
 * The pre-annotation of each row: its most probable class and that probability.
 *
 * @param ordinals one a row
 * @param probabilities rows × classes, row-major
 * @throws {Refusal} BAD_PROBABILITIES naming the first rows with a value that is not in 0…1 or a sum off 1
 */
export function preAnnotate(ordinals: Uint32Array, probabilities: Float32Array, classes: number): Verdicts {
  const bad = badRows(probabilities, classes);
  if (bad.count > 0) throw refuse('BAD_PROBABILITIES', bad);
  const rows = ordinals.length;
  const labels = new Uint16Array(rows);
  const confidences = new Float32Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let best = 0;
    let highest = -1;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[at++] as number;
      if (p > highest) {
        highest = p;
        best = c;
      }
    }
    labels[row] = best;
    // Within the tolerance a probability may be a little above 1; a confidence never is.
    confidences[row] = Math.min(1, highest);
  }
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
 * audits among those.
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
  checkPasses(parts, project.labels.length);
  const { policy, samples } = project;
  // Confidences are float32: as a float64, 0.95 is above the nearest float32, and nothing would equal it.
  const threshold = policy.autoAcceptThreshold === null ? null : Math.fround(policy.autoAcceptThreshold);
  const seen = new Uint8Array(samples.size);
  const duplicates: string[] = [];
  let repeated = 0;
  const accepted = { samples: [] as number[], labels: [] as number[] };
  const acceptedOf = new Uint32Array(project.labels.length);
  const count = new StoppingCount(project.labels.length);
  for (const part of parts) {
    const { ordinals, confidences, labels } = decodeVerdicts(chunks(part.verdicts));
    const uncertainties = decodeUncertainties(chunks(part.uncertainties));
    for (let i = 0; i < ordinals.length; i++) {
      const sample = ordinals[i] as number;
      if (sample >= samples.size) throw new RangeError(`verdicts on sample ${sample}, which does not exist`);
      if (seen[sample] === 1 && ++repeated <= NAMED) duplicates.push(samples.keys.keyAt(sample));
      seen[sample] = 1;
      if (samples.counted.get(sample) > 0 || samples.isUnanswerable(sample) || samples.isGold(sample))
        continue;
      const label = labels[i] as number;
      if (threshold !== null && (confidences[i] as number) >= threshold) {
        accepted.samples.push(sample);
        accepted.labels.push(label);
        acceptedOf[label] = (acceptedOf[label] as number) + 1;
      }
      count.add(label, samples.predicted.get(sample), uncertainties[i] as number);
    }
  }
  if (repeated > 0) throw refuse('DUPLICATE_KEYS', { count: repeated, keys: duplicates });
  const run = project.runs.length + 1;
  const { share, cap, floor, errorLimit } = policy.audit;
  const budget = Math.min(Math.ceil(share * accepted.samples.length), cap);
  const seed = hash32(project.created.seed, AUDIT_STREAM, run);
  yield {
    type: 'predictionsPublished',
    run,
    model,
    parts,
    threshold,
    accepted: accepted.samples.length,
    acceptedOf,
    ...drawAudits(accepted, { budget, floor, classes: project.labels.length, seed }),
    errorLimit,
    signals: count.signals,
    by,
  };
  return project.currentRun as PredictionRun;
}

/** @throws {Refusal} INVALID_INPUT: the parts have unlike passes, or too many */
function checkPasses(parts: readonly PredictionPart[], classes: number): void {
  const wrong = (problem: string) => refuse('INVALID_INPUT', { field: 'parts', problem });
  const passes = parts[0]?.passes.length ?? 0;
  if (passes === 1 || passes > MAX_PASSES) {
    throw wrong(`a run has no passes or 2 to ${MAX_PASSES}, not ${passes}`);
  }
  parts.forEach((part, i) => {
    if (part.passes.length !== passes) {
      throw wrong(`part ${i} has ${part.passes.length} passes, and the first has ${passes}`);
    }
  });
  const bytes = parts.reduce((sum, { rows }) => sum + rows, 0) * passes * classes * 4;
  if (bytes > MAX_INPUT_BYTES) throw wrong(`passes have ${bytes} bytes; ${MAX_INPUT_BYTES} are the most`);
}
