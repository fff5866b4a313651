import { availableParallelism } from 'node:os';
import { type Compiled, CompileError, compile } from './compile.ts';
import { BrokenStrategyError, UnknownStrategyError } from './errors.ts';
import type { StrategyInfo } from './host.ts';
import { locate, withPlace } from './locate.ts';
import { findPlugins, type PluginFile } from './plugins.ts';
import type { StrategyFiles, WorkerPlugin } from './protocol.ts';
import { type CallLimits, Thread, ThreadLost, type ThreadOptions, ThreadRefusal } from './threads.ts';

/** A plugin that rounds can use. */
export interface Usable {
  readonly file: string;
  readonly compiled: Compiled;
}

/** The plugins of a folder, as they were when it was read. */
export class PluginSet {
  readonly found: readonly FoundPlugin[];
  /** In the order of their files. */
  readonly infos: readonly StrategyInfo[];
  /** By their names. */
  readonly usable: ReadonlyMap<string, Usable>;
  readonly files: StrategyFiles;
  readonly plugins: readonly WorkerPlugin[];

  constructor(found: readonly FoundPlugin[]) {
    this.found = found;
    const usable = new Map<string, Usable>();
    this.infos = found.map(({ file, compiled, info }) => {
      if (info.problem !== null || compiled === null) return info;
      const namesake = usable.get(info.name);
      if (namesake !== undefined) {
        return { ...info, problem: `${namesake.file} has the name ${info.name} already` };
      }
      usable.set(info.name, { file, compiled });
      return info;
    });
    this.usable = usable;
    this.files = new Map([...usable].map(([name, { file }]) => [name, file]));
    this.plugins = found.flatMap(({ file, compiled }) => (compiled ? [{ file, code: compiled.code }] : []));
  }

  /** @throws {BrokenStrategyError | UnknownStrategyError} */
  find(strategy: string): Usable {
    const usable = this.usable.get(strategy);
    if (usable === undefined) throw this.missing(strategy);
    return usable;
  }

  missing(strategy: string): BrokenStrategyError | UnknownStrategyError {
    const broken = this.infos.find(({ name, problem }) => name === strategy && problem !== null);
    return broken?.problem
      ? new BrokenStrategyError(strategy, broken.file, broken.problem)
      : new UnknownStrategyError(strategy, [...this.usable.keys()].sort());
  }

  /** Whether nobody could tell the two apart. */
  isLike(other: PluginSet): boolean {
    return JSON.stringify(this.infos) === JSON.stringify(other.infos);
  }
}

/**
 * Finds, compiles and checks the plugins of a folder.
 *
 * @param before what was found when it was read last: what compiles to the same is not tried again
 * @throws {StrategyFolderError} the folder cannot be read
 */
export async function readPlugins(
  folder: string,
  threads: ThreadOptions,
  loading: CallLimits,
  before?: PluginSet,
): Promise<PluginSet> {
  const files = await findPlugins(folder);
  const compiling = files.map((plugin) => ({ plugin, compiled: compilePlugin(plugin, folder) }));
  // One that fails is heard of when its turn comes; it must not end the process before.
  for (const { compiled } of compiling) compiled.catch(() => {});
  const found = await eachOf(compiling, availableParallelism(), async ({ plugin, compiled }) => {
    const known = before?.found.find(({ file }) => file === plugin.file);
    if (known?.compiled && known.info.problem === null) {
      const now = await compiled;
      if (!(now instanceof CompileError) && now.version === known.compiled.version) return known;
    }
    return describePlugin(plugin, compiled, threads, loading);
  });
  return new PluginSet(found);
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

/** What came of a plugin's file: an info for the list, and its code if it compiles. */
export interface FoundPlugin {
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
