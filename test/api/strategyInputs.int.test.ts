import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plugin, pluginFolder } from '../strategies/support.ts';
import {
  addMember,
  claim,
  createProject,
  importSamples,
  must,
  mutate,
  numbers,
  type Person,
  publish,
  rows,
  submit,
} from '../support/project.ts';
import { type Service, startService, type Variables } from '../support/service.ts';
import { overWebSocket } from '../support/streams.ts';

/** What is published reaches strategies, and what strategies give back reaches whom it concerns. */

/** Chooses the sample with the highest first number of what it looks at, and says what it was given as its reason. */
const looking = (name: string, needs: string, look: string) =>
  plugin(
    name,
    `needs: ${needs},
    select(pool, context) {
      const { ordinals, count } = pool;
      const seen = JSON.stringify(((pool, context) => ${look})(pool, context));
      return { ordinals: ordinals.slice(0, count), reasons: [...ordinals.slice(0, count)].map(() => seen) };
    },`,
    'const list = (numbers) => Array.from(numbers, (number) => Number(number.toFixed(3)));',
  );

let service: Service;
let plugins: Awaited<ReturnType<typeof pluginFolder>>;

beforeAll(async () => {
  plugins = await pluginFolder({
    'counting.ts': plugin(
      'counting',
      `select: ({ ordinals, count }, { state }) => ({
        ordinals: ordinals.slice(0, count),
        reasons: [...ordinals.slice(0, count)].map((o) => 'round ' + (state?.rounds ?? 0) + ' of ' + o),
        state: { rounds: (state?.rounds ?? 0) + 1 },
      }),`,
    ),
    'embedded.js': looking(
      'embedded',
      "['embeddings']",
      '[list(pool.ordinals), list(pool.embeddings), pool.dimensions]',
    ),
    'first.ts': plugin('first', 'select: ({ ordinals, count }) => ({ ordinals: ordinals.slice(0, count) }),'),
    'labels.js': looking(
      'labels',
      "['labelled', 'classCounts', 'cost']",
      '[list(context.labelled.ordinals), list(context.labelled.labels), list(context.classCounts), list(context.cost)]',
    ),
    'passing.js': looking(
      'passing',
      "['probabilities', 'passes']",
      '[list(pool.probabilities), pool.passes.map(list)]',
    ),
  });
  service = await startService({ plugins: plugins.folder });
});

afterAll(async () => {
  await service.close();
  await plugins[Symbol.asyncDispose]();
});

async function newProject(policy: Variables = {}, samples = 6): Promise<string> {
  const project = await createProject(service, {
    labels: ['ham', 'spam'],
    policy: { overlapShare: 0, auditCap: 0, coldStart: null, strategy: 'first', ...policy },
  });
  await importSamples(
    service,
    project,
    Array.from({ length: samples }, (_, i) => ({ key: `k${i}`, data: i })),
  );
  return project;
}

const round = (project: string, input: Variables) =>
  mutate<{ id: string; reasons: { edges: { node: { reason: string | null } }[] } }>(
    service,
    service.ownerToken,
    'openRound',
    { project, size: 1, seed: 1, ...input },
    '... on Round { id number strategy strategyOrigin requested size reasons: samples { edges { node { reason } } } }',
  );

const close = (id: unknown) =>
  must(service, service.ownerToken, 'closeRound', { round: id }, '... on Round { id }');

/** What a strategy says that it was given. */
async function seen(project: string, strategy: string): Promise<unknown> {
  const opened = await round(project, { strategy });
  if ('code' in opened) return opened.code;
  await close(opened.id);
  return JSON.parse(opened.reasons.edges[0]?.node.reason ?? 'null');
}

const upload = async (name: 'uploadPredictions' | 'uploadEmbeddings', input: Variables): Promise<string> =>
  (
    await must<{ receipt: string }>(
      service,
      service.ownerToken,
      name,
      input,
      '... on UploadedPart { receipt }',
    )
  ).receipt;

