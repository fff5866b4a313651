import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { StrategyFailedError } from '../../src/strategies/errors.ts';
import { openStrategyHost, type StrategyHost } from '../../src/strategies/host.ts';
import type { SetTimer } from '../../src/strategies/threads.ts';
import { closing, environment, plugin, pluginFolder, unpredicted } from './support.ts';

/** What one plugin does wrong is its own: no other is blamed, broken or changed. */

const FIRST = 'select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),';
const GOOD = plugin('good', FIRST);

/** Opens a host over some plugins, and closes both when the `using` block ends. */
async function hostOf(files: Readonly<Record<string, string>>, setTimer: SetTimer = environment.setTimer) {
  const plugins = await pluginFolder(files);
  const opening = openStrategyHost({ folder: plugins.folder, environment: { setTimer }, workers: 1 });
  const opened = await closing(opening);
  return {
    host: opened.host,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await plugins[Symbol.asyncDispose]();
    },
  };
}

const problems = (host: StrategyHost) =>
  Object.fromEntries(host.list().map(({ file, problem }) => [file, problem]));

const run = (host: StrategyHost, strategy: string, parameters: unknown = {}) =>
  host.select({ strategy, parameters, seed: 1, count: 2, pool: unpredicted(4) });

describe('while the folder is read', () => {
  it.each([
    ['rejects', "Promise.reject(new Error('stray'));", 'Error: stray'],
    [
      'rejects a little later',
      "(async () => { await 1; await 2; throw new Error('stray'); })();",
      'Error: stray',
    ],
    ['throws in a timer', "setTimeout(() => { throw new Error('stray'); });", 'Error: stray'],
    ['throws in a microtask', "queueMicrotask(() => { throw new Error('stray'); });", 'Error: stray'],
    ['rejects with what is no error', "Promise.reject('stray');", null],
    ['exits in a timer', 'setTimeout(() => process.exit(3));', 'its worker exited with code 3'],
    [
      'posts a message',
      "import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ kind: 'ready' });",
      'it posted a message to the service',
    ],
  ])('a plugin that %s is the one that is broken, before or behind others', async (_, stray, problem) => {
    const bad = (name: string) => plugin(name, FIRST, stray);
    await using opened = await hostOf({
      'a-bad.ts': bad('a-bad'),
      'good.ts': GOOD,
      'z-bad.ts': bad('z-bad'),
    });
    const { host } = opened;
    expect(problems(host)).toEqual({
      'a-bad.ts': expect.stringContaining(problem ?? 'stray'),
      'good.ts': null,
      'z-bad.ts': expect.stringContaining(problem ?? 'stray'),
    });
    if (problem === 'Error: stray') expect(problems(host)['a-bad.ts']).toMatch(/ \(a-bad\.ts:3:\d+\)$/);
    expect((await run(host, 'good')).ordinals).toHaveLength(2);
  });

  it('a plugin that changes what all share changes it for itself alone', async () => {
    await using opened = await hostOf({
      'a-vandal.ts': plugin('a-vandal', FIRST, 'Uint32Array.prototype.slice = () => new Uint32Array(9);'),
      'good.ts': GOOD,
    });
    const { host } = opened;
    expect(problems(host)).toEqual({ 'a-vandal.ts': null, 'good.ts': null });
    await expect(run(host, 'a-vandal')).rejects.toThrow(StrategyFailedError);
    expect([...(await run(host, 'good')).ordinals]).toEqual([0, 1]);
  });
});

