/**
 * Files of samples and labels: CSV, NDJSON, and Label Studio's JSON, read and written piece by piece. For Node:
 * the parser of CSV is a stream of Node's.
 *
 * @module
 */
import { csvWriter, readCsv } from './csv.ts';
import { labelStudioWriter, readLabelStudio } from './labelStudio.ts';
import { ndjsonWriter, readNdjson } from './ndjson.ts';
import type { ReadSample, Source } from './reading.ts';
import type { Writer } from './writing.ts';

export { type CsvRows, csvWriter, readCsv } from './csv.ts';
export { type LabelStudioNames, labelStudioWriter, readLabelStudio } from './labelStudio.ts';
export { ndjsonWriter, readNdjson } from './ndjson.ts';
export { BY_NUMBER, FormatError, type ReadAnnotation, type ReadSample, type Source } from './reading.ts';
export { type AnnotationRecord, type Names, named, type SampleRecord } from './record.ts';
export { type Writer, writePages } from './writing.ts';

/** The formats by the names that commands have for them. */
export type Format = 'csv' | 'ndjson' | 'label-studio';

/** A format: how it is read and written, with what it has by default. */
export interface FormatInfo {
  /** The ends of file names by which it is known. */
  readonly extensions: readonly string[];
  /**
   * Reads a file.
   *
   * @param options `key`: where the key of a sample is; `#` numbers the samples in their order, from 1
   * @throws {FormatError} it is not what it should be
   */
  readonly read: (
    source: Source,
    options?: { readonly key?: string | undefined },
  ) => AsyncIterable<ReadSample>;
  readonly writer: () => Writer;
}

export const FORMATS: Readonly<Record<Format, FormatInfo>> = {
  csv: { extensions: ['.csv'], read: readCsv, writer: csvWriter },
  ndjson: { extensions: ['.ndjson', '.jsonl'], read: readNdjson, writer: ndjsonWriter },
  'label-studio': { extensions: ['.json'], read: readLabelStudio, writer: labelStudioWriter },
};
