import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { realEnvironment } from '../../src/http/environment.ts';
import { startServer } from '../../src/http/server.ts';
import { openLmdbStore } from '../../src/journal/lmdb.ts';
import { Concord } from '../../src/service/concord.ts';
import { admitOwner } from '../../src/service/members.ts';
import { openStrategyHost } from '../../src/strategies/host.ts';
import { serveCommands } from './process.ts';

/** The service as it is, on the embedded store, in a process that can be asked what it has used. */
const [, , folder = '', ownerToken = ''] = process.argv;
const plugins = fileURLToPath(new URL('../../../plugins', import.meta.url));

const store = await openLmdbStore(folder);
const strategies = await openStrategyHost({ folder: plugins, environment: realEnvironment, workers: 1 });
const concord = new Concord(store, strategies, realEnvironment);
await admitOwner(concord, ownerToken);
const { url, close } = await startServer({
  concord,
  logger: pino({ level: 'warn' }, process.stderr),
  host: '127.0.0.1',
  port: 0,
  allowedOrigins: [],
  limits: { rate: 0 },
});
serveCommands(url, { close });
