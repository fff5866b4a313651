import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../src/domain/refusals.ts';
import { refusingFaults } from '../../src/service/strategyFaults.ts';
import { openStrategyHost } from '../../src/strategies/host.ts';
import { closing, environment, plugin, pluginFolder, poolOf, unpredicted } from './support.ts';

/** Holds docs/strategies.md to what is: its code runs, and each of its messages is one that somebody gets. */

const EXAMPLES = fileURLToPath(new URL('./page', import.meta.url));

let page: string;
beforeAll(async () => {
  page = await readFile(fileURLToPath(new URL('../../docs/strategies.md', import.meta.url)), 'utf8');
});

describe('the code of the page', () => {
  it('is that of the examples', async () => {
    const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);
    const files = await readdir(EXAMPLES);
    const texts = await Promise.all(files.map((file) => readFile(`${EXAMPLES}/${file}`, 'utf8')));
    expect([...blocks].sort()).toEqual(texts.sort());
  });

  it('runs', async () => {
    await using opened = await closing(openStrategyHost({ folder: EXAMPLES, environment }));
    const { host } = opened;
    const run = (strategy: string, count: number, parameters = {}, seed = 1) =>
      host.select({ strategy, parameters, seed, count, pool });
    const pool = poolOf([
      [0.9, 0.1, 0],
      [0.5, 0.4, 0.1],
      [0.6, 0.2, 0.2],
      [0.4, 0.3, 0.3],
    ]);
    expect(host.list().map(({ name, problem }) => [name, problem])).toEqual([
      ['every-other', null],
      ['jittered', null],
      ['runner-up', null],
    ]);
    const { ordinals, normalised } = await run('runner-up', 4);
    expect([...ordinals]).toEqual([1, 3, 2, 0]);
    expect(normalised[0]).toBeCloseTo(0.8);

    expect([...(await run('jittered', 4, { jitter: 0 })).ordinals]).toEqual([3, 1, 2, 0]);
    const jittered = await run('jittered', 4, { jitter: 1 });
    expect(await run('jittered', 4, { jitter: 1 })).toEqual(jittered);
    expect((await run('jittered', 4, { jitter: 1 }, 2)).ordinals).not.toEqual(jittered.ordinals);

    const other = await run('every-other', 2);
    expect([...other.ordinals]).toEqual([1, 2]);
    expect(other.asked).toMatchObject([{ strategy: 'runner-up' }]);
    expect([...(await run('every-other', 4, { base: 'jittered' })).ordinals].sort()).toEqual([0, 1, 2, 3]);
  });
});

