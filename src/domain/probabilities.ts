import type { BadRow } from './refusals.ts';

/** How far a row of probabilities may sum off 1. Float32 softmax over 1,000 classes stays well within it. */
const SUM_TOLERANCE = 1e-3;

/** So many are named. */
const NAMED = 10;

/** The rows with a value that is not in 0…1 or a sum off 1 by more than {@link SUM_TOLERANCE}: how many, and the first. */
export function badRows(
  probabilities: Float32Array,
  classes: number,
): { readonly count: number; readonly badRows: BadRow[] } {
  const bad: BadRow[] = [];
  let count = 0;
  for (let row = 0, at = 0; at < probabilities.length; row++, at += classes) {
    let sum = 0;
    let wrong = -1;
    for (let c = 0; c < classes; c++) {
      const p = probabilities[at + c] as number;
      if (!(p >= 0 && p <= 1 + SUM_TOLERANCE) && wrong < 0) wrong = c;
      sum += p;
    }
    if (wrong < 0 && Math.abs(sum - 1) <= SUM_TOLERANCE) continue;
    const problem =
      wrong < 0 ? `the sum is ${sum.toFixed(6)}, not 1` : `class ${wrong} has ${probabilities[at + wrong]}`;
    if (++count <= NAMED) bad.push({ row, problem });
  }
  return { count, badRows: bad };
}
