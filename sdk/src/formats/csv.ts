import { CsvError, parse } from 'csv-parse';
import { stringify } from 'csv-stringify/sync';
import {
  BY_NUMBER,
  dataIn,
  FormatError,
  GROUND_TRUTH,
  groundTruthIn,
  keyIn,
  MAX_SAMPLE_CHARACTERS,
  type ReadAnnotation,
  type ReadSample,
  type Source,
  textOf,
} from './reading.ts';
import type { AnnotationRecord, SampleRecord } from './record.ts';
import type { Writer } from './writing.ts';

type Cell = string | number | boolean | null | undefined;

/** The columns of a sample, and what stands in them. */
const OF_SAMPLE: Readonly<Record<string, (sample: SampleRecord) => Cell>> = {
  key: ({ key }) => key,
  number: ({ number }) => number,
  data: ({ data }) => JSON.stringify(data),
  consensus: ({ consensus }) => consensus?.label,
  tied: ({ consensus }) => (consensus?.tied.length ? JSON.stringify(consensus.tied) : null),
  votes: ({ consensus }) => consensus?.votes,
  of: ({ consensus }) => consensus?.of,
  gold: ({ gold }) => gold,
  ruling: ({ ruling }) => ruling?.label,
  rulingReason: ({ ruling }) => ruling?.reason,
  ruledBy: ({ ruling }) => ruling?.by,
  ruledAt: ({ ruling }) => ruling?.at,
  modelLabel: ({ predicted }) => predicted,
  modelConfidence: ({ confidence }) => confidence,
  autoAccepted: ({ autoAccepted }) => autoAccepted,
  skips: ({ skips }) => skips,
  unanswerable: ({ unanswerable }) => unanswerable,
};

/** The columns of an answer, and what stands in them. */
const OF_ANNOTATION: Readonly<Record<string, (annotation: AnnotationRecord) => Cell>> = {
  annotation: ({ id }) => id,
  annotator: ({ annotator }) => annotator,
  name: ({ name }) => name,
  label: ({ label }) => label,
  answeredAt: ({ answeredAt }) => answeredAt,
  milliseconds: ({ milliseconds }) => milliseconds,
  draw: ({ draw }) => draw,
  round: ({ round }) => round,
  suggestion: ({ suggestion }) => suggestion,
  suggestions: ({ suggestions }) => suggestions,
  firstLabel: ({ firstLabel }) => firstLabel,
  movedToSuggestion: ({ movedToSuggestion }) => movedToSuggestion,
  predictionRun: ({ predictionRun }) => predictionRun,
  predicted: ({ predicted }) => predicted,
  counted: ({ counted }) => counted,
};

/** What a row is about: an answer, or a sample with its consensus. */
export type CsvRows = 'annotations' | 'samples';

const HEADERS: Readonly<Record<CsvRows, readonly string[]>> = {
  annotations: [...Object.keys(OF_SAMPLE), ...Object.keys(OF_ANNOTATION)],
  samples: Object.keys(OF_SAMPLE),
};

/** Samples given to the library together: of many more, its pieces outlive the young generation and cost three times as much. */
const AT_ONCE = 16;

/**
 * CSV as RFC 4180 has it, with a header.
 *
 * @param rows a row an answer, in which a sample that nobody has answered has one row all the same; or a row a sample
 */
export function csvWriter(rows: CsvRows = 'annotations'): Writer {
  return {
    begin: csv([HEADERS[rows]]),
    between: '',
    end: '',
    write(samples) {
      let text = '';
      for (let at = 0; at < samples.length; at += AT_ONCE) {
        text += csv(samples.slice(at, at + AT_ONCE).flatMap((sample) => rowsOf(sample, rows)));
      }
      return text;
    },
  };
}

function rowsOf(sample: SampleRecord, rows: CsvRows): Cell[][] {
  const own = Object.values(OF_SAMPLE).map((cell) => cell(sample));
  if (rows === 'samples') return [own];
  if (sample.annotations.length === 0) return [[...own, ...Object.keys(OF_ANNOTATION).map(() => null)]];
  return sample.annotations.map((annotation) => [
    ...own,
    ...Object.values(OF_ANNOTATION).map((cell) => cell(annotation)),
  ]);
}

function csv(rows: readonly (readonly Cell[])[]): string {
  return stringify(
    rows.map((row) => [...row]),
    {
      record_delimiter: 'windows',
      // A lone one would be a line's end to some readers.
      quoted_match: /[\r\n]/,
      cast: { boolean: String },
    },
  );
}

interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

/**
 * Reads CSV with a header. Every column but the key and `ground_truth`, the known answer if there is one, is data, as text; a file that was exported is known by its
 * header, and its column `data` is read as the JSON that it is.
 *
 * @param keyColumn where the key is
 */
