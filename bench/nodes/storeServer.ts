import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { freePort } from '../scale/freePort.ts';
import { processorSeconds } from '../scale/server.ts';

const SCRIPT = fileURLToPath(new URL('../../../test/servers/start-mongo-java-server.sh', import.meta.url));

/** The server that the nodes share. */
export class StoreServer {
  /** What it is, for the page. */
  readonly name: string;
  readonly #url: string;
  /** Null: it is somebody else's. */
  readonly #child: ChildProcess | null;

  private constructor(name: string, url: string, child: ChildProcess | null) {
    this.name = name;
    this.#url = url;
    this.#child = child;
  }

  /** The one that CONCORD_TEST_MONGODB names; else a fresh one of the tests', which keeps everything in memory. */
  static async open(): Promise<StoreServer> {
    const given = process.env['CONCORD_TEST_MONGODB'];
    if (given !== undefined) {
      const client = new MongoClient(given);
      const { version } = await client.db('admin').command({ buildInfo: 1 });
      await client.close();
      return new StoreServer(
        `the server that was named, which says that it is MongoDB ${version}`,
        given,
        null,
      );
    }
    const child = spawn(SCRIPT, [`${await freePort()}`], { stdio: ['ignore', 'pipe', 'inherit'] });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the store's server ended with code ${code}`)));
      createInterface({ input: child.stdout }).once('line', resolve);
    });
    return new StoreServer(
      'mongo-java-server, which keeps everything in memory and syncs nothing',
      url,
      child,
    );
  }

  /** A database of its own. */
  url(database: string): string {
    return this.#url.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${database}`);
  }

  /** Processor time so far; null where that cannot be seen. */
  async processorSeconds(): Promise<number | null> {
    return this.#child?.pid === undefined ? null : processorSeconds(this.#child.pid);
  }

  async stop(database: string): Promise<void> {
    if (this.#child === null) {
      const client = new MongoClient(this.url(database));
      await client.db().dropDatabase();
      await client.close();
      return;
    }
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
