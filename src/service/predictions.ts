import { checkEmbeddings, encodeOrdinals, MAX_DIMENSIONS } from '../domain/embedding.ts';
import type { EmbeddingPart, PredictionPart } from '../domain/events.ts';
import { MAX_PASSES, meanOfPasses } from '../domain/passes.ts';
import { preAnnotate } from '../domain/predicting.ts';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import { encodeUncertainties, uncertainties } from '../domain/stopping.ts';
import { encodeVerdicts } from '../domain/verdicts.ts';
import { MAX_VALUE_BYTES } from '../journal/port.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { encodeVectors } from './strategyInputs.ts';
import { orRefusal } from './trouble.ts';
import { type EmbeddingsView, embeddingsView, type RunView, runViewOf } from './views.ts';

/** The most bytes of embeddings in a part: their chunk has something beside them. */
const MAX_EMBEDDING_BYTES = MAX_VALUE_BYTES / 2;

/** The samples that a part of predictions is about: by their keys, or by their numbers (ordinals). */
export type RowNames = { readonly keys: readonly string[] } | { readonly numbers: ArrayLike<number> };

export interface UploadedPart {
  /** Names the part when the run is published. */
  readonly receipt: string;
  readonly rows: number;
}

const NAMED = 10;

/** What a receipt stands for. It is a chunk of the service's own, so whoever holds the receipt cannot change it. */
interface UploadRecord<Part> {
  readonly project: string;
  readonly kind: 'predictions' | 'embeddings';
  readonly part: Part;
}

interface EmbeddingUpload extends EmbeddingPart {
  readonly dimensions: number;
}

export interface PredictionUpload {
  readonly rows: RowNames;
  readonly classes: number;
  /** rows × classes float32, little-endian, row-major; null: the mean of the passes. */
  readonly probabilities: Uint8Array | null;
  /** None, or two and more, each as `probabilities`. */
  readonly passes: readonly Uint8Array[];
}

/**
 * Checks and stores one part of a prediction run. Nothing is published yet: the receipt names a record of the part
 * in the store, so that the service needs no memory of half-uploaded runs and a restart loses none.
 */
export async function uploadPredictions(
  concord: Concord,
  { live }: ProjectAccess,
  { rows, classes, probabilities, passes }: PredictionUpload,
): Promise<UploadedPart> {
  for (const bytes of probabilities === null ? passes : [probabilities, ...passes]) {
    checkSize('probabilities', bytes, MAX_VALUE_BYTES);
  }
  const expected = await live.read((project) => project.labels.length);
  if (classes !== expected) throw refuse('WRONG_CLASS_COUNT', { expected, actual: classes });
  if (passes.length === 1 || passes.length > MAX_PASSES) {
    const problem = `give none, or 2 to ${MAX_PASSES}, not ${passes.length}`;
    throw refuse('INVALID_INPUT', { field: 'passes', problem });
  }
  // Before the samples are looked for: so a list of them is no longer than what may be uploaded about them.
  const count = countOf(rows);
  const votes = passes.map((bytes, i) => floats(`passes.${i}`, bytes, count, classes));
  if (probabilities === null && votes.length === 0) {
    throw refuse('INVALID_INPUT', { field: 'probabilities', problem: 'give probabilities, or passes' });
  }
  const mean = votes.length === 0 ? null : meanOfPasses(votes, classes);
  const matrix =
    probabilities === null ? (mean as Float32Array) : floats('probabilities', probabilities, count, classes);
  const ordinals = await live.read((project) => findSamples(project, rows));
  const verdicts = preAnnotate(ordinals, matrix, classes);
  const [matrixId = '', verdictsId = '', uncertaintiesId = '', ...passIds] = await putAll(concord, [
    bytesOf(matrix),
    encodeVerdicts(verdicts),
    encodeUncertainties(uncertainties(matrix, classes)),
    ...votes.map(bytesOf),
  ]);
  const part: PredictionPart = {
    matrix: matrixId,
    verdicts: verdictsId,
    uncertainties: uncertaintiesId,
    passes: passIds,
    rows: ordinals.length,
  };
  return keepPart(concord, { project: live.id, kind: 'predictions', part });
}

/**
 * Checks and stores one part of embeddings, likewise.
 *
 * @param bytes rows × dimensions float32, little-endian, row-major
 */
export async function uploadEmbeddings(
  concord: Concord,
  { live }: ProjectAccess,
  {
    rows,
    dimensions,
    bytes,
  }: { readonly rows: RowNames; readonly dimensions: number; readonly bytes: Uint8Array },
): Promise<UploadedPart> {
  checkSize('embeddings', bytes, MAX_EMBEDDING_BYTES);
  if (!(dimensions >= 1 && dimensions <= MAX_DIMENSIONS)) {
    const problem = `${dimensions} is not a whole number from 1 to ${MAX_DIMENSIONS}`;
    throw refuse('INVALID_INPUT', { field: 'dimensions', problem });
  }
  const vectors = floats('embeddings', bytes, countOf(rows), dimensions);
  const ordinals = await live.read((project) => findSamples(project, rows));
  checkEmbeddings(vectors, dimensions);
  const [vectorsId = '', ordinalsId = ''] = await putAll(concord, [
    encodeVectors(bytesOf(vectors)),
    encodeOrdinals(ordinals),
  ]);
  const part: EmbeddingUpload = {
    vectors: vectorsId,
    ordinals: ordinalsId,
    rows: ordinals.length,
    dimensions,
  };
  return keepPart(concord, { project: live.id, kind: 'embeddings', part });
}

