import { resolve } from 'node:path';
import { hashText, type Need } from '@concord/sdk/strategy';
import { workerEntry } from './entry.ts';
import {
  type FailureReason,
  MissingInputError,
  StrategyFailedError,
  StrategyHostClosedError,
  StrategyParametersError,
} from './errors.ts';
import { type PluginSet, readPlugins } from './folder.ts';
import type { JsonObject } from './json.ts';
import { fileIn, locate, withPlace } from './locate.ts';
import { MemoryWatch } from './memoryWatch.ts';
import type { PluginFolder } from './plugins.ts';
import { InvalidPoolError, type SamplePool, shared } from './pool.ts';
import type { Calls, WorkerError } from './protocol.ts';
import { type CallLimits, type SetTimer, ThreadLost, ThreadPool, ThreadRefusal } from './threads.ts';
import { watchFolder } from './watching.ts';

export { type EmbeddingInputs, NO_ROW, type PredictionInputs, type SamplePool } from './pool.ts';

export interface StrategyHostOptions {
  /** The folder of plugins, or several. Of two plugins with one name, that of the earlier folder has it. */
  readonly folder: string | readonly PluginFolder[];
  /** Whether to follow the folders, so that what changes in them is found while the host is open. Default: false. */
  readonly watch?: boolean;
  readonly environment: { readonly setTimer: SetTimer };
  /** How long one selection may run, not counting its wait for a worker, in milliseconds. Default: 60,000. */
  readonly timeoutMs?: number;
  /** How long a plugin may take to be imported or to check its parameters. Default: 5,000, or `timeoutMs` if less. */
  readonly loadTimeoutMs?: number;
  /** How many selections run at the same time. Default: 2, so that one that loops does not hold up the others. */
  readonly workers?: number;
  /** The largest JavaScript heap of a worker, in MiB, typed arrays not counted. Default: 512. */
  readonly memoryMb?: number;
  /**
   * How much a selection may take up outside of that heap, in MiB: typed arrays, WebAssembly and the like, what it is
   * given not counted. Default: 2,048.
   */
  readonly bufferMb?: number;
  /** Called once for each broken plugin, when it is found. */
  readonly onProblem?: (broken: StrategyInfo) => void;
  /** Called when a folder cannot be followed or read any more; what was found before stands. */
  readonly onTrouble?: (error: unknown) => void;
}

/** A plugin of a folder, in order or not. */
export interface StrategyInfo {
  /** As it names itself; if that is not known, the name of its file without extension. */
  readonly name: string;
  /** One line; empty if it is not known. */
  readonly description: string;
  /** SHA-256 of all its code, in hexadecimal; null if it does not compile. */
  readonly version: string | null;
  /** Within its folder, behind the folder's prefix: `entropy.ts`, `power-margin/index.ts`. */
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
 * The strategies of some folders. Plugins run in worker threads, each of which serves one strategy and loads only
 * what that asks; whatever they do, the thread that uses the host goes on, and no other plugin is changed or
 * blamed. They are trusted as far as any dependency is: a worker is no sandbox.
 */
export interface StrategyHost {
  /** All plugins found, in the order of the folders and of their files. */
  list(): readonly StrategyInfo[];

  /** Calls back whenever the list has changed; the answer ends it. */
  onChange(listener: () => void): () => void;

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
   * @param options.isFresh whether in a worker that has served nobody before, alone; default: false. Then it does not
   * matter what the plugin has kept from earlier calls
   * @throws all that `check` throws
   * @throws {StrategyFailedError} the strategy threw, broke the contract, ran out of time or memory
   * @throws {RangeError} the pool, count or seed is not as described
   */
  select(
    request: SelectRequest,
    options?: { readonly signal?: AbortSignal; readonly isFresh?: boolean },
  ): Promise<StrategySelection>;