describe('embeddings', () => {
  const publishEmbeddings = (project: string, parts: readonly string[]) =>
    must(
      service,
      service.ownerToken,
      'publishEmbeddings',
      { project, model: 'encoder', parts },
      '... on Embeddings { number model dimensions rows }',
    );

  it('reach strategies without any prediction run, also of parts in any order, and the newest stand', async () => {
    const project = await newProject();
    expect(await seen(project, 'embedded')).toBe('MISSING_STRATEGY_INPUT');
    const part = (names: Variables, values: string) =>
      upload('uploadEmbeddings', { project, dimensions: 2, ...names, embeddings: values });
    const late = await part({ keys: ['k4', 'k1'] }, rows([4, 4.5], [1, 1.5]));
    const early = await part({ numbers: numbers(0) }, rows([0, -0.5]));
    expect(await publishEmbeddings(project, [late, early])).toMatchObject({
      number: 1,
      model: 'encoder',
      dimensions: 2,
      rows: 3,
    });
    expect(await seen(project, 'embedded')).toEqual([[0, 1, 4], [0, -0.5, 1, 1.5, 4, 4.5], 2]);

    const other = await upload('uploadEmbeddings', {
      project,
      dimensions: 1,
      keys: ['k3'],
      embeddings: rows([7]),
    });
    expect(await publishEmbeddings(project, [other])).toMatchObject({ number: 2, dimensions: 1 });
    expect(await seen(project, 'embedded')).toEqual([[3], [7], 1]);
    const { project: read } = await service.query<{ project: unknown }>(
      service.ownerToken,
      'query Q($project: ID!) { project(id: $project) { embeddings { number model rows } } }',
      { project },
    );
    expect(read).toEqual({ embeddings: { number: 2, model: 'encoder', rows: 1 } });
  });
});

describe('passes', () => {
  it('reach strategies beside their mean', async () => {
    const project = await newProject();
    await publish(service, project, { k0: [0.5, 0.5] });
    expect(await seen(project, 'passing')).toBe('MISSING_STRATEGY_INPUT');
    const receipt = await upload('uploadPredictions', {
      project,
      keys: ['k5', 'k2'],
      classes: 2,
      passes: [rows([0.5, 0.5], [1, 0]), rows([0, 1], [0.5, 0.5])],
    });
    expect(
      await must(
        service,
        service.ownerToken,
        'publishPredictions',
        { project, model: 'committee', parts: [receipt] },
        '... on PredictionRun { passes rows }',
      ),
    ).toMatchObject({ passes: 2, rows: 2 });
    expect(await seen(project, 'passing')).toEqual([
      [0.75, 0.25, 0.25, 0.75],
      [
        [1, 0, 0.5, 0.5],
        [0.5, 0.5, 0, 1],
      ],
    ]);
  });
});

describe('what people have labelled', () => {
  it('reaches strategies, with what it has cost', async () => {
    const project = await newProject({ withoutRound: 'POOL' });
    expect(await seen(project, 'labels')).toBe('MISSING_STRATEGY_INPUT');
    const anna = await addMember(service, project, 'ANNOTATOR');
    const answer = async (label: string, milliseconds?: number) => {
      const { assignments } = await claim(service, anna, project);
      const input = { assignment: assignments[0]?.id, label, milliseconds };
      await must(service, anna.token, 'submit', input, '... on Submission { assignment { id } }');
    };
    await answer('spam');
    expect(await seen(project, 'labels')).toBe('MISSING_STRATEGY_INPUT');
    await answer('spam', 2_000);
    await answer('spam', 3_000);
    expect(await seen(project, 'labels')).toEqual([
      [0, 1, 2],
      [1, 1, 1],
      [0, 3],
      [2.5, 2.5],
    ]);
    await answer('ham', 1_000);
    expect(await seen(project, 'labels')).toEqual([
      [0, 1, 2, 3],
      [1, 1, 1, 0],
      [1, 3],
      [1, 2.5],
    ]);
  });
});

describe('what a strategy keeps', () => {
  it('it is given in the next round, and its reasons are shown to those who steer', async () => {
    const project = await newProject({ suggestions: 'SHOWN' });
    const people: Readonly<Record<string, Person>> = {
      driver: await addMember(service, project, 'DRIVER'),
      annotator: await addMember(service, project, 'ANNOTATOR'),
      viewer: await addMember(service, project, 'VIEWER'),
    };
    const reasons: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const opened = await round(project, { strategy: 'counting', size: 2 });
      if ('code' in opened) throw new Error(opened.message);
      reasons.push(opened.reasons.edges.map(({ node }) => node.reason));
      if (i === 0) await close(opened.id);
    }
    expect(reasons).toEqual([
      ['round 0 of 0', 'round 0 of 1'],
      ['round 1 of 0', 'round 1 of 1'],
    ]);
    const shown: Record<string, unknown> = {};
    for (const [who, { token }] of Object.entries(people)) {
      const feed = overWebSocket(
        service,
        token,
        'subscription S($project: ID!) { prioritized(project: $project) { ... on PrioritizedSamples { samples { reason } } } }',
        { project },
      );
      shown[who] = (await feed.next())?.data?.['prioritized'];
      await feed.close();
    }
    const told = { samples: [{ reason: 'round 1 of 0' }, { reason: 'round 1 of 1' }] };
    const untold = { samples: [{ reason: null }, { reason: null }] };
    expect(shown).toEqual({ driver: told, annotator: untold, viewer: untold });
  });
});

