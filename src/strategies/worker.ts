/** The side of the strategy host that runs plugins: an entry point for `node:worker_threads`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { isStrategy, NEEDS, type Strategy } from '@concord/sdk/strategy';
import {
  MissingInputError,
  StrategyFailedError,
  StrategyParametersError,
  UnknownStrategyError,
} from './errors.ts';
import { guard } from './guard.ts';
import { codeUrl, locate } from './locate.ts';
import { type Plan, plan } from './plan.ts';
import { checkPool, InvalidPoolError } from './pool.ts';
import type {
  Calls,
  StrategyFiles,
  WorkerData,
  WorkerError,
  WorkerMessage,
  WorkerPlugin,
  WorkerRequest,
} from './protocol.ts';
import { run } from './run.ts';

if (parentPort === null) throw new Error('strategies/worker is run in a worker thread');
const port = parentPort;
const { plugins }: WorkerData = workerData;
const loaded = new Map<string, Promise<Strategy>>();

function load(file: string): Promise<Strategy> {
  const known = loaded.get(file);
  if (known !== undefined) return known;
  const plugin = plugins.find((plugin) => plugin.file === file);
  if (plugin === undefined) throw new Error(`no plugin ${file}`);
  const loading = importPlugin(plugin);
  loaded.set(file, loading);
  return loading;
}

async function importPlugin({ file, code }: WorkerPlugin): Promise<Strategy> {
  const named = `${code}\n//# sourceURL=${codeUrl(file)}`;
  const url = `data:text/javascript;base64,${Buffer.from(named).toString('base64')}`;
  const module: { default?: unknown } = await guard(file, () => import(url));
  if (isStrategy(module.default)) return module.default;
  const problem =
    'default' in module ? 'its default export was not made by defineStrategy' : 'it has no default export';
  throw new StrategyFailedError(file, 'invalid-result', problem);
}

const finder = (files: StrategyFiles) => async (name: string) => {
  const file = files.get(name);
  if (file === undefined) throw new UnknownStrategyError(name, [...files.keys()]);
  return load(file);
};

async function describe({ file }: Calls['describe']['input']): Promise<Calls['describe']['output']> {
  const { name, description, needs } = await load(file);
  return { name, description, needs };
}

async function check(input: Calls['check']['input']): Promise<Calls['check']['output']> {
  const { parameters } = await plan(finder(input.files), input.strategy, input.parameters, input.available);
  return { parameters };
}

async function select(input: Calls['select']['input']): Promise<Calls['select']['output']> {
  const { files, strategy, pool, count, seed } = input;
  checkPool(pool);
  const planned = await plan(finder(files), strategy, input.parameters, pool.matrix === null ? [] : NEEDS);
  const selection = await run(planned, pool, count, seed);
  return { selection, parameters: planned.parameters, asked: namesIn(planned) };
}

function namesIn({ asked }: Plan): string[] {
  const names = [...asked].flatMap(([name, inner]) => [name, ...namesIn(inner)]);
  return [...new Set(names)].sort();
}

port.on('message', async (request: WorkerRequest) => {
  try {
    await answer(request);
  } catch (error) {
    reply({ kind: 'error', error: toWire(request, error) });
  }
});

async function answer(request: WorkerRequest): Promise<void> {
  switch (request.call) {
    case 'describe':
      return reply({ kind: 'value', value: await describe(request.input) });
    case 'check':
      return reply({ kind: 'value', value: await check(request.input) });
    case 'select': {
      const value = await select(request.input);
      // A promise that the plugin left to reject ends this thread in this turn: while it is still to blame.
      await nextTurn();
      const { ordinals, scores, normalised, random } = value.selection;
      return reply({ kind: 'value', value }, [
        ordinals.buffer,
        scores.buffer,
        normalised.buffer,
        random.buffer,
      ]);
    }
  }
}

function reply(message: WorkerMessage, transfer: ArrayBufferLike[] = []): void {
  port.postMessage(
    message,
    transfer.filter((buffer) => buffer instanceof ArrayBuffer),
  );
}

function toWire(request: WorkerRequest, error: unknown): WorkerError {
  if (error instanceof UnknownStrategyError) return { code: error.code, strategy: error.strategy };
  if (error instanceof MissingInputError) {
    return { code: error.code, strategy: error.strategy, need: error.need };
  }
  if (error instanceof StrategyParametersError) {
    return { code: error.code, strategy: error.strategy, issues: error.issues };
  }
  if (error instanceof StrategyFailedError) {
    const { code, strategy, reason } = error;
    const place = placeOf(request, error);
    return {
      code,
      strategy,
      reason,
      detail: place === undefined ? error.detail : `${error.detail} (${place})`,
    };
  }
  if (error instanceof InvalidPoolError) return { code: 'invalid-pool', message: error.message };
  // What is left comes of passing on what a plugin made, such as parameters that cannot be cloned.
  const strategy = request.call === 'describe' ? request.input.file : request.input.strategy;
  return { code: 'strategy-failed', strategy, reason: 'invalid-result', detail: String(error) };
}

function placeOf(request: WorkerRequest, { strategy, cause }: StrategyFailedError): string | undefined {
  const file = request.call === 'describe' ? strategy : request.input.files.get(strategy);
  const plugin = plugins.find((plugin) => plugin.file === file);
  return plugin === undefined ? undefined : locate(cause, plugin.file, plugin.map);
}

reply({ kind: 'ready' });
