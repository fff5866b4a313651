import type { PredictionPart } from '../domain/events.ts';
import { preAnnotate } from '../domain/predicting.ts';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import { decodeVerdicts, encodeVerdicts } from '../domain/verdicts.ts';
import { MAX_VALUE_BYTES } from '../journal/port.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { orRefusal } from './trouble.ts';
import { type RunView, runView } from './views.ts';

/** The samples that a part of predictions is about: by their keys, or by their numbers (ordinals). */
export type RowNames = { readonly keys: readonly string[] } | { readonly numbers: readonly number[] };

export interface UploadedPart {
  /** Names the part when the run is published. */
  readonly receipt: string;
  readonly rows: number;
}

const NAMED = 10;

/**
 * Checks and stores one part of a prediction run. Nothing is published yet: the receipt says where the part
 * lies, so that the service needs no memory of half-uploaded runs and a restart loses none.
 *
 * @param bytes rows × classes float32, little-endian, row-major
 */
export async function uploadPredictions(
  concord: Concord,
  { live }: ProjectAccess,
  { rows, classes, bytes }: { readonly rows: RowNames; readonly classes: number; readonly bytes: Uint8Array },
): Promise<UploadedPart> {
  if (bytes.length > MAX_VALUE_BYTES) {
    throw refuse('PAYLOAD_TOO_LARGE', { what: 'probabilities', bytes: bytes.length, limit: MAX_VALUE_BYTES });
  }
  const { ordinals, expected } = await live.read((project) => ({
    ordinals: findSamples(project, rows),
    expected: project.labels.length,
  }));
  if (classes !== expected) throw refuse('WRONG_CLASS_COUNT', { expected, actual: classes });
  if (bytes.length !== ordinals.length * classes * 4) {
    throw refuse('INVALID_INPUT', {
      field: 'probabilities',
      problem: `${ordinals.length} rows of ${classes} float32 are ${ordinals.length * classes * 4} bytes, not ${bytes.length}`,
    });
  }
  // A copy, for a view may begin at any byte of its buffer (and a Buffer's own slice is only a view again).
  const matrix = new Uint8Array(bytes);
  const verdicts = preAnnotate(ordinals, new Float32Array(matrix.buffer), classes);
  const stored = [matrix, encodeVerdicts(verdicts)].map((bytes) => concord.store.putChunk(bytes));
  const [matrixId = '', verdictsId = ''] = await orRefusal(Promise.all(stored));
  const part: PredictionPart = { matrix: matrixId, verdicts: verdictsId, rows: ordinals.length };
  return { receipt: Buffer.from(JSON.stringify(part)).toString('base64url'), rows: ordinals.length };
}

function findSamples(project: Project, rows: RowNames): Uint32Array {
  const names = 'keys' in rows ? rows.keys : rows.numbers;
  const ordinals = new Uint32Array(names.length);
  const unknown: string[] = [];
  let count = 0;
  for (const [i, name] of names.entries()) {
    const ordinal = typeof name === 'string' ? project.samples.keys.indexOf(name) : name;
    if (Number.isInteger(ordinal) && ordinal >= 0 && ordinal < project.samples.size) ordinals[i] = ordinal;
    else if (++count <= NAMED) unknown.push(String(name));
  }
  if (count > 0) throw refuse('UNKNOWN_SAMPLES', { count, samples: unknown });
  return ordinals;
}

/** Makes the uploaded parts the project's current prediction run. */
export async function publishPredictions(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  { model, receipts }: { readonly model: string; readonly receipts: readonly string[] },
): Promise<RunView> {
  const { classes, samples } = await live.read((project) => ({
    classes: project.labels.length,
    samples: project.samples.size,
  }));
  const chunks = new Map<string, Uint8Array>();
  const parts: PredictionPart[] = [];
  for (const [i, receipt] of receipts.entries()) {
    const part = readReceipt(receipt);
    const verdicts = part && (await orRefusal(concord.store.getChunk(part.verdicts)));
    if (!part || !verdicts || !isPartOf(verdicts, part.rows, classes, samples)) {
      throw refuse('UNKNOWN_PART', { part: i });
    }
    chunks.set(part.verdicts, verdicts);
    parts.push(part);
  }
  const input = { by: viewer.member, model, parts };
  return live.execute('publishPredictions', input, (_, run) => runView(run), { chunks, alone: true });
}

function readReceipt(receipt: string): PredictionPart | null {
  try {
    const { matrix, verdicts, rows } = JSON.parse(Buffer.from(receipt, 'base64url').toString('utf8'));
    const isId = (id: unknown) => typeof id === 'string' && /^[0-9a-f]{64}$/.test(id);
    return isId(matrix) && isId(verdicts) && Number.isInteger(rows) ? { matrix, verdicts, rows } : null;
  } catch {
    return null;
  }
}

/** A receipt comes from outside: what it names must be verdicts on this project's samples and classes. */
function isPartOf(bytes: Uint8Array, rows: number, classes: number, samples: number): boolean {
  try {
    const { ordinals, labels } = decodeVerdicts(bytes);
    return (
      ordinals.length === rows &&
      ordinals.every((ordinal) => ordinal < samples) &&
      labels.every((label) => label < classes)
    );
  } catch {
    return false;
  }
}
