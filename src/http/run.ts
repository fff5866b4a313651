import { readFile } from 'node:fs/promises';
import { type Logger, pino } from 'pino';
import { openStore, shownLocation } from '../journal/open.ts';
import { StoreError } from '../journal/port.ts';
import type { ClusterOptions } from '../service/cluster.ts';
import { Concord } from '../service/concord.ts';
import { DamagedJournalError, JournalTooNewError } from '../service/folding.ts';
import { admitOwner } from '../service/members.ts';
import { StrategyFolderError } from '../strategies/errors.ts';
import { openStrategyHost, type StrategyHost } from '../strategies/host.ts';
import { CalculatorThreads } from './calculatorThreads.ts';
import { type Config, type NodeConfig, SECRET } from './config.ts';
import { realEnvironment } from './environment.ts';
import type { Metrics } from './metrics.ts';
import { NodeLink } from './nodeLink.ts';
import { listenForNodes } from './nodeListener.ts';
import { pluginFolders } from './package.ts';
import type { RunningServer } from './server.ts';
import { trustedDocuments } from './serverLimits.ts';
import type { SignOn } from './signOn.ts';
import type { SignOnConfig } from './signOnConfig.ts';
import { startUpkeep } from './upkeep.ts';
import { watchStore } from './watchedStore.ts';

/** A terminal and npm both pass Ctrl-C on: a signal so soon after the first is the same one, in milliseconds. */
const ECHO_MS = 500;

/** The service cannot start, and whoever started it can mend that: the message says how. */
class StartError extends Error {
  override name = 'StartError';
}

/**
 * Runs the service as a process of its own, until a signal ends it.
 * @throws {StartError} it cannot start
 */
export async function run(config: Config): Promise<void> {
  try {
    await start(config);
  } catch (error) {
    const advice = adviceOn(error);
    throw advice === null ? error : new StartError(advice, { cause: error });
  }
}

async function start(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const door = config.node === null ? null : await openNodeDoor(config.node, logger);
  try {
    await serve(config, logger, door);
  } catch (error) {
    await door?.close();
    throw error;
  }
}

/** The door for the other nodes, and the way to them. */
interface NodeDoor {
  readonly options: ClusterOptions;
  open(concord: Concord): void;
  close(): Promise<void>;
}

async function openNodeDoor({ secret: given, ...at }: NodeConfig, logger: Logger): Promise<NodeDoor> {
  const secret = typeof given === 'string' ? given : await secretIn(given.file);
  const listener = await listenForNodes(at, secret);
  const link = new NodeLink(secret);
  const onTrouble = (trouble: string) => logger.warn({ trouble }, 'trouble with another node');
  return {
    options: { link, address: listener.address, onTrouble },
    open({ cluster }) {
      if (cluster !== null) listener.open((message) => cluster.receive(message));
    },
    async close() {
      link.close();
      await listener.close();
    },
  };
}

async function secretIn(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new StartError(`--cluster-secret-file cannot be read: ${(error as Error).message}`);
  }
  if (!SECRET.test(text)) throw new StartError(`${file} does not hold 32 to 128 of A-Z a-z 0-9 _ -`);
  return text;
}

async function serve(config: Config, logger: Logger, door: NodeDoor | null): Promise<void> {
  const metrics = config.metrics && new (await import('./metrics.ts')).Metrics(config.metrics);
  const limits = { ...config.limits, documents: await documentsIn(config.trustedDocuments) };
  const opening = openConcord(config, logger, { cluster: door?.options ?? null, metrics });
  // What serves is loaded meanwhile: strategies are compiled and tried in other threads and processes.
  const [concord, { startServer }] = await Promise.all([opening, import('./server.ts')]);
  let server: RunningServer;
  door?.open(concord);
  try {
    const token = await admitOwner(concord, config.ownerToken);
    // At once, and not through the logger: nothing else keeps it, and logs are kept.
    if (token !== null) process.stderr.write(`The owner's token, shown this once: ${token}\n`);
    const signOn = config.signOn && (await openSignOn(config.signOn, concord, logger));
    server = await startServer({ ...config, limits, metrics, signOn, concord, logger });
  } catch (error) {
    await concord.close();
    throw error;
  }
  const close = async () => {
    await server.close();
    await door?.close();
  };
  stopAtSignals({ close }, logger);
  const usable = concord.strategies.list().filter(({ problem }) => problem === null);
  logger.info(
    {
      url: `${server.url}/graphql`,
      store: shownLocation(config.store),
      ...(door && { node: door.options.address }),
      strategies: usable.map(({ name }) => name),
    },
    'ready',
  );
}

/** jose is loaded by who uses it. */
async function openSignOn(config: SignOnConfig, concord: Concord, logger: Logger): Promise<SignOn> {
  const { SignOn, SignOnError } = await import('./signOn.ts');
  try {
    return await SignOn.open(config, concord, logger);
  } catch (error) {
    throw error instanceof SignOnError ? new StartError(error.message) : error;
  }
}

/** What a manifest allows; null: everything. */
async function documentsIn(file: string): Promise<ReadonlySet<string> | null> {
  if (file === '') return null;
  try {
    return await trustedDocuments(file);
  } catch (error) {
    throw new StartError(`--trusted-documents cannot be used: ${(error as Error).message}`);
  }
}

async function openConcord(
  config: Config,
  logger: Logger,
  { cluster, metrics }: { readonly cluster: ClusterOptions | null; readonly metrics: Metrics | null },
): Promise<Concord> {
  const environment = metrics === null ? realEnvironment : { ...realEnvironment, observer: metrics };
  const store = watchStore(await openStore(config.store), {
    onTrouble: (error) => logger.error({ err: error }, 'the store takes no writes'),
    onRelief: () => logger.info('the store takes writes again'),
  });
  if (store.purge?.isDue())
    logger.warn('what was erased is still in the file of the store: there is no space to write it anew');
  let strategies: StrategyHost;
  try {
    strategies = await openStrategyHost({
      folder: await pluginFolders(config.plugins),
      environment,
      watch: true,
      onTrouble: (error) => logger.warn({ err: error }, 'a folder of strategies cannot be followed'),
      onProblem: ({ file, problem }) => logger.warn({ file, problem }, 'strategy cannot be used'),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
  const calculator = new CalculatorThreads(new URL('./calculatorWorker.js', import.meta.url));
  return new Concord(store, strategies, environment, startUpkeep(config.store, logger), calculator, cluster);
}

/** The first signal stops the service in good order; another one, later on, stops it at once. */
function stopAtSignals(server: Pick<RunningServer, 'close'>, logger: Logger): void {
  let since: number | null = null;
  const stop = (signal: NodeJS.Signals) => {
    if (since !== null) {
      if (Date.now() - since < ECHO_MS) return;
      logger.warn({ signal }, 'stopped before everything was closed');
      process.exit(1);
    }
    since = Date.now();
    logger.info({ signal }, 'stopping');
    server.close().then(
      () => logger.info('stopped'),
      (error: unknown) => {
        logger.error({ err: error }, 'stopped with an error');
        process.exitCode = 1;
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function adviceOn(error: unknown): string | null {
  const known = [StoreError, StrategyFolderError, JournalTooNewError, DamagedJournalError];
  if (known.some((kind) => error instanceof kind)) return (error as Error).message;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  if (error instanceof StartError) return message;
  const isAddress = syscall === 'listen' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return isAddress ? `cannot listen: ${message}. Choose another --host, --port or --node-address.` : null;
}
