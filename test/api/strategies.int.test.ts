import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plugin, pluginFolder } from '../strategies/support.ts';
import { createProject, importSamples, isRefused, must, mutate, publish } from '../support/project.ts';
import { PLUGINS, type Service, startService, type Variables } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';

/** What rounds keep of their strategies, and what they must never keep. */

const FIRST = 'select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),';
const making = (name: string, made: string) =>
  plugin(name, `parameters: z.any().transform(() => (${made})), ${FIRST}`, "import * as z from 'zod';");

let service: Service;
let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let project: string;

beforeAll(async () => {
  plugins = await pluginFolder({
    'makes-big-int.ts': making('makes-big-int', '{ n: 1n }'),
    'makes-list.ts': making('makes-list', '[1, 2]'),
    'makes-map.ts': making('makes-map', 'new Map([[1, 2]])'),
    'makes-nan.ts': making('makes-nan', '{ n: NaN }'),
    'makes-text.ts': making('makes-text', "{ text: 'x'.repeat(1e6) }"),
    'syntax.ts': 'export default = 1;',
  });
  await cp(PLUGINS, plugins.folder, { recursive: true });
  service = await startService({ plugins: plugins.folder });
  project = await createProject(service);
  const keys = Array.from({ length: 10 }, (_, i) => `k${i}`);
  await importSamples(
    service,
    project,
    keys.map((key) => ({ key, data: key })),
  );
  await publish(
    service,
    project,
    Object.fromEntries(keys.map((key, i) => [key, [0.5 + i / 100, 0.5 - i / 100]])),
  );
});

afterAll(async () => {
  await service.close();
  await plugins[Symbol.asyncDispose]();
});

const open = (input: Variables) =>
  mutate(
    service,
    service.ownerToken,
    'openRound',
    { project, size: 2, ...input },
    '... on Round { id strategy strategyVersion strategyAsked { name version } }',
  );

describe('a round', () => {
  it.each([
    ['makes-big-int', 'the parameters that its schema made hold a BigInt, which JSON cannot (at n)'],
    ['makes-list', 'the parameters that its schema made are an Array, and no JSON object'],
    ['makes-map', 'the parameters that its schema made are a Map, and no JSON object'],
    ['makes-nan', 'the parameters that its schema made hold NaN, which JSON cannot (at n)'],
    ['makes-text', 'the parameters that its schema made take more than 64 KiB as JSON'],
  ])('never keeps parameters that are no JSON: %s', async (strategy, problem) => {
    expect(await open({ strategy })).toMatchObject({
      code: 'STRATEGY_FAILED',
      strategy,
      problem,
      message: `The strategy '${strategy}' failed: ${problem}. No round was opened.`,
    });
    const { project: read } = await service.query<{ project: { openRound: unknown } }>(
      service.ownerToken,
      'query Q($project: ID!) { project(id: $project) { openRound { id } } }',
      { project },
    );
    expect(read.openRound).toBeNull();
  });

  it('never begins with parameters larger than it could keep', async () => {
    const parameters = { base: 'x'.repeat(70_000) };
    expect(await open({ strategy: 'hybrid', parameters })).toMatchObject({
      code: 'BAD_STRATEGY_PARAMETERS',
      issues: ['the parameters take more than 64 KiB as JSON'],
    });
  });

  it('names the strategy that nobody has, and not the one that would have asked it', async () => {
    const answer = await open({ strategy: 'hybrid', parameters: { base: 'nope' } });
    expect(answer).toMatchObject({ code: 'UNKNOWN_STRATEGY', strategy: 'nope' });
    expect(answer['message']).toMatch(/^There is no strategy 'nope'\./);
  });

  it('says once in which file a strategy is broken', async () => {
    expect(await open({ strategy: 'syntax' })).toMatchObject({
      code: 'BROKEN_STRATEGY',
      problem: 'syntax.ts:1:16: Unexpected "="',
    });
  });

  it('keeps the versions of all strategies that it rests on', async () => {
    const { strategies } = await service.query<{
      strategies: readonly { name: string; version: string }[];
    }>(service.ownerToken, '{ strategies { name version } }');
    const versionOf = (name: string) => strategies.find((one) => one.name === name)?.version;

    const hybrid = await open({ strategy: 'hybrid' });
    expect(hybrid).toMatchObject({
      strategyVersion: versionOf('hybrid'),
      strategyAsked: [{ name: 'margin', version: versionOf('margin') }],
    });
    if (isRefused(hybrid)) throw new Error(hybrid.message);
    await must(service, service.ownerToken, 'closeRound', { round: hybrid['id'] }, '... on Round { id }');
    expect(await open({ strategy: 'margin' })).toMatchObject({ strategyAsked: [] });
  });
});

describe('the list of strategies', () => {
  it('is pushed whenever a file in the folder has changed, and rounds go on with what is there', async () => {
    await using followed = await pluginFolder({ 'first.ts': plugin('first', FIRST) });
    const own = await startService({ plugins: followed.folder, watch: true });
    const reader = overWebSocket(own, own.ownerToken, 'subscription { strategies { name problem } }');
    try {
      const next = async () => (await reader.next(15_000))?.data;
      expect(await next()).toEqual({ strategies: [{ name: 'first', problem: null }] });
      await writeFile(join(followed.folder, 'second.ts'), plugin('second', FIRST));
      expect(await next()).toEqual({
        strategies: [
          { name: 'first', problem: null },
          { name: 'second', problem: null },
        ],
      });
      const fresh = await createProject(own);
      await importSamples(own, fresh, [{ key: 'a', data: 1 }]);
      const round = { project: fresh, strategy: 'second', size: 1 };
      await must(own, own.ownerToken, 'openRound', round, '... on Round { id }');
      await rm(join(followed.folder, 'first.ts'));
      expect(await next()).toEqual({ strategies: [{ name: 'second', problem: null }] });
    } finally {
      await reader.close();
      await own.close();
    }
  });
});
