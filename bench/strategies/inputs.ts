import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomAt, sharedMatrices } from '@concord/sdk/strategy';
import type { SamplePool } from '../../src/strategies/host.ts';

export const SAMPLES = 1_000_000;
export const CLASSES = 10;
export const PASSES = 5;
/** Of the pool from which a core-set is chosen. */
export const POINTS = 10_000;
export const DIMENSIONS = 128;
/** How many are chosen. */
export const COUNT = 1_000;

export interface Inputs {
  /** With probabilities and passes. */
  readonly predicted: SamplePool;
  /** With embeddings, and no labels yet. */
  readonly embedded: SamplePool;
}

/** The same numbers in every run: probabilities uniform on the simplex, embeddings normal in every dimension. */
export function makeInputs(): Inputs {
  const { memory, matrices: passes } = sharedMatrices(PASSES, SAMPLES * CLASSES);
  passes.forEach((matrix, pass) => {
    for (let row = 0; row < SAMPLES; row++) {
      let sum = 0;
      for (let at = row * CLASSES; at < (row + 1) * CLASSES; at++) {
        const mass = -Math.log(1 - randomAt(1, at, pass));
        matrix[at] = mass;
        sum += mass;
      }
      for (let at = row * CLASSES; at < (row + 1) * CLASSES; at++) matrix[at] = (matrix[at] ?? 0) / sum;
    }
  });
  const values = shared(Float32Array, POINTS * DIMENSIONS).map((_, at) => {
    const radius = Math.sqrt(-2 * Math.log(1 - randomAt(2, at, 0)));
    return radius * Math.cos(2 * Math.PI * randomAt(2, at, 1));
  });
  const rowOf = upTo(SAMPLES);
  const none = { predictions: null, embeddings: null, labelled: null, classCounts: null, cost: null };
  const labelSet = Array.from({ length: CLASSES }, (_, c) => `class ${c}`);
  return {
    predicted: {
      ...none,
      labelSet,
      ordinals: rowOf,
      accepted: shared(Uint8Array, SAMPLES),
      predictions: { rowOf, probabilities: passes[0] as Float32Array, passes, memory, passesMemory: memory },
    },
    embedded: {
      ...none,
      labelSet,
      ordinals: rowOf.subarray(0, POINTS),
      accepted: shared(Uint8Array, POINTS),
      embeddings: { rowOf, values: onShared(values), dimensions: DIMENSIONS },
      labelled: { ordinals: new Uint32Array(0), labels: new Uint16Array(0) },
    },
  };
}

/** Writes the matrices where numpy finds them. */
export async function writeInputs({ predicted, embedded }: Inputs, folder: string): Promise<void> {
  const write = (name: string, matrix: Float32Array) =>
    writeFile(
      join(folder, `${name}.f32`),
      new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength),
    );
  for (const [i, pass] of (predicted.predictions?.passes ?? []).entries()) await write(`pass${i}`, pass);
  await write('embeddings', embedded.embeddings?.values ?? new Float32Array(0));
}

function shared<Numbers>(kind: new (buffer: SharedArrayBuffer) => Numbers, length: number): Numbers {
  const { BYTES_PER_ELEMENT: bytes } = kind as unknown as { BYTES_PER_ELEMENT: number };
  return new kind(new SharedArrayBuffer(bytes * length));
}

function onShared(numbers: Float32Array): Float32Array {
  const copy = shared(Float32Array, numbers.length);
  copy.set(numbers);
  return copy;
}

function upTo(length: number): Uint32Array {
  const numbers = shared(Uint32Array, length);
  for (let i = 0; i < length; i++) numbers[i] = i;
  return numbers;
}