describe('while strategies choose', () => {
  const late = (name: string, stray: string) =>
    plugin(name, `select({ ordinals, count }) { ${stray} return { ordinals: ordinals.slice(0, count) }; },`);
  /** Takes long enough for what others left behind to come up meanwhile. */
  const slow = (name: string, body = '') =>
    plugin(
      name,
      `async select({ ordinals, count }) {
        ${body}
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { ordinals: ordinals.slice(0, count) };
      },`,
    );

  it.each([
    ['an error', "setTimeout(() => { throw new Error('late'); }, 20);"],
    ['what is no error', "setTimeout(() => { throw 'late'; }, 20);"],
    ['an exit', 'setTimeout(() => process.exit(3), 20);'],
    [
      'a message',
      "setTimeout(() => process.getBuiltinModule('node:worker_threads').parentPort.postMessage(1), 20);",
    ],
  ])('%s that one leaves behind fails no other, before or behind it', async (_, stray) => {
    await using opened = await hostOf({ 'late.ts': late('late', stray), 'slow.ts': slow('slow') });
    const { host } = opened;
    expect((await run(host, 'slow')).ordinals).toHaveLength(2);
    expect((await run(host, 'late')).ordinals).toHaveLength(2);
    expect((await run(host, 'slow')).ordinals).toHaveLength(2);
    const waiting = [run(host, 'late'), run(host, 'slow'), run(host, 'late'), run(host, 'slow')];
    expect((await Promise.all(waiting)).map(({ ordinals }) => ordinals.length)).toEqual([2, 2, 2, 2]);
  });

  it.each([
    ['an error', "setTimeout(() => { throw new Error('late'); }, 20);"],
    ['what is no error', "setTimeout(() => { throw 'late'; }, 20);"],
  ])('%s of a strategy that was asked before, and is not now, costs a run and no more', async (_, stray) => {
    const asks = `
      parameters: z.object({ base: z.string() }),
      asks: ({ base }) => [{ strategy: base }],
      select: ({ count }, { parameters, ask }) => ask(parameters.base, { count }),`;
    await using opened = await hostOf({
      'asks.ts': plugin('asks', asks, "import * as z from 'zod';"),
      'late.ts': late('late', stray),
      'slow.ts': slow('slow'),
    });
    const { host } = opened;
    expect((await run(host, 'asks', { base: 'late' })).asked).toEqual([
      { strategy: 'late', version: expect.any(String) },
    ]);
    const chosen = await run(host, 'asks', { base: 'slow' });
    expect([...chosen.ordinals]).toEqual([0, 1]);
    expect(chosen.asked).toMatchObject([{ strategy: 'slow' }]);
  });

  it('a stray error is the fault of the strategy in whose file it arose', async () => {
    const asks = (name: string, base: string) =>
      plugin(
        name,
        `asks: () => [{ strategy: '${base}' }],
        async select({ count }, { ask }) {
          const chosen = await ask('${base}', { count });
          await new Promise((resolve) => setTimeout(resolve, 60));
          return chosen;
        },`,
      );
    await using opened = await hostOf({
      'asks.ts': asks('asks', 'late'),
      'late.ts': late('late', "setTimeout(() => { throw new RangeError('late'); }, 5);"),
    });
    const failed = { constructor: StrategyFailedError, strategy: 'late', reason: 'crashed' };
    for (let i = 0; i < 2; i++) {
      await expect(run(opened.host, 'asks')).rejects.toMatchObject({
        ...failed,
        detail: expect.stringMatching(/^RangeError: late \(late\.ts:8:\d+\)$/),
      });
    }
  });

  it('a strategy that always leaves the same behind is blamed for it, whatever ran before', async () => {
    await using opened = await hostOf({
      'good.ts': GOOD,
      'sometimes.ts': plugin(
        'sometimes',
        `parameters: z.object({ stray: z.boolean() }),
        select({ ordinals, count }, { parameters }) {
          if (parameters.stray) Promise.reject(new Error('stray'));
          return { ordinals: ordinals.slice(0, count) };
        },`,
        "import * as z from 'zod';",
      ),
    });
    const { host } = opened;
    const failed = { strategy: 'sometimes', reason: 'crashed' };
    await expect(run(host, 'sometimes', { stray: true })).rejects.toMatchObject(failed);
    expect((await run(host, 'sometimes', { stray: false })).ordinals).toHaveLength(2);
    await expect(run(host, 'sometimes', { stray: true })).rejects.toMatchObject(failed);
    expect((await run(host, 'good')).ordinals).toHaveLength(2);
  });

  it('a strategy finds nothing of what another kept', async () => {
    const counts = (name: string) =>
      plugin(
        name,
        'score: ({ length }) => new Float64Array(length).fill(globalThis.calls = (globalThis.calls ?? 0) + 0.25),',
      );
    await using opened = await hostOf({ 'one.ts': counts('one'), 'two.ts': counts('two') });
    expect((await run(opened.host, 'one')).scores[0]).toBe(0.25);
    expect((await run(opened.host, 'two')).scores[0]).toBe(0.25);
  });
});

