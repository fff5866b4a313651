import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { damaged, noSpace } from './failures.ts';
import { MAX_GROUP_BYTES } from './group.ts';
import { MAX_VALUE_BYTES, StoreTooNewError, StoreUnavailableError } from './port.ts';

/*
 * The folder of an embedded store and the files in it: what is checked before LMDB is let at them, and after.
 */

/** The version of what is written here. Raise it when an older Concord would misread that. */
const FORMAT = 1;
const FORMAT_KEY = Buffer.from('format');
/** Stands in a store that is to be written anew. */
const PURGE_KEY = Buffer.from('purge');

/** What lies in a store beside its marks. */
export const DATABASES = ['commits', 'chunks', 'chunkTimes', 'documents'] as const;

export const DATA_FILE = 'concord.mdb';
/** The data file of a copy that is being made. */
export const UNFINISHED_FILE = `${DATA_FILE}.unfinished`;
export const LOCK_FILE = 'concord.pid';

/** Keys and values are bytes: what they mean is decided here, not by a library's defaults. */
export const BYTES = { encoding: 'binary', keyEncoding: 'binary' } as const;

export type LmdbEnvironment = RootDatabase<Uint8Array, Buffer>;

/**
 * A write is refused when less than this is free. LMDB should not be the one to find the disk full: it
 * reports half a write as an input error, and lmdb-js formats its message into a buffer that is too small.
 * The largest group, twice over, leaves room for the pages that change along with it.
 */
const SPARE_BYTES = 2 * (MAX_GROUP_BYTES + MAX_VALUE_BYTES);

/**
 * Opens LMDB's file in a folder.
 * @param readOnly its file must be there, and nothing can be written
 * @param file another one than the store's own
 */
export function openEnvironment(path: string, readOnly = false, file = DATA_FILE): LmdbEnvironment {
  return open<Uint8Array, Buffer>({
    ...BYTES,
    path: join(path, file),
    noSubdir: true,
    readOnly,
    // A commit is not acknowledged, nor seen by a reader, before it is on disk.
    overlappingSync: false,
    // Groups are made here. Those of lmdb-js begin with a promise of their own that nobody can catch, and
    // a failed commit would end the process.
    eventTurnBatching: false,
  });
}

/**
 * Opens the file in a folder to read it.
 * @throws {StoreUnavailableError} there is none
 * @throws {StoreError} it is damaged, of another program, or of a newer Concord
 */
export async function openToRead(folder: string): Promise<LmdbEnvironment> {
  mustExist(folder);
  checkHeader(folder);
  const env = openEnvironment(folder, true);
  try {
    checkLength(env, folder);
    checkFormat(env, folder);
    return env;
  } catch (error) {
    await env.close();
    throw error;
  }
}

/**
 * A copy that was cut short must not be followed by an empty store that is taken for it.
 * @throws {StoreUnavailableError} there is one in the folder, and no store
 */
export function mustBeWhole(folder: string): void {
  if (existsSync(join(folder, DATA_FILE)) || !existsSync(join(folder, UNFINISHED_FILE))) return;
  throw new StoreUnavailableError(
    `${folder} holds a backup or restore that was cut short: make it again into an empty folder. To begin with an empty store here, delete ${UNFINISHED_FILE}`,
  );
}

/** @throws {StoreUnavailableError} there is no store in the folder */
export function mustExist(folder: string): void {
  const file = join(folder, DATA_FILE);
  if (!existsSync(file)) {
    throw new StoreUnavailableError(`there is no store in ${folder}: it has no ${DATA_FILE}`);
  }
  if (statSync(file).size === 0) {
    throw new StoreUnavailableError(`there is no store in ${folder}: its ${DATA_FILE} is empty`);
  }
}

/** @throws {StoreUnavailableError} something is in the folder */
export function mustBeEmpty(folder: string): void {
  const [file] = readdirSync(folder);
  if (file !== undefined) {
    throw new StoreUnavailableError(`${folder} is not empty (it has ${file}); choose a folder that is`);
  }
}

