import { realpath } from 'node:fs/promises';
import { delimiter, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PluginFolder } from '../strategies/plugins.ts';

/** The package's folder, seen from `dist/bundle/http` as from `dist/src/http`; or from the sources. */
export const PACKAGE = new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url);

/** The folder of strategies that come with Concord. */
export const SHIPPED: PluginFolder = { path: fileURLToPath(new URL('plugins', PACKAGE)), prefix: 'concord/' };

/**
 * The folders of strategies: first those that come with Concord, so that their names mean the same everywhere, then
 * those that somebody adds.
 *
 * @param added paths, each one or several as in PATH; one that is named twice, or is Concord's own, counts once
 */
export async function pluginFolders(added: readonly string[]): Promise<PluginFolder[]> {
  const paths = added.flatMap((text) => text.split(delimiter)).filter((path) => path !== '');
  // One that is not there stays, so that whoever reads it says so.
  const known = new Set([await realpath(SHIPPED.path)]);
  const own: string[] = [];
  for (const path of paths) {
    const real = await realpath(path).catch(() => path);
    if (!known.has(real)) own.push(path);
    known.add(real);
  }
  const prefixOf = (path: string) => (own.length === 1 ? '' : normalize(path + sep).replaceAll(sep, '/'));
  return [SHIPPED, ...own.map((path) => ({ path, prefix: prefixOf(path) }))];
}
