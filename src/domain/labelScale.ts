/**
 * What the classes of a label set are to each other. It decides which figures of agreement have a meaning: a rater
 * who is one class off is as wrong as any other where classes are names, and less wrong where they are degrees.
 */

/**
 * `NOMINAL`: names, in no order. `ORDINAL`: in order, from the first to the last; how far apart two are is unknown.
 * `INTERVAL`: numbers, whose differences have a meaning.
 */
export type ScaleKind = 'NOMINAL' | 'ORDINAL' | 'INTERVAL';

/** The scale of a label set. */
export interface LabelScale {
  readonly kind: ScaleKind;
  /** Of an INTERVAL scale: the number that each class stands for, ascending. Else empty. */
  readonly values: readonly number[];
}

export const NOMINAL: LabelScale = { kind: 'NOMINAL', values: [] };

/** What is wrong with a scale for a label set of so many classes, or null. */
export function scaleProblem({ kind, values }: LabelScale, classes: number): string | null {
  if (kind !== 'INTERVAL') return values.length === 0 ? null : `only an INTERVAL scale has values`;
  if (values.length !== classes) return `${values.length} values for ${classes} labels`;
  const isAscending = values.every((value, i) => {
    const before = values[i - 1];
    return Number.isFinite(value) && (before === undefined || value > before);
  });
  return isAscending ? null : 'values are numbers that ascend with the labels';
}

/**
 * Where the classes stand on a line: their values, or for an ordinal scale equal steps 0, 1, 2 …, which is the
 * convention of weighted kappa. Null for names.
 */
export function positionsOn({ kind, values }: LabelScale, classes: number): readonly number[] | null {
  if (kind === 'NOMINAL') return null;
  return kind === 'INTERVAL' ? values : Array.from({ length: classes }, (_, i) => i);
}
