import { type Compiled, CompileError, compile } from './compile.ts';
import { BrokenStrategyError, UnknownStrategyError } from './errors.ts';
import type { StrategyInfo } from './host.ts';
import type { MemoryWatch } from './memoryWatch.ts';
import { findPlugins, type PlacedPlugin, type PluginFile, type PluginFolder } from './plugins.ts';
import type { StrategyFiles, WorkerPlugin } from './protocol.ts';
import type { CallLimits, ThreadOptions } from './threads.ts';
import { type Trial, tryPlugins } from './trial.ts';

/** A plugin that rounds can use. */
export interface Usable {
  readonly file: string;
  readonly compiled: Compiled;
}

/** The plugins of some folders, as they were when these were read. */
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
        const problem = `the name ${info.name} is taken by ${namesake.file}, which comes first; give this one another`;
        return { ...info, problem };
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
 * Finds, compiles and checks the plugins of folders.
 *
 * @param before what was found when it was read last: what compiles to the same is not tried again
 * @throws {StrategyFolderError} a folder cannot be read
 */
export async function readPlugins(
  folders: readonly PluginFolder[],
  threads: ThreadOptions & { readonly memory: MemoryWatch },
  loading: CallLimits,
  before?: PluginSet,
): Promise<PluginSet> {
  const found = await Promise.all(
    folders.map(async (folder) => (await findPlugins(folder)).map((plugin) => ({ folder, plugin }))),
  );
  const compiled = await Promise.all(found.flat().map(compilePlugin));
  const known = compiled.map((now) => before?.found.find((earlier) => isTheSame(earlier, now)));
  const untried = compiled.filter(
    (now, i): now is CompiledPlugin => known[i] === undefined && now.compiled !== null,
  );
  const tried = new Map((await tryPlugins(untried, threads, loading)).map((trial, i) => [untried[i], trial]));
  return new PluginSet(
    compiled.map((now, i) => known[i] ?? described(now, tried.get(now as CompiledPlugin))),
  );
}

/** What came of a plugin's file: an info for the list, and its code if it compiles. */
export interface FoundPlugin {
  readonly file: string;
  readonly compiled: Compiled | null;
  readonly info: StrategyInfo;
}

interface Uncompiled extends PluginFile {
  readonly compiled: null;
  readonly problem: string;
}

interface CompiledPlugin extends PluginFile {
  readonly compiled: Compiled;
}

async function compilePlugin({ plugin, folder }: PlacedPlugin): Promise<CompiledPlugin | Uncompiled> {
  const { problem } = plugin;
  if (problem !== null) return { ...plugin, compiled: null, problem: `${plugin.file}: ${problem}` };
  try {
    return { ...plugin, compiled: await compile(plugin.path, folder) };
  } catch (error) {
    if (error instanceof CompileError) return { ...plugin, compiled: null, problem: error.message };
    throw error;
  }
}

/** Whether a plugin is what it was: then it is as good or as broken as it was. */
function isTheSame(earlier: FoundPlugin, now: CompiledPlugin | Uncompiled): boolean {
  if (earlier.file !== now.file || now.compiled === null) return false;
  return earlier.compiled?.version === now.compiled.version;
}

function described(plugin: CompiledPlugin | Uncompiled, trial: Trial | undefined): FoundPlugin {
  const { file, stem, compiled } = plugin;
  const unknown = { name: stem, description: '', version: compiled?.version ?? null, file, needs: [] };
  if (plugin.compiled === null) return { file, compiled, info: { ...unknown, problem: plugin.problem } };
  if (trial === undefined) throw new Error(`${file} was not tried`);
  return { file, compiled, info: { ...unknown, ...trial } };
}
