import { MongoError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { StoreError, StoreFullError, StoreUnavailableError } from './port.ts';

const OUT_OF_DISK_SPACE = 14031;
const QUOTA_EXCEEDED = 12501;
/** Atlas has one code for all that its proxy refuses; a full quota is told by the text. */
const ATLAS_ERROR = 8000;

const WRONG_USER = 'user or password are wrong, or the user is known to another database (authSource)';

/** What to do about a failure, where whoever runs Concord can do something. */
const ADVICE: ReadonlyMap<unknown, string> = new Map([
  [13, 'its user may not do that there: grant it the role readWrite on the database'],
  [18, WRONG_USER],
  [20, 'it cannot retry writes: add retryWrites=false to the address'],
  [64, 'a majority of its servers did not confirm the write in time'],
  [ATLAS_ERROR, WRONG_USER],
  [10107, 'the server is no primary: name all servers of the replica set, or drop directConnection'],
]);

/** The error of the port that tells what an error of the driver means for the store; a fault stays what it is. */
export function mongoFailure(cause: unknown, shown: string): unknown {
  if (cause instanceof StoreError || !(cause instanceof MongoError)) return cause;
  if (isFull(cause)) {
    return new StoreFullError(`no space is left for the store in ${shown}; free some, then try again`, {
      cause,
    });
  }
  return new StoreUnavailableError(`the store in ${shown} cannot be used: ${adviceFor(cause)}`, { cause });
}

function isFull({ code, message }: MongoError): boolean {
  if (code === ATLAS_ERROR) return /quota/i.test(message);
  return code === OUT_OF_DISK_SPACE || code === QUOTA_EXCEEDED;
}

function adviceFor(error: MongoError): string {
  if (error instanceof MongoServerSelectionError) {
    return `no server that takes writes can be reached (${error.message}); check the address, and that it runs`;
  }
  const advice = error instanceof MongoServerError ? ADVICE.get(error.code) : undefined;
  return advice ?? error.message;
}
