import { readFile } from 'node:fs/promises';
import { CommandError } from './command.ts';

/** An array of numbers as numpy saves it. */
export interface NumpyArray {
  readonly shape: readonly number[];
  /** Row by row. */
  readonly values: Float32Array | Float64Array | Int32Array;
}

const MAGIC = '\x93NUMPY';

/** How each type of number that is read lies in the file; what is not here is refused. */
const TYPES: Readonly<Record<string, { bytes: number; read: (bytes: ArrayBuffer) => NumpyArray['values'] }>> =
  {
    '<f4': { bytes: 4, read: (bytes) => new Float32Array(bytes) },
    '<f8': { bytes: 8, read: (bytes) => new Float64Array(bytes) },
    '|i1': { bytes: 1, read: (bytes) => Int32Array.from(new Int8Array(bytes)) },
    '|u1': { bytes: 1, read: (bytes) => Int32Array.from(new Uint8Array(bytes)) },
    '<i2': { bytes: 2, read: (bytes) => Int32Array.from(new Int16Array(bytes)) },
    '<i4': { bytes: 4, read: (bytes) => new Int32Array(bytes) },
    '<i8': { bytes: 8, read: (bytes) => Int32Array.from(new BigInt64Array(bytes), Number) },
  };

/**
 * Reads a `.npy` file: numbers in C order, of a type in {@link TYPES}.
 *
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @throws {CommandError} it cannot be read, or holds something else; the message says what to do
 */
export async function readNpy(path: string): Promise<NumpyArray> {
  const file = await readFile(path).catch((error: Error) => {
    throw new CommandError(`${path}: ${error.message}`);
  });
  return numpyArrayIn(file, path);
}

/** The array in a file's bytes. Throws as {@link readNpy} does. */
export function numpyArrayIn(file: Buffer, path: string): NumpyArray {
  const refuse = (problem: string) => new CommandError(`${path}: ${problem}`);
  if (file.length < 12 || file.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw refuse('this is no .npy file; numpy.save writes one');
  }
  // From version 2 on the header's length takes four bytes instead of two.
  const isShort = file[MAGIC.length] === 1;
  const begin = isShort ? 10 : 12;
  const end = begin + (isShort ? file.readUInt16LE(8) : file.readUInt32LE(8));
  const header = file.toString('latin1', begin, end);
  const type = /'descr': *'([^']*)'/.exec(header)?.[1] ?? 'of several fields';
  const known = TYPES[type];
  if (known === undefined)
    throw refuse(`its numbers are ${type}; save them as float32, with astype("float32")`);
  if (!/'fortran_order': *False/.test(header))
    throw refuse('it lies column by column; save numpy.ascontiguousarray of it');
  const shape = [...(/'shape': *\(([^)]*)\)/.exec(header)?.[1] ?? '').matchAll(/\d+/g)].map(Number);
  const bytes = shape.reduce((product, length) => product * length, known.bytes);
  if (file.length - end !== bytes) throw refuse(`it is cut short: ${file.length - end} bytes of ${bytes}`);
  // A copy begins where any type of number may.
  return { shape, values: known.read(new Uint8Array(file.subarray(end)).buffer) };
}
