import { once } from 'node:events';
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { ServiceProcess } from '../http/serviceProcess.ts';
import type { Dice } from '../simulation/dice.ts';
import type { Build } from './build.ts';

/** Where the processes of a run serve, one after another. */
export interface Place {
  readonly build: Build;
  readonly store: string;
  readonly port: number;
  readonly ownerToken: string;
}

/** Processes of the service, one after another. While one serves, the next has loaded its code already. */
export class Servers {
  readonly #place: Place;
  #next: ServiceProcess;

  constructor(place: Place) {
    this.#place = place;
    this.#next = this.#make();
  }

  /** Lets the next one begin: only now it touches the store. */
  start(): ServiceProcess {
    const server = this.#next;
    this.#next = this.#make();
    server.child.stdin?.write('.');
    return server;
  }

  /** Ends the one that never began. */
  close(): Promise<void> {
    return this.#next.kill();
  }

  #make(): ServiceProcess {
    const { build, store, port, ownerToken } = this.#place;
    const server = new ServiceProcess({
      args: ['--store', store, '--port', String(port)],
      // As `cli.js` has it, before it loads what is loaded ahead of it here.
      env: { NODE_ENV: 'production', CONCORD_OWNER_TOKEN: ownerToken },
      cli: build.cli,
      command: ([node = '', ...given]) => [node, '--import', pathToFileURL(build.ahead).href, ...given],
    });
    // It may be killed before it has read its byte.
    server.child.stdin?.on('error', () => undefined);
    return server;
  }
}

/**
 * A port that is free, and that the system gives to no outgoing connection: one could come to hold it while the server
 * that listens there is down.
 */
export async function freePort(dice: Dice): Promise<number> {
  for (;;) {
    const port = dice.between(15_000, 32_000);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await new Promise((resolve) => probe.close(resolve));
    return port;
  }
}
