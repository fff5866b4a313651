import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { hashText, type Need } from '@concord/sdk/strategy';
import { type Compiled, CompileError, compile } from './compile.ts';
import {
  BrokenStrategyError,
  MissingInputError,
  StrategyFailedError,
  StrategyHostClosedError,
  StrategyParametersError,
  UnknownStrategyError,
} from './errors.ts';
import { findPlugins, type PluginFile } from './plugins.ts';
import { InvalidPoolError, type SamplePool } from './pool.ts';
import type { Calls, WorkerError } from './protocol.ts';
import { type CallLimits, type SetTimer, ThreadLost, ThreadPool, ThreadRefusal } from './threads.ts';

export { NO_ROW, type SamplePool } from './pool.ts';

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
  readonly strategy: string;
  /** As in `StrategyInfo`. */
  readonly version: string;
  /** The strategies that it may have asked, and so rests on, in alphabetical order. */
  readonly asked: readonly { readonly strategy: string; readonly version: string }[];
  /** As parsed: checked, with defaults filled in. */
  readonly parameters: unknown;
}

/**
 * The strategies of one folder. Plugins run in worker threads; whatever they do, the thread that uses the
 * host goes on. They are trusted as far as any dependency is: a worker is no sandbox.
 */
export interface StrategyHost {
  /** All plugins found, in the order of their files. */
  list(): readonly StrategyInfo[];

  /**
   * Makes sure that a selection can begin, before anything long does.
   *
   * @param available what the project has
   * @returns the parameters as parsed, with defaults filled in
   * @throws {UnknownStrategyError | BrokenStrategyError | StrategyParametersError | MissingInputError}
   *   for the strategy or for one that it would ask
   * @throws {StrategyFailedError} its schema threw or did not end
   * @throws {StrategyHostClosedError}
   */
  check(strategy: string, parameters: unknown, available: readonly Need[]): Promise<unknown>;

  /**
   * Chooses samples. Requests beyond the number of workers wait their turn.
   *
   * Samples without a row in the matrix cannot be scored: a strategy that needs probabilities does not see
   * them. A strategy that scores chooses only among samples that need review.
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
  const { folder, environment, timeoutMs = 60_000, workers = defaultWorkers(), memoryMb = 512 } = options;
  const found = await Promise.all((await findPlugins(folder)).map(compilePlugin));
  const compiled = found.filter((plugin) => plugin.compiled !== null);
  const threads = {
    entry: await workerEntry(),
    data: {
      plugins: compiled.map(({ file, compiled }) => ({ file, code: compiled.code, map: compiled.map })),
    },
    setTimer: environment.setTimer,
    memoryMb,
  };
  const host = new Host({
    // A worker of its own, so that a check never waits for somebody's selection.
    checks: new ThreadPool(1, threads),
    selections: new ThreadPool(workers, threads),
    timeoutMs,
    loadTimeoutMs: options.loadTimeoutMs ?? Math.min(5_000, timeoutMs),
  });
  try {
    for (const plugin of found) {
      const info = await host.add(plugin);
      if (info.problem !== null) options.onProblem?.(info);
    }
  } catch (error) {
    await host.close();
    throw error;
  }
  return host;
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

type FoundPlugin = PluginFile &
  (
    | { readonly compiled: Compiled; readonly problem: null }
    | { readonly compiled: null; readonly problem: string }
  );

async function compilePlugin(plugin: PluginFile): Promise<FoundPlugin> {
  try {
    return { ...plugin, compiled: await compile(plugin.path), problem: null };
  } catch (error) {
    if (error instanceof CompileError) return { ...plugin, compiled: null, problem: error.message };
    throw error;
  }
}

interface HostParts {
  readonly checks: ThreadPool;
  readonly selections: ThreadPool;
  readonly timeoutMs: number;
  readonly loadTimeoutMs: number;
}

interface Usable {
  readonly file: string;
  readonly version: string;
}

class Host implements StrategyHost {
  readonly #parts: HostParts;
  readonly #infos: StrategyInfo[] = [];
  readonly #usable = new Map<string, Usable>();
  #files: ReadonlyMap<string, string> = new Map();

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  /** Imports a plugin, in a worker and within its time, and lists it. */
  async add(plugin: FoundPlugin): Promise<StrategyInfo> {
    const info = await this.#describe(plugin);
    this.#infos.push(info);
    if (info.problem === null && info.version !== null) {
      this.#usable.set(info.name, { file: info.file, version: info.version });
      this.#files = new Map([...this.#usable].map(([name, { file }]) => [name, file]));
    }
    return info;
  }

  async #describe({ file, stem, compiled, problem }: FoundPlugin): Promise<StrategyInfo> {
    const info = {
      name: stem,
      description: '',
      version: compiled?.version ?? null,
      file,
      needs: [],
      problem,
    };
    if (problem !== null) return info;
    try {
      const described = await this.#parts.checks.call('describe', { file }, this.#loading);
      const namesake = this.#usable.get(described.name);
      return namesake === undefined
        ? { ...info, ...described }
        : { ...info, ...described, problem: `${namesake.file} has the name ${described.name} already` };
    } catch (error) {
      if (error instanceof ThreadLost) return { ...info, problem: error.message };
      if (error instanceof ThreadRefusal && error.error.code === 'strategy-failed') {
        return { ...info, problem: error.error.detail };
      }
      throw error;
    }
  }

  get #loading(): CallLimits {
    return { timeoutMs: this.#parts.loadTimeoutMs };
  }

  list(): readonly StrategyInfo[] {
    return [...this.#infos];
  }

  async check(strategy: string, parameters: unknown, available: readonly Need[]): Promise<unknown> {
    const input = { files: this.#files, strategy, parameters, available };
    return (await this.#call(this.#parts.checks, 'check', input, this.#loading)).parameters;
  }

  async select(
    { strategy, parameters, seed, count, pool }: SelectRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<StrategySelection> {
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`count must be an integer ≥ 0, and is ${count}`);
    const input = { files: this.#files, strategy, parameters, seed: seedOf(seed), count, pool };
    const limits = { timeoutMs: this.#parts.timeoutMs, signal };
    const done = await this.#call(this.#parts.selections, 'select', input, limits);
    return {
      ...done.selection,
      strategy,
      version: this.#find(strategy).version,
      asked: done.asked.map((name) => ({ strategy: name, version: this.#find(name).version })),
      parameters: done.parameters,
    };
  }

  async close(): Promise<void> {
    const closed = new StrategyHostClosedError();
    await Promise.all([this.#parts.checks.close(closed), this.#parts.selections.close(closed)]);
  }

  async #call<Name extends 'check' | 'select'>(
    pool: ThreadPool,
    name: Name,
    input: Calls[Name]['input'],
    limits: CallLimits,
  ): Promise<Calls[Name]['output']> {
    this.#find(input.strategy);
    try {
      return await pool.call(name, input, limits);
    } catch (error) {
      if (error instanceof ThreadRefusal) throw this.#fromWire(error.error);
      if (error instanceof ThreadLost)
        throw new StrategyFailedError(input.strategy, error.reason, error.message);
      throw error;
    }
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
        return new StrategyFailedError(error.strategy, error.reason, error.detail);
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
