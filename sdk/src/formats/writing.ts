import { type Names, named, type SampleRecord } from './record.ts';

/** How a format is written, page by page as samples come. */
export interface Writer {
  /** What a file begins with. */
  readonly begin: string;
  /** What stands between two pages. */
  readonly between: string;
  /** What a file ends with. */
  readonly end: string;
  /** A page of samples as text; of none, the empty text. */
  readonly write: (samples: readonly SampleRecord[]) => string;
}

/**
 * Pages of samples, as an export gives them, as the text of one file, page by page as they come: a reader who is slow
 * holds the service back, and nobody holds the file.
 *
 * @param names names of people, to stand beside their ids
 */
export async function* writePages(
  pages:
    | AsyncIterable<{ readonly samples: readonly SampleRecord[] }>
    | Iterable<{ readonly samples: readonly SampleRecord[] }>,
  writer: Writer,
  { names }: { readonly names?: Names | undefined } = {},
): AsyncGenerator<string, void, undefined> {
  let before = writer.begin;
  for await (const { samples } of pages) {
    if (samples.length === 0) continue;
    yield before +
      writer.write(names === undefined ? samples : samples.map((sample) => named(sample, names)));
    before = writer.between;
  }
  yield (before === writer.begin ? writer.begin : '') + writer.end;
}
