import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { plugin, pluginFolder } from '../strategies/support.ts';
import { addMember, claim, createProject, importSamples, must, publish, submit } from '../support/project.ts';
import { type Service, startService, type Variables } from '../support/service.ts';

/** A past round is chosen again from the journal alone, and held against what it opened with. */

const LIMIT = 40;
/** Looks at all that a project can give, and carries a state from round to round. */
const CURIOUS = (factor: string) =>
  plugin(
    'curious',
    `needs: ['probabilities', 'labelled', 'classCounts'],
    asks: () => [{ strategy: 'unsure' }],
    async select(pool, { labelled, classCounts, state, ask, random }) {
      const { ordinals, count } = pool;
      const asked = await ask('unsure', { count: Math.floor(count / 2) });
      const taken = new Set(asked.ordinals);
      const shift = (state?.rounds ?? 0) + labelled.length + classCounts[0];
      const rest = [...ordinals].filter((ordinal) => !taken.has(ordinal));
      rest.sort((a, b) => random(a, shift) - random(b, shift));
      const chosen = [...asked.ordinals, ...rest].slice(0, count);
      return {
        ordinals: Uint32Array.from(chosen),
        scores: Float64Array.from(chosen, (ordinal) => ${factor} * random(ordinal, shift)),
        state: { rounds: (state?.rounds ?? 0) + 1 },
      };
    },`,
  );
const UNSURE = plugin(
  'unsure',
  `needs: ['probabilities'],
  score: ({ length, classes, probabilities }) =>
    Float64Array.from({ length }, (_, i) => 1 - Math.max(...probabilities.subarray(i * classes, (i + 1) * classes))),`,
);

let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let folder: string;
let service: Service;
let project: string;

beforeEach(async () => {
  plugins = await pluginFolder({ 'curious.ts': CURIOUS('1'), 'unsure.ts': UNSURE });
  folder = await mkdtemp(join(tmpdir(), 'concord-replay-'));
  service = await startService({ plugins: plugins.folder, folder });
  project = await createProject(service, {
    labels: ['ham', 'spam'],
    policy: { overlapShare: 0, autoAcceptThreshold: 0.95, auditCap: 3, workSessionMinutes: 0 },
  });
  const keys = Array.from({ length: LIMIT }, (_, i) => `k${i}`);
  await importSamples(
    service,
    project,
    keys.map((key) => ({ key, data: key })),
  );
  await publish(service, project, predictions(0));
});

