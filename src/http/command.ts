import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';

/** An option of a sub-command; all take a value. */
export interface CommandOption {
  readonly placeholder: string;
  readonly help: string;
  /** The environment variable that stands in for it. */
  readonly env?: string;
  /** Without one, and without a variable, it must be given; empty: it may be left out. */
  readonly fallback?: string;
  /** Whether it may be given several times; its values come as one, parted as the paths in PATH are. */
  readonly isList?: boolean;
}

/** A sub-command of `concord`. */
export interface Command<Name extends string = string> {
  /** In the list of commands. */
  readonly summary: string;
  /** What to know before using it, in lines. */
  readonly about: string;
  readonly options: Readonly<Record<Name, CommandOption>>;
  /** What may follow the options, such as `[PROJECT…]`; null: nothing. */
  readonly rest: string | null;
  /**
   * Does it.
   * @returns whether all is well
   * @throws {CommandError} it cannot be done; the message says what to do
   */
  readonly run: (given: Readonly<Record<Name, string>>, rest: readonly string[]) => Promise<boolean>;
}

/** A command cannot be done, and whoever gave it can mend that: the message says how. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** The command line or the environment is wrong; the message says what to do. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

export function helpOf(name: string, { about, options, rest }: Command): string {
  const usage = Object.entries(options).map(([option, { placeholder, fallback, env }]) => {
    const text = `--${option} ${placeholder}`;
    return fallback === undefined && env === undefined ? text : `[${text}]`;
  });
  const lines = Object.entries(options).map(([option, { placeholder, help, env, fallback }]) => {
    const notes = [fallback && `default: ${fallback}`, env && `also ${env}`].filter(Boolean).join('; ');
    const flag = `  --${option} ${placeholder}`.padEnd(24);
    return `${flag}${help}${notes === '' ? '' : `\n${' '.repeat(24)}(${notes})`}`;
  });
  return `${wrapped('Usage: concord', [name, ...usage, ...(rest === null ? [] : [rest])])}

${about}

${lines.join('\n')}
  --help, -h            show this and exit
`;
}

/** The parts after the head, on as many lines as they need. */
function wrapped(head: string, parts: readonly string[]): string {
  const lines = [head];
  for (const part of parts) {
    const longer = `${lines.at(-1)} ${part}`;
    if (longer.length <= 100) lines[lines.length - 1] = longer;
    else lines.push(`${' '.repeat(head.length)} ${part}`);
  }
  return lines.join('\n');
}

/**
 * Runs a command with the arguments after its name.
 * @returns what the process exits with
 * @throws {ConfigError} the arguments are wrong
 */
export async function runCommand(
  name: string,
  command: Command,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const { values, isHelp, positionals } = parse(name, command, args);
  if (isHelp) {
    process.stdout.write(helpOf(name, command));
    return 0;
  }
  const given: Record<string, string> = {};
  for (const [option, { env: variable, fallback }] of Object.entries(command.options)) {
    const value = values[option]?.join(delimiter) ?? ((variable && env[variable]) || fallback);
    if (value === undefined || (value === '' && fallback !== '')) {
      throw new ConfigError(`--${option} is missing. See concord ${name} --help.`);
    }
    given[option] = value;
  }
  return (await command.run(given, positionals)) ? 0 : 1;
}

function parse(name: string, { options, rest }: Command, args: readonly string[]) {
  const texts = Object.fromEntries(
    Object.keys(options).map((option) => [option, { type: 'string' as const, multiple: true as const }]),
  );
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...texts, help: { type: 'boolean', short: 'h' } },
      strict: true,
      allowPositionals: rest !== null,
    });
    const { help = false, ...others } = parsed.values;
    const values = others as Record<string, string[] | undefined>;
    for (const [option, given = []] of Object.entries(values)) {
      // The last one counts, as is usual.
      if (options[option]?.isList !== true) values[option] = given.slice(-1);
    }
    return { values, isHelp: help === true, positionals: parsed.positionals };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}. See concord ${name} --help.`);
  }
}
