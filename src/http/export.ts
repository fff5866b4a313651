import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { allOf, ConcordError, type DriverProject, type ExportPage } from '@concord/sdk/driver';
import {
  type CsvRows,
  csvWriter,
  type Format,
  labelStudioWriter,
  type Names,
  named,
  ndjsonWriter,
  type Writer,
} from '@concord/sdk/formats';
import { CommandError } from './command.ts';
import { formatOf } from './fileFormat.ts';
import { type About, PartialFile } from './partialFile.ts';
import { ProgressLine, type Remote, shown, withProject } from './remote.ts';

/** How an export looks. */
interface Look {
  readonly format: string;
  readonly rows: string;
  readonly names: string;
  readonly control: string;
  readonly object: string;
}

/** `concord export`. */
export async function exportProject({
  url,
  token,
  project,
  to,
  after,
  ...look
}: Remote & Look & { readonly to: string; readonly after: string }): Promise<boolean> {
  const format = formatFor(look, to);
  const writer = writerOf(look, format);
  if (to !== '' && existsSync(to)) {
    throw new CommandError(`${to} is there already, and nothing is overwritten: remove it, or name another`);
  }
  return withProject({ url, token, project }, async (opened, signal, { client }) => {
    const names = look.names === 'yes' ? await namesIn(opened, client) : undefined;
    const { samples: of } = await opened.progress();
    const isAsItComes = format === 'ndjson' && names === undefined;
    const work: Work = { project: opened, writer, names, isAsItComes, signal, of };
    if (to === '') await toStandardOutput(work, after === '' ? null : after);
    else await toFile(work, to, { project: opened.id, ...look, format, after });
    return true;
  });
}

interface Work {
  readonly project: DriverProject;
  readonly writer: Writer;
  readonly names: Names | undefined;
  /** The lines that the service writes are what is wanted. */
  readonly isAsItComes: boolean;
  readonly signal: AbortSignal;
  /** Samples that there are. */
  readonly of: number;
}

function formatFor({ format }: Look, to: string): Format {
  return format === '' && to === '' ? 'ndjson' : formatOf(format, to);
}

function writerOf({ rows, names, control, object }: Look, format: Format): Writer {
  if (names !== 'yes' && names !== 'no') throw new CommandError(`--names is yes or no, not ${names}`);
  if (rows !== 'annotations' && rows !== 'samples')
    throw new CommandError(`--rows is annotations or samples, not ${rows}`);
  const known: Readonly<Record<Format, () => Writer>> = {
    csv: () => csvWriter(rows satisfies CsvRows),
    ndjson: ndjsonWriter,
    'label-studio': () => labelStudioWriter({ control, object }),
  };
  return known[format]();
}

/** What those in the project are called; who has left it goes by the id alone. */
async function namesIn(
  { id: project }: DriverProject,
  client: Parameters<Parameters<typeof withProject>[1]>[2]['client'],
): Promise<Names> {
  const names = new Map<string, string>();
  for await (const { member } of allOf((after) => client.members({ project, first: 100, after }))) {
    if (member.name !== null) names.set(member.id, member.name);
  }
  return names;
}

function textOf(page: ExportPage, { writer, names, isAsItComes }: Work, isFirst: boolean): string {
  if (isAsItComes) return page.lines;
  const samples = names === undefined ? page.samples : page.samples.map((sample) => named(sample, names));
  return (isFirst ? '' : writer.between) + writer.write(samples);
}

/** To a pipe. What was cut short is whole in itself, and says where the rest begins. */
async function toStandardOutput(work: Work, after: string | null): Promise<void> {
  const { project, writer, signal, of } = work;
  const progress = new ProgressLine();
  let cursor = after;
  let count = 0;
  const failed = new AbortController();
  // Whoever reads it may have enough of it.
  process.stdout.once('error', (error) => failed.abort(error));
  const write = async (text: string) => {
    failed.signal.throwIfAborted();
    if (!process.stdout.write(text)) await once(process.stdout, 'drain', { signal: failed.signal });
  };
  try {
    await write(writer.begin);
    for await (const page of project.exportPages({ after, signal })) {
      signal.throwIfAborted();
      await write(textOf(page, work, count === 0));
      cursor = page.cursor;
      count += page.count;
      progress.tell(`${shown(count)} of ${shown(of)} samples exported`);
    }
    await write(writer.end);
    progress.end();
  } catch (error) {
    progress.end();
    if (failed.signal.aborted) return;
    if (!signal.aborted && !(error instanceof ConcordError)) throw error;
    await write(writer.end);
    const why = signal.aborted ? 'stopped' : (error as Error).message;
    const rest = cursor === null ? '' : ` The rest: --after ${cursor}`;
    throw new CommandError(`${why} after ${shown(count)} samples.${rest}`);
  }
}

/** To a file that is there once it is whole. */
async function toFile(work: Work, to: string, about: About): Promise<void> {
  const { project, writer, signal, of } = work;
  const progress = new ProgressLine();
  const file = await PartialFile.open(to, about);
  try {
    if (file.cursor === null) await file.write(writer.begin, null, 0);
    else process.stderr.write(`going on behind ${shown(file.samples)} samples\n`);
    const after = file.cursor ?? (about['after'] || null);
    for await (const page of project.exportPages({ after, signal })) {
      signal.throwIfAborted();
      await file.write(textOf(page, work, file.samples === 0), page.cursor, page.count);
      progress.tell(`${shown(file.samples)} of ${shown(of)} samples exported`);
    }
    await file.finish(writer.end);
    progress.end();
  } catch (error) {
    progress.end();
    if (!signal.aborted && !(error instanceof ConcordError)) throw error;
    const why = signal.aborted ? 'stopped' : (error as Error).message;
    throw new CommandError(`${why} after ${shown(file.samples)} samples. Run it again and it goes on there.`);
  } finally {
    await file.close();
  }
  process.stdout.write(`${shown(file.samples)} samples exported to ${to}\n`);
}