/** The last cell of each row of the tables under a heading of columns, without its backquotes. */
function messages(heading: RegExp): string[] {
  const lines = page.split('\n');
  const found: string[] = [];
  for (let i = lines.findIndex((line) => heading.test(line)) + 2; lines[i]?.startsWith('|'); i++) {
    found.push(lines[i]?.match(/`([^`]*)` \|$/)?.[1] ?? `? ${lines[i]}`);
  }
  return found;
}

const score = (body: string) => plugin('bad', `score({ length }) { ${body} },`);
const select = (body: string, more = '') =>
  plugin('bad', `select({ ordinals, count, only }, { ask }) { ${body} }, ${more}`);
const schema = (body: string) =>
  plugin(
    'bad',
    `select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),
    parameters: ${body},`,
    "import * as z from 'zod';",
  );
const answers = (body: string) =>
  schema(`{ '~standard': { version: 1, vendor: 'test', validate: () => (${body}) } }`);
const FIRST = 'const chosen = ordinals.slice(0, count);';

/** Less than in service, so that the test is short; the page's figures are put in their place. */
const LIMITS = { timeoutMs: 3000, loadTimeoutMs: 1000, memoryMb: 32, bufferMb: 192 };
const asOnPage = (text: string) =>
  text
    .replace('within 3000 ms', 'within 60000 ms')
    .replace('within 1000 ms', 'within 5000 ms')
    .replace('than 32 MiB', 'than 512 MiB')
    .replace('than 192 MiB', 'than 2048 MiB');

/** A host over a plugin `bad`, the text of its file or all files, and a good one, `a`. */
async function hostOf(bad: string | Readonly<Record<string, string>>) {
  const a = plugin('a', 'score: ({ length }) => new Float64Array(length),');
  const files = typeof bad === 'string' ? { 'bad.ts': bad } : bad;
  const plugins = await pluginFolder({ 'a.ts': a, ...files });
  const opened = await closing(openStrategyHost({ folder: plugins.folder, environment, ...LIMITS }));
  return {
    host: opened.host,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await plugins[Symbol.asyncDispose]();
    },
  };
}

describe('what the page says of a plugin', () => {
  const IMPORTS = "import { defineStrategy } from '@concord/sdk/strategy';\n";
  const cases = [
    'export default = 1;',
    "import './nowhere.ts';",
    "throw new Error('no such model');",
    'export const strategy = 1;',
    'export default 1;',
    `${IMPORTS}export default defineStrategy({ name: 'bad', description: 'Bad.', score: () => new Float64Array(0) });`,
    plugin('a', 'score: ({ length }) => new Float64Array(length),'),
    { 'bad/package.json': '{ "main": "dist/index.js" }' },
    'for (;;);',
    'process.exit(3);',
    `Promise.reject(new Error('stray'));${plugin('bad', 'score: ({ length }) => new Float64Array(length),')}`,
  ];

  it('that cannot be used is so', async () => {
    const seen: string[] = [];
    for (const code of cases) {
      await using opened = await hostOf(code);
      const [a, bad] = opened.host.list();
      expect(a?.problem).toBeNull();
      seen.push(asOnPage(bad?.problem ?? ''));
    }
    expect(seen).toEqual(messages(/^\| the plugin /));
  });
});

describe('what the page says of a round', () => {
  type Case = readonly [code: string, parameters?: unknown, strategy?: string];

  async function refusal([code, parameters = {}, strategy = 'bad']: Case): Promise<Refusal> {
    await using opened = await hostOf(code);
    const request = { strategy, parameters, seed: 1, count: 2, pool: unpredicted(4) };
    try {
      await refusingFaults(() => opened.host.select(request));
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
    throw new Error(`nothing was refused: ${code}`);
  }

  it('that is refused is so', async () => {
    const good = select(`${FIRST} return { ordinals: chosen };`);
    const cases: Case[] = [
      [good, {}, 'nope'],
      ['export const strategy = 1;'],
      [schema('z.object({ size: z.number() })'), { size: 'large' }],
      [good, { size: 1 }],
      [good, { text: 'x'.repeat(70_000) }],
      [select('return ask("bad", { count });', "asks: () => [{ strategy: 'bad' }],")],
      [plugin('bad', "needs: ['probabilities'], score: ({ length }) => new Float64Array(length),")],
    ];
    const seen: string[] = [];
    for (const one of cases) seen.push((await refusal(one)).message);
    expect(seen).toEqual(messages(/^\| code /));
  });

  it('in which a strategy fails is so', async () => {
    const other = (body: string, more = '') => select(`${FIRST} return { ordinals: chosen, ${body} };`, more);
    const cases: string[] = [
      score("throw new Error('no such class');"),
      score("Promise.reject(new Error('stray')); return new Float64Array(length);"),
      score('for (;;);'),
      score('const all = []; for (;;) all.push({ all: [...all] });'),
      score('const all = []; for (;;) all.push(new Float64Array(1e6).fill(1));'),
      score('process.exit(0);'),
      score(
        "process.getBuiltinModule('node:worker_threads').parentPort.postMessage(1); return new Float64Array(length);",
      ),
      score('return [1, 2, 3, 4];'),
      score('return new Float64Array(3);'),
      score('return new Float64Array(length).fill(NaN);'),
      score('return new Float64Array(length).fill(3);'),
      score('return new Float64Array(length);').replace('maximum: () => 1', 'maximum: () => 0'),
      select('return undefined;'),
      select('return { ordinals: [0, 1] };'),
      select('return { ordinals };'),
      select('return { ordinals: ordinals.slice(0, 1) };'),
      select('return { ordinals: Uint32Array.of(0, 99) };'),
      select('return { ordinals: Uint32Array.of(0, 0) };'),
      other('scores: [1, 1]'),
      other('scores: new Float64Array(2)').replace('maximum: () => 1,', ''),
      other('normalised: Float64Array.of(2, 0)'),
      other('random: [1, 0]'),
      other('random: Uint8Array.of(2, 0)'),
      other('random: Uint8Array.of(1, 0)'),
      other('inclusionProbability: 0.5'),
      other("reasons: 'unsure'"),
      other("reasons: ['unsure', '']"),
      other('state: new Map()'),
      select('return { ordinals: only(Uint32Array.of(99)).ordinals };'),
      select("return ask('a', { count });"),
      select("return ask('a', { count: -1 });", "asks: () => [{ strategy: 'a' }],"),
      other('', "asks: () => [{ strategy: 'a' }, { strategy: 'a' }],"),
      other('', "asks: () => ['a'],"),
      schema('z.any().transform(() => new Map())'),
      schema('z.any().transform(() => ({ size: NaN }))'),
      schema("z.any().transform(() => ({ text: 'x'.repeat(70_000) }))"),
      answers('undefined'),
      answers('{ issues: [] }'),
    ];
    const seen: string[] = [];
    for (const code of cases) {
      const { message } = await refusal([code]);
      expect(message).toMatch(/^The strategy 'bad' failed: .*\. No round was opened\.$/);
      seen.push(
        asOnPage(message.slice("The strategy 'bad' failed: ".length, -'. No round was opened.'.length)),
      );
    }
    expect(seen).toEqual(messages(/^\| the strategy /));
  });
});
