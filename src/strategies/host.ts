import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashText, type Need } from '@concord/sdk/strategy';
import { type Compiled, CompileError, compile } from './compile.ts';
import {
  BrokenStrategyError,
  type FailureReason,
  MissingInputError,
  StrategyFailedError,
  StrategyHostClosedError,
  StrategyParametersError,
  UnknownStrategyError,
} from './errors.ts';
import type { JsonObject } from './json.ts';
import { fileIn, locate } from './locate.ts';
import { findPlugins, type PluginFile } from './plugins.ts';
import { InvalidPoolError, type SamplePool } from './pool.ts';
import type { Calls, WorkerError } from './protocol.ts';
import {
  type CallLimits,
  type SetTimer,
  Thread,
  ThreadLost,
  type ThreadOptions,
  ThreadPool,
  ThreadRefusal,
} from './threads.ts';

export { type EmbeddingInputs, NO_ROW, type PredictionInputs, type SamplePool } from './pool.ts';

export interface StrategyHostOptions {
  /** The plugin folder. It is read once, when the host is opened. */
  readonly folder: string;
  readonly environment: { readonly setTimer: SetTimer };
  /** How long one selection may run, not counting its wait for a worker, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number;
  /** How long a plugin may take to be imported or to check its parameters. Default: 5,000, or `timeoutMs` if less. */
  readonly loadTimeoutMs?: number;
  /** How many selections run at the same time. Default: one less than there are cores, from 1 to 2. */
  readonly workers?: number;
  /** The largest JavaScript heap of a worker, in MiB, typed arrays not counted. Default: 512. */
  readonly memoryMb?: number;
  /** Called once for each broken plugin while the host is opened. What it throws, `openStrategyHost` throws. */
  readonly onProblem?: (broken: StrategyInfo) => void;
}

/** A plugin of the folder, in order or not. */
export interface StrategyInfo {
  /** As it names itself; if that is not known, the name of its file without extension. */
  readonly name: string;
  /** One line; empty if it is not known. */
  readonly description: string;
  /** SHA-256 of all its code, in hexadecimal; null if it does not compile. */
  readonly version: string | null;
  /** Within the folder: `entropy.ts`, `power-margin/index.ts`. */
  readonly file: string;
  /** What it needs itself; what it needs with its parameters, `check` tells. */
  readonly needs: readonly Need[];
  /** Why it cannot be used, one line a problem; null if it can. */
  readonly problem: string | null;
}

export interface SelectRequest {
  readonly strategy: string;
  /** For the strategy's schema; undefined or null means none given. */
  readonly parameters?: unknown;
  /** An integer in 0 … 2^32 − 1, or any text. The same request and seed give the same answer. */
  readonly seed: number | string;
  /** How many samples, an integer ≥ 0. */
  readonly count: number;
  readonly pool: SamplePool;
  /** What strategies have kept in earlier rounds, by their names; default: nothing. */
  readonly states?: Readonly<Record<string, JsonObject>>;
}

/** What is known of a strategy with its parameters before it runs. */
export interface StrategyCheck {
  /** As parsed, with defaults filled in. */
  readonly parameters: JsonObject;
  /** What it and all that it may ask need. */
  readonly needs: readonly Need[];
}

/** Parallel arrays, one place a chosen sample. */
export interface StrategySelection {
  /** In the order in which to label them. At most `count`: fewer where fewer can be chosen. */
  readonly ordinals: Uint32Array;
  /** Raw scores, finite and ≥ 0; NaN where a sample has none, as when it was drawn at random. */
  readonly scores: Float64Array;
  /** The scores in 0 … 1; 0 where a sample has none. */
  readonly normalised: Float64Array;
  /** 1 where the sample was drawn uniformly at random, else 0. */
  readonly random: Uint8Array;
  /** The chance that each sample of the pool had to be drawn at random; null if none was. */
  readonly inclusionProbability: number | null;
  /** Why each was chosen, a line or null; null: no reason was given for any. */
  readonly reasons: readonly (string | null)[] | null;
  /** What the strategies keep for the next round, by their names; of those alone that returned a state. */
  readonly states: Readonly<Record<string, JsonObject>>;
  readonly strategy: string;
  /** As in `StrategyInfo`. */
  readonly version: string;
  /** The strategies that it may have asked, and so rests on, in alphabetical order. */
  readonly asked: readonly { readonly strategy: string; readonly version: string }[];
  /** As parsed: checked, with defaults filled in, and what JSON can hold. */
  readonly parameters: JsonObject;
}

