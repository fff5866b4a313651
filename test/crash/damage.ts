import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Database, open } from 'lmdb';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import type { Store } from '../../src/journal/port.ts';

/** What LMDB reads and writes at a time. */
export const PAGE_BYTES = 4_096;

const BYTES = { encoding: 'binary', keyEncoding: 'binary' } as const;

/** Does something with the store in a folder, by the port. */
export async function withStore<T>(path: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openLmdbStore(path);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function loseChunk(path: string, id: string): Promise<void> {
  return withChunks(path, (chunks) => {
    if (!chunks.removeSync(Buffer.from(id, 'hex'))) throw new Error(`there is no chunk ${id}`);
  });
}

/** Zeroes a sector's worth in the middle of a chunk, as a disk does that has torn a write. */
export function tearChunk(path: string, id: string): Promise<void> {
  return withChunks(path, (chunks) => {
    const key = Buffer.from(id, 'hex');
    const bytes = Buffer.from(chunks.get(key) ?? []);
    if (bytes.length === 0) throw new Error(`there is no chunk ${id}`);
    const middle = Math.floor(bytes.length / 2);
    chunks.putSync(key, bytes.fill(0, middle, middle + 512));
  });
}

/** Chunks behind the store's back: it would never change or lose one. */
async function withChunks(path: string, work: (chunks: Database<Buffer, Buffer>) => void): Promise<void> {
  const env = open<Buffer, Buffer>({ ...BYTES, path: join(path, 'concord.mdb'), noSubdir: true });
  try {
    work(env.openDB<Buffer, Buffer>({ ...BYTES, name: 'chunks' }));
  } finally {
    await env.close();
  }
}

/**
 * A program that damages a store's file in two ways at each of its pages, one after another: zeroes the page, and cuts
 * the file off before it. It has the built service look each through, then open it as a service does, and tells what they
 * said. In a process of its own: what LMDB does on such a file is not to be foreseen.
 *
 * @param code the built service's `src` folder
 * @param path a store, which is left as it is
 */
export function damagingPages(code: string, path: string): string {
  const from = (file: string) => JSON.stringify(pathToFileURL(join(code, file)).href);
  return `import fs from 'node:fs';
import { verify } from ${from('http/verify.js')};
import { openStore } from ${from('journal/open.js')};
const PAGE = ${PAGE_BYTES};
const sound = fs.readFileSync(${JSON.stringify(join(path, 'concord.mdb'))});
const store = ${JSON.stringify(join(path, 'damaged'))};
const refused = (error) => console.log('refused: ' + error.message);
for (let at = 0; at < sound.length; at += PAGE) {
  for (const damaged of [Buffer.from(sound).fill(0, at, at + PAGE), sound.subarray(0, at)]) {
    fs.rmSync(store, { recursive: true, force: true });
    fs.mkdirSync(store);
    fs.writeFileSync(store + '/concord.mdb', damaged);
    console.log('at byte ' + at);
    await verify({ store }, []).catch(refused);
    await openStore(store).then((opened) => opened.close(), refused);
  }
}`;
}
