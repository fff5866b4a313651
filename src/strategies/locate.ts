import { SourceMap } from 'node:module';
import { posix } from 'node:path';

/** How a plugin's code is named in stack traces. */
export const codeUrl = (file: string) => `concord-plugin:${file}`;

/**
 * The place in a plugin's own sources where an error was thrown, or whence the call went that threw:
 * `entropy.ts:12:5`.
 *
 * @param error anything that was thrown
 * @param file the plugin's file within the folder
 * @param map its source map, as JSON
 * @returns undefined if the stack shows no such place
 */
export function locate(error: unknown, file: string, map: string): string | undefined {
  if (!(error instanceof Error && error.stack)) return undefined;
  const sources = new SourceMap(JSON.parse(map));
  for (const frame of error.stack.split('\n')) {
    const start = frame.indexOf(`${codeUrl(file)}:`);
    if (start < 0) continue;
    const [, line, column] = /^:(\d+):(\d+)/.exec(frame.slice(start + codeUrl(file).length)) ?? [];
    const found = sources.findEntry(Number(line) - 1, Number(column) - 1);
    // The bundle holds what the plugin imports, too: the SDK and packages are no places to look at.
    if (!('originalSource' in found) || /^\.\.\/|(^|\/)node_modules\//.test(found.originalSource)) continue;
    // The map names sources from the plugin's own folder, people from the folder of all plugins.
    const source = posix.join(posix.dirname(file), found.originalSource);
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  }
  return undefined;
}
