import type { Client } from '../client/client.ts';
import type { AnnotatedSample } from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import type { Page } from '../client/pages.ts';

/** Samples that are asked for at a time: what the service answers in some milliseconds. */
const PAGE = 200;

export interface ExportOptions extends CallOptions {
  /** Begins behind this cursor, which {@link ExportPage.cursor} was. */
  readonly after?: string | null | undefined;
  /** Samples in a page: 1…500. Default: 200. */
  readonly pageSize?: number | undefined;
}

/** Some samples with their answers, and where to go on behind them. */
export interface ExportPage {
  readonly samples: readonly AnnotatedSample[];
  /** Given as `after`, an export goes on behind this page, however much later. */
  readonly cursor: string;
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
  { after = null, pageSize = PAGE, ...options }: ExportOptions = {},
): AsyncGenerator<ExportPage, void, undefined> {
  const load = (behind: string | null): Promise<Page<AnnotatedSample>> => {
    const page = client.annotatedSamples({ project, first: pageSize, after: behind }, options).then(mustSee);
    // Whoever reads on hears of a failure; whoever leaves need not.
    page.catch(() => undefined);
    return page;
  };
  let next: Promise<Page<AnnotatedSample>> | null = load(after);
  while (next !== null) {
    const { edges, pageInfo }: Page<AnnotatedSample> = await next;
    const cursor: string | null = pageInfo.endCursor;
    next = pageInfo.hasNextPage ? load(cursor) : null;
    if (cursor !== null) yield { samples: edges.map(({ node }) => node), cursor };
  }
}
