import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { strategyNameProblem } from '@concord/sdk/strategy';
import { findPlugins } from '../strategies/plugins.ts';
import { CommandError } from './command.ts';
import { SHIPPED } from './package.ts';

/** `concord new-strategy`: a plugin that runs as it is, and its test. */
export async function newStrategy(
  { folder }: { readonly folder: string },
  names: readonly string[],
): Promise<boolean> {
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) {
    throw new CommandError('give one name. See concord new-strategy --help.');
  }
  const unfit = strategyNameProblem(name);
  if (unfit !== null) throw new CommandError(unfit);
  if ((await findPlugins(SHIPPED)).some(({ stem }) => stem === name)) {
    throw new CommandError(`a strategy that comes with Concord is named ${name}: give yours another name`);
  }
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new CommandError(`${folder} cannot be made: ${error.message}`);
  });
  const plugin = join(folder, `${name}.ts`);
  const test = join(folder, `${name}.test.ts`);
  await write(plugin, pluginText(name));
  await write(test, testText(name));
  const next = [
    [`concord check-strategy ${plugin}`, 'holds it to what every strategy promises'],
    [`concord try-strategy ${plugin} p.npy`, 'shows what it chooses from what numpy.save wrote'],
    [`concord --plugins ${folder}`, 'has the service offer it'],
  ] as const;
  const width = Math.max(...next.map(([command]) => command.length)) + 3;
  process.stdout.write(`${plugin}
${test}

Next:
${next.map(([command, what]) => `  ${command.padEnd(width)}${what}`).join('\n')}
The test is for vitest: npm install --save-dev vitest @concord/sdk, then npx vitest run.
`);
  return true;
}

/** Never overwrites. */
async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw new CommandError(`${path} is there already`);
    throw new CommandError(`${path} cannot be written: ${error.message}`);
  });
}

function pluginText(name: string): string {
  return `import { defineStrategy } from '@concord/sdk/strategy';

/** What it prefers, and the paper that it is from. */
export default defineStrategy({
  name: '${name}',
  description: 'Samples whose likeliest class is least likely.',
  needs: ['probabilities'],
  maximum: (classes) => (classes - 1) / classes,
  score({ length, classes, probabilities }) {
    const scores = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      scores[i] = Math.max(0, 1 - Math.max(...row));
    }
    return scores;
  },
});
`;
}

function testText(name: string): string {
  return `import { conformance } from '@concord/sdk/strategy/testing';
import { it, vi } from 'vitest';
import strategy from './${name}.ts';

/** Imported anew, it must choose the same. */
const reload = async () => {
  vi.resetModules();
  return (await import('./${name}.ts')).default;
};

for (const { name, run } of conformance(strategy, { reload })) it(name, run);
`;
}