describe('replies', () => {
  it.each([
    ['the port that it is shown', '[parentPort]'],
    ['all ports that it finds', "process._getActiveHandles().filter((handle) => 'postMessage' in handle)"],
  ])('that a plugin posts on %s are none', async (_, ports) => {
    const posts = plugin(
      'posts',
      `select({ ordinals, count }) {
        if (workerData !== null && 'port' in workerData) throw new Error('it sees the port of the host');
        const selection = {
          ordinals, scores: new Float64Array(4), normalised: new Float64Array(4),
          random: new Uint8Array(4).fill(1), inclusionProbability: 1,
        };
        for (const port of ${ports}) {
          port.postMessage({ kind: 'value', id: 1, value: { selection, parameters: {}, asked: [] } });
        }
        return { ordinals: ordinals.slice(0, count) };
      },`,
      "import { parentPort, workerData } from 'node:worker_threads';",
    );
    await using opened = await hostOf({ 'posts.ts': posts });
    await expect(run(opened.host, 'posts')).rejects.toMatchObject({
      strategy: 'posts',
      reason: 'invalid-result',
      detail: 'it posted a message to the service',
    });
  });
});

describe('the signal of a strategy', () => {
  /** A plugin that notes on a file, in its own folder, whether its signal was aborted while it ran. */
  const noting = (folder: string, wait: string) =>
    plugin(
      'notes',
      `async select({ ordinals, count }, { signal }) {
        writeFileSync(${JSON.stringify(folder)} + '/begun', '');
        ${wait}
        writeFileSync(${JSON.stringify(folder)} + '/ended', String(signal.reason));
        return { ordinals: ordinals.slice(0, count) };
      },`,
      "import { writeFileSync } from 'node:fs';",
    );

  it.each([
    ['finds it in a loop', 'while (!signal.aborted);'],
    ['finds it in a loop, as an error', 'try { for (;;) signal.throwIfAborted(); } catch {}'],
    ['hears it as an event', "await new Promise((end) => signal.addEventListener('abort', end));"],
  ])('tells it that nobody waits any more: it %s', async (_, wait) => {
    await using notes = await pluginFolder({});
    await using opened = await hostOf({ 'notes.ts': noting(notes.folder, wait) });
    const aborting = new AbortController();
    const request = { strategy: 'notes', seed: 1, count: 2, pool: unpredicted(4) };
    const aborted = opened.host.select(request, { signal: aborting.signal });
    await vi.waitFor(() => expect(existsSync(`${notes.folder}/begun`)).toBe(true), { timeout: 10_000 });
    aborting.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await vi.waitFor(
      () =>
        expect(readFileSync(`${notes.folder}/ended`, 'utf8')).toBe('Error: nobody wants the answer any more'),
      { timeout: 10_000 },
    );
  });
});

it('a selection that waits while its thread is started can be aborted', async () => {
  await using opened = await hostOf({ 'good.ts': GOOD });
  const aborting = new AbortController();
  const { host } = opened;
  const request = { strategy: 'good', seed: 1, count: 2, pool: unpredicted(4) };
  const aborted = host.select(request, { signal: aborting.signal });
  const next = host.select(request);
  aborting.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  expect((await next).ordinals).toHaveLength(2);
});

it('a plugin that leans on what another changes at its import is found broken, for it will be alone', async () => {
  await using opened = await hostOf({
    'a-adds.ts': plugin('adds', FIRST, '(Array.prototype as any).groupSums = () => 0;'),
    'b-leans.ts': plugin('leans', FIRST, '([] as any).groupSums();'),
    'c-hears.ts': plugin('hears', FIRST, "process.on('unhandledRejection', () => {});"),
    'd-rejects.ts': plugin('rejects', FIRST, "Promise.reject(new Error('stray'));"),
  });
  expect(problems(opened.host)).toEqual({
    'a-adds.ts': null,
    'b-leans.ts': expect.stringContaining('groupSums is not a function'),
    'c-hears.ts': null,
    'd-rejects.ts': expect.stringContaining('stray'),
  });
});

it('a worker that nobody wants for long is ended, with all it kept', async () => {
  const counts = `
      select: ({ ordinals }) => ({ ordinals: ordinals.slice(0, 2), reasons: [String(++runs), null] }),`;
  const waiting: (() => void)[] = [];
  const setTimer: SetTimer = (fn, ms) => {
    // The one that looks idle workers through is left to the test.
    if (ms === 10_000) waiting.push(fn);
    return ms === 10_000 ? () => {} : environment.setTimer(fn, ms);
  };
  await using opened = await hostOf({ 'counts.ts': plugin('counts', counts, 'let runs = 0;') }, setTimer);
  const { host } = opened;
  const ask = async () => (await run(host, 'counts')).reasons?.[0];
  expect([await ask(), await ask()]).toEqual(['1', '2']);
  const look = () => {
    for (const due of waiting.splice(0)) due();
  };
  look();
  expect(await ask()).toBe('3');
  look();
  look();
  expect(await ask()).toBe('1');
});
