import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { realEnvironment } from '../../src/http/environment.ts';
import type { Metrics } from '../../src/http/metrics.ts';
import { startServer } from '../../src/http/server.ts';
import type { ServerLimits } from '../../src/http/serverLimits.ts';
import type { SignOn } from '../../src/http/signOn.ts';
import { openStore } from '../../src/journal/open.ts';
import type { Store } from '../../src/journal/port.ts';
import { Concord } from '../../src/service/concord.ts';
import { admitOwner } from '../../src/service/members.ts';
import { openStrategyHost } from '../../src/strategies/host.ts';

/**
 * The whole service in this process, with real parts: LMDB in a temporary folder, the strategies of `plugins/`
 * in workers, an HTTP server on a free port. What can be bent is the clock.
 */
export interface Service {
  /** Where it listens: `http://127.0.0.1:…`. The API is at `${url}/graphql`. */
  readonly url: string;
  /** A token of the service's owner, who owns every project and may create some. */
  readonly ownerToken: string;
  readonly concord: Concord;
  /** What it has logged so far. `level` is pino's: 50 for a fault. */
  readonly log: readonly LogLine[];
  /** Moves its clock forward. Timers are not moved. */
  advance(ms: number): void;
  /**
   * Sends a request over HTTP and gives what came back, whatever it is.
   * @param token null: nobody
   */
  ask<T = Data>(token: string | null, document: string, variables?: Variables): Promise<Reply<T>>;
  /**
   * The data of a request that must succeed.
   * @throws {Error} the answer has errors; they are in the message
   */
  query<T = Data>(token: string | null, document: string, variables?: Variables): Promise<T>;
  close(): Promise<void>;
}

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export type Variables = Readonly<Record<string, unknown>>;
/** An answer whose shape the test has not said. */
export type Data = Readonly<Record<string, unknown>>;

export interface Reply<T = Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: T | null | undefined;
  readonly errors: readonly ReplyError[];
}

export interface ReplyError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

export interface ServiceOptions {
  /** The folder of strategies; default: the repository's own. */
  readonly plugins?: string;
  /** Whether that folder is followed; default: false. */
  readonly watch?: boolean;
  /** The store, a folder or a connection string; default: a new folder, removed at the end. One that is given stays. */
  readonly folder?: string;
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Counts what it does; default: nothing is counted. */
  readonly metrics?: Metrics;
  /** Whose tokens are taken beside Concord's own. */
  readonly signOn?: (concord: Concord, logger: Logger) => Promise<SignOn>;
  /** How often an event stream gets a sign of life, in milliseconds. */
  readonly beatMs?: number;
  /** Puts something before the store, to make it fail. */
  readonly store?: (store: Store) => Store;
}

/** The repository's own strategies. */
export const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));

/** Set for a run of the tests in which every operation is compiled at once; else hardly any is. */
const COMPILE_AFTER = process.env['CONCORD_TEST_COMPILE'] === undefined ? undefined : 0;

/** Starts a service; close it at the end. */
export async function startService({
  plugins = PLUGINS,
  watch = false,
  folder,
  allowedOrigins = [],
  limits = {},
  metrics,
  signOn,
  beatMs,
  store: wrapped = (store) => store,
}: ServiceOptions = {}): Promise<Service> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), 'concord-')));
  let ahead = 0;
  const environment = { ...realEnvironment, now: () => realEnvironment.now() + ahead, observer: metrics };
  const log: LogLine[] = [];
  const logger = pino(
    { level: 'debug', base: null },
    { write: (line: string) => void log.push(JSON.parse(line)) },
  );
  const store = wrapped(await openStore(path));
  const strategies = await openStrategyHost({ folder: plugins, environment, workers: 1, watch });
  const concord = new Concord(store, strategies, environment);
  const ownerToken = 'owner_'.padEnd(40, '0');
  await admitOwner(concord, ownerToken);
  const server = await startServer({
    concord,
    logger,
    host: '127.0.0.1',
    port: 0,
    allowedOrigins,
    limits,
    metrics: metrics ?? null,
    signOn: (await signOn?.(concord, logger)) ?? null,
    compileAfter: COMPILE_AFTER,
    beatMs,
  });
  return {
    ...clientOf(server.url),
    ownerToken,
    concord,
    log,
    advance(ms) {
      ahead += ms;
    },
    async close() {
      await server.close();
      if (folder === undefined) await rm(path, { recursive: true });
    },
  };
}

/** What a test asks a service with, whichever process it runs in. */
export function clientOf(url: string): Pick<Service, 'url' | 'ask' | 'query'> {
  const ask = <T>(token: string | null, document: string, variables: Variables = {}) =>
    post<T>(url, token, document, variables);
  return {
    url,
    ask,
    async query<T>(token: string | null, document: string, variables: Variables = {}) {
      const { data, errors, status } = await ask<T>(token, document, variables);
      if (errors.length > 0 || data === null || data === undefined) {
        throw new Error(`HTTP ${status}: ${JSON.stringify(errors)} in answer to ${document}`);
      }
      return data;
    },
  };
}

async function post<T>(
  url: string,
  token: string | null,
  query: string,
  variables: Variables,
): Promise<Reply<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors = [] } = (await response.json()) as { data?: T | null; errors?: ReplyError[] };
  return { status: response.status, headers: response.headers, data, errors };
}