export async function* readCsv(
  source: Source,
  { key: keyColumn = 'key' }: { readonly key?: string | undefined } = {},
): AsyncGenerator<ReadSample, void, undefined> {
  const rows = readRows(source);
  const first = await rows.next();
  if (first.done) throw new FormatError('it is empty: the first line names the columns', 1);
  const header = first.value.cells;
  checkHeader(header, keyColumn);
  const isExport = Object.values(HEADERS).some((columns) => columns.join() === header.join());
  yield* isExport ? exported(rows, header, keyColumn) : plain(rows, header, keyColumn);
}

function checkHeader(header: readonly string[], keyColumn: string): void {
  const twice = header.find((column, i) => header.indexOf(column) !== i);
  if (twice !== undefined) throw new FormatError(`there are two columns '${twice}'`, 1);
  const other = header.length === 1 && [';', '\t'].find((mark) => header[0]?.includes(mark));
  if (other) {
    const mark = other === '\t' ? 'tabs' : `'${other}'`;
    throw new FormatError(`its columns are parted by ${mark}, not by commas; save it with commas`, 1);
  }
  if (keyColumn !== BY_NUMBER && !header.includes(keyColumn)) {
    throw new FormatError(
      `there is no column '${keyColumn}' for the key, only ${header.map((name) => `'${name}'`).join(', ')}; name one of them, or number the samples with '${BY_NUMBER}'`,
      1,
    );
  }
}

async function* plain(
  rows: AsyncIterable<Row>,
  header: readonly string[],
  keyColumn: string,
): AsyncGenerator<ReadSample, void, undefined> {
  const at = header.indexOf(keyColumn);
  const known = header.indexOf(GROUND_TRUTH);
  let number = 0;
  for await (const { cells, line } of rows) {
    number++;
    const key = keyColumn === BY_NUMBER ? String(number) : keyIn(cells[at], keyColumn, line);
    const columns = header.map((name, i): [string, string] => [name, cells[i] ?? '']);
    const data = Object.fromEntries(columns.filter((_, i) => i !== at && i !== known));
    const groundTruth = groundTruthIn(cells[known], GROUND_TRUTH, line);
    yield { key, data: dataIn(data, line), ...groundTruth, line, annotations: [], predictions: 0 };
  }
}

/** Rows of one sample stand together, and are one sample again. */
async function* exported(
  rows: AsyncIterable<Row>,
  header: readonly string[],
  keyColumn: string,
): AsyncGenerator<ReadSample, void, undefined> {
  let sample = null as (ReadSample & { readonly annotations: ReadAnnotation[] }) | null;
  let own: string | null = null;
  let number = 0;
  for await (const { cells, line } of rows) {
    const cell = (name: string) => cells[header.indexOf(name)] || null;
    const exportedAs = keyIn(cell('key'), 'key', line);
    if (sample === null || own !== exportedAs) {
      if (sample !== null) yield sample;
      own = exportedAs;
      const key = keyColumn === BY_NUMBER ? String(++number) : keyIn(cell(keyColumn), keyColumn, line);
      const predictions = cell('modelLabel') === null ? 0 : 1;
      const groundTruth = groundTruthIn(cell('gold'), 'gold', line);
      const data = dataIn(jsonIn(cell('data'), line), line);
      sample = { key, data, ...groundTruth, line, annotations: [], predictions };
    }
    const label = cell('label');
    if (label === null) continue;
    const milliseconds = cell('milliseconds');
    sample.annotations.push({
      label,
      annotator: cell('annotator'),
      answeredAt: cell('answeredAt'),
      milliseconds: milliseconds === null ? null : Number(milliseconds),
    });
  }
  if (sample !== null) yield sample;
}

function jsonIn(text: string | null, line: number): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (error) {
    throw new FormatError(`'data' holds no JSON: ${(error as Error).message}`, line);
  }
}

/** The rows of a file, the header first; what is not read yet holds the source back. */
async function* readRows(source: Source): AsyncGenerator<Row, void, undefined> {
  const parser = parse({ info: true, skip_empty_lines: true, max_record_size: MAX_SAMPLE_CHARACTERS });
  let ended = false;
  let goOn = () => {};
  for (const event of ['drain', 'close']) parser.on(event, () => goOn());
  const feed = async () => {
    for await (const text of textOf(source)) {
      if (ended) return;
      if (!parser.write(text) && !ended) {
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      }
    }
    parser.end();
  };
  const fed = feed().catch((error: Error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      readonly record: readonly string[];
      readonly info: { readonly lines: number };
    }>) {
      yield { cells: record, line: info.lines };
    }
  } catch (error) {
    throw problemOf(error as Error);
  } finally {
    ended = true;
    parser.destroy();
    await fed;
  }
}

/** What is wrong with the text itself, in a line. */
function problemOf(error: Error): Error {
  if (!(error instanceof CsvError)) return error;
  const { code, message, lines } = error as CsvError & { readonly lines?: number };
  const problem =
    code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH'
      ? 'it has another number of columns than the header'
      : code === 'CSV_QUOTE_NOT_CLOSED'
        ? 'a quotation mark is opened and never closed'
        : code === 'CSV_MAX_RECORD_SIZE'
          ? 'it is too long for a sample'
          : message;
  return new FormatError(problem, lines ?? null);
}
