/** The side of the strategy host that runs plugins: an entry point for `node:worker_threads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { isStrategy, type Strategy } from '@concord/sdk/strategy';
import {
  MissingInputError,
  StrategyFailedError,
  StrategyParametersError,
  UnknownStrategyError,
} from './errors.ts';
import { guard } from './guard.ts';
import { codeUrl } from './locate.ts';
import { type Plan, plan } from './plan.ts';
import { available, checkPool, InvalidPoolError } from './pool.ts';
import type {
  CallName,
  Calls,
  HostMessage,
  StrategyFiles,
  WorkerData,
  WorkerError,
  WorkerMessage,
  WorkerPlugin,
  WorkerRequest,
} from './protocol.ts';
import { MAX_STACK } from './replies.ts';
import { type Help, run, scoreTask } from './run.ts';
import { endingSignal } from './signal.ts';
import { changeIn, surroundings } from './surroundings.ts';
import { firstLine, thrown } from './text.ts';
import { turn } from './turn.ts';

if (parentPort === null) throw new Error('strategies/worker is run in a worker thread');
const { port, plugins, ending, seat }: WorkerData = workerData;
// Plugins see what Node shows to any module. The port stays this module's alone: its name is taken back, and so is
// its place among the handles that keep the thread alive, in which the port that everybody sees stands for it.
for (const key of Object.keys(workerData)) Reflect.deleteProperty(workerData, key);
const post = port.postMessage.bind(port);
parentPort.on('message', () => {});
const signal = endingSignal(ending, port);
/** Who waits for what other threads score for a selection. */
const helped = new Map<number, (parts: HostMessage['parts']) => void>();
let asks = 0;
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

async function describe(plugin: Calls['describe']['input']): Promise<Calls['describe']['output']> {
  const before = plugin.isShared ? surroundings() : null;
  const { name, description, needs } = await importPlugin(plugin);
  const changed = before && changeIn(before, surroundings());
  if (changed !== null) throw new StrategyFailedError(plugin.file, 'threw', `it changes ${changed}`);
  return { name, description, needs };
}

async function check(input: Calls['check']['input']): Promise<Calls['check']['output']> {
  const { files, strategy } = input;
  const { parameters, needs } = await plan(finder(files), strategy, input.parameters, input.available);
  return { parameters, needs: [...needs] };
}

async function select(id: number, input: Calls['select']['input']): Promise<Calls['select']['output']> {
  const { files, strategy, pool, count, seed, states: before } = input;
  checkPool(pool);
  const planned = await plan(finder(files), strategy, input.parameters, available(pool));
  const help: Help = (task) => {
    const ask = ++asks;
    post({ kind: 'help', id, ask, task: { files, seed, ...task } } satisfies WorkerMessage);
    return new Promise((resolve) => helped.set(ask, resolve));
  };
  const { selection, states } = await run(planned, pool, count, {
    seed,
    signal,
    states: before,
    seat,
    help,
  });
  return { selection, parameters: planned.parameters, asked: namesIn(planned), states };
}

async function score(task: Calls['score']['input']): Promise<Calls['score']['output']> {
  const { files, strategy, pool, seed } = task;
  const planned = await plan(finder(files), strategy, task.parameters, available(pool));
  return scoreTask(planned, task, { seed, signal, states: {}, seat });
}

function namesIn({ asked }: Plan): string[] {
  const names = [...asked].flatMap(([name, inner]) => [name, ...namesIn(inner)]);
  return [...new Set(names)].sort();
}

port.on('message', async (request: WorkerRequest | HostMessage) => {
  if ('kind' in request) {
    helped.get(request.ask)?.(request.parts);
    helped.delete(request.ask);
    return;
  }
  const { id } = request;
  try {
    const [value, transfer] = await answer(request);
    // A promise that a plugin left to reject ends this thread in this turn: while it is still to blame.
    await turn();
    reply({ kind: 'value', id, value }, transfer);
  } catch (error) {
    reply({ kind: 'error', id, error: toWire(request, error) });
  }
});

async function answer(request: WorkerRequest): Promise<[Calls[CallName]['output'], ArrayBufferLike[]]> {
  switch (request.call) {
    case 'describe':
      return [await describe(request.input), []];
    case 'check':
      return [await check(request.input), []];
    case 'score': {
      const { ordinals, scores } = await score(request.input);
      return [{ ordinals, scores }, [ordinals.buffer, scores.buffer]];
    }
    case 'select': {
      const value = await select(request.id, request.input);
      const { ordinals, scores, normalised, random } = value.selection;
      return [value, [ordinals.buffer, scores.buffer, normalised.buffer, random.buffer]];
    }
  }
}

function reply(message: WorkerMessage, transfer: ArrayBufferLike[] = []): void {
  post(
    message,
    transfer.filter((buffer) => buffer instanceof ArrayBuffer),
  );
}

function toWire(request: WorkerRequest, error: unknown): WorkerError {
  if (error instanceof UnknownStrategyError) {
    return { code: error.code, strategy: firstLine(error.strategy) };
  }
  if (error instanceof MissingInputError) {
    return { code: error.code, strategy: error.strategy, need: error.need };
  }
  if (error instanceof StrategyParametersError) {
    return { code: error.code, strategy: error.strategy, issues: error.issues };
  }
  if (error instanceof StrategyFailedError) {
    const { code, strategy, reason, detail, cause } = error;
    const stack = cause instanceof Error ? String(cause.stack).slice(0, MAX_STACK) : '';
    return { code, strategy, reason, detail: firstLine(detail), stack };
  }
  if (error instanceof InvalidPoolError) return { code: 'invalid-pool', message: error.message };
  // What is left comes of passing on what a plugin made.
  const strategy = request.call === 'describe' ? request.input.file : request.input.strategy;
  return { code: 'strategy-failed', strategy, reason: 'invalid-result', detail: thrown(error), stack: '' };
}

port.unref();
reply({ kind: 'ready' });
