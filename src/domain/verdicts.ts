/**
 * What a part of a prediction run comes to for each of its samples: the pre-annotation. Kept as a chunk of its
 * own beside the probabilities, so that the fold needs 10 bytes a sample and never the whole matrix.
 *
 * Layout, little-endian: rows × uint32 ordinals, rows × float32 confidences, rows × uint16 labels.
 */
export interface Verdicts {
  readonly ordinals: Uint32Array;
  /** The largest probability of each row. */
  readonly confidences: Float32Array;
  /** Its class; the smallest index where several share the largest probability. */
  readonly labels: Uint16Array;
}

const BYTES_PER_ROW = 10;

export function encodeVerdicts({ ordinals, confidences, labels }: Verdicts): Uint8Array {
  const rows = ordinals.length;
  const bytes = new Uint8Array(rows * BYTES_PER_ROW);
  new Uint32Array(bytes.buffer, 0, rows).set(ordinals);
  new Float32Array(bytes.buffer, rows * 4, rows).set(confidences);
  new Uint16Array(bytes.buffer, rows * 8, rows).set(labels);
  return bytes;
}

/** @throws {RangeError} the bytes are not a whole number of rows */
export function decodeVerdicts(bytes: Uint8Array): Verdicts {
  const rows = bytes.length / BYTES_PER_ROW;
  if (!Number.isInteger(rows)) throw new RangeError(`${bytes.length} bytes are no verdicts`);
  // Chunks may begin at any offset of a larger buffer; typed arrays need an aligned one. `slice` would not do:
  // stores give Buffers, whose `slice` copies nothing.
  const { buffer } = bytes.byteOffset === 0 ? bytes : new Uint8Array(bytes);
  return {
    ordinals: new Uint32Array(buffer, 0, rows),
    confidences: new Float32Array(buffer, rows * 4, rows),
    labels: new Uint16Array(buffer, rows * 8, rows),
  };
}
