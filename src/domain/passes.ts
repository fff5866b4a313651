import { badRows } from './probabilities.ts';
import { refuse } from './refusals.ts';

/** The most passes that a prediction run may have. */
export const MAX_PASSES = 100;

/** The most bytes that all passes of a run, or all embeddings, may have: what a strategy is given at once. */
export const MAX_INPUT_BYTES = 2 ** 31 - 1;

/**
 * The mean of several passes, such as of a committee or of MC dropout.
 *
 * @param passes two or more, each rows × classes, row-major
 * @throws {Refusal} BAD_PROBABILITIES naming the first rows, of any pass, that are no probabilities
 */
export function meanOfPasses(passes: readonly Float32Array[], classes: number): Float32Array {
  const bad = passes.map((pass) => badRows(pass, classes));
  const count = bad.reduce((sum, { count }) => sum + count, 0);
  if (count > 0) {
    const named = bad.flatMap(({ badRows }, pass) =>
      badRows.map(({ row, problem }) => ({ row, problem: `pass ${pass}: ${problem}` })),
    );
    throw refuse('BAD_PROBABILITIES', { count, badRows: named.slice(0, 10) });
  }
  const mean = new Float32Array(passes[0]?.length ?? 0);
  for (let i = 0; i < mean.length; i++) {
    let sum = 0;
    for (const pass of passes) sum += pass[i] as number;
    mean[i] = sum / passes.length;
  }
  return mean;
}
