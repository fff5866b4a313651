import {
  BY_NUMBER,
  dataIn,
  FormatError,
  GROUND_TRUTH,
  groundTruthIn,
  keyIn,
  linesOf,
  type ReadAnnotation,
  type ReadSample,
  type Source,
  textOf,
} from './reading.ts';
import type { SampleRecord } from './record.ts';
import type { Writer } from './writing.ts';

/** A JSON object a line. */
export function ndjsonWriter(): Writer {
  const line = (sample: SampleRecord) => `${JSON.stringify(sample)}\n`;
  return { begin: '', between: '', end: '', write: (samples) => samples.map(line).join('') };
}

/** What an exported line has beside key and data. */
const EXPORTED: ReadonlySet<string> = new Set<keyof SampleRecord | typeof GROUND_TRUTH>([
  'key',
  'number',
  'data',
  'consensus',
  'gold',
  'ruling',
  GROUND_TRUTH,
  'predicted',
  'confidence',
  'autoAccepted',
  'skips',
  'unanswerable',
  'annotations',
]);

/**
 * Reads a JSON object a line. With a field `data`, that is what is to be labelled, and the line may have what an
 * export writes beside it; without one, every field but the key is.
 *
 * @param keyField where the key is
 */
export async function* readNdjson(
  source: Source,
  { key: keyField = 'key' }: { readonly key?: string | undefined } = {},
): AsyncGenerator<ReadSample, void, undefined> {
  let line = 0;
  let number = 0;
  for await (const text of linesOf(textOf(source))) {
    line++;
    if (text.trim() === '') continue;
    const fields = objectIn(text, line);
    const key = keyField === BY_NUMBER ? String(++number) : keyIn(fields[keyField], keyField, line);
    const { [keyField]: _, ...others } = fields;
    if (!('data' in fields)) {
      const { [GROUND_TRUTH]: known, ...fresh } = others;
      const groundTruth = groundTruthIn(known, GROUND_TRUTH, line);
      yield { key, data: dataIn(fresh, line), ...groundTruth, line, annotations: [], predictions: 0 };
      continue;
    }
    const odd = Object.keys(others).find((field) => !EXPORTED.has(field));
    if (odd !== undefined) {
      throw new FormatError(
        `'${odd}' stands beside 'data'; what is to be labelled is all in 'data', or there is none`,
        line,
      );
    }
    const annotations = Array.isArray(fields['annotations']) ? fields['annotations'].map(annotationIn) : [];
    const predictions = typeof fields['predicted'] === 'string' ? 1 : 0;
    const field = GROUND_TRUTH in fields ? GROUND_TRUTH : 'gold';
    const groundTruth = groundTruthIn(fields[field], field, line);
    yield { key, data: dataIn(fields['data'], line), ...groundTruth, line, annotations, predictions };
  }
}

function objectIn(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`it is no JSON: ${(error as Error).message}`, line);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError('it is no JSON object', line);
  }
  return value as Record<string, unknown>;
}

function annotationIn(value: unknown): ReadAnnotation {
  const { label, annotator, answeredAt, milliseconds } = (value ?? {}) as Record<string, unknown>;
  return {
    label: typeof label === 'string' ? label : null,
    annotator: typeof annotator === 'string' ? annotator : null,
    answeredAt: typeof answeredAt === 'string' ? answeredAt : null,
    milliseconds: typeof milliseconds === 'number' ? milliseconds : null,
  };
}
