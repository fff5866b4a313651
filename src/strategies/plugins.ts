import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, parse, resolve } from 'node:path';
import { StrategyFolderError } from './errors.ts';
import { packageEntry } from './packageEntry.ts';

const EXTENSIONS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/** A folder in which plugins lie. */
export interface PluginFolder {
  readonly path: string;
  /** What stands before the names of its files, so that they are told from those of other folders; or nothing. */
  readonly prefix: string;
}

export interface PluginFile {
  /** As it is named within its folder, behind the folder's prefix: `entropy.ts`, or `power-margin/index.ts`. */
  readonly file: string;
  /** What people call the plugin while its own name is not known: `entropy`, `power-margin`. */
  readonly stem: string;
  /** Absolute. */
  readonly path: string;
  /** Why it has no code that could be compiled; null if it has. */
  readonly problem: string | null;
}

/**
 * The plugins of a folder, in the order of their file names: each file with an extension of TypeScript or
 * JavaScript modules, and each folder whose package.json names one (`exports`, `main`) or that has an `index` of such.
 * Passed over are names that begin with a dot or an underscore, declarations (`.d.ts`), tests (`.test.ts`), and
 * everything else.
 *
 * @throws {StrategyFolderError}
 */
export async function findPlugins(folder: PluginFolder): Promise<PluginFile[]> {
  const found: PluginFile[] = [];
  for (const entry of await list(folder.path)) {
    if (isPassedOver(entry.name)) continue;
    const one = (await isFolder(join(folder.path, entry.name), entry))
      ? await pluginOfFolder(folder, entry.name).catch((error: unknown) =>
          unreadable(folder, entry.name, error),
        )
      : EXTENSIONS.includes(extname(entry.name)) && plugin(folder, entry.name, parse(entry.name).name);
    if (one) found.push(one);
  }
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** A plugin, and the folder in which others lie beside it. */
export interface PlacedPlugin {
  readonly folder: PluginFolder;
  readonly plugin: PluginFile;
}

/**
 * The plugin that somebody points at: a file, a folder, or the file that a folder begins with. Null: it is none.
 *
 * @throws {StrategyFolderError}
 */
export async function pluginAt(given: string): Promise<PlacedPlugin | null> {
  const path = resolve(given);
  const [name, folder] = [basename(path), { path: dirname(path), prefix: '' }];
  const found = await stat(path).catch(() => null);
  if (found === null) return null;
  if (found.isDirectory()) {
    const plugin = await pluginOfFolder(folder, name);
    return plugin && { folder, plugin };
  }
  // A file with which a folder begins is that folder's: what lies beside it are no plugins.
  for (let inner = folder.path; dirname(inner) !== inner; inner = dirname(inner)) {
    const outer = { path: dirname(inner), prefix: '' };
    const begun = await pluginOfFolder(outer, basename(inner)).catch(() => null);
    if (begun?.path === path) return { folder: outer, plugin: begun };
  }
  return EXTENSIONS.includes(extname(name))
    ? { folder, plugin: plugin(folder, name, parse(name).name) }
    : null;
}

async function pluginOfFolder(folder: PluginFolder, name: string): Promise<PluginFile | null> {
  const path = join(folder.path, name);
  const named = await packageEntry(path, EXTENSIONS);
  if (named !== null) {
    const file = 'entry' in named ? named.entry : 'package.json';
    return plugin(folder, `${name}/${file}`, name, 'problem' in named ? named.problem : null);
  }
  const inside = (await list(path)).map((entry) => entry.name);
  const index = EXTENSIONS.map((extension) => `index${extension}`).find((one) => inside.includes(one));
  return index === undefined ? null : plugin(folder, `${name}/${index}`, name);
}

/** Also a link to one: so are folders shared that are developed elsewhere. */
async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  // A link that leads nowhere is no folder; if it has the name of a module, compiling says what is wrong.
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** A folder that cannot be looked into is a broken plugin like any other: the rest is there all the same. */
function unreadable(folder: PluginFolder, name: string, error: unknown): PluginFile | null {
  if (!(error instanceof StrategyFolderError)) throw error;
  const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
  // Removed since the folder around it was read: then it is no plugin.
  return code === 'ENOENT' ? null : plugin(folder, name, name, `it cannot be read (${String(code)})`);
}

function isPassedOver(name: string): boolean {
  return /^[._]|\.(d|test)\.[cm]?ts$|\.test\.[cm]?js$/.test(name) || name === 'node_modules';
}

function plugin(folder: PluginFolder, file: string, stem: string, problem: string | null = null): PluginFile {
  return { file: `${folder.prefix}${file}`, stem, path: resolve(folder.path, file), problem };
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new StrategyFolderError(folder, error);
  }
}
