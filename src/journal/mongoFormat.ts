import { type Collection, type Db, MongoServerError } from 'mongodb';
import { COLLECTIONS, DUPLICATE_KEY } from './places.ts';
import { StoreError, StoreTooNewError, StoreUnavailableError } from './port.ts';

/** The version of what is written here. Raise it when an older Concord would misread that. */
const FORMAT = 1;
const FORMAT_MARK = 'format';

interface Mark {
  readonly _id: string;
  readonly version: number;
}

/**
 * Leaves the version of the format in a new store, and checks that of an old one.
 * @throws {StoreTooNewError} a newer version of Concord wrote the store
 * @throws {StoreError} the database holds something else under the names that Concord uses
 */
export async function markFormat(db: Db, shown: string): Promise<void> {
  const marks = marksOf(db);
  // Before the mark is read: whoever stores something has left the mark first.
  const used = await nameOfUsed(db);
  let mark = await marks.findOne({ _id: FORMAT_MARK });
  if (mark === null) {
    if (used !== undefined) throw damaged(shown, `${used} is not empty, and there is no mark of Concord`);
    mark = await leaveMark(marks);
  }
  checkMark(mark, shown);
}

/**
 * Checks the version of a store that is to be read, and leaves nothing behind.
 * @throws {StoreUnavailableError} there is no store in the database
 * @throws {StoreTooNewError} a newer version of Concord wrote it
 */
export async function checkFormat(db: Db, shown: string): Promise<void> {
  const mark = await marksOf(db).findOne({ _id: FORMAT_MARK });
  if (mark === null) throw new StoreUnavailableError(`there is no store in ${shown}`);
  checkMark(mark, shown);
}

function marksOf(db: Db): Collection<Mark> {
  return db.collection<Mark>(COLLECTIONS.mark);
}

function checkMark(mark: Mark | null, shown: string): void {
  if (mark === null || !Number.isInteger(mark.version)) throw damaged(shown, 'its mark cannot be read');
  if (mark.version > FORMAT) {
    throw new StoreTooNewError(
      `the store in ${shown} has format ${mark.version}, and this version of Concord reads up to ${FORMAT}; use the version that wrote it, or a newer one`,
    );
  }
}

/** A collection of Concord's name that has something in it. */
async function nameOfUsed(db: Db): Promise<string | undefined> {
  for (const name of [COLLECTIONS.commits, COLLECTIONS.chunks, COLLECTIONS.documents]) {
    const any = await db.collection(name).findOne({}, { projection: { _id: 1 } });
    if (any !== null) return name;
  }
  return undefined;
}

/** Leaves the mark, unless somebody else has just done so, and gives the one that stands. */
async function leaveMark(marks: Collection<Mark>): Promise<Mark | null> {
  try {
    await marks.insertOne({ _id: FORMAT_MARK, version: FORMAT });
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  return marks.findOne({ _id: FORMAT_MARK });
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

export function damaged(shown: string, how: string): StoreError {
  return new StoreError(
    `the store in ${shown} is damaged, or is none of Concord's (${how}); restore it from a backup, or choose another database`,
  );
}
