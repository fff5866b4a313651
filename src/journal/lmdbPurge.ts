import { renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  BYTES,
  DATA_FILE,
  DATABASES,
  type LmdbEnvironment,
  markFormat,
  openEnvironment,
  syncFile,
  UNFINISHED_FILE,
} from './lmdbFiles.ts';

/*
 * LMDB never writes over a page that is in use, so what is deleted stays in pages that are free, and in the gaps of those
 * that are not: its own copy has the latter too. Each value is therefore put into a new file, one after another.
 */

/** LMDB's own file beside each. */
const LOCK_SUFFIX = '-lock';
/** What is put into the new file in one transaction. */
const BYTES_PER_TRANSACTION = 16 * 1024 * 1024;

/**
 * Writes a store's file anew, with what is there and nothing else. Until the new file takes the place of the old in one
 * step, nothing has changed: it may be cut short at any time.
 * @param env the store in the folder, which is closed. Nobody else may write to it meanwhile
 * @returns the store, opened again; of the old file, if there is no space for a new one
 */
export async function writeAnew(env: LmdbEnvironment, folder: string): Promise<LmdbEnvironment> {
  const hasRoom = hasSpace(folder);
  if (hasRoom) await copyTo(env, folder);
  await env.close();
  if (hasRoom) {
    renameSync(join(folder, UNFINISHED_FILE), join(folder, DATA_FILE));
    // It speaks of the old file. Whoever reads that in another process keeps both.
    rmSync(join(folder, `${DATA_FILE}${LOCK_SUFFIX}`), { force: true });
    syncFile(folder);
  }
  return openEnvironment(folder);
}

async function copyTo(env: LmdbEnvironment, folder: string): Promise<void> {
  const unfinished = join(folder, UNFINISHED_FILE);
  const clear = () => {
    for (const file of [unfinished, `${unfinished}${LOCK_SUFFIX}`]) rmSync(file, { force: true });
  };
  clear();
  const target = openEnvironment(folder, false, UNFINISHED_FILE);
  try {
    target.transactionSync(() => markFormat(target, folder));
    for (const name of DATABASES) copyDatabase(env, target, name);
    await target.close();
    syncFile(unfinished);
    rmSync(`${unfinished}${LOCK_SUFFIX}`, { force: true });
  } catch (error) {
    await target.close();
    clear();
    throw error;
  }
}

function copyDatabase(env: LmdbEnvironment, target: LmdbEnvironment, name: string): void {
  const [from, to] = [env, target].map((one) => one.openDB<Uint8Array, Buffer>({ ...BYTES, name }));
  const keys = from?.getKeys()[Symbol.iterator]();
  if (from === undefined || to === undefined || keys === undefined) return;
  for (let isDone = false; !isDone; ) {
    target.transactionSync(() => {
      for (let bytes = 0; bytes < BYTES_PER_TRANSACTION; ) {
        const next = keys.next();
        if (next.done) {
          isDone = true;
          return;
        }
        const value = from.getBinary(next.value);
        if (value === undefined) continue;
        to.putSync(next.value, value);
        bytes += value.length;
      }
    });
  }
}

/** Whether there is room for as much again. */
function hasSpace(folder: string): boolean {
  const { blocks, bavail, bsize } = statfsSync(folder);
  return blocks === 0 || bavail * bsize > statSync(join(folder, DATA_FILE)).size + BYTES_PER_TRANSACTION;
}
