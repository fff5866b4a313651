import type { Client } from '../client/client.ts';
import {
  BadProbabilitiesError,
  InvalidInputError,
  WrongClassCountError,
} from '../client/generated/errors.ts';
import type { PredictionRun, Project } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import { base64 } from './bytes.ts';

/** The most that one part may have: bytes of probabilities, and rows. */
const PART_BYTES = 4 * 1024 * 1024;
const PART_ROWS = 20_000;
/** Parts on their way at the same time. */
const IN_FLIGHT = 3;

/** What a model says of samples. */
export interface Predictions {
  /** What you call the model version: 1 to 200 characters. */
  readonly model: string;
  /** Whose rows these are, by key. Give either keys or numbers. */
  readonly keys?: readonly string[] | undefined;
  /** Whose rows these are, by the number that the import gave: less to send than keys. */
  readonly numbers?: Uint32Array | readonly number[] | undefined;
  /** rows × classes, row by row: class `c` of row `i` is at `i * classes + c`. Each in 0…1, each row's sum 1. */
  readonly probabilities: Float32Array;
  /** Which label each column is of, if the columns are in another order than the project's labels. */
  readonly labels?: readonly string[] | undefined;
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

/** Uploads predictions in parts, a few at a time, and publishes them. */
export async function publishPredictions(
  client: Client,
  project: Project,
  predictions: Predictions,
  { onProgress, signal }: PublishOptions = {},
): Promise<PredictionRun> {
  const classes = project.labels.length;
  const { rows, names } = checkedRows(predictions, classes);
  const columns = columnsOf(predictions.labels, project.labels);
  const partRows = Math.max(1, Math.min(PART_ROWS, Math.floor(PART_BYTES / (4 * classes))));
  const starts = Array.from({ length: Math.ceil(rows / partRows) }, (_, part) => part * partRows);
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  let uploaded = 0;

  const upload = async (start: number): Promise<string> => {
    const end = Math.min(rows, start + partRows);
    const matrix = predictions.probabilities.subarray(start * classes, end * classes);
    const input = {
      project: project.id,
      classes,
      ...names(start, end),
      probabilities: base64(columns === null ? matrix : permuted(matrix, columns)),
    };
    try {
      const { receipt } = await client.uploadPredictions(input, { signal: stop });
      uploaded += end - start;
      onProgress?.({ rows: uploaded, of: rows });
      return receipt;
    } catch (error) {
      throw error instanceof BadProbabilitiesError ? renumbered(error, start) : error;
    }
  };

  const receipts: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < starts.length) {
      const part = next++;
      receipts[part] = await upload(starts[part] ?? 0);
    }
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  return client.publishPredictions(
    { project: project.id, model: predictions.model, parts: receipts },
    { signal },
  );
}

function checkedRows({ keys, numbers, probabilities }: Predictions, classes: number) {
  if ((keys === undefined) === (numbers === undefined)) throw invalid('keys', 'give either keys or numbers');
  const rows = keys?.length ?? numbers?.length ?? 0;
  if (rows === 0) throw invalid('keys', 'there are no rows');
  if (probabilities.length !== rows * classes) {
    if (probabilities.length % rows === 0) {
      const actual = probabilities.length / rows;
      throw new WrongClassCountError(
        `The project has ${classes} classes, the probabilities have ${actual}.`,
        { expected: classes, actual },
      );
    }
    throw invalid(
      'probabilities',
      `${rows} rows of ${classes} classes are ${rows * classes} numbers, not ${probabilities.length}`,
    );
  }
  const ordinals = numbers && Uint32Array.from(numbers);
  const names = (start: number, end: number) =>
    ordinals ? { numbers: base64(ordinals.subarray(start, end)) } : { keys: keys?.slice(start, end) };
  return { rows, names };
}

/** At which column of the matrix each of the project's labels is; null if they are in order. */
function columnsOf(
  given: readonly string[] | undefined,
  labels: readonly string[],
): readonly number[] | null {
  if (given === undefined) return null;
  const columns = labels.map((label) => given.indexOf(label));
  if (given.length !== labels.length || columns.includes(-1)) {
    throw invalid('labels', `the project's labels are ${labels.join(', ')}, not ${given.join(', ')}`);
  }
  return columns.every((column, i) => column === i) ? null : columns;
}

function permuted(matrix: Float32Array, columns: readonly number[]): Float32Array {
  const turned = new Float32Array(matrix.length);
  for (let row = 0; row < matrix.length; row += columns.length) {
    for (const [to, from] of columns.entries()) turned[row + to] = matrix[row + from] ?? 0;
  }
  return turned;
}

/** The service counts rows within a part; whoever gave the matrix counts them in the matrix. */
function renumbered({ count, badRows }: BadProbabilitiesError, start: number): BadProbabilitiesError {
  const renamed = badRows.map(({ row, problem }) => ({ row: row + start, problem }));
  const listed = renamed.map(({ row, problem }) => `Row ${row}: ${problem}.`).join(' ');
  return new BadProbabilitiesError(`${count} rows are not probabilities. ${listed}`, {
    count,
    badRows: renamed,
  });
}

function invalid(field: string, problem: string): InvalidInputError {
  return new InvalidInputError(`${field}: ${problem}`, { field, problem });
}
