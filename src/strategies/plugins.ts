import { readdir } from 'node:fs/promises';
import { join, parse, resolve } from 'node:path';
import { StrategyFolderError } from './errors.ts';
import { packageEntry } from './packageEntry.ts';

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

export interface PluginFile {
  /** As it is named within the folder: `entropy.ts`, or `power-margin/index.ts`. */
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
export async function findPlugins(folder: string): Promise<PluginFile[]> {
  const found: PluginFile[] = [];
  for (const entry of await list(folder)) {
    if (/^[._]|\.(d|test)\.m?ts$|\.test\.m?js$/.test(entry.name) || entry.name === 'node_modules') continue;
    if (entry.isDirectory()) {
      const named = await packageEntry(join(folder, entry.name), EXTENSIONS);
      if (named !== null) {
        const file = 'entry' in named ? named.entry : 'package.json';
        const problem = 'problem' in named ? named.problem : null;
        found.push(plugin(folder, `${entry.name}/${file}`, entry.name, problem));
        continue;
      }
      const inside = (await list(join(folder, entry.name))).map(({ name }) => name);
      const index = EXTENSIONS.map((extension) => `index${extension}`).find((name) => inside.includes(name));
      if (index !== undefined) found.push(plugin(folder, `${entry.name}/${index}`, entry.name));
    } else {
      const { name, ext } = parse(entry.name);
      if (EXTENSIONS.includes(ext)) found.push(plugin(folder, entry.name, name));
    }
  }
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}

function plugin(folder: string, file: string, stem: string, problem: string | null = null): PluginFile {
  return { file, stem, path: resolve(folder, file), problem };
}

async function list(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new StrategyFolderError(folder, error);
  }
}
