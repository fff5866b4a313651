import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RawSocket } from '../http/rawSocket.ts';
import { plugin, pluginFolder } from '../strategies/support.ts';
import { createProject, importSamples, openRound } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';

/** A strategy that chooses is stopped when nobody wants its answer any more. */

let folder: string;
let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let running: Service | null;
let service: Service;
let project: string;

const at = (name: string) => join(folder, name);
const appears = (name: string) => vi.waitFor(() => access(at(name)), { timeout: 10_000 });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'concord-stopping-'));
  plugins = await pluginFolder({
    // Chooses at once where it may; else it waits, and notes that it was stopped.
    'waits.ts': plugin(
      'waits',
      `async select({ ordinals, count }, { signal }) {
        if (!existsSync(${JSON.stringify(at('quick'))})) {
          writeFileSync(${JSON.stringify(at('begun'))}, '');
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          writeFileSync(${JSON.stringify(at('stopped'))}, '');
        }
        return { ordinals: ordinals.slice(0, count) };
      },`,
      "import { existsSync, writeFileSync } from 'node:fs';",
    ),
    'remembers.ts': plugin(
      'remembers',
      'score: ({ length }) => new Float64Array(length).fill(Math.min(1, calls++)),',
      'let calls = 0;',
    ),
    'loops.ts': plugin(
      'loops',
      `select() { writeFileSync(${JSON.stringify(at('begun'))}, ''); for (;;); },`,
      "import { writeFileSync } from 'node:fs';",
    ),
  });
  service = await startService({ plugins: plugins.folder });
  running = service;
  project = await createProject(service, { policy: { overlapShare: 0 } });
  await importSamples(
    service,
    project,
    Array.from({ length: 8 }, (_, i) => ({ key: `k${i}`, data: i })),
  );
});
afterEach(async () => {
  await running?.close();
  await plugins[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const faults = () => service.log.filter(({ level }) => level >= 50);
const OPEN = `mutation ($input: OpenRoundInput!) {
  openRound(input: $input) { __typename ... on Round { number } ... on Error { message } }
}`;
const REPLAY = 'query ($round: ID!) { replay(round: $round) { verdict problem } }';

/** Asks, and goes away as soon as the strategy has begun. */
async function askAndLeave(query: string, variables: object): Promise<void> {
  const leaving = new AbortController();
  const asking = fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${service.ownerToken}` },
    body: JSON.stringify({ query, variables }),
    signal: leaving.signal,
  });
  await appears('begun');
  leaving.abort();
  await expect(asking).rejects.toThrow('aborted');
}

/** The same over a WebSocket: completes the operation, or goes away altogether. */
async function askAndComplete(query: string, variables: object, goes: boolean): Promise<void> {
  const socket = await RawSocket.connect(service.url, service.ownerToken);
  socket.subscribe('1', query, variables);
  await appears('begun');
  if (goes) return socket.close();
  socket.say({ type: 'complete', id: '1' });
  await appears('stopped');
  // Nothing more is said of it, and its id may be taken anew.
  socket.subscribe('1', '{ __typename }');
  await socket.hear('next');
  await socket.hear('complete');
  await socket.close();
}

const OPEN_ROUND = 'query ($id: ID!) { node(id: $id) { ... on Project { openRound { id } } } }';

describe('a strategy that chooses is stopped', () => {
  it.each([
    ['has gone away', askAndLeave],
    ['has completed that over a WebSocket', (query, variables) => askAndComplete(query, variables, false)],
    ['has closed their WebSocket', (query, variables) => askAndComplete(query, variables, true)],
  ] as [string, typeof askAndLeave][])(
    'when whoever opened the round %s, and no round is opened',
    async (_, leave) => {
      await leave(OPEN, { input: { project, size: 2, strategy: 'waits' } });
      await appears('stopped');
      expect(await service.query(service.ownerToken, OPEN_ROUND, { id: project })).toEqual({
        node: { openRound: null },
      });
      // The one worker is free again.
      await openRound(service, project, { size: 2, strategy: 'remembers' });
      expect(faults()).toEqual([]);
    },
  );

  it('when whoever asked for a replay has gone away', async () => {
    await writeFile(at('quick'), '');
    const { id } = await openRound(service, project, { size: 2, strategy: 'waits' });
    await rm(at('quick'));
    await askAndLeave(REPLAY, { round: id });
    await appears('stopped');
    await writeFile(at('quick'), '');
    expect(await service.query(service.ownerToken, REPLAY, { round: id })).toEqual({
      replay: { verdict: 'IDENTICAL', problem: null },
    });
    expect(faults()).toEqual([]);
  });

  it('when the service stops, which is told to whoever waits, though the strategy loops', async () => {
    const input = { project, size: 2, strategy: 'loops' };
    const opening = service.ask(service.ownerToken, OPEN, { input });
    await appears('begun');
    await service.close();
    running = null;
    expect(await opening).toMatchObject({ status: 503, errors: [{ extensions: { code: 'RESTARTING' } }] });
    expect(faults()).toEqual([]);
  });
});

it('a replay does not meet what a strategy has kept in its worker from other calls', async () => {
  const ids: string[] = [];
  for (let round = 0; round < 2; round++) {
    const { id } = await openRound(service, project, { size: 2, strategy: 'remembers', seed: 1 });
    ids.push(id);
    await service.query(
      service.ownerToken,
      'mutation ($input: CloseRoundInput!) { closeRound(input: $input) { __typename } }',
      { input: { round: id } },
    );
  }
  const verdicts = [];
  for (const round of ids) verdicts.push(await service.query(service.ownerToken, REPLAY, { round }));
  expect(verdicts).toMatchObject([
    { replay: { verdict: 'IDENTICAL' } },
    { replay: { verdict: 'DIFFERENT' } },
  ]);
});
