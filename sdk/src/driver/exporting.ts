import type { Client } from '../client/client.ts';
import type { SampleExport } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import type { SampleRecord } from '../formats/record.ts';

export interface ExportOptions extends CallOptions {
  /** Begins behind this cursor, which {@link ExportPage.cursor} was. */
  readonly after?: string | null | undefined;
  /** The most samples in a page: 1…2,000, the default. One with large samples ends behind 2 MiB. */
  readonly pageSize?: number | undefined;
}

/** Some samples with their answers, and where to go on behind them. */
export interface ExportPage {
  /** NDJSON: a JSON object a sample, each on a line, as the service has written it. */
  readonly lines: string;
  /** How many samples. */
  readonly count: number;
  /** Given as `after`, an export goes on behind this page, however much later. */
  readonly cursor: string;
  /** The same as objects; read from the lines when it is asked for. */
  readonly samples: readonly SampleRecord[];
}

/**
 * All samples in the order of import, each as it stands when its page is read: the next page is asked for while the
 * reader is busy with one, and no further.
 *
 * @param mustSee throws where the role may not see them
 */
export async function* exportPages(
  client: Client,
  project: string,
  mustSee: <T>(value: T | null) => T,
  { after = null, pageSize, ...options }: ExportOptions = {},
): AsyncGenerator<ExportPage, void, undefined> {
  const load = (behind: string | null): Promise<SampleExport> => {
    const page = client.export({ project, first: pageSize ?? null, after: behind }, options).then(mustSee);
    // Whoever reads on hears of a failure; whoever leaves need not.
    page.catch(() => undefined);
    return page;
  };
  let next: Promise<SampleExport> | null = load(after);
  while (next !== null) {
    const { lines, count, cursor, hasNextPage }: SampleExport = await next;
    next = hasNextPage ? load(cursor) : null;
    if (cursor !== null) yield pageOf(lines, count, cursor);
  }
}

function pageOf(lines: string, count: number, cursor: string): ExportPage {
  let samples: readonly SampleRecord[] | undefined;
  return {
    lines,
    count,
    cursor,
    get samples() {
      samples ??= lines.split('\n', count).map((line) => JSON.parse(line) as SampleRecord);
      return samples;
    },
  };
}
