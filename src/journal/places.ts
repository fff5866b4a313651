import type { Binary, Filter, FindOptions } from 'mongodb';
import { checkName } from './port.ts';

/*
 * The `_id` of a commit is the name of its journal, a slash and `seq` in 15 digits: `p1/000000000000017`. So
 * `_id` alone orders a journal, says that a place is taken, and finds the tail, whatever the server thinks of
 * the order of subdocuments; and for people, /^p1\// finds a journal by its index. A slash in a name is escaped,
 * so that what is under one name never lies among what is under another.
 */

/** A commit as MongoDB keeps it. */
export interface CommitDocument {
  readonly _id: string;
  readonly journal: string;
  readonly seq: number;
  readonly id: string;
  /** A date, for people; a number where a date could not say it. */
  readonly time: Date | number;
  readonly events: readonly unknown[];
}

/** A chunk as MongoDB keeps it. */
export interface ChunkDocument {
  /** The chunk's id. */
  readonly _id: string;
  readonly bytes: Binary;
  /** When it was last put or renewed, in milliseconds since 1970. */
  readonly putAt: number;
}

/** The one error code of a write that is trusted: what is with it differs from server to server. */
export const DUPLICATE_KEY = 11000;

/** The collections of a store. */
export const COLLECTIONS = {
  /** The version of the format. */
  mark: 'concord',
  commits: 'commits',
  chunks: 'chunks',
  documents: 'documents',
  leases: 'leases',
} as const;

const SEQ_DIGITS = 15;

/** More than any `seq`. */
export const SEQ_END = 10 ** SEQ_DIGITS - 1;

/** What follows the name in the `_id` of a journal's first commit. */
export const FIRST_PLACE = `/${digitsOf(1)}`;

/** The `_id` of a commit. */
export function placeOf(journal: string, seq: number): string {
  return idOf(journal, digitsOf(seq));
}

/** Where a commit stands, by its `_id`. */
export function standingAt(place: string): { readonly journal: string; readonly seq: number } {
  const end = place.length - FIRST_PLACE.length;
  return { journal: decodeURIComponent(place.slice(0, end)), seq: Number(place.slice(end + 1)) };
}

function digitsOf(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}

/** The `_id` of what is called so under a name, be it a collection's or a journal's. */
export function idOf(name: string, below: string): string {
  checkName(name);
  checkName(below);
  return `${name.replace(/[%/]/g, encodeURIComponent)}/${below}`;
}

/** The documents of a collection. */
export function documentsIn(collection: string): Query<{ readonly _id: string; readonly id: string }> {
  checkName(collection);
  const prefix = collection.replace(/[%/]/g, encodeURIComponent);
  // What follows a slash is before the next character.
  const filter = { _id: { $gt: `${prefix}/`, $lt: `${prefix}0` } };
  return { filter, options: { projection: { id: 1 }, hint: BY_ID } };
}

/** A query, kept apart from its use so that the tests can have the server explain it. */
export interface Query<T = CommitDocument> {
  readonly filter: Filter<T>;
  readonly options: FindOptions;
}

/** The index that each collection has. It is named so that no index which people add can lure the server away. */
const BY_ID = { _id: 1 } as const;

/** The commits of a journal after a place, in order. */
export function commitsAfter(journal: string, after: number): Query {
  const filter = { _id: { $gt: placeOf(journal, after), $lte: placeOf(journal, SEQ_END) } };
  return { filter, options: { sort: { _id: 1 }, hint: BY_ID } };
}

/** The newest commit of a journal. */
export function newestCommit(journal: string): Query {
  const { filter } = commitsAfter(journal, 0);
  return { filter, options: { sort: { _id: -1 }, limit: 1, projection: { seq: 1 }, hint: BY_ID } };
}

/** What stands at some places, by its id. */
export function commitsAt(places: readonly string[]): Query {
  return { filter: { _id: { $in: [...places] } }, options: { projection: { id: 1 } } };
}

/** An index of the first commits alone: it lists the journals, and costs the others nothing. */
export const JOURNALS_INDEX = {
  key: { seq: 1, journal: 1 },
  options: { name: 'journals', partialFilterExpression: { seq: 1 } },
} as const;

/** The first commit of every journal. */
export const FIRST_COMMITS: Query = {
  filter: { seq: 1 },
  options: { projection: { _id: 0, journal: 1 }, hint: JOURNALS_INDEX.options.name },
};

/** All that is asked of every chunk: without it, the server would read their bytes as well. */
export const CHUNKS_INDEX = { key: { _id: 1, putAt: 1 }, options: { name: 'chunks' } } as const;

/** Every chunk but for its bytes, in the order of their ids. */
export const ALL_CHUNKS: Query<ChunkDocument> = {
  filter: {},
  options: { projection: { putAt: 1 }, sort: { _id: 1 }, hint: CHUNKS_INDEX.options.name },
};
