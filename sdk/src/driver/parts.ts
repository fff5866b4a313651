import { InvalidInputError } from '../client/generated/errors.ts';
import type { CallOptions } from '../client/operation.ts';
import { base64 } from './bytes.ts';

/** The most rows that one part may have. */
const PART_ROWS = 20_000;
/** Parts on their way at the same time. */
const IN_FLIGHT = 3;

/** Whose rows something is. Give either keys or numbers. */
export interface RowNames {
  /** By key. */
  readonly keys?: readonly string[] | undefined;
  /** By the number that the import gave: less to send than keys. */
  readonly numbers?: Uint32Array | readonly number[] | undefined;
}

/** How far a publication has come. */
export interface PublishProgress {
  /** Rows uploaded so far. */
  readonly rows: number;
  /** Rows there are. */
  readonly of: number;
}

export interface PublishOptions extends CallOptions {
  /** Called after each part. */
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined;
}

/** How many rows there are, and the names of some of them as they are sent. */
export function namesOf({ keys, numbers }: RowNames) {
  if ((keys === undefined) === (numbers === undefined)) throw invalid('keys', 'give either keys or numbers');
  const rows = keys?.length ?? numbers?.length ?? 0;
  if (rows === 0) throw invalid('keys', 'there are no rows');
  const ordinals = numbers && Uint32Array.from(numbers);
  const names = (start: number, end: number) =>
    ordinals ? { numbers: base64(ordinals.subarray(start, end)) } : { keys: keys?.slice(start, end) };
  return { rows, names };
}

/**
 * Uploads rows in parts, a few at a time; the receipts, in the order of the parts.
 *
 * @param partRows the most rows of a part
 * @param upload sends the rows from `start` to `end` − 1
 */
export async function uploadInParts(
  rows: number,
  partRows: number,
  upload: (start: number, end: number, options: CallOptions) => Promise<{ readonly receipt: string }>,
  { onProgress, signal }: PublishOptions,
): Promise<string[]> {
  const size = Math.max(1, Math.min(PART_ROWS, Math.floor(partRows)));
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const parts = Math.ceil(rows / size);
  const receipts: string[] = [];
  let uploaded = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < parts) {
      const part = next++;
      const start = part * size;
      const end = Math.min(rows, start + size);
      const { receipt } = await upload(start, end, { signal: stop });
      receipts[part] = receipt;
      uploaded += end - start;
      onProgress?.({ rows: uploaded, of: rows });
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  return receipts;
}

export function invalid(field: string, problem: string): InvalidInputError {
  return new InvalidInputError(`${field}: ${problem}`, { field, problem });
}

/** Bad rows are counted within a part by the service, and in the whole by whoever gave it. */
export function shifted<Row extends { readonly row: number; readonly problem: string }>(
  badRows: readonly Row[],
  start: number,
): { readonly rows: Row[]; readonly listed: string } {
  const rows = badRows.map((bad) => ({ ...bad, row: bad.row + start }));
  return { rows, listed: rows.map(({ row, problem }) => `Row ${row}: ${problem}.`).join(' ') };
}
