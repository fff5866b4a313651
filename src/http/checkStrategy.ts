import { dirname, resolve } from 'node:path';
import type { Strategy } from '@concord/sdk/strategy';
import { conformance } from '@concord/sdk/strategy/testing';
import { CompileError } from '../strategies/compile.ts';
import { loadStrategy } from '../strategies/load.ts';
import { findPlugins } from '../strategies/plugins.ts';
import { CommandError } from './command.ts';
import { jsonOf } from './tryStrategy.ts';

/** `concord check-strategy`: the conformance suite over one plugin; whether it keeps every promise. */
export async function checkStrategy(
  options: { readonly parameters: string },
  files: readonly string[],
): Promise<boolean> {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0) {
    throw new CommandError('give one plugin. See concord check-strategy --help.');
  }
  const path = resolve(file);
  const isDone = mustEnd(file);
  try {
    return await check(path, file, options.parameters);
  } finally {
    isDone();
  }
}

async function check(path: string, file: string, parameters: string): Promise<boolean> {
  const strategy = await loadStrategy(path).catch((error: unknown) => {
    if (error instanceof CompileError) throw new CommandError(error.message);
    throw new CommandError(`${file} cannot be used: ${error instanceof Error ? error.message : error}`);
  });
  const others = strategy.kind === 'select' ? await neighbours(path) : [];
  let isWell = true;
  for (const { name, run } of conformance(strategy, { parameters: jsonOf(parameters), others })) {
    const problem = await run().then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    isWell &&= problem === null;
    process.stdout.write(
      problem === null ? `kept    it ${name}\n` : `BROKEN  it ${name}\n        ${problem}\n`,
    );
  }
  return isWell;
}

/** Has the process fail, and say why, if it ends before the answer is called: the plugin runs in it. */
function mustEnd(file: string): () => void {
  const tell = () => {
    process.exitCode = 1;
    process.stderr.write(
      `concord check-strategy: ${file}, or a plugin beside it, has ended the process or never answers\n`,
    );
  };
  process.once('exit', tell);
  return () => process.off('exit', tell);
}

/** The other plugins of the folder, which it may ask; those that cannot be loaded are not there for it. */
async function neighbours(path: string): Promise<Strategy[]> {
  const files = await findPlugins(dirname(path));
  const loading = files.filter((one) => one.path !== path).map((one) => loadStrategy(one.path));
  const loaded = await Promise.allSettled(loading);
  return loaded.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