  /** Ends all workers. Calls under way are rejected with {@link StrategyHostClosedError}. */
  close(): Promise<void>;
}

/**
 * Finds, compiles and checks the plugins of one folder or several. A broken plugin is listed with its problem, and keeps
 * none of the others from being used. Of two with the same name, the first in the order of folders and files has it.
 *
 * @throws {StrategyFolderError} a folder cannot be read
 */
export async function openStrategyHost(options: StrategyHostOptions): Promise<StrategyHost> {
  const { environment, timeoutMs = 60_000, workers = 2 } = options;
  const { memoryMb = 512, bufferMb = 2_048 } = options;
  const { onProblem = () => {}, onTrouble = () => {} } = options;
  const given = options.folder;
  const folders = (typeof given === 'string' ? [{ path: given, prefix: '' }] : given).map(
    ({ path, prefix }) => ({ path: resolve(path), prefix }),
  );
  const { setTimer } = environment;
  const threads = { entry: await workerEntry('worker'), setTimer, memoryMb };
  const loading = { timeoutMs: options.loadTimeoutMs ?? Math.min(5_000, timeoutMs) };
  const memory = new MemoryWatch(bufferMb, setTimer);
  const read = (before?: PluginSet) => readPlugins(folders, { ...threads, memory }, loading, before);
  // Folders are followed before they are read, so that no change falls in between.
  let changed = () => {};
  const watch = { setTimer, onChange: () => changed(), onTrouble };
  const watches = options.watch ? await Promise.all(folders.map(({ path }) => watchFolder(path, watch))) : [];
  const unwatch = async () => {
    await Promise.all(watches.map((end) => end()));
  };
  try {
    const host = new Host({
      plugins: await read(),
      // A worker of its own, so that a check never waits for somebody's selection.
      checks: new ThreadPool(1, threads, memory),
      selections: new ThreadPool(workers, threads, memory),
      timeoutMs,
      loading,
      read,
      unwatch,
      onProblem,
      onTrouble,
    });
    changed = () => host.refresh();
    return host;
  } catch (error) {
    await unwatch();
    throw error;
  }
}

interface HostParts {
  readonly plugins: PluginSet;
  readonly checks: ThreadPool;
  readonly selections: ThreadPool;
  readonly timeoutMs: number;
  readonly loading: CallLimits;
  /** Reads the folders again. */
  readonly read: (before: PluginSet) => Promise<PluginSet>;
  /** Ends the following of the folders. */
  readonly unwatch: () => Promise<void>;
  readonly onProblem: (broken: StrategyInfo) => void;
  readonly onTrouble: (error: unknown) => void;
}

class Host implements StrategyHost {
  readonly #parts: HostParts;
  readonly #listeners = new Set<() => void>();
  #plugins: PluginSet;
  #isStale = false;
  #isClosed = false;
  #reading: Promise<void> | null = null;

  constructor(parts: HostParts) {
    this.#parts = parts;
    this.#plugins = parts.plugins;
    this.#tell(null);
  }

  list(): readonly StrategyInfo[] {
    return [...this.#plugins.infos];
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The folder has changed: reads it again, and once more for what changes meanwhile. */
  refresh(): void {
    this.#isStale = true;
    this.#reading ??= this.#readAgain().finally(() => {
      this.#reading = null;
    });
  }

  async #readAgain(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      try {
        const before = this.#plugins;
        const now = await this.#parts.read(before);
        if (this.#isClosed || now.isLike(before)) continue;
        this.#plugins = now;
        // Selections under way end with the code they began with; nobody else is served by their threads.
        this.#parts.checks.dismissIdle();
        this.#parts.selections.dismissIdle();
        this.#tell(before);
        for (const listener of this.#listeners) listener();
      } catch (error) {
        this.#parts.onTrouble(error);
      }
    }
  }