/** Waits until a file, or the list of the files in a folder, is on disk. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a folder and those above it, each on disk in the one above. Node 20's own way to do that never returns below /proc. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
    syncFile(dirname(path));
  } catch (error) {
    const wasMadeMeanwhile = existsSync(path);
    if (!wasMadeMeanwhile) throw error;
  }
}

/** Where a page that begins an LMDB file keeps what it is, in 32-bit words. */
const META = { magic: 6, version: 7, pageSize: 12, words: 13 } as const;

/**
 * Refuses a file that is not LMDB's, or of whose two first pages one is lost. LMDB writes them in turn, and would take
 * the state before the last commit for the newest, or crash the process.
 */
export function checkHeader(folder: string): void {
  const file = join(folder, DATA_FILE);
  if (!existsSync(file) || statSync(file).size === 0) return;
  const fd = openSync(file, 'r');
  try {
    for (let page = 0, at = 0; page < 2; page++) {
      const meta = new Uint32Array(META.words);
      readSync(fd, meta, 0, meta.byteLength, at);
      if (meta[META.magic] !== 0xbeefc0de || meta[META.version] !== 2) {
        throw damaged(folder, `${DATA_FILE} does not begin like a file of LMDB`);
      }
      at = meta[META.pageSize] ?? 0;
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Refuses a file that has lost its end, as when a copy was cut short: to read there would crash the process. LMDB itself
 * may leave its last few pages unwritten, which nothing is in; so a little may be missing, and is put back empty. If
 * something was in it all the same, LMDB tells it from the empty page.
 */
export function checkLength(env: LmdbEnvironment, folder: string): void {
  const file = join(folder, DATA_FILE);
  const { lastPageNumber, pageSize } = env.getStats() as { lastPageNumber: number; pageSize: number };
  const missing = (lastPageNumber + 1) * pageSize - statSync(file).size;
  if (missing > 1024 * 1024) throw damaged(folder, `${DATA_FILE} lacks its last ${missing} bytes`);
  // Appended, never written at a place: another process may be writing to the file.
  if (missing > 0) appendFileSync(file, new Uint8Array(missing));
}

/** Leaves the version of the format in a new store, and checks that of an old one. */
export function markFormat(env: LmdbEnvironment, folder: string): void {
  const mark = env.getBinary(FORMAT_KEY);
  if (mark === undefined) {
    if (env.getKeysCount({ limit: 1 }) > 0) throw damaged(folder, `${DATA_FILE} has no mark of Concord`);
    env.putSync(FORMAT_KEY, Buffer.from(String(FORMAT)));
    return;
  }
  checkFormat(env, folder);
}

/** @throws {StoreError} there is no mark, or that of a newer Concord */
function checkFormat(env: LmdbEnvironment, folder: string): void {
  const format = Number(env.getBinary(FORMAT_KEY) ?? Number.NaN);
  if (!Number.isInteger(format)) throw damaged(folder, `${DATA_FILE} has no mark of Concord`);
  if (format > FORMAT) {
    throw new StoreTooNewError(
      `the store in ${folder} has format ${format}, and this version of Concord reads up to ${FORMAT}; use the version that wrote it, or a newer one`,
    );
  }
}

/** @throws {StoreFullError} too little is free for the next group */
export function checkSpace(folder: string): void {
  const { blocks, bavail, bsize } = statfsSync(folder);
  const tellsSize = blocks > 0;
  if (tellsSize && bavail * bsize < SPARE_BYTES) throw noSpace(folder);
}

/** Has the store written anew when it is opened next; within a transaction. */
export function markPurge(env: LmdbEnvironment): void {
  env.putSync(PURGE_KEY, Buffer.of(1));
}

export function isPurgeDue(env: LmdbEnvironment): boolean {
  return env.doesExist(PURGE_KEY);
}
