#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openLmdbStore } from '../journal/lmdb.ts';
import { StoreError } from '../journal/port.ts';
import { Concord } from '../service/concord.ts';
import { admitOwner } from '../service/members.ts';
import { StrategyFolderError } from '../strategies/errors.ts';
import { openStrategyHost } from '../strategies/host.ts';
import { type Config, ConfigError, HELP, readConfig } from './config.ts';
import { realEnvironment } from './environment.ts';
import { type RunningServer, startServer } from './server.ts';

/** The package's folder, seen from `dist/src/http`. */
const ROOT = new URL('../../../', import.meta.url);

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env, fileURLToPath(new URL('plugins', ROOT)));
  if (config === 'help') process.stdout.write(HELP);
  else if (config === 'version') process.stdout.write(`${version()}\n`);
  else await run(config);
}

async function run(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const store = await openLmdbStore(config.store);
  const strategies = await openStrategyHost({
    folder: config.plugins,
    environment: realEnvironment,
    onProblem: ({ file, problem }) => logger.warn({ file, problem }, 'strategy cannot be used'),
  });
  const concord = new Concord(store, strategies, realEnvironment);
  let server: RunningServer;
  try {
    const token = await admitOwner(concord, config.ownerToken);
    server = await startServer({ ...config, concord, logger });
    // Not through the logger: logs are kept, and this must not be.
    if (token !== null) process.stderr.write(`The owner's token, shown this once: ${token}\n`);
  } catch (error) {
    await concord.close();
    throw error;
  }
  const strategyNames = strategies.list().filter(({ problem }) => problem === null);
  logger.info(
    { url: `${server.url}/graphql`, store: config.store, strategies: strategyNames.map(({ name }) => name) },
    'ready',
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'stopping');
      server.close().then(
        () => logger.info('stopped'),
        (error: unknown) => {
          logger.error({ err: error }, 'stopped with an error');
          process.exitCode = 1;
        },
      );
    });
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')).version;
}

main().catch((error: unknown) => {
  const known =
    error instanceof ConfigError || error instanceof StoreError || error instanceof StrategyFolderError;
  const address = (error as NodeJS.ErrnoException).code;
  if (known) process.stderr.write(`concord: ${error.message}\n`);
  else if (address === 'EADDRINUSE' || address === 'EACCES' || address === 'EADDRNOTAVAIL') {
    process.stderr.write(
      `concord: cannot listen: ${(error as Error).message}. Choose another --host or --port.\n`,
    );
  } else process.stderr.write(`concord: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