/**
 * The strategies of one folder. Plugins run in worker threads, each of which serves one strategy and loads only
 * what that asks; whatever they do, the thread that uses the host goes on, and no other plugin is changed or
 * blamed. They are trusted as far as any dependency is: a worker is no sandbox.
 */
export interface StrategyHost {
  /** All plugins found, in the order of their files. */
  list(): readonly StrategyInfo[];

  /**
   * Makes sure that a selection can begin, before anything long does.
   *
   * @param available what the project has
   * @throws {UnknownStrategyError | BrokenStrategyError | StrategyParametersError | MissingInputError}
   *   for the strategy or for one that it would ask
   * @throws {StrategyFailedError} its schema threw, did not end, or made what JSON cannot hold
   * @throws {StrategyHostClosedError}
   */
  check(strategy: string, parameters: unknown, available: readonly Need[]): Promise<StrategyCheck>;

  /**
   * Chooses samples. Requests beyond the number of workers wait their turn.
   *
   * A strategy sees only samples of which there is what it needs. One that scores chooses only among samples that
   * need review.
   *
   * @param options.signal aborts the selection; it is then rejected with the signal's reason
   * @throws all that `check` throws
   * @throws {StrategyFailedError} the strategy threw, broke the contract, ran out of time or memory
   * @throws {RangeError} the pool, count or seed is not as described
   */
  select(request: SelectRequest, options?: { readonly signal?: AbortSignal }): Promise<StrategySelection>;

  /** Ends all workers. Calls under way are rejected with {@link StrategyHostClosedError}. */
  close(): Promise<void>;
}

/**
 * Finds, compiles and checks the plugins of a folder. A broken plugin is listed with its problem, and keeps
 * none of the others from being used. Of two with the same name, the first in the order of files has it.
 *
 * @throws {StrategyFolderError} the folder cannot be read
 */
export async function openStrategyHost(options: StrategyHostOptions): Promise<StrategyHost> {
  const { environment, timeoutMs = 60_000, workers = defaultWorkers(), memoryMb = 512 } = options;
  const folder = resolve(options.folder);
  const [files, entry] = await Promise.all([findPlugins(folder), workerEntry()]);
  const threads = { entry, setTimer: environment.setTimer, memoryMb };
  const loading = { timeoutMs: options.loadTimeoutMs ?? Math.min(5_000, timeoutMs) };
  const compiling = files.map((plugin) => ({ plugin, compiled: compilePlugin(plugin, folder) }));
  // One that fails is heard of when its turn comes; it must not end the process before.
  for (const { compiled } of compiling) compiled.catch(() => {});
  const found = await eachOf(compiling, availableParallelism(), ({ plugin, compiled }) =>
    describePlugin(plugin, compiled, threads, loading),
  );
  const plugins = found.flatMap(({ file, compiled }) => (compiled ? [{ file, code: compiled.code }] : []));
  const host = new Host({
    found,
    // A worker of its own, so that a check never waits for somebody's selection.
    checks: new ThreadPool(1, threads, plugins),
    selections: new ThreadPool(workers, threads, plugins),
    timeoutMs,
    loading,
  });
  for (const info of host.list()) {
    if (info.problem !== null) options.onProblem?.(info);
  }
  return host;
}

