import { type PlacedPlugin, pluginAt } from '../strategies/plugins.ts';
import { CommandError } from './command.ts';

/** What the commands about one strategy are given. */

/** The plugin that a command is given. @throws {CommandError} it is none */
export async function pluginNamed(given: string): Promise<PlacedPlugin> {
  const placed = await pluginAt(given);
  if (placed === null) {
    throw new CommandError(
      `${given} is no plugin: that is a .ts or .js file, or a folder whose package.json names one, or with an index`,
    );
  }
  const { problem, file } = placed.plugin;
  if (problem !== null) throw new CommandError(`${file}: ${problem}`);
  return placed;
}

/** The strategy's parameters, unchecked. @throws {CommandError} they are no JSON */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError(
      `--parameters is a JSON object, such as '{"share":0.3}': ${(error as Error).message}`,
    );
  }
}
