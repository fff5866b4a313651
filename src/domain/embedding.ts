import type { Decision, Moment } from './decision.ts';
import type { EmbeddingPart, EmbeddingsPublished } from './events.ts';
import { MAX_INPUT_BYTES } from './passes.ts';
import type { Project } from './project.ts';
import { type BadRow, refuse } from './refusals.ts';

/** The most numbers that an embedding may have. */
export const MAX_DIMENSIONS = 4_096;

const NAMED = 10;

/** The newest embeddings of a project's samples, from whatever encoder. */
export interface Embeddings {
  readonly published: EmbeddingsPublished;
  /** In milliseconds since 1970. */
  readonly publishedAt: number;
}

/**
 * @param values rows × dimensions, row-major
 * @throws {Refusal} BAD_EMBEDDINGS naming the first rows with a number that is not finite
 */
export function checkEmbeddings(values: Float32Array, dimensions: number): void {
  const bad: BadRow[] = [];
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const row = Math.floor(i / dimensions);
    if (++count <= NAMED) bad.push({ row, problem: `number ${i % dimensions} is ${values[i]}` });
    // One problem a row.
    i = (row + 1) * dimensions - 1;
  }
  if (count > 0) throw refuse('BAD_EMBEDDINGS', { count, badRows: bad });
}

export interface NewEmbeddings {
  readonly by: string;
  readonly model: string;
  readonly dimensions: number;
  /** Stored before; every sample at most once over all parts. */
  readonly parts: readonly EmbeddingPart[];
}

/** Makes embeddings the project's newest, in place of those before. */
export function* publishEmbeddings(
  project: Project,
  { by, model, dimensions, parts }: NewEmbeddings,
  { chunks }: Moment,
): Decision<Embeddings> {
  const wrong = (field: string, problem: string) => refuse('INVALID_INPUT', { field, problem });
  if (parts.length === 0) throw wrong('parts', 'embeddings have at least one part');
  if (model === '' || model.length > 200) throw wrong('model', 'a model is named by 1 to 200 characters');
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  if (rows * dimensions * 4 > MAX_INPUT_BYTES) {
    throw wrong('parts', `they have ${rows * dimensions * 4} bytes; ${MAX_INPUT_BYTES} are the most`);
  }
  const { samples } = project;
  const seen = new Uint8Array(samples.size);
  const duplicates: string[] = [];
  let repeated = 0;
  for (const part of parts) {
    for (const sample of decodeOrdinals(chunks(part.ordinals))) {
      if (sample >= samples.size)
        throw new RangeError(`embeddings of sample ${sample}, which does not exist`);
      if (seen[sample] === 1 && ++repeated <= NAMED) duplicates.push(samples.keys.keyAt(sample));
      seen[sample] = 1;
    }
  }
  if (repeated > 0) throw refuse('DUPLICATE_KEYS', { count: repeated, keys: duplicates });
  const publication = (project.embeddings?.published.publication ?? 0) + 1;
  yield { type: 'embeddingsPublished', publication, model, dimensions, parts, by };
  return project.embeddings as Embeddings;
}

/** Little-endian uint32, one a row. */
export function encodeOrdinals(ordinals: Uint32Array): Uint8Array {
  return new Uint8Array(ordinals.slice().buffer);
}

/** @throws {RangeError} the bytes are not a whole number of rows */
export function decodeOrdinals(bytes: Uint8Array): Uint32Array {
  if (bytes.length % 4 !== 0) throw new RangeError(`${bytes.length} bytes are no ordinals`);
  // A copy, for a chunk may begin at any byte of a larger buffer, and typed arrays need an aligned one.
  return new Uint32Array(new Uint8Array(bytes).buffer);
}
