import { fileURLToPath } from 'node:url';
import { seededRandom, shuffled } from '../../demo/annotator.ts';
import { type Classifier, train } from '../../demo/classifier.ts';
import type { SparseRow } from '../../demo/features.ts';
import { runPython } from '../python.ts';

export const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;
export const PIXELS = 64;
const DARKEST = 16;

const SCRIPT = fileURLToPath(new URL('../../../bench/digits/load.py', import.meta.url));

/** A handwritten digit. */
export interface Digit {
  readonly key: string;
  /** 8 × 8, each 0 … 1. */
  readonly pixels: Float32Array;
  readonly label: string;
}

/** What all ways of choosing share under one seed. */
export interface Study {
  readonly pool: readonly Digit[];
  readonly test: readonly Digit[];
}

/**
 * The digits of scikit-learn's `load_digits`, 1,797 of the test set of "Optical recognition of handwritten digits",
 * E. Alpaydin and C. Kaynak, UCI Machine Learning Repository.
 *
 * @throws {PythonProblem} scikit-learn is not there
 */
export async function loadDigits(): Promise<Digit[]> {
  const lines = await runPython(SCRIPT);
  return lines
    .trim()
    .split('\n')
    .map((line, i) => {
      const [label = '', ...pixels] = line.split(' ');
      return {
        key: `digit-${String(i).padStart(4, '0')}`,
        label,
        pixels: Float32Array.from(pixels, (pixel) => Number(pixel) / DARKEST),
      };
    });
}

/** Divides the digits at random. */
export function divide(digits: readonly Digit[], heldOut: number, seed: number): Study {
  const order = shuffled(digits, seededRandom(seed));
  return { pool: order.slice(heldOut), test: order.slice(0, heldOut) };
}

/** Multinomial logistic regression with scikit-learn's default penalty, C = 1. */
export function learn(labelled: readonly (readonly [Digit, string])[]): Classifier {
  const rows = labelled.map(([digit]) => rowOf(digit));
  return train(
    rows,
    labelled.map(([, label]) => label),
    CLASSES,
    { l2: 1 },
  );
}

export function probabilities(model: Classifier, digits: readonly Digit[]): Float32Array {
  return model.probabilities(digits.map(rowOf));
}

/** The share of digits that a model gets right. */
export function accuracyOn(model: Classifier, digits: readonly Digit[]): number {
  const all = probabilities(model, digits);
  const right = digits.filter(({ label }, i) => {
    const row = all.subarray(i * CLASSES.length, (i + 1) * CLASSES.length);
    return CLASSES[row.indexOf(Math.max(...row))] === label;
  });
  return right.length / digits.length;
}

const INDICES = Uint32Array.from({ length: PIXELS }, (_, i) => i);

function rowOf({ pixels }: Digit): SparseRow {
  return { indices: INDICES, values: pixels };
}