  /** Tells of broken plugins that were not so before. */
  #tell(before: PluginSet | null): void {
    for (const info of this.#plugins.infos) {
      const same = before?.infos.some(({ file, problem }) => file === info.file && problem === info.problem);
      if (info.problem !== null && !same) this.#parts.onProblem(info);
    }
  }

  async check(strategy: string, parameters: unknown, available: readonly Need[]): Promise<StrategyCheck> {
    const plugins = this.#plugins;
    const input = { files: plugins.files, strategy, parameters, available };
    return this.#call(plugins, this.#parts.checks, 'check', input, this.#parts.loading);
  }

  async select(
    { strategy, parameters, seed, count, pool, states = {} }: SelectRequest,
    { signal, isFresh = false }: { readonly signal?: AbortSignal; readonly isFresh?: boolean } = {},
  ): Promise<StrategySelection> {
    if (!Number.isSafeInteger(count) || count < 0)
      throw new RangeError(`count must be an integer ≥ 0, and is ${count}`);
    // The folder may change meanwhile: the selection is of the plugins as they are now.
    const plugins = this.#plugins;
    const input = {
      files: plugins.files,
      strategy,
      parameters,
      seed: seedOf(seed),
      count,
      pool: shared(pool),
      states,
    };
    const limits = { timeoutMs: this.#parts.timeoutMs, signal };
    const done = await this.#call(plugins, this.#parts.selections, 'select', input, limits, isFresh);
    return {
      ...done.selection,
      strategy,
      version: plugins.find(strategy).compiled.version,
      asked: done.asked.map((name) => ({ strategy: name, version: plugins.find(name).compiled.version })),
      parameters: done.parameters,
      states: done.states,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new StrategyHostClosedError();
    await Promise.all([
      this.#parts.unwatch(),
      this.#reading,
      this.#parts.checks.close(closed),
      this.#parts.selections.close(closed),
    ]);
  }

  /**
   * A thread serves one strategy, and loads only what that asks. Still it can be lost to what an earlier call
   * left behind, of a strategy that this one does not ask. So a call that loses a used thread is run once more,
   * in a fresh one: what goes wrong there is of its own making.
   */
  async #call<Name extends 'check' | 'select'>(
    plugins: PluginSet,
    pool: ThreadPool,
    name: Name,
    input: Calls[Name]['input'],
    limits: CallLimits,
    isFresh = false,
  ): Promise<Calls[Name]['output']> {
    const owner = { plugins: plugins.plugins, file: plugins.find(input.strategy).file };
    try {
      return await pool.call({ owner, fresh: isFresh }, name, input, limits).catch((error: unknown) => {
        const again = error instanceof ThreadLost && error.wasUsed && error.reason !== 'timed-out';
        if (!again) throw error;
        return pool.call({ owner, fresh: true }, name, input, limits);
      });
    } catch (error) {
      if (error instanceof ThreadRefusal) throw fromWire(plugins, error.error);
      if (error instanceof ThreadLost) throw fromLoss(plugins, error, input.strategy);
      throw error;
    }
  }
}

/** The strategy to blame is the one in whose file the error arose; if that is not known, the one that ran. */
function fromLoss(
  plugins: PluginSet,
  { strayStack, reason, message }: ThreadLost,
  ran: string,
): StrategyFailedError {
  const file = fileIn(strayStack);
  const [strategy = ran] = [...plugins.usable].find(([, usable]) => usable.file === file) ?? [];
  return failed(plugins, strategy, reason, message, strayStack);
}

function failed(
  { usable }: PluginSet,
  strategy: string,
  reason: FailureReason,
  detail: string,
  stack: string,
): StrategyFailedError {
  const plugin = usable.get(strategy);
  const place = plugin && locate(stack, plugin.file, plugin.compiled.map);
  return new StrategyFailedError(strategy, reason, withPlace(detail, place));
}

function fromWire(plugins: PluginSet, error: WorkerError): Error {
  switch (error.code) {
    case 'unknown-strategy':
      return plugins.missing(error.strategy);
    case 'strategy-parameters':
      return new StrategyParametersError(error.strategy, error.issues);
    case 'missing-input':
      return new MissingInputError(error.strategy, error.need);
    case 'strategy-failed':
      return failed(plugins, error.strategy, error.reason, error.detail, error.stack);
    case 'invalid-pool':
      return new InvalidPoolError(error.message);
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
