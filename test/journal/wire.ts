import { MongoClient } from 'mongodb';
import type { Store } from '../../src/journal/port.ts';
import { commitAt } from './contract.ts';

let made = 0;

/** A database of its own on a test server, with a client of its own to look at it from outside. */
export class TestDatabase {
  readonly name = `concord_test_${process.pid}_${Date.now()}_${made++}`;
  /** The connection string that names it. */
  readonly url: string;
  readonly #client: MongoClient;

  constructor(server: string) {
    this.url = inDatabase(server, this.name);
    this.#client = new MongoClient(this.url);
  }

  /** What lies in it, without any help of the adapter. */
  get db() {
    return this.#client.db();
  }

  async drop(): Promise<void> {
    await this.db.dropDatabase();
    await this.#client.close();
  }
}

/** The connection string, with another database in it. */
function inDatabase(url: string, database: string): string {
  return url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${database}`);
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Does once everything that a store can do. */
export async function useAll(store: Store): Promise<void> {
  await store.append('project', commitAt(1));
  await store.append('project', commitAt(1));
  await all(store.read('project', 0));
  await store.head('project');
  await store.journals();
  await store.getChunk(await store.putChunk(Uint8Array.of(1), 1));
  await store.putDocument('people', 'ada', 'Ada');
  await store.getDocument('people', 'ada');
  await store.deleteDocument('people', 'ada');
}
