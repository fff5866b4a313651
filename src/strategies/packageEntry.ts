import { readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** Where the entry point of a folder is, within the folder; or why its package.json leads nowhere. */
export type PackageEntry = { readonly entry: string } | { readonly problem: string };

/** What a package may be imported under; which of them an entry has first decides, as in Node. */
const CONDITIONS = ['import', 'module-sync', 'node', 'default'];

/**
 * What the package.json of a folder names as its entry point: `exports` (of `.`), else `main`. Null if there is no
 * package.json, or it names neither.
 *
 * @param folder absolute
 * @param extensions those of modules; `main` may leave them out
 */
export async function packageEntry(
  folder: string,
  extensions: readonly string[],
): Promise<PackageEntry | null> {
  const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return { problem: 'it is no JSON' };
  }
  const { exports, main } = Object(manifest) as { exports?: unknown; main?: unknown };
  const [field, value] = exports === undefined ? ['main', main] : ['exports', named(exports)];
  if (value === undefined) {
    return exports === undefined ? null : { problem: 'exports names nothing to import' };
  }
  const names = `${field} names ${JSON.stringify(value)}`;
  if (typeof value !== 'string' || value === '') return { problem: `${names}, and must name a file` };
  const path = join(folder, value);
  const entry = relative(folder, path);
  if (entry === '..' || entry.startsWith(`..${sep}`)) {
    return { problem: `${names}, which is outside of the folder` };
  }
  const tried = [entry, ...(field === 'main' ? extensions.map((extension) => entry + extension) : [])];
  for (const file of tried) {
    const found = await stat(join(folder, file)).catch(() => null);
    if (!found?.isFile()) continue;
    if (extensions.includes(extname(file))) return { entry: file.replaceAll(sep, '/') };
    return { problem: `${names}, which is none of ${extensions.join(', ')}` };
  }
  return { problem: `${names}, and there is no such file` };
}

/** What an `exports` gives for the package itself. */
function named(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null) return exports;
  if (Array.isArray(exports)) return named(exports[0]);
  const of = exports as Readonly<Record<string, unknown>>;
  if ('.' in of) return named(of['.']);
  for (const [key, value] of Object.entries(of)) {
    if (!CONDITIONS.includes(key)) continue;
    const found = named(value);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}
