import type { NewSample } from '@concord/sdk/driver';

/** What is labelled: samples with payloads of 100 bytes, ten classes, and what a model says of them. */

export const CLASSES = ['ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu', 'hen', 'ibis', 'jay'] as const;

const PAYLOAD_BYTES = 100;
const WORDS = ['lorem', 'ipsum', 'dolor', 'sit', 'amet', 'elit', 'sed', 'tempor', 'magna', 'aliqua'];

/** Samples `from` up to, not including, `to`. */
export function* samples(from: number, to: number): Generator<NewSample> {
  for (let i = from; i < to; i++) {
    const fill = PAYLOAD_BYTES - JSON.stringify({ text: '' }).length;
    let text = `${i}`;
    for (let word = i; text.length < fill; word = (word * 7 + 3) % 9_973) text += ` ${WORDS[word % 10]}`;
    yield { key: `sample-${String(i).padStart(8, '0')}`, data: { text: text.slice(0, fill) } };
  }
}

/** A matrix of probabilities: most rows lean to one class, some are sure, some are not. */
export function probabilities(rows: number): Float32Array {
  const columns = CLASSES.length;
  const matrix = new Float32Array(rows * columns);
  const row = new Float64Array(columns);
  let state = 1;
  for (let at = 0; at < matrix.length; at += columns) {
    let sum = 0;
    for (let c = 0; c < columns; c++) {
      // Park and Miller's generator: quick, and random enough for this.
      state = (state * 48_271) % 2_147_483_647;
      const weight = (state / 2_147_483_647) ** 6 + 1e-6;
      row[c] = weight;
      sum += weight;
    }
    for (let c = 0; c < columns; c++) matrix[at + c] = (row[c] as number) / sum;
  }
  return matrix;
}
