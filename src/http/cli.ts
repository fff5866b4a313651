#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { CommandError, ConfigError, runCommand } from './command.ts';
import { COMMANDS } from './commands.ts';
import { HELP, readConfig } from './config.ts';
import { PACKAGE } from './package.ts';

async function main(): Promise<void> {
  const [name = '', ...args] = process.argv.slice(2);
  const command = COMMANDS.get(name);
  if (command !== undefined) {
    // Whoever read the output, such as `head`, has enough of it.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
    });
    process.exitCode = await runCommand(name, command, args, process.env);
    return;
  }
  const config = readConfig(process.argv.slice(2), process.env);
  if (config === 'help') process.stdout.write(HELP);
  else if (config === 'version') process.stdout.write(`${version()}\n`);
  else {
    // graphql-js checks itself at every step unless this is said before it is loaded.
    process.env['NODE_ENV'] ??= 'production';
    // Only now: it loads everything else, and whoever asks for help need not wait for that.
    await (await import('./run.ts')).run(config);
  }
}

function version(): string {
  return JSON.parse(readFileSync(new URL('package.json', PACKAGE), 'utf8')).version;
}

main().catch((error: unknown) => {
  const isKnown =
    error instanceof ConfigError ||
    error instanceof CommandError ||
    (error instanceof Error && error.name === 'StartError');
  const told = isKnown ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`concord: ${told}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
