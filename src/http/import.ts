import { createReadStream } from 'node:fs';
import { DuplicateKeysError, UnknownLabelError } from '@concord/sdk/client';
import { ConcordError, type DriverProject, ExistingSampleError } from '@concord/sdk/driver';
import { FORMATS, type Format, FormatError, type ReadSample } from '@concord/sdk/formats';
import { CommandError } from './command.ts';
import { formatOf } from './fileFormat.ts';
import { ProgressLine, type Remote, shown, withProject } from './remote.ts';

/** What an import of a file came to. */
interface Tally {
  /** Samples read, imported, and found to be there already. */
  read: number;
  imported: number;
  existing: number;
  /** What the file has of labels, which are not taken in. */
  annotations: number;
  predictions: number;
  /** Samples that were read with a known answer. */
  known: number;
}

/** `concord import`. */
export async function importFiles(
  { format, key, ...remote }: Remote & { readonly format: string; readonly key: string },
  files: readonly string[],
): Promise<boolean> {
  if (files.length === 0) throw new CommandError('name a file to import, or - for standard input');
  const planned = files.map((file) => ({ file, format: formatOf(format, file) }));
  await withProject(remote, async (project, signal) => {
    for (const { file, format } of planned) await importFile(project, file, { format, key, signal });
  });
  return true;
}

interface Options {
  readonly format: Format;
  readonly key: string;
  readonly signal: AbortSignal;
}

async function importFile(project: DriverProject, file: string, options: Options): Promise<void> {
  const tally: Tally = { read: 0, imported: 0, existing: 0, annotations: 0, predictions: 0, known: 0 };
  const progress = new ProgressLine();
  const tell = () =>
    progress.tell(
      `${file}: ${shown(tally.read)} samples read, ${shown(tally.imported + tally.existing)} of them are in`,
    );
  try {
    const fresh = project.withoutExisting(counted(samplesIn(file, options), tally, tell), {
      signal: options.signal,
      onExisting: (count) => {
        tally.existing = count;
      },
    });
    await project.importSamples(fresh, {
      signal: options.signal,
      onProgress: ({ samples }) => {
        tally.imported = samples;
        tell();
      },
    });
  } catch (error) {
    progress.end();
    const kept = `${shown(tally.imported)} samples of it were imported. Imported again, it goes on behind them.`;
    if (options.signal.aborted) throw new CommandError(`${file}: stopped. ${kept}`);
    const problem = (await refusedAt(error, file, options)) ?? problemOf(error, file);
    throw problem === null ? error : new CommandError(`${problem}\n${kept}`);
  }
  progress.end();
  process.stdout.write(`${file}: ${told(tally)}\n`);
}

/** The samples of a file, without what it has of labels. */
async function* counted(
  samples: AsyncIterable<ReadSample>,
  tally: Tally,
  tell: () => void,
): AsyncGenerator<ReadSample, void, undefined> {
  for await (const sample of samples) {
    tally.read++;
    tally.annotations += sample.annotations.length;
    tally.predictions += sample.predictions;
    if (sample.groundTruth != null) tally.known++;
    tell();
    yield sample;
  }
}

function samplesIn(file: string, { format, key }: Options): AsyncIterable<ReadSample> {
  const source: AsyncIterable<Uint8Array> = file === '-' ? process.stdin : createReadStream(file);
  return FORMATS[format].read(source, { key: key === '' ? undefined : key });
}

/**
 * Where in the file that stands which the service refused: it knows no lines, so the file is read again. Null: that
 * is not known, as of what came from a pipe.
 */
async function refusedAt(error: unknown, file: string, options: Options): Promise<string | null> {
  const isRefused = error instanceof DuplicateKeysError || error instanceof UnknownLabelError;
  if (!isRefused || file === '-') return null;
  let first: ReadSample | null = null;
  for await (const sample of samplesIn(file, options)) {
    if (error instanceof UnknownLabelError) {
      if (sample.groundTruth === error.label) return `${file}:${sample.line}: ${error.message}`;
    } else if (sample.key === error.keys[0]) {
      if (first !== null) {
        return `${file}:${sample.line}: there is a sample '${sample.key}' already, in line ${first.line}; leave one of them out`;
      }
      first = sample;
    }
  }
  return null;
}

/** What is wrong, for whoever can mend it, with its place; null: it is not for them to mend. */
function problemOf(error: unknown, file: string): string | null {
  if (error instanceof FormatError) {
    return `${file}${error.line === null ? '' : `:${error.line}`}: ${error.problem}`;
  }
  if (error instanceof ExistingSampleError) return `${file}:${error.sample.line}: ${error.message}`;
  if (error instanceof Error && 'syscall' in error && 'path' in error) return error.message;
  if (error instanceof ConcordError) return `${file}: ${error.message}`;
  return null;
}

function told({ imported, existing, annotations, predictions, known }: Tally): string {
  const parts = [`${shown(imported)} samples imported`];
  if (known > 0) parts.push(`${shown(known)} of those read are gold: their answer is known`);
  if (existing > 0) parts.push(`${shown(existing)} were there already`);
  const labels = [
    annotations > 0 && `${shown(annotations)} answers`,
    predictions > 0 && `${shown(predictions)} predictions`,
  ].filter(Boolean);
  const left =
    labels.length === 0
      ? ''
      : `\n  left out: ${labels.join(' and ')} that the file has. Answers are given in Concord, blind, or they cannot be trusted; predictions are published.`;
  return parts.join(', ') + left;
}
