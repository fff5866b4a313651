import type { Client } from '../client/client.ts';
import { BadProbabilitiesError, WrongClassCountError } from '../client/generated/errors.ts';
import type { PredictionRun, Project } from '../client/generated/types.ts';
import { base64 } from './bytes.ts';
import { invalid, namesOf, type PublishOptions, type RowNames, shifted, uploadInParts } from './parts.ts';

/** The most bytes of numbers that one part may have. */
const PART_BYTES = 4 * 1024 * 1024;

/** What a model says of samples. */
export interface Predictions extends RowNames {
  /** What you call the model version: 1 to 200 characters. */
  readonly model: string;
  /**
   * rows × classes, row by row: class `c` of row `i` is at `i * classes + c`. Each in 0…1, each row's sum 1. With
   * `passes`, it may be left out: then it is their mean.
   */
  readonly probabilities?: Float32Array | undefined;
  /**
   * The same of each member of a committee, or of each pass of MC dropout: 2 to 100, each as `probabilities`. For
   * strategies that look at how far they disagree.
   */
  readonly passes?: readonly Float32Array[] | undefined;
  /** Which label each column is of, if the columns are in another order than the project's labels. */
  readonly labels?: readonly string[] | undefined;
}

/** Uploads predictions in parts, a few at a time, and publishes them. */
export async function publishPredictions(
  client: Client,
  project: Project,
  predictions: Predictions,
  options: PublishOptions = {},
): Promise<PredictionRun> {
  const classes = project.labels.length;
  const { probabilities, passes = [] } = predictions;
  const { rows, names } = namesOf(predictions);
  if (probabilities === undefined && passes.length === 0) {
    throw invalid('probabilities', 'give probabilities, or passes');
  }
  if (probabilities !== undefined) checkShape('probabilities', probabilities, rows, classes);
  for (const [i, pass] of passes.entries()) checkShape(`passes.${i}`, pass, rows, classes);
  const columns = columnsOf(predictions.labels, project.labels);
  const matrices = passes.length + Number(probabilities !== undefined);

  const receipts = await uploadInParts(
    rows,
    PART_BYTES / (4 * classes * matrices),
    async (start, end, call) => {
      const sent = (matrix: Float32Array) => {
        const part = matrix.subarray(start * classes, end * classes);
        return base64(columns === null ? part : permuted(part, columns));
      };
      const input = {
        project: project.id,
        classes,
        ...names(start, end),
        ...(probabilities === undefined ? {} : { probabilities: sent(probabilities) }),
        ...(passes.length === 0 ? {} : { passes: passes.map(sent) }),
      };
      try {
        return await client.uploadPredictions(input, call);
      } catch (error) {
        throw error instanceof BadProbabilitiesError ? renumbered(error, start) : error;
      }
    },
    options,
  );
  const input = { project: project.id, model: predictions.model, parts: receipts };
  return client.publishPredictions(input, { signal: options.signal });
}

function checkShape(field: string, { length }: Float32Array, rows: number, classes: number): void {
  if (length === rows * classes) return;
  if (length % rows === 0) {
    const actual = length / rows;
    throw new WrongClassCountError(`The project has ${classes} classes, the probabilities have ${actual}.`, {
      expected: classes,
      actual,
    });
  }
  throw invalid(field, `${rows} rows of ${classes} classes are ${rows * classes} numbers, not ${length}`);
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

function renumbered({ count, badRows }: BadProbabilitiesError, start: number): BadProbabilitiesError {
  const { rows, listed } = shifted(badRows, start);
  return new BadProbabilitiesError(`${count} rows are not probabilities. ${listed}`, {
    count,
    badRows: rows,
  });
}