function checkSize(what: string, { length }: Uint8Array, limit: number): void {
  if (length > limit) throw refuse('PAYLOAD_TOO_LARGE', { what, bytes: length, limit });
}

/** Numbers in memory of their own: a view may begin at any byte of its buffer. */
function floats(field: string, bytes: Uint8Array, rows: number, width: number): Float32Array {
  if (bytes.length === rows * width * 4) return new Float32Array(new Uint8Array(bytes).buffer);
  throw refuse('INVALID_INPUT', {
    field,
    problem: `${rows} rows of ${width} float32 are ${rows * width * 4} bytes, not ${bytes.length}`,
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function putAll({ store, environment }: Concord, chunks: readonly Uint8Array[]): Promise<string[]> {
  const now = environment.now();
  return orRefusal(Promise.all(chunks.map((bytes) => store.putChunk(bytes, now))));
}

async function keepPart(
  concord: Concord,
  record: UploadRecord<{ readonly rows: number }>,
): Promise<UploadedPart> {
  const [receipt = ''] = await putAll(concord, [Buffer.from(JSON.stringify(record))]);
  return { receipt, rows: record.part.rows };
}

function countOf(rows: RowNames): number {
  return ('keys' in rows ? rows.keys : rows.numbers).length;
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
  const { parts, chunks } = await takeParts<PredictionPart>(
    concord,
    live.id,
    'predictions',
    receipts,
    (part) => ({
      read: [part.verdicts, part.uncertainties],
      others: [part.matrix, ...part.passes],
    }),
  );
  const input = { by: viewer.member, model, parts };
  return live.execute('publishPredictions', input, runViewOf, { chunks, alone: true });
}

/** Makes the uploaded parts the project's embeddings, in place of those before. */
export async function publishEmbeddings(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  { model, receipts }: { readonly model: string; readonly receipts: readonly string[] },
): Promise<EmbeddingsView> {
  const { parts: uploads, chunks } = await takeParts<EmbeddingUpload>(
    concord,
    live.id,
    'embeddings',
    receipts,
    ({ vectors, ordinals }) => ({ read: [ordinals], others: [vectors] }),
  );
  const dimensions = uploads[0]?.dimensions ?? 0;
  const parts = uploads.map(({ dimensions: own, ...part }, i): EmbeddingPart => {
    if (own === dimensions) return part;
    const problem = `part ${i} has ${own} dimensions, and the first has ${dimensions}`;
    throw refuse('INVALID_INPUT', { field: 'parts', problem });
  });
  const input = { by: viewer.member, model, dimensions, parts };
  return live.execute('publishEmbeddings', input, (_, done) => embeddingsView(done), { chunks, alone: true });
}

/** The most parts that one run, or one set of embeddings, is made of: each is read from the store. */
const MAX_PARTS = 10_000;

/**
 * The parts that receipts stand for, whose chunks are too young to be swept from now on.
 * @param chunksOf the chunks of a part: those to read, which are given beside the parts, and the others
 * @throws {Refusal} UNKNOWN_PART: a receipt is none, or something of its part is gone; INVALID_INPUT: too many
 */
async function takeParts<Part>(
  concord: Concord,
  project: string,
  kind: UploadRecord<Part>['kind'],
  receipts: readonly string[],
  chunksOf: (part: Part) => { readonly read: readonly string[]; readonly others: readonly string[] },
): Promise<{ readonly parts: Part[]; readonly chunks: Map<string, Uint8Array> }> {
  if (receipts.length > MAX_PARTS)
    throw refuse('INVALID_INPUT', { field: 'parts', problem: `at most ${MAX_PARTS} parts at a time` });
  const parts: Part[] = [];
  const chunks = new Map<string, Uint8Array>();
  for (const [i, receipt] of receipts.entries()) {
    const part = await readReceipt<Part>(concord, project, kind, receipt);
    if (part === undefined) throw refuse('UNKNOWN_PART', { part: i });
    const { read, others } = chunksOf(part);
    if (!(await claim(concord, [...read, ...others], chunks, read)))
      throw refuse('UNKNOWN_PART', { part: i });
    parts.push(part);
  }
  return { parts, chunks };
}

/** The part that a receipt stands for, or undefined: it is none, or was given for another project. */
async function readReceipt<Part>(
  { store }: Concord,
  project: string,
  kind: UploadRecord<Part>['kind'],
  receipt: string,
): Promise<Part | undefined> {
  if (!/^[0-9a-f]{64}$/.test(receipt)) return undefined;
  const bytes = await orRefusal(store.getChunk(receipt));
  try {
    // Any chunk can be named, but no other reads as such: payloads begin with a count, people's own numbers with a
    // zero or with what is no text, and reasons have no project.
    const record: UploadRecord<Part> = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    return record.project === project && record.kind === kind ? record.part : undefined;
  } catch {
    return undefined;
  }
}

/** Whether chunks are all there, and from now on too young to be swept; those to read are put into `into`. */
async function claim(
  { store, environment }: Concord,
  chunks: readonly string[],
  into: Map<string, Uint8Array>,
  read: readonly string[],
): Promise<boolean> {
  const missing = await orRefusal(store.renewChunks(chunks, environment.now()));
  if (missing.length > 0) return false;
  for (const id of read) {
    const bytes = await orRefusal(store.getChunk(id));
    if (bytes === undefined) return false;
    into.set(id, bytes);
  }
  return true;
}
