import { getSystemErrorName } from 'node:util';
import { StoreError, StoreFullError, StoreUnavailableError } from './port.ts';

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

const DAMAGED: ReadonlySet<string> = new Set([
  // What is said after a page that is none.
  'MDB_BAD_TXN',
  'MDB_CORRUPTED',
  'MDB_INVALID',
  'MDB_PAGE_NOTFOUND',
  'MDB_VERSION_MISMATCH',
]);

const FILE_IN_THE_WAY = 'a file is in the way; move it, or choose another folder';
const NO_PERMISSION = 'permission is denied; let this user write there, or choose another folder';

/** What to do about a failure, where whoever runs Concord can do something. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['EEXIST', FILE_IN_THE_WAY],
  ['ENOTDIR', FILE_IN_THE_WAY],
  ['EISDIR', 'a folder is where one of its files should be; move it, or choose another folder'],
  ['EACCES', NO_PERMISSION],
  ['EPERM', NO_PERMISSION],
  ['EROFS', 'the file system is read-only; make it writable, or choose another folder'],
  ['EIO', 'the disk failed, or gave no more space; look in the log of the system'],
  ['MDB_PANIC', 'its header could not be written; restart Concord'],
  ['ENOENT', 'the folder does not exist and cannot be made there; choose another folder'],
]);

/** The error of the port that tells what an error of LMDB or of the file system means for the store. */
export function failureOf(cause: unknown, folder: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause);
  if (FULL.has(code)) return noSpace(folder, cause);
  if (DAMAGED.has(code)) return damaged(folder, code, cause);
  const advice = ADVICE.get(code) ?? (cause instanceof Error ? cause.message : String(cause));
  return new StoreUnavailableError(`the store in ${folder} cannot be used: ${advice}`, { cause });
}

export function noSpace(folder: string, cause?: unknown): StoreFullError {
  return new StoreFullError(`no space is left for the store in ${folder}; free some, then try again`, {
    cause,
  });
}

export function damaged(folder: string, how: string, cause?: unknown): StoreError {
  return new StoreError(
    `the store in ${folder} is damaged, or is none of Concord's (${how}); restore it from a backup, or choose another folder`,
    { cause },
  );
}

/** An error's name, such as ENOSPC or MDB_INVALID. LMDB gives the system's by their number. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  if (typeof error.code !== 'number') return String(error.code);
  return error.code > 0 ? getSystemErrorName(-error.code) : (/^MDB_\w+/.exec(error.message)?.[0] ?? '');
}
