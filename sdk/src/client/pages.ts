import type { PageInfo } from './generated/types.ts';

/** A page of a list. */
export interface Page<Node> {
  readonly edges: readonly { readonly node: Node }[];
  readonly pageInfo: PageInfo;
}

/**
 * All items of a list, page by page as they are read:
 *
 * ```ts
 * for await (const sample of allOf((after) => client.samples({ project, after }))) …
 * ```
 *
 * @param load gives the page behind a cursor, the first one for null; null where there is no list, as in
 *   the client's methods: nothing is given then
 */
export async function* allOf<Node>(
  load: (after: string | null) => Promise<Page<Node> | null>,
): AsyncGenerator<Node, void, undefined> {
  let after: string | null = null;
  do {
    const page: Page<Node> | null = await load(after);
    if (page === null) return;
    for (const { node } of page.edges) yield node;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
}
