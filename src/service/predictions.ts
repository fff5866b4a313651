import type { PredictionPart } from '../domain/events.ts';
import { preAnnotate } from '../domain/predicting.ts';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import { encodeVerdicts } from '../domain/verdicts.ts';
import { MAX_VALUE_BYTES } from '../journal/port.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { orRefusal } from './trouble.ts';
import { type RunView, runView } from './views.ts';

/** The samples that a part of predictions is about: by their keys, or by their numbers (ordinals). */
export type RowNames = { readonly keys: readonly string[] } | { readonly numbers: ArrayLike<number> };

export interface UploadedPart {
  /** Names the part when the run is published. */
  readonly receipt: string;
  readonly rows: number;
}

const NAMED = 10;

/** What a receipt stands for. It is a chunk of the service's own, so whoever holds the receipt cannot change it. */
interface UploadRecord extends PredictionPart {
  readonly project: string;
}

/**
 * Checks and stores one part of a prediction run. Nothing is published yet: the receipt names a record of the part
 * in the store, so that the service needs no memory of half-uploaded runs and a restart loses none.
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
  const now = concord.environment.now();
  const stored = [matrix, encodeVerdicts(verdicts)].map((bytes) => concord.store.putChunk(bytes, now));
  const [matrixId = '', verdictsId = ''] = await orRefusal(Promise.all(stored));
  const part: PredictionPart = { matrix: matrixId, verdicts: verdictsId, rows: ordinals.length };
  const record: UploadRecord = { project: live.id, ...part };
  const receipt = await orRefusal(concord.store.putChunk(Buffer.from(JSON.stringify(record)), now));
  return { receipt, rows: part.rows };
}

function findSamples(project: Project, rows: RowNames): Uint32Array {
  const names: ArrayLike<string | number> = 'keys' in rows ? rows.keys : rows.numbers;
  const ordinals = new Uint32Array(names.length);
  const unknown: string[] = [];
  let count = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string | number;
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
  const chunks = new Map<string, Uint8Array>();
  const parts: PredictionPart[] = [];
  for (const [i, receipt] of receipts.entries()) {
    const part = await readReceipt(concord, live.id, receipt);
    const verdicts = part && (await claimed(concord, part));
    if (!part || !verdicts) throw refuse('UNKNOWN_PART', { part: i });
    chunks.set(part.verdicts, verdicts);
    parts.push(part);
  }
  const input = { by: viewer.member, model, parts };
  return live.execute('publishPredictions', input, (_, run) => runView(run), { chunks, alone: true });
}

/** The part that a receipt stands for, or undefined: it is none, or was given for another project. */
async function readReceipt(
  { store }: Concord,
  project: string,
  receipt: string,
): Promise<PredictionPart | undefined> {
  if (!/^[0-9a-f]{64}$/.test(receipt)) return undefined;
  const bytes = await orRefusal(store.getChunk(receipt));
  try {
    // Any chunk can be named: payloads begin with a count, and no row of probabilities reads as JSON.
    const record: UploadRecord = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    if (record.project !== project) return undefined;
    const { matrix, verdicts, rows } = record;
    return { matrix, verdicts, rows };
  } catch {
    return undefined;
  }
}

/** The verdicts of a part whose chunks are both there, and from now on too young to be swept; else undefined. */
async function claimed(
  { store, environment }: Concord,
  { matrix, verdicts }: PredictionPart,
): Promise<Uint8Array | undefined> {
  const missing = await orRefusal(store.renewChunks([matrix, verdicts], environment.now()));
  return missing.length > 0 ? undefined : orRefusal(store.getChunk(verdicts));
}
