import { checkName } from './port.ts';

/*
 * A key is a name, a zero byte, and what is told apart under that name. Names hold no zero byte, so what
 * is under one name never lies among what is under another, and LMDB's order is that of the names, then of
 * `seq`.
 */

const SEQ_BYTES = 6;

/** More than any `seq`. */
export const SEQ_END = 2 ** (8 * SEQ_BYTES) - 1;

export function commitKey(journal: string, seq: number): Buffer {
  checkName(journal);
  const seqAt = Buffer.byteLength(journal) + 1;
  const key = Buffer.alloc(seqAt + SEQ_BYTES);
  key.write(journal);
  key.writeUIntBE(seq, seqAt, SEQ_BYTES);
  return key;
}

export function seqOf(commitKey: Buffer): number {
  return commitKey.readUIntBE(commitKey.length - SEQ_BYTES, SEQ_BYTES);
}

export function journalOf(commitKey: Buffer): string {
  return commitKey.toString('utf8', 0, commitKey.length - SEQ_BYTES - 1);
}

/** Between which keys a collection's documents lie, the first in it and the second not. */
export function documentKeys(collection: string): readonly [start: Buffer, end: Buffer] {
  checkName(collection);
  return [Buffer.from(`${collection}\0`), Buffer.from(`${collection}\x01`)];
}

/** The id of the document at a key that lies in a collection. */
export function documentIn(collection: string, key: Buffer): string {
  return key.toString('utf8', Buffer.byteLength(collection) + 1);
}

export function documentKey(collection: string, id: string): Buffer {
  checkName(collection);
  checkName(id);
  return Buffer.from(`${collection}\0${id}`);
}