afterEach(async () => {
  await service.close();
  await plugins[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const predictions = (shift: number) =>
  Object.fromEntries(
    Array.from({ length: LIMIT - 4 }, (_, i) => {
      const p = ((i * 7 + shift) % LIMIT) / LIMIT;
      return [`k${i}`, [p, 1 - p]] as const;
    }),
  );

async function again() {
  await service.close();
  service = await startService({ plugins: plugins.folder, folder });
}

const raw = (id: string) => Buffer.from(id, 'base64').toString().split(':').slice(1).join(':');
const idOf = (type: string, local: string) => Buffer.from(`${type}:${local}`).toString('base64');

const replay = async (round: number, args: Variables = {}, token = service.ownerToken) => {
  const { replay: read } = await service.query<{ replay: unknown }>(
    token,
    `query Q($round: ID!, $strategy: String, $parameters: JSONObject, $top: Int) {
      replay(round: $round, strategy: $strategy, parameters: $parameters, top: $top) {
        strategy verdict problem changed { name was is } recorded chosen common jaccard firstDifference
        top { rank recorded { key number score } replayed { key number score } }
      }
    }`,
    { round: idOf('Round', `${raw(project)}/${round}`), ...args },
  );
  return read;
};

const identical = (recorded: number) => ({
  verdict: 'IDENTICAL',
  problem: null,
  changed: [],
  recorded,
  chosen: recorded,
  common: recorded,
  jaccard: 1,
  firstDifference: null,
});

/** Opens three rounds; people answer all of each but one sample, and a new prediction run comes between. */
async function history(): Promise<void> {
  const anna = await addMember(service, project, 'ANNOTATOR');
  for (let round = 1; round <= 3; round++) {
    const input = { project, strategy: 'curious', size: 6, seed: round };
    const { id } = await must(service, service.ownerToken, 'openRound', input, '... on Round { id }');
    for (let answer = 0; answer < 5; answer++) {
      const [assignment] = (await claim(service, anna, project)).assignments;
      await submit(service, anna, assignment?.id ?? '', answer % 2 === 0 ? 'ham' : 'spam');
    }
    await must(service, service.ownerToken, 'closeRound', { round: id }, '... on Round { id }');
    if (round === 2) await publish(service, project, predictions(3));
  }
}

describe('a past round', () => {
  it('is chosen again just the same, whatever has happened since, also by another service on the store', async () => {
    await history();
    for (const round of [1, 2, 3]) {
      expect(await replay(round), `round ${round}`).toMatchObject({ strategy: 'curious', ...identical(6) });
    }
    await again();
    for (const round of [3, 1, 2]) expect(await replay(round)).toMatchObject(identical(6));
    const driver = await addMember(service, project, 'DRIVER');
    const viewer = await addMember(service, project, 'VIEWER');
    expect(await replay(1, {}, driver.token)).toMatchObject(identical(6));
    expect(await replay(1, {}, viewer.token)).toBeNull();
  });

  it('is the same though samples were taken while its strategy chose', async () => {
    const at = (file: string) => join(folder, file);
    await writeFile(
      join(plugins.folder, 'slow.ts'),
      plugin(
        'slow',
        `async select({ ordinals, count }) {
          writeFileSync(${JSON.stringify(at('begun'))}, '');
          while (!existsSync(${JSON.stringify(at('taken'))})) await new Promise((next) => setTimeout(next, 10));
          return { ordinals: ordinals.slice(0, count) };
        },`,
        "import { existsSync, writeFileSync } from 'node:fs';",
      ),
    );
    await again();
    const anna = await addMember(service, project, 'ANNOTATOR');
    const policy = { withoutRound: 'POOL' };
    await must(service, service.ownerToken, 'updatePolicy', { project, policy }, '... on Project { id }');
    const input = { project, strategy: 'slow', size: 6, seed: 1 };
    const opening = must(service, service.ownerToken, 'openRound', input, '... on Round { requested size }');
    // The pool has been read by now, and samples of its beginning are in hands by the time the round opens.
    await vi.waitFor(() => access(at('begun')), { timeout: 10_000 });
    const held = (await claim(service, anna, project, 2)).assignments;
    await writeFile(at('taken'), '');
    // One of the two may be an audit, from further behind.
    const taken = held.filter(({ data }) => Number(String(data).slice(1)) < 6);
    expect(taken.length).toBeGreaterThan(0);
    const size = 6 - taken.length;
    expect(await opening).toMatchObject({ requested: 6, size });
    await submit(service, anna, taken[0]?.id ?? '', 'ham');
    expect(await replay(1)).toMatchObject(identical(size));
  });

  it('whose strategy has changed says so, and what differs', async () => {
    await history();
    const { strategies } = await service.query<{ strategies: { name: string; version: string }[] }>(
      service.ownerToken,
      '{ strategies { name version } }',
    );
    const version = (name: string) => strategies.find((one) => one.name === name)?.version;
    // A comment is no change; other scores are, though the samples stay the same.
    await writeFile(join(plugins.folder, 'unsure.ts'), `// The same.\n${UNSURE}`);
    await writeFile(join(plugins.folder, 'curious.ts'), CURIOUS('0.5'));
    await again();
    expect(await replay(2, { top: 1 })).toEqual({
      ...identical(6),
      strategy: 'curious',
      verdict: 'DIFFERENT',
      changed: [{ name: 'curious', was: version('curious'), is: expect.stringMatching(/^[0-9a-f]{64}$/) }],
      firstDifference: 0,
      top: [{ rank: 0, recorded: expect.anything(), replayed: expect.anything() }],
    });

    await rm(join(plugins.folder, 'unsure.ts'));
    await again();
    expect(await replay(2)).toMatchObject({
      verdict: 'IMPOSSIBLE',
      problem: "There is no strategy 'unsure'. Known strategies: 'curious'.",
      changed: [{ name: 'curious' }, { name: 'unsure', was: version('unsure'), is: null }],
      chosen: 0,
    });
  });

  it('can be held against what another strategy would have chosen', async () => {
    await history();
    const compared = await replay(1, { strategy: 'unsure', top: 2 });
    // Half of it was the other strategy's choice; the other half was at random.
    expect(compared).toMatchObject({
      strategy: 'unsure',
      verdict: 'DIFFERENT',
      changed: [],
      recorded: 6,
      chosen: 6,
    });
    const { common, jaccard } = compared as { common: number; jaccard: number };
    expect(common).toBeGreaterThanOrEqual(3);
    expect(jaccard).toBeCloseTo(common / (12 - common), 9);
    expect(compared).toMatchObject({ top: [{ rank: 0 }, { rank: 1 }] });
    const refused = { verdict: 'IMPOSSIBLE', problem: expect.stringContaining('takes no parameters') };
    expect(await replay(1, { strategy: 'unsure', parameters: { a: 1 } })).toMatchObject(refused);
  });

  it('whose inputs are gone says which', async () => {
    await history();
    const { store } = service.concord;
    const live = service.concord.project(raw(project));
    const [run] = await live.read(({ runs }) => runs.slice(0, 1));
    const matrix = run?.published.parts[0]?.matrix ?? '';
    await store.deleteChunks([matrix], Number.MAX_SAFE_INTEGER);
    expect(await replay(2)).toMatchObject({
      verdict: 'IMPOSSIBLE',
      problem: `what it was chosen from is gone: chunk ${matrix} is missing from the store`,
    });
    // The third round was chosen from another run.
    expect(await replay(3)).toMatchObject(identical(6));
  });
});
