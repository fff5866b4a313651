import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Command, CommandError, runCommand } from '../../src/http/command.ts';
import { COMMANDS } from '../../src/http/commands.ts';
import { plugin } from './support.ts';

/** `concord new-strategy`, `check-strategy` and `try-strategy`: what a researcher does before a service runs. */

const PLUGINS = fileURLToPath(new URL('../../plugins', import.meta.url));

let folder: string;
let written = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concord-kit-'));
  written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const concord = (name: string, ...args: string[]) =>
  runCommand(name, COMMANDS.get(name) as Command, args, {});

/** A file as numpy.save writes it. */
async function npy(
  name: string,
  type: string,
  shape: readonly number[],
  values: ArrayBufferView,
  order = 'False',
) {
  const fields = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const header = `${fields.padEnd(117)}\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const path = join(folder, name);
  await writeFile(
    path,
    Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(header), bytes]),
  );
  return path;
}

/** A plugin that comes with Concord. */
const shipped = (name: string) => join(PLUGINS, name);

const three = () => npy('p.npy', '<f4', [3, 2], Float32Array.of(0.9, 0.1, 0.5, 0.5, 0.7, 0.3));

describe('new-strategy', () => {
  it('writes a plugin that keeps every promise and can be tried, and its test', async () => {
    expect(await concord('new-strategy', '--folder', folder, 'my-own')).toBe(0);
    const file = join(folder, 'my-own.ts');
    expect(await readFile(join(folder, 'my-own.test.ts'), 'utf8')).toContain(
      "import strategy from './my-own.ts'",
    );
    written = '';
    expect(await concord('check-strategy', file)).toBe(0);
    expect(written).toMatch(/^(kept {4}it .+\n){13}$/);
    written = '';
    expect(await concord('try-strategy', file, await three())).toBe(0);
    expect(written).toMatch(/^my-own /);
    const [first] = written.split('\n').slice(5);
    expect(first).toMatch(/^1 +0\.500000 +1\.0000 +0 +0\.5000$/);
  });

  it('makes the folder, and a test that runs', async () => {
    const plugins = join(folder, 'deep/plugins');
    expect(await concord('new-strategy', '--folder', plugins, 'my-own')).toBe(0);
    expect(await readFile(join(plugins, 'my-own.test.ts'), 'utf8')).toContain(
      'conformance(strategy, { reload })',
    );
  });

  it('overwrites nothing, and takes no name that is none', async () => {
    await concord('new-strategy', '--folder', folder, 'mine');
    await expect(concord('new-strategy', '--folder', folder, 'mine')).rejects.toThrow('is there already');
    await expect(concord('new-strategy', '--folder', folder, 'My own')).rejects.toThrow('kebab-case');
    await expect(concord('new-strategy', '--folder', folder, 'margin')).rejects.toThrow('comes with Concord');
    await writeFile(join(folder, 'file'), '');
    await expect(concord('new-strategy', '--folder', join(folder, 'file'), 'x')).rejects.toThrow(
      'cannot be made',
    );
    await expect(concord('new-strategy', '--folder', folder)).rejects.toThrow(CommandError);
  });
});

describe('check-strategy', () => {
  it('says which promise is broken, and how', async () => {
    const file = join(folder, 'bad.ts');
    await writeFile(
      file,
      plugin('bad', 'score: ({ length }) => Float64Array.from({ length }, Math.random),'),
    );
    expect(await concord('check-strategy', file)).toBe(1);
    expect(written).toContain(
      'BROKEN  it uses no chance but its seed, and no clock\n        it used Math.random',
    );
    expect(written).toContain('kept    it leaves what it is given as it is');
  });

  it('finds chance and the clock that a strategy uses when it is imported', async () => {
    const file = join(folder, 'bad.ts');
    const score = 'score: ({ length }) => Float64Array.from({ length }, (_, i) => (luck * (i + 1)) % 1),';
    for (const [luck, used] of [
      ['Math.random()', 'Math.random'],
      ['(new Date().getFullYear() % 100) / 128', 'new Date()'],
    ] as const) {
      written = '';
      await writeFile(file, plugin('bad', score, `const luck = ${luck};`));
      expect(await concord('check-strategy', file)).toBe(1);
      expect(written).toContain('BROKEN  it chooses the same when it is imported anew\n');
      expect(written).toContain(`while it is imported it uses ${used}`);
    }
  });

  it('stops one that takes all memory, or ends its worker, and says where', async () => {
    const file = join(folder, 'bad.ts');
    for (const [body, problem] of [
      ['const all = []; for (;;) all.push(new Array(1e6).fill(0));', 'it used more than 512 MiB of memory'],
      ['process.exit(0);', 'it ended its worker, with code 0'],
      ['return new Promise(() => {});', 'never answers'],
    ]) {
      written = '';
      await writeFile(file, plugin('bad', `select() { ${body} },`));
      expect(await concord('check-strategy', file)).toBe(1);
      expect(written).toMatch(/^BROKEN {2}it chooses as many as it should.*\n.*\n$/);
      expect(written).toContain(problem);
    }
  });

  it('takes a folder, also by the file that it begins with, and does not take what lies in it for plugins', async () => {
    const own = join(folder, 'own');
    await mkdir(join(own, 'lib'), { recursive: true });
    await writeFile(join(own, 'package.json'), '{ "exports": "./lib/begin.ts" }');
    await writeFile(join(own, 'lib/helper.ts'), 'throw new Error("not to be loaded by itself");');
    await writeFile(
      join(own, 'lib/begin.ts'),
      plugin(
        'own',
        `asks: () => [{ strategy: 'beside' }, { strategy: 'random' }],
         select: (pool, { ask }) => ask('beside', { count: pool.count }),`,
      ),
    );
    await writeFile(
      join(folder, 'beside.ts'),
      plugin('beside', 'score: ({ length }) => new Float64Array(length),'),
    );
    for (const given of [own, join(own, 'lib/begin.ts')]) {
      written = '';
      expect(await concord('check-strategy', given)).toBe(0);
      expect(written).not.toContain('BROKEN');
    }
    written = '';
    expect(await concord('try-strategy', own, await three())).toBe(0);
    expect(written).toMatch(/^own /);
    expect(written).toContain('it may ask beside, random');
  });

  it('tells one whose name a strategy of Concord has', async () => {
    const file = join(folder, 'own.ts');
    await writeFile(file, plugin('margin', 'score: ({ length }) => new Float64Array(length),'));
    expect(await concord('check-strategy', file)).toBe(1);
    expect(written).toContain('the name margin is taken by concord/margin.ts; give it another');
    await expect(concord('try-strategy', file, await three())).rejects.toThrow(
      'the name margin is taken by concord/margin.ts, which comes first',
    );
  });

  it('lets a strategy ask those beside it', async () => {
    expect(await concord('check-strategy', shipped('hybrid.ts'), '--parameters', '{"share":0.5}')).toBe(0);
  });

  it('says why a file is no strategy', async () => {
    const file = join(folder, 'none.ts');
    await writeFile(file, 'export const nothing = 1;');
    await expect(concord('check-strategy', file)).rejects.toThrow('it has no default export');
    await writeFile(file, 'export default (;');
    await expect(concord('check-strategy', file)).rejects.toThrow(/none\.ts:1:17: /);
    await expect(concord('check-strategy', join(folder, 'missing.ts'))).rejects.toThrow(CommandError);
  });
});

describe('try-strategy', () => {
  it('takes what a strategy needs from files, in the types that numpy writes', async () => {
    const probabilities = await npy(
      'p.npy',
      '<f8',
      [4, 2],
      Float64Array.of(0.9, 0.1, 0.5, 0.5, 0.7, 0.3, 0.2, 0.8),
    );
    const embeddings = await npy('e.npy', '<f4', [4, 1], Float32Array.of(0, 1, 5, 2));
    const labels = await npy('l.npy', '<i8', [4], BigInt64Array.of(0n, -1n, -1n, -1n));
    const files = ['--embeddings', embeddings, '--labels', labels];
    await concord('try-strategy', shipped('k-center-greedy.ts'), probabilities, ...files, '--count', '2');
    expect(
      written
        .split('\n')
        .slice(5, 7)
        .map((line) => line.split(/ +/).slice(0, 2)),
    ).toEqual([
      ['2', '5.000000'],
      ['3', '2.000000'],
    ]);
    const passes = await npy(
      'm.npy',
      '<f4',
      [2, 4, 2],
      Float32Array.of(...[1, 0, 1, 0, 1, 0, 1, 0], ...[1, 0, 1, 0, 0, 1, 1, 0]),
    );
    written = '';
    await concord('try-strategy', shipped('bald.ts'), probabilities, '--passes', passes, '--count', '1');
    expect(written.split('\n')[5]).toMatch(/^2 +0\.693147/);
  });

  it('passes parameters on, and marks what was drawn at random', async () => {
    await concord('try-strategy', shipped('hybrid.ts'), await three(), '--parameters', '{"share":1}');
    expect(written).toContain('"share":1');
    expect(written.match(/ random$/gm)).toHaveLength(3);
  });

  it.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'a file that is none of numpy’s',
      async () => {
        await writeFile(join(folder, 'x'), 'hello, world');
        return [join(folder, 'x')];
      },
      /no \.npy file/,
    ],
    ['a missing file', async () => [join(folder, 'y')], /ENOENT/],
    [
      'one that is cut short',
      async () => [await npy('s.npy', '<f4', [3, 2], new Float32Array(5))],
      /cut short: 20 bytes of 24/,
    ],
    [
      'another type',
      async () => [await npy('c.npy', '<c8', [1, 2], new Float32Array(4))],
      /its numbers are <c8/,
    ],
    [
      'columns',
      async () => [await npy('f.npy', '<f4', [1, 2], new Float32Array(2), 'True')],
      /ascontiguousarray/,
    ],
    ['another shape', async () => [await npy('v.npy', '<f4', [4], new Float32Array(4))], /samples × classes/],
    [
      'rows that are no probabilities',
      async () => [await npy('n.npy', '<f4', [2, 2], Float32Array.of(0.5, 0.5, 1, 1))],
      /row 1 is no probabilities.*not to 2/,
    ],
    [
      'embeddings of others',
      async () => [await three(), '--embeddings', await npy('e.npy', '<f4', [2, 1], new Float32Array(2))],
      /3 × any is wanted/,
    ],
    [
      'labels that are no classes',
      async () => [await three(), '--labels', await npy('l.npy', '|u1', [3], Uint8Array.of(0, 1, 2))],
      /the class 2 of 2/,
    ],
    ['a count that is none', async () => [await three(), '--count', 'x'], /--count/],
    [
      'parameters that are no JSON',
      async () => [await three(), '--parameters', '{'],
      /--parameters is a JSON object/,
    ],
    [
      'parameters that it refuses',
      async () => [await three(), '--parameters', '{"a":1}'],
      /it takes no parameters/,
    ],
  ])('refuses %s', async (_, files, problem) => {
    const running = concord('try-strategy', shipped('margin.ts'), ...(await files()));
    await expect(running).rejects.toThrow(problem);
    await expect(running).rejects.toThrow(CommandError);
  });
});
