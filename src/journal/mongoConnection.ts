import { type Db, MongoClient, type MongoClientOptions, MongoServerError, ReadConcern } from 'mongodb';
import { DEFAULT_DATABASE, givenOptions, namesDatabase, shownAddress } from './address.ts';
import { StoreUnavailableError } from './port.ts';

/**
 * What the guarantees of the port rest on, whatever the address says: a write is confirmed when a majority has
 * it in its journal on disk; a read sees only what a majority has, at the primary.
 */
const DURABLE = {
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: 15_000 },
  readConcern: new ReadConcern('majority'),
  readPreference: 'primary',
} as const;

/**
 * The driver looks up in an object which lists it must leave as bytes, and by default finds there what every
 * object has: a list called `valueOf` would come back as bytes.
 */
const FAITHFUL = { fieldsAsRaw: Object.create(null) as Record<string, boolean> };

/** How long to wait before a store counts as unavailable. The address may say otherwise. */
const PATIENCE = {
  serverSelectionTimeoutMS: 10_000,
  connectTimeoutMS: 10_000,
  /** Longer than the server waits for a majority, so that it is the server who tells. */
  socketTimeoutMS: 30_000,
} as const satisfies MongoClientOptions;

const COMMAND_NOT_FOUND = 59;

/**
 * A client for the server at an address, which does not connect by itself.
 * @throws {StoreUnavailableError} the address cannot be read
 */
export function clientFor(url: string): MongoClient {
  try {
    return new MongoClient(url, { appName: 'concord', ...FAITHFUL, ...patience(url) });
  } catch (cause) {
    const shown = shownAddress(url);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StoreUnavailableError(`the address of the store in ${shown} cannot be read: ${why}`, { cause });
  }
}

/** The database that an address names, used as safely as the port demands. */
export function databaseOf(client: MongoClient, url: string): Db {
  return client.db(namesDatabase(url) ? undefined : DEFAULT_DATABASE, DURABLE);
}

/** Whether the server knows sessions. */
export async function hasSessions(db: Db): Promise<boolean> {
  try {
    const hello = await db.command({ hello: 1 });
    return Number.isInteger(hello['logicalSessionTimeoutMinutes']);
  } catch (error) {
    // Servers that imitate MongoDB may know the command only by its older name; those have no sessions.
    if (error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND) return false;
    throw error;
  }
}

/** Our defaults, but for what the address decides itself. */
function patience(url: string): MongoClientOptions {
  const given = givenOptions(url);
  return Object.fromEntries(Object.entries(PATIENCE).filter(([name]) => !given.has(name.toLowerCase())));
}
