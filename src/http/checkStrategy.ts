import { checkPlugin, UnusablePluginError } from '../strategies/checking.ts';
import { CompileError, compile } from '../strategies/compile.ts';
import { findPlugins, type PlacedPlugin } from '../strategies/plugins.ts';
import { CommandError } from './command.ts';
import { realEnvironment } from './environment.ts';
import { pluginFolders, SHIPPED } from './package.ts';
import { jsonOf, pluginNamed } from './strategyArguments.ts';

/** How long the plugin may take to be imported, and each check, in milliseconds; a sound one takes a second. */
const TIMEOUT_MS = 10_000;
/** As in the service. */
const MEMORY = { memoryMb: 512, bufferMb: 2_048 };

/** `concord check-strategy`: the conformance suite over one plugin; whether it keeps every promise. */
export async function checkStrategy(
  options: { readonly parameters: string },
  files: readonly string[],
): Promise<boolean> {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) {
    throw new CommandError('give one plugin. See concord check-strategy --help.');
  }
  const placed = await pluginNamed(file);
  let isWell = true;
  const tell = (name: string, problem: string | null) => {
    isWell &&= problem === null;
    process.stdout.write(
      problem === null ? `kept    it ${name}\n` : `BROKEN  it ${name}\n        ${problem}\n`,
    );
  };
  const taken = await namesake(placed);
  try {
    await checkPlugin(placed.plugin.file, await compile(placed.plugin.path, placed.folder), {
      parameters: jsonOf(options.parameters),
      setTimer: realEnvironment.setTimer,
      timeoutMs: TIMEOUT_MS,
      ...MEMORY,
      onLoaded: (name) => {
        const file = taken(name);
        if (file !== null)
          tell('has a name of its own', `the name ${name} is taken by ${file}; give it another`);
      },
      others: () => sourcesBeside(placed),
      onChecked: tell,
    });
  } catch (error) {
    if (error instanceof CompileError) throw new CommandError(error.message);
    if (error instanceof UnusablePluginError) {
      throw new CommandError(`${file} cannot be used: ${error.message}`);
    }
    throw error;
  }
  return isWell;
}

/** Which of the strategies that come with Concord has a name; null: none, or it is the plugin itself. */
async function namesake({ plugin }: PlacedPlugin): Promise<(name: string) => string | null> {
  const shipped = await findPlugins(SHIPPED);
  return (name) => shipped.find(({ stem, path }) => stem === name && path !== plugin.path)?.file ?? null;
}

/** The plugins that it may ask: those that come with Concord, and those beside it, as far as they compile. */
async function sourcesBeside({ folder, plugin }: PlacedPlugin) {
  const folders = await pluginFolders([folder.path]);
  const found = await Promise.all(
    folders.map(async (one) => (await findPlugins(one)).map((plugin) => ({ one, plugin }))),
  );
  const compiling = found
    .flat()
    .filter((other) => other.plugin.path !== plugin.path && other.plugin.problem === null)
    .map(async (other) => ({
      file: other.plugin.file,
      code: (await compile(other.plugin.path, other.one)).code,
    }));
  const compiled = await Promise.allSettled(compiling);
  return compiled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