/** Does the same for each item, for at most so many at a time; the answers are in the order of the items. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [i, item] of left) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

function defaultWorkers(): number {
  return Math.max(1, Math.min(2, availableParallelism() - 1));
}

let entryOfSources: Promise<URL> | undefined;

/** The worker as it was built; run from sources, which workers cannot load, it is bundled first. */
async function workerEntry(): Promise<URL> {
  if (!import.meta.url.endsWith('.ts')) return new URL('./worker.js', import.meta.url);
  entryOfSources ??= compile(fileURLToPath(new URL('./worker.ts', import.meta.url))).then(
    ({ code }) => new URL(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`),
  );
  return entryOfSources;
}

/** What came of a plugin's file: an info for the list, and its code if it compiles. */
interface FoundPlugin {
  readonly file: string;
  readonly compiled: Compiled | null;
  readonly info: StrategyInfo;
}

async function compilePlugin({ path }: PluginFile, folder: string): Promise<Compiled | CompileError> {
  try {
    return await compile(path, folder);
  } catch (error) {
    if (error instanceof CompileError) return error;
    throw error;
  }
}

/** How long a plugin that was imported must go without an error before it is called good. */
const TRIAL_MS = 10;

/** Imports a plugin, within its time and in a worker of its own, where it can break nothing but itself. */
async function describePlugin(
  { file, stem }: PluginFile,
  compiling: Promise<Compiled | CompileError>,
  options: ThreadOptions,
  loading: CallLimits,
): Promise<FoundPlugin> {
  // It starts while the code is compiled.
  const starting = Thread.start(options, []);
  const info = { name: stem, description: '', version: null, file, needs: [] };
  try {
    const [compiled, thread] = await Promise.all([compiling, starting]);
    if (compiled instanceof CompileError) {
      return { file, compiled: null, info: { ...info, problem: compiled.message } };
    }
    const { code, map, version } = compiled;
    const problem = (text: string, stack: string) => ({
      file,
      compiled,
      info: { ...info, version, problem: withPlace(text, locate(stack, file, map)) },
    });
    try {
      await thread.call('describe', { file, code }, loading);
      await thread.linger(TRIAL_MS);
      // Asked again, for on a busy machine the worker may not have had a turn meanwhile.
      const described = await thread.call('describe', { file, code }, loading);
      return { file, compiled, info: { ...info, ...described, version, problem: null } };
    } catch (error) {
      if (error instanceof ThreadLost) return problem(error.message, error.strayStack);
      if (error instanceof ThreadRefusal && error.error.code === 'strategy-failed') {
        return problem(error.error.detail, error.error.stack);
      }
      throw error;
    }
  } finally {
    const ended = starting.then((thread) => thread.terminate(new Error('the plugin is described')));
    // If it did not start, that was thrown already.
    ended.catch(() => {});
  }
}

function withPlace(text: string, place: string | undefined): string {
  return place === undefined ? text : `${text} (${place})`;
}

interface HostParts {
  readonly found: readonly FoundPlugin[];
  readonly checks: ThreadPool;
  readonly selections: ThreadPool;
  readonly timeoutMs: number;
  readonly loading: CallLimits;
}

interface Usable {
  readonly file: string;
  readonly compiled: Compiled;
}

class Host implements StrategyHost {
  readonly #parts: HostParts;
  readonly #infos: readonly StrategyInfo[];
  readonly #usable = new Map<string, Usable>();
  readonly #files: ReadonlyMap<string, string>;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#infos = parts.found.map(({ file, compiled, info }) => {
      if (info.problem !== null || compiled === null) return info;
      const namesake = this.#usable.get(info.name);
      if (namesake !== undefined) {
        return { ...info, problem: `${namesake.file} has the name ${info.name} already` };
      }
      this.#usable.set(info.name, { file, compiled });
      return info;
    });
    this.#files = new Map([...this.#usable].map(([name, { file }]) => [name, file]));
  }

  list(): readonly StrategyInfo[] {
    return [...this.#infos];
  }

  async check(strategy: string, parameters: unknown, available: readonly Need[]): Promise<StrategyCheck> {
    const input = { files: this.#files, strategy, parameters, available };
    return this.#call(this.#parts.checks, 'check', input, this.#parts.loading);
  }

  async select(
    { strategy, parameters, seed, count, pool, states = {} }: SelectRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<StrategySelection> {
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`count must be an integer ≥ 0, and is ${count}`);
    const input = { files: this.#files, strategy, parameters, seed: seedOf(seed), count, pool, states };
    const limits = { timeoutMs: this.#parts.timeoutMs, signal };
    const done = await this.#call(this.#parts.selections, 'select', input, limits);
    return {
      ...done.selection,
      strategy,
      version: this.#find(strategy).compiled.version,
      asked: done.asked.map((name) => ({ strategy: name, version: this.#find(name).compiled.version })),
      parameters: done.parameters,
      states: done.states,
    };
  }

  async close(): Promise<void> {
    const closed = new StrategyHostClosedError();
    await Promise.all([this.#parts.checks.close(closed), this.#parts.selections.close(closed)]);
  }

  /**
   * A thread serves one strategy, and loads only what that asks. Still it can be lost to what an earlier call
   * left behind, of a strategy that this one does not ask. So a call that loses a used thread is run once more,
   * in a fresh one: what goes wrong there is of its own making.
   */
  async #call<Name extends 'check' | 'select'>(
    pool: ThreadPool,
    name: Name,
    input: Calls[Name]['input'],
    limits: CallLimits,
  ): Promise<Calls[Name]['output']> {
    const owner = this.#find(input.strategy).file;
    try {
      return await pool.call({ owner, fresh: false }, name, input, limits).catch((error: unknown) => {
        const again = error instanceof ThreadLost && error.wasUsed && error.reason !== 'timed-out';
        if (!again) throw error;
        return pool.call({ owner, fresh: true }, name, input, limits);
      });
    } catch (error) {
      if (error instanceof ThreadRefusal) throw this.#fromWire(error.error);
      if (error instanceof ThreadLost) throw this.#fromLoss(error, input.strategy);
      throw error;
    }
  }

  /** The strategy to blame is the one in whose file the error arose; if that is not known, the one that ran. */
  #fromLoss({ strayStack, reason, message }: ThreadLost, ran: string): StrategyFailedError {
    const file = fileIn(strayStack);
    const [strategy = ran] = [...this.#usable].find(([, usable]) => usable.file === file) ?? [];
    return this.#failed(strategy, reason, message, strayStack);
  }

  #failed(strategy: string, reason: FailureReason, detail: string, stack: string): StrategyFailedError {
    const plugin = this.#usable.get(strategy);
    const place = plugin && locate(stack, plugin.file, plugin.compiled.map);
    return new StrategyFailedError(strategy, reason, withPlace(detail, place));
  }

  #fromWire(error: WorkerError): Error {
    switch (error.code) {
      case 'unknown-strategy':
        return this.#missing(error.strategy);
      case 'strategy-parameters':
        return new StrategyParametersError(error.strategy, error.issues);
      case 'missing-input':
        return new MissingInputError(error.strategy, error.need);
      case 'strategy-failed':
        return this.#failed(error.strategy, error.reason, error.detail, error.stack);
      case 'invalid-pool':
        return new InvalidPoolError(error.message);
    }
  }

  #find(strategy: string): Usable {
    const usable = this.#usable.get(strategy);
    if (usable === undefined) throw this.#missing(strategy);
    return usable;
  }

  #missing(strategy: string): BrokenStrategyError | UnknownStrategyError {
    const broken = this.#infos.find(({ name, problem }) => name === strategy && problem !== null);
    return broken?.problem
      ? new BrokenStrategyError(strategy, broken.file, broken.problem)
      : new UnknownStrategyError(strategy, [...this.#usable.keys()].sort());
  }
}

/**
 * A number is a seed as it is; a text is hashed.
 *
 * @throws {RangeError}
 */
function seedOf(seed: number | string): number {
  if (typeof seed === 'string') return hashText(seed);
  if (seed >>> 0 === seed) return seed;
  throw new RangeError(`a seed is an integer in 0 … 2^32 − 1 or a text, and not ${seed}`);
}
