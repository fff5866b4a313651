import { SourceMap } from 'node:module';
import { posix } from 'node:path';

/** How a plugin's code is named in stack traces: with no space, colon or parenthesis, which have a meaning there. */
export function codeUrl(file: string): string {
  const encoded = encodeURIComponent(file).replace(/[()]/g, (sign) => (sign === '(' ? '%28' : '%29'));
  return `concord-plugin:${encoded}`;
}

/** The plugin whose code is nearest to where an error was thrown; undefined if the stack shows none. */
export function fileIn(stack: string): string | undefined {
  const named = /concord-plugin:([^\s:()]+):\d+:\d+/.exec(stack)?.[1];
  if (named === undefined) return undefined;
  try {
    return decodeURIComponent(named);
  } catch {
    // No name that we gave: a plugin can write into its stack what it likes.
    return undefined;
  }
}

export function withPlace(text: string, place: string | undefined): string {
  const explained = /\b__(dirname|filename) is not defined/.test(text) ? `${text}: ${BUNDLED}` : text;
  return place === undefined ? explained : `${explained} (${place})`;
}

/** Node's own message blames the kind of module. */
const BUNDLED =
  'a plugin is bundled with its packages, and has no place on the disk; import the file instead, such as "./x.wasm", which gives its bytes';

/**
 * The place in a plugin's own sources where an error was thrown, or whence the call went that threw:
 * `entropy.ts:12:5`.
 *
 * @param stack of what was thrown
 * @param file the plugin's file within the folder
 * @param map its source map, as JSON
 * @returns undefined if the stack shows no such place
 */
export function locate(stack: string, file: string, map: string): string | undefined {
  const url = codeUrl(file);
  if (!stack.includes(url)) return undefined;
  const sources = new SourceMap(JSON.parse(map));
  for (const frame of stack.split('\n')) {
    const start = frame.indexOf(`${url}:`);
    if (start < 0) continue;
    const [, line, column] = /^:(\d+):(\d+)/.exec(frame.slice(start + url.length)) ?? [];
    const found = sources.findEntry(Number(line) - 1, Number(column) - 1);
    // The bundle holds what the plugin imports, too: the SDK and packages are no places to look at.
    if (!('originalSource' in found) || /^\.\.\/|(^|\/)node_modules\//.test(found.originalSource)) continue;
    // The map names sources from the plugin's own folder, people from the folder of all plugins.
    const source = posix.join(posix.dirname(file), found.originalSource);
    return `${source}:${found.originalLine + 1}:${found.originalColumn + 1}`;
  }
  return undefined;
}
