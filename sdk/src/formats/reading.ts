import type { NewSample } from '../driver/importing.ts';

/** A file is not what it should be. Nothing is read beyond. */
export class FormatError extends Error {
  override name = 'FormatError';
  /** The line at which it was found, from 1; null where the place is no line. */
  readonly line: number | null;
  readonly problem: string;

  constructor(problem: string, line: number | null) {
    super(line === null ? problem : `line ${line}: ${problem}`);
    this.line = line;
    this.problem = problem;
  }
}

/** An answer that a file brings with a sample. Null is what the format, or the file, does not say. */
export interface ReadAnnotation {
  /** Null: it is no choice of one class, such as a box drawn in Label Studio. */
  readonly label: string | null;
  /** Who gave it, as the file has it. */
  readonly annotator: string | null;
  readonly answeredAt: string | null;
  readonly milliseconds: number | null;
}

/** A sample as a file has it. */
export interface ReadSample extends NewSample {
  /** The line at which it ends, from 1. */
  readonly line: number;
  /** Answers of people that the file has of it. */
  readonly annotations: readonly ReadAnnotation[];
  /** How many predictions of models the file has of it. */
  readonly predictions: number;
}

/** What a file is read from: bytes in UTF-8, or text, in pieces of any size. */
export type Source = AsyncIterable<Uint8Array | string>;

/** The longest key, in characters; as the service has it. */
const MAX_KEY = 256;
/** The most bytes of JSON that the data of a sample may have; likewise. */
const MAX_DATA_BYTES = 1024 * 1024;
/** The most characters that one sample may take up in a file, with all its answers. */
export const MAX_SAMPLE_CHARACTERS = 16 * 1024 * 1024;

/** What else one can call a sample by: `#` gives it its place in the file, from 1. */
export const BY_NUMBER = '#';

/**
 * The key of a sample, from where the file has it.
 * @throws {FormatError} there is none
 */
export function keyIn(value: unknown, field: string, line: number): string {
  // Two such numbers of a file may be the same one here.
  if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
    throw new FormatError(
      `'${field}' holds a number beyond 2^53, of which digits are lost: write it in quotation marks`,
      line,
    );
  }
  const key = typeof value === 'number' ? String(value) : value;
  if (typeof key !== 'string' || key === '') {
    throw new FormatError(
      `'${field}' holds no key: name another field, or number the samples with '${BY_NUMBER}'`,
      line,
    );
  }
  if (key.length > MAX_KEY) throw new FormatError(`the key has more than ${MAX_KEY} characters`, line);
  return key;
}

/** The field, or column, of a sample's known answer. */
export const GROUND_TRUTH = 'ground_truth';

/**
 * A sample's known answer, where the file has one.
 * @throws {FormatError} it is no label
 */
export function groundTruthIn(value: unknown, field: string, line: number): Pick<NewSample, 'groundTruth'> {
  if (value === undefined || value === null || value === '') return {};
  if (typeof value === 'string') return { groundTruth: value };
  throw new FormatError(`'${field}' holds no label: it is a text, or left out`, line);
}

/**
 * Data that the service takes.
 * @throws {FormatError} it is too large, or too deep
 */
export function dataIn(data: unknown, line: number): unknown {
  const json = jsonOf(data, line);
  // Three bytes are the most that a character of a JavaScript string has in UTF-8.
  if (3 * json.length > MAX_DATA_BYTES && new TextEncoder().encode(json).length > MAX_DATA_BYTES) {
    throw new FormatError('the data has more than 1 MiB of JSON', line);
  }
  return data;
}

function jsonOf(data: unknown, line: number): string {
  try {
    return JSON.stringify(data);
  } catch {
    // What was read of JSON fails so only where the stack ends.
    throw new FormatError('the data has too many arrays and objects in each other', line);
  }
}

/** @throws {FormatError} it is not UTF-8 */
export async function* textOf(source: Source): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let isFirst = true;
  let lines = 1;
  const decoded = (bytes?: Uint8Array) => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw new FormatError('it is not UTF-8; save it as that first', lines + linesBeforeFault(bytes));
    }
  };
  for await (const piece of source) {
    let text = typeof piece === 'string' ? piece : decoded(piece);
    if (text === '') continue;
    // The decoder takes a byte order mark off bytes; text may still have one.
    if (isFirst && text.startsWith('\uFEFF')) text = text.slice(1);
    isFirst = false;
    lines += text.split('\n').length - 1;
    yield text;
  }
  const rest = decoded();
  if (rest !== '') yield rest;
}

/** Line ends that a piece has before what is not UTF-8. */
function linesBeforeFault(bytes: Uint8Array = new Uint8Array()): number {
  // It may begin within a character, of at most four bytes.
  const start = bytes.subarray(0, 3).findIndex((byte) => (byte & 0xc0) !== 0x80);
  const text = new TextDecoder().decode(bytes.subarray(start < 0 ? 3 : start));
  const before = text.slice(0, Math.max(0, text.indexOf('\uFFFD')));
  return before.split('\n').length - 1;
}

/**
 * The lines of a text, without their ends. JSON may hold all that other line splitters take for the end of a line.
 * @throws {FormatError} a line is longer than any sample may be
 */
export async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let kept = '';
  let count = 1;
  for await (const piece of text) {
    let from = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      yield kept + piece.slice(from, end);
      kept = '';
      from = end + 1;
      count++;
    }
    kept += piece.slice(from);
    if (kept.length > MAX_SAMPLE_CHARACTERS) throw new FormatError('it is too long for a sample', count);
  }
  if (kept !== '') yield kept;
}
