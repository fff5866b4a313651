import { refuse } from '../domain/refusals.ts';

/**
 * Pages of lists, as Relay has them. A cursor is opaque: the name of its list and a place in it. What cannot be
 * served is refused, so that nobody takes a part for the whole: Relay's plugin would cut a page short in
 * silence, and take some cursors for a fault of ours.
 */

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

export interface Connection<T> {
  readonly edges: { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasPreviousPage: boolean;
    readonly hasNextPage: boolean;
  };
}

/** The most that one page holds, and what it holds when the request does not say. */
export const MAX_PAGE = 500;
export const DEFAULT_PAGE = 50;

/**
 * A page of a list whose length is known and whose places are numbers.
 *
 * @param list its name, which its cursors carry
 * @param load gives the places from `from` up to `to`, which is left out
 * @throws {Refusal} INVALID_INPUT, BAD_CURSOR
 */
export async function page<T>(
  args: PageArgs,
  { list, count }: { readonly list: string; readonly count: number },
  load: (from: number, to: number) => readonly T[] | Promise<readonly T[]>,
): Promise<Connection<T>> {
  const { first, last } = args;
  checkSize('first', first, MAX_PAGE);
  checkSize('last', last, MAX_PAGE);
  let from = Math.min(args.after == null ? 0 : placeOf(list, args.after) + 1, count);
  let to = Math.max(from, Math.min(args.before == null ? count : placeOf(list, args.before), count));
  if (first != null || last == null) to = Math.min(to, from + (first ?? DEFAULT_PAGE));
  if (last != null) from = Math.max(from, to - last);
  const nodes = from < to ? await load(from, to) : [];
  return connection(
    nodes.map((node, i) => ({ cursor: cursorOf(list, from + i), node })),
    { hasPreviousPage: from > 0, hasNextPage: to < count },
  );
}

/**
 * A page of a list that can only be walked forward, because its length is not known without a scan.
 *
 * @param load gives up to `limit` of them from place `from` on
 * @param placeIn the place of one of them
 * @throws {Refusal} INVALID_INPUT, BAD_CURSOR
 */
export async function forwardPage<T>(
  { first, after }: Pick<PageArgs, 'first' | 'after'>,
  {
    list,
    max,
    placeIn,
  }: { readonly list: string; readonly max: number; readonly placeIn: (node: T) => number },
  load: (from: number, limit: number) => Promise<readonly T[]>,
): Promise<Connection<T>> {
  const { from, size } = sliceOf({ first, after }, { list, max });
  const nodes = await load(from, size + 1);
  return connection(
    nodes.slice(0, size).map((node) => ({ cursor: cursorOf(list, placeIn(node)), node })),
    { hasPreviousPage: from > 0, hasNextPage: nodes.length > size },
  );
}

/**
 * Where a page begins, and how many it may hold.
 *
 * @param usual what it holds when the request does not say
 * @throws {Refusal} INVALID_INPUT, BAD_CURSOR
 */
export function sliceOf(
  { first, after }: Pick<PageArgs, 'first' | 'after'>,
  {
    list,
    max,
    usual = DEFAULT_PAGE,
  }: { readonly list: string; readonly max: number; readonly usual?: number },
): { readonly from: number; readonly size: number } {
  checkSize('first', first, max);
  return { from: after == null ? 0 : placeOf(list, after) + 1, size: first ?? usual };
}

function connection<T>(
  edges: Connection<T>['edges'],
  more: Pick<Connection<T>['pageInfo'], 'hasPreviousPage' | 'hasNextPage'>,
): Connection<T> {
  const startCursor = edges.at(0)?.cursor ?? null;
  return { edges, pageInfo: { startCursor, endCursor: edges.at(-1)?.cursor ?? null, ...more } };
}

function checkSize(field: 'first' | 'last', size: number | null | undefined, max: number): void {
  if (size == null || (size >= 1 && size <= max)) return;
  throw refuse('INVALID_INPUT', { field, problem: `${size} is not a whole number from 1 to ${max}` });
}

/** The cursor of a place in a list. */
export function cursorOf(list: string, place: number): string {
  return Buffer.from(`${list}:${place}`).toString('base64url');
}

function placeOf(list: string, cursor: string): number {
  const [, name, place] =
    /^([a-z-]+):(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (place === undefined) throw refuse('BAD_CURSOR', { problem: 'it is malformed' });
  if (name !== list) throw refuse('BAD_CURSOR', { problem: 'it belongs to another list' });
  return Number(place);
}
