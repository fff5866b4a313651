import { type Names, named, type SampleRecord } from './record.ts';

/** How a format is written: samples come one by one, and nothing is held back. */
export interface Writer {
  /** What a file begins with. */
  readonly begin: string;
  /** What stands between two samples. */
  readonly between: string;
  /** What a file ends with. */
  readonly end: string;
  /** A sample as text. */
  readonly write: (sample: SampleRecord) => string;
}

/**
 * Samples as the text of a file, piece by piece as they come: a reader who is slow holds the service back, and
 * nobody holds the file.
 *
 * @param names names of people, to stand beside their ids
 */
export async function* writeSamples(
  samples: AsyncIterable<SampleRecord> | Iterable<SampleRecord>,
  writer: Writer,
  { names }: { readonly names?: Names | undefined } = {},
): AsyncGenerator<string, void, undefined> {
  let between = writer.begin;
  for await (const sample of samples) {
    yield between + writer.write(names === undefined ? sample : named(sample, names));
    between = writer.between;
  }
  yield (between === writer.begin ? writer.begin : '') + writer.end;
}
