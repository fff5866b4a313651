import type { Client } from '../client/client.ts';
import { BadEmbeddingsError } from '../client/generated/errors.ts';
import type { Embeddings, Project } from '../client/generated/types.ts';
import { base64 } from './bytes.ts';
import { invalid, namesOf, type PublishOptions, type RowNames, shifted, uploadInParts } from './parts.ts';

/** The most bytes of numbers that one part may have. */
const PART_BYTES = 2 * 1024 * 1024;

/** Vectors of samples. */
export interface NewEmbeddings extends RowNames {
  /** What made them: 1 to 200 characters. */
  readonly model: string;
  /** rows × dimensions, row by row; all finite. */
  readonly embeddings: Float32Array;
}

/** Uploads embeddings in parts, a few at a time, and publishes them. */
export async function publishEmbeddings(
  client: Client,
  { id: project }: Project,
  given: NewEmbeddings,
  options: PublishOptions = {},
): Promise<Embeddings> {
  const { model, embeddings } = given;
  const { rows, names } = namesOf(given);
  const dimensions = embeddings.length / rows;
  if (!Number.isInteger(dimensions) || dimensions === 0) {
    throw invalid('embeddings', `${embeddings.length} numbers are no whole number for each of ${rows} rows`);
  }
  const receipts = await uploadInParts(
    rows,
    PART_BYTES / (4 * dimensions),
    async (start, end, call) => {
      const part = base64(embeddings.subarray(start * dimensions, end * dimensions));
      try {
        const input = { project, dimensions, ...names(start, end), embeddings: part };
        return await client.uploadEmbeddings(input, call);
      } catch (error) {
        throw error instanceof BadEmbeddingsError ? renumbered(error, start) : error;
      }
    },
    options,
  );
  return client.publishEmbeddings({ project, model, parts: receipts }, { signal: options.signal });
}

function renumbered({ count, badRows }: BadEmbeddingsError, start: number): BadEmbeddingsError {
  const { rows, listed } = shifted(badRows, start);
  return new BadEmbeddingsError(`${count} rows are not finite. ${listed}`, { count, badRows: rows });
}