describe('a cold start', () => {
  it('is what the policy names until the first prediction run, and the round says so', async () => {
    const project = await newProject({ strategy: 'passing', coldStart: { strategy: 'counting' } });
    const opened = await round(project, {});
    expect(opened).toMatchObject({
      strategy: 'counting',
      strategyOrigin: 'COLD_START',
      requested: 1,
      size: 1,
    });
    if ('code' in opened) throw new Error(opened.message);
    await close(opened.id);
    const named = await round(project, { strategy: 'first', size: 100 });
    expect(named).toMatchObject({ strategyOrigin: 'REQUEST', requested: 100, size: 6 });
    if ('code' in named) throw new Error(named.message);
    await close(named.id);

    await publish(service, project, { k0: [0.5, 0.5] });
    expect(await round(project, {})).toMatchObject({ code: 'MISSING_STRATEGY_INPUT', missing: 'passes' });
    const policy = (change: Variables) =>
      mutate(
        service,
        service.ownerToken,
        'updatePolicy',
        { project, policy: change },
        '... on Project { policy { strategy coldStart { strategy parameters } } }',
      );
    expect(await policy({ strategy: 'first' })).toMatchObject({
      policy: { strategy: 'first', coldStart: { strategy: 'counting', parameters: {} } },
    });
    expect(await round(project, {})).toMatchObject({ strategy: 'first', strategyOrigin: 'POLICY' });
    expect(await policy({ coldStart: { strategy: 'nope' } })).toMatchObject({ code: 'UNKNOWN_STRATEGY' });
    expect(await policy({ coldStart: null })).toMatchObject({ policy: { coldStart: null } });
  });

  it('without one, a strategy that needs predictions is refused', async () => {
    const project = await newProject({ strategy: 'passing' });
    expect(await round(project, {})).toMatchObject({ code: 'MISSING_STRATEGY_INPUT', strategy: 'passing' });
  });
});

describe('when to stop', () => {
  it('is told with each prediction run, over what nobody has labelled', async () => {
    const project = await newProject({ withoutRound: 'POOL', autoAcceptThreshold: null });
    const anna = await addMember(service, project, 'ANNOTATOR');
    const [first] = (await claim(service, anna, project)).assignments;
    await submit(service, anna, first?.id ?? '', 'ham');
    const run = async (predictions: Readonly<Record<string, readonly number[]>>) => {
      await publish(service, project, predictions);
      const { project: read } = await service.query<{ project: { predictionRun: { signals: unknown } } }>(
        service.ownerToken,
        `query Q($project: ID!) { project(id: $project) { predictionRun {
          signals { pool meanUncertainty compared changed kappa isStable }
        } } }`,
        { project },
      );
      return read.predictionRun.signals;
    };
    const sure = { k0: [1, 0], k1: [1, 0], k2: [1, 0], k3: [0, 1], k4: [0, 1] };
    expect(await run({ ...sure, k1: [0.5, 0.5] })).toEqual({
      pool: 4,
      meanUncertainty: expect.closeTo(0.25, 3),
      compared: 0,
      changed: 0,
      kappa: null,
      isStable: false,
    });
    // One of four changes: 3/4 agree, by chance (2 × 1 + 2 × 3) / 16 would.
    expect(await run({ ...sure, k2: [0, 1] })).toEqual({
      pool: 4,
      meanUncertainty: 0,
      compared: 4,
      changed: 1,
      kappa: 0.5,
      isStable: false,
    });
    await run(sure);
    const still = { pool: 4, meanUncertainty: 0, compared: 4, changed: 0, kappa: 1 };
    expect(await run(sure)).toEqual({ ...still, isStable: false });
    expect(await run(sure)).toEqual({ ...still, isStable: false });
    expect(await run(sure)).toEqual({ ...still, isStable: true });
  });
});
