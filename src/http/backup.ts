import { isMongoAddress } from '../journal/address.ts';
import { backUpLmdbStore } from '../journal/lmdb.ts';
import { shownLocation } from '../journal/open.ts';
import { CommandError } from './command.ts';
import { copyBetween } from './copy.ts';
import { orCommandError, withStore } from './storeWork.ts';

/*
 * A backup is a folder with an embedded store. Of an embedded store it is LMDB's own copy of one moment; of one in
 * MongoDB, which any number of processes may read, a copy of each journal up to its head, and of what it names.
 */

/** `concord backup`. */
export async function backup({
  store,
  to,
}: {
  readonly store: string;
  readonly to: string;
}): Promise<boolean> {
  if (isMongoAddress(to)) throw new CommandError('a backup is a folder: give one as --to');
  if (isMongoAddress(store)) await copyWhole(store, to);
  else await orCommandError(() => backUpLmdbStore(store, to));
  process.stdout.write(`backed up ${shownLocation(store)} to ${to}\n`);
  return true;
}

/** `concord restore`. */
export async function restore({
  from,
  store,
}: {
  readonly from: string;
  readonly store: string;
}): Promise<boolean> {
  if (isMongoAddress(from)) throw new CommandError('a backup is a folder: give one as --from');
  if (isMongoAddress(store)) await copyWhole(from, store);
  else await orCommandError(() => backUpLmdbStore(from, store));
  process.stdout.write(`restored ${from} to ${shownLocation(store)}\n`);
  return true;
}

async function copyWhole(from: string, to: string): Promise<void> {
  await withStore(from, 'READ', (source) =>
    withStore(to, 'SERVE', async (target) => {
      if ((await target.journals()).length > 0) {
        throw new CommandError(`the store in ${shownLocation(to)} is not empty: nothing is overwritten`);
      }
      await copyBetween(source, target, []);
    }),
  );
}
