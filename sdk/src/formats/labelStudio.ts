import { JSONParser } from '@streamparser/json';
import {
  BY_NUMBER,
  dataIn,
  FormatError,
  keyIn,
  MAX_SAMPLE_CHARACTERS,
  type ReadAnnotation,
  type ReadSample,
  type Source,
  textOf,
} from './reading.ts';
import type { SampleRecord } from './record.ts';
import type { Writer } from './writing.ts';

/**
 * Label Studio's JSON: an array of tasks (https://labelstud.io/guide/task_format). Classes are choices of one
 * control. What the format has no place for stands in a task's `meta`, which Label Studio keeps and gives back.
 */

/** The names that a labelling configuration in Label Studio gives its tags. */
export interface LabelStudioNames {
  /** The control with the choices: `from_name`. Default: label. */
  readonly control?: string | undefined;
  /** The object that is labelled: `to_name`; data that is no object goes under this name. Default: text. */
  readonly object?: string | undefined;
}

/** What stands of a sample in a task's `meta`. */
interface Meta extends Omit<SampleRecord, 'data'> {
  /** Set if the sample's data is no object, as Label Studio wants it: the field of the task's data that holds it. */
  readonly dataIn?: string | undefined;
}

export function labelStudioWriter(names: LabelStudioNames = {}): Writer {
  const between = ',\n';
  return {
    begin: '[\n',
    between,
    end: '\n]\n',
    write: (samples) => samples.map((sample) => JSON.stringify(taskOf(sample, names))).join(between),
  };
}

function taskOf(
  { data, ...rest }: SampleRecord,
  { control = 'label', object = 'text' }: LabelStudioNames,
): object {
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
  const concord: Meta = isObject ? rest : { ...rest, dataIn: object };
  const result = (label: string) => [
    { from_name: control, to_name: object, type: 'choices', value: { choices: [label] } },
  ];
  return {
    data: isObject ? data : { [object]: data },
    meta: { concord },
    annotations: [
      ...rest.annotations.map(({ label, answeredAt, milliseconds }) => ({
        result: result(label),
        created_at: answeredAt,
        ...(milliseconds !== null && { lead_time: milliseconds / 1_000 }),
        was_cancelled: false,
        ground_truth: false,
      })),
      ...(rest.gold === null
        ? []
        : [{ result: result(rest.gold), was_cancelled: false, ground_truth: true }]),
    ],
    predictions: rest.predicted === null ? [] : [{ result: result(rest.predicted), score: rest.confidence }],
  };
}

/**
 * Reads tasks. The key is what Concord has kept in `meta`, else the task's `id`, or the field of its data that
 * `key` names.
 */
export async function* readLabelStudio(
  source: Source,
  { key }: { readonly key?: string | undefined } = {},
): AsyncGenerator<ReadSample, void, undefined> {
  let number = 0;
  for await (const { value, line } of elementsOf(source)) {
    number++;
    const problem = (text: string) => new FormatError(`task ${number}: ${text}`, line);
    if (!isRecord(value)) throw problem('it is no object');
    const { id, data, meta, annotations = [], predictions = [] } = value;
    if (!isRecord(data)) throw problem("it has no object 'data'");
    if (!Array.isArray(annotations)) throw problem("'annotations' is no array");
    const own = isRecord(meta) && isRecord(meta['concord']) ? meta['concord'] : {};
    const field = own['dataIn'];
    const named =
      key === BY_NUMBER
        ? String(number)
        : key === undefined
          ? keyIn(own['key'] ?? id, 'id', line)
          : keyIn(data[key], key, line);
    const answers = annotations.filter(isAnswer);
    yield {
      key: named,
      data: dataIn(typeof field === 'string' ? data[field] : data, line),
      ...knownIn(answers, problem),
      line,
      annotations: answers.filter((answer) => answer['ground_truth'] !== true).map(annotationIn),
      predictions: Array.isArray(predictions) ? predictions.length : 0,
    };
  }
}

/** Skipped tasks have annotations too, which are none. */
function isAnswer(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && value['was_cancelled'] !== true;
}

/** An annotation that is marked as ground truth is what the sample is known to be. */
function knownIn(
  answers: readonly Record<string, unknown>[],
  problem: (text: string) => FormatError,
): Pick<ReadSample, 'groundTruth'> {
  const known = answers.filter((answer) => answer['ground_truth'] === true).map(annotationIn);
  const labels = new Set(known.map(({ label }) => label));
  if (labels.size > 1) throw problem('its annotations that are ground truth differ');
  const [label] = labels;
  if (label === undefined) return {};
  if (label === null) throw problem('an annotation that is ground truth is no choice of one class');
  return { groundTruth: label };
}

function annotationIn(value: Record<string, unknown>): ReadAnnotation {
  const { result, completed_by: by, created_at: at, lead_time: seconds } = value;
  const [only, ...others] = Array.isArray(result) ? result : [];
  const choices = isRecord(only) && isRecord(only['value']) ? only['value']['choices'] : null;
  const isChoice = others.length === 0 && Array.isArray(choices) && choices.length === 1;
  const who = isRecord(by) ? (by['email'] ?? by['id']) : by;
  return {
    label: isChoice && typeof choices[0] === 'string' ? choices[0] : null,
    annotator: typeof who === 'string' || typeof who === 'number' ? String(who) : null,
    answeredAt: typeof at === 'string' ? at : null,
    milliseconds: typeof seconds === 'number' ? seconds * 1_000 : null,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The elements of one large array, each as it ends; of the array itself, nothing is kept. */
async function* elementsOf(
  source: Source,
): AsyncGenerator<{ readonly value: unknown; readonly line: number }, void, undefined> {
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false });
  const found: { readonly value: unknown; readonly line: number }[] = [];
  let line = 1;
  let sinceLast = 0;
  let hasBegun = false;
  parser.onValue = ({ value }) => {
    found.push({ value, line });
    sinceLast = 0;
  };
  const broken = (error: unknown) =>
    new FormatError(`it is no JSON: ${error instanceof Error ? error.message : String(error)}`, line);
  const write = (text: string) => {
    try {
      parser.write(text);
    } catch (error) {
      throw broken(error);
    }
  };
  for await (const text of textOf(source)) {
    const start: string = hasBegun ? '' : text.trimStart();
    if (start !== '' && !start.startsWith('[')) throw new FormatError('it is no array of tasks', line);
    hasBegun ||= start !== '';
    // In lines, so that an error has its line.
    for (const piece of text.split(/(?<=\n)/)) {
      sinceLast += piece.length;
      write(piece);
      if (piece.endsWith('\n')) line++;
      if (sinceLast > MAX_SAMPLE_CHARACTERS) throw new FormatError('a task is too long', line);
      yield* found.splice(0);
    }
  }
  if (!hasBegun) throw new FormatError('it is empty', 1);
  try {
    if (!parser.isEnded) parser.end();
  } catch {
    throw new FormatError('it ends before the array does', line);
  }
}
