import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStrategyHost, type StrategyHost, type StrategyInfo } from '../../src/strategies/host.ts';
import { environment, plugin, pluginFolder, unpredicted } from './support.ts';

/** The folder is followed while the host is open. */

const scoring = (name: string, score: string) =>
  plugin(name, `score: ({ length }) => new Float64Array(length).fill(${score}),`);

let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let host: StrategyHost;
const broken: StrategyInfo[] = [];
const trouble: unknown[] = [];
let changes = 0;

beforeEach(async () => {
  broken.length = 0;
  trouble.length = 0;
  changes = 0;
  plugins = await pluginFolder({ 'one.ts': scoring('one', '0.25') });
  host = await openStrategyHost({
    folder: plugins.folder,
    environment,
    watch: true,
    workers: 1,
    onProblem: (info) => broken.push(info),
    onTrouble: (error) => trouble.push(error),
  });
  host.onChange(() => changes++);
});
afterEach(async () => {
  await host.close();
  await plugins[Symbol.asyncDispose]();
});

const at = (file: string) => join(plugins.folder, file);
const names = () => host.list().map(({ name, problem }) => (problem === null ? name : `${name}: ${problem}`));
const becomes = (...expected: unknown[]) =>
  vi.waitFor(() => expect(names()).toEqual(expected), { timeout: 15_000, interval: 20 });
const select = (strategy: string) => host.select({ strategy, seed: 1, count: 2, pool: unpredicted(4) });

describe('a folder that is followed', () => {
  afterEach(() => expect(trouble).toEqual([]));

  it('has what is added, changed and removed, and tells of it', async () => {
    expect((await select('one')).scores[0]).toBe(0.25);
    const before = host.list()[0]?.version;

    await writeFile(at('two.ts'), scoring('two', '1'));
    await becomes('one', 'two');
    expect((await select('two')).ordinals).toHaveLength(2);
    expect(host.list()[0]?.version).toBe(before);

    // As editors save: under another name, then put in its place.
    await writeFile(at('.one.ts.new'), scoring('one', '0.5'));
    await rename(at('.one.ts.new'), at('one.ts'));
    await vi.waitFor(() => expect(host.list()[0]?.version).not.toBe(before), { timeout: 15_000 });
    const chosen = await select('one');
    expect(chosen.scores[0]).toBe(0.5);
    expect(chosen.version).toBe(host.list()[0]?.version);

    await writeFile(at('one.ts'), 'export default {');
    await becomes(expect.stringMatching(/^one: one\.ts:1:\d+: /), 'two');
    expect(broken.map(({ file }) => file)).toEqual(['one.ts']);
    await expect(select('one')).rejects.toThrow('strategy one (one.ts) is broken');

    await rm(at('one.ts'));
    await becomes('two');
    await expect(select('one')).rejects.toThrow('there is no strategy "one"');
    expect(changes).toBeGreaterThanOrEqual(4);
  });

  it('finds folders, what plugins in them import, and other packages at the next lock', async () => {
    const index = plugin(
      'half',
      'score: ({ length }) => new Float64Array(length).fill(value),',
      "import value from 'constant';",
    );
    await mkdir(at('half/node_modules/constant'), { recursive: true });
    const constant = (value: string) =>
      writeFile(at('half/node_modules/constant/index.js'), `export default ${value};`);
    await constant('0.5');
    await writeFile(at('half/package.json'), '{ "type": "module", "dependencies": { "constant": "1.0.0" } }');
    await writeFile(at('half/index.ts'), index);
    await becomes('half', 'one');
    expect((await select('half')).scores[0]).toBe(0.5);
    await constant('0.75');
    await writeFile(at('half/package-lock.json'), '{}');
    await vi.waitFor(async () => expect((await select('half')).scores[0]).toBe(0.75), { timeout: 15_000 });
  });

  it('leaves a selection under way with the code that it began with', async () => {
    const slow = (score: string) =>
      plugin(
        'slow',
        `async select({ ordinals, count }) {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          return { ordinals: ordinals.slice(0, count), scores: new Float64Array(count).fill(${score}) };
        },`,
      );
    await writeFile(at('slow.ts'), slow('0.25'));
    await becomes('one', 'slow');
    const before = host.list()[1]?.version;
    const selecting = select('slow');
    await writeFile(at('slow.ts'), slow('0.75'));
    await vi.waitFor(() => expect(host.list()[1]?.version).not.toBe(before), { timeout: 15_000 });
    const chosen = await selecting;
    expect([chosen.scores[0], chosen.version]).toEqual([0.25, before]);
    expect((await select('slow')).scores[0]).toBe(0.75);
  });
});

describe('a folder in whose place another is put', () => {
  /** What follows shows that the new one is followed. */
  async function follows(): Promise<void> {
    await writeFile(at('later.ts'), scoring('later', '1'));
    await becomes('later', 'two');
    await rm(at('later.ts'));
    await becomes('two');
  }

  it('by removing it and making it anew is read and followed', async () => {
    await rm(plugins.folder, { recursive: true });
    await mkdir(plugins.folder);
    await writeFile(at('two.ts'), scoring('two', '1'));
    await becomes('two');
    await follows();
  });

  it('by renaming, at one moment, is read and followed', async () => {
    const next = `${plugins.folder}-next`;
    await mkdir(next);
    await writeFile(join(next, 'two.ts'), scoring('two', '1'));
    await rename(plugins.folder, `${plugins.folder}-old`);
    await rename(next, plugins.folder);
    await becomes('two');
    await follows();
    await rm(`${plugins.folder}-old`, { recursive: true });
    expect(trouble).toEqual([]);
  });

  it('after it was missing for long is read and followed; what was there stands meanwhile, and it is said', async () => {
    await rm(plugins.folder, { recursive: true });
    await vi.waitFor(() => expect(String(trouble.at(-1))).toContain('cannot be read'), { timeout: 15_000 });
    expect((await select('one')).ordinals).toHaveLength(2);
    await mkdir(plugins.folder);
    await writeFile(at('two.ts'), scoring('two', '1'));
    await becomes('two');
    await follows();
  });
});
