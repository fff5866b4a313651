import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSAL_CODES } from '../../src/domain/refusals.ts';
import { schema } from '../../src/graphql/schema.ts';
import { StoreFullError, StoreUnavailableError } from '../../src/journal/port.ts';
import { pluginFolder } from '../strategies/support.ts';
import {
  addMember,
  claim,
  createProject,
  importSamples,
  isRefused,
  must,
  mutate,
  mutation,
  numbers,
  openRound,
  type Person,
  publish,
  type Queue,
  type Refused,
  rows,
  submit,
} from '../support/project.ts';
import { PLUGINS, type Service, startService, type Variables } from '../support/service.ts';
import { overEvents, overWebSocket } from '../support/streams.ts';

/** Every refusal, through the API: typed, with its details, and nothing half-done afterwards. */

const BROKEN = { 'broken.ts': "throw new Error('no such model');" };
const THROWS = {
  'throws.ts': `import { defineStrategy } from '@concord/sdk/strategy';
export default defineStrategy({
  name: 'throws',
  description: 'Throws.',
  select() {
    throw new Error('cannot choose');
  },
});`,
};

const LABELS = ['animal', 'mineral', 'vegetable'];
const SURE = [0.98, 0.01, 0.01];
const UNSURE = [0.4, 0.3, 0.3];

let service: Service;
let plugins: Awaited<ReturnType<typeof pluginFolder>>;
let project: string;
let driver: Person;
let anna: Person;
let ben: Person;
let viewer: Person;
/** In a project of their own, and in no other. */
let outsider: Person;
/** A project of which nobody here but the owner knows. */
let other: string;
const storeFault: { error: Error | null } = { error: null };

beforeAll(async () => {
  const files = (await readdir(PLUGINS)).map(async (name) => [
    name,
    await readFile(join(PLUGINS, name), 'utf8'),
  ]);
  plugins = await pluginFolder({ ...Object.fromEntries(await Promise.all(files)), ...BROKEN, ...THROWS });
  service = await startService({
    plugins: plugins.folder,
    // The only way to a full disk that leaves this machine's alone.
    store: (store) =>
      new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          if (name !== 'append' || storeFault.error === null) return value.bind(target);
          return () => Promise.reject(storeFault.error);
        },
      }),
  });
  project = await createProject(service, { labels: LABELS, policy: { overlapShare: 0 } });
  other = await createProject(service, { name: 'Another' });
  driver = await addMember(service, project, 'DRIVER');
  anna = await addMember(service, project, 'ANNOTATOR', { name: 'Anna' });
  ben = await addMember(service, project, 'ANNOTATOR', { name: 'Ben' });
  viewer = await addMember(service, project, 'VIEWER');
  outsider = await addMember(service, other, 'DRIVER');
  await importSamples(
    service,
    project,
    Array.from({ length: 30 }, (_, i) => ({ key: `k${i}`, data: { text: `sample ${i}` } })),
  );
});

afterAll(async () => {
  await service?.close();
  await plugins?.[Symbol.asyncDispose]();
});

const provoked = new Set<string>();
/** The project that {@link ownProject} made last. */
let newest: readonly string[] = [];

/** What must stand as it stood after a refusal: all that owners can see, the number of commits too. */
async function standing(of: readonly string[] = [project, ...newest]): Promise<unknown> {
  const document = `query Standing($id: ID!) { project(id: $id) {
    name labels guidelines policy { roundSize strategy strategyParameters autoAcceptThreshold paused }
    progress { seq samples labelled answers }
    samples(first: 500) { edges { node { id key data predicted consensus { label votes of } } } }
    members { edges { node { role member { id name } } } }
    rounds { edges { node { id size settled isOpen } } }
    predictionRuns { edges { node { id model rows } } }
  } }`;
  return Promise.all(of.map((id) => service.query(service.ownerToken, document, { id })));
}

/** Does a mutation that must be refused, and sees that it has changed nothing. */
async function refused(token: string | null, name: string, input: Variables, code: string): Promise<Refused> {
  const before = await standing();
  const answer = await mutate(service, token, name, input);
  if (!isRefused(answer)) throw new Error(`${name} was not refused: ${JSON.stringify(answer)}`);
  expect(answer.code, answer.message).toBe(code);
  expect(answer.message.length).toBeGreaterThan(10);
  expect(answer.__typename).toMatch(/Error$/);
  expect(await standing()).toEqual(before);
  provoked.add(code);
  return answer;
}

function part(samples: readonly { key: string; data?: unknown }[], more: Variables = {}): Variables {
  return {
    project,
    importId: 'refused',
    part: 0,
    samples: samples.map((sample) => ({ data: {}, ...sample })),
    ...more,
  };
}

function vectors(embeddings: string, more: Variables = {}): Variables {
  return { project, keys: ['k0'], dimensions: 2, embeddings, ...more };
}

function upload(probabilities: string, more: Variables = {}): Variables {
  return { project, keys: ['k0'], classes: 3, probabilities, ...more };
}

/** A project with one round in which Anna and Ben can claim. */
async function ownProject(policy: Variables = {}): Promise<string> {
  const id = await createProject(service, { labels: LABELS, policy: { overlapShare: 0, ...policy } });
  for (const { id: member } of [anna, ben]) {
    await must(service, service.ownerToken, 'setRole', { project: id, member, role: 'ANNOTATOR' });
  }
  await importSamples(
    service,
    id,
    Array.from({ length: 20 }, (_, i) => ({ key: `own${i}`, data: i })),
  );
  await openRound(service, id, { strategy: 'random', size: 20 });
  newest = [id];
  return id;
}

function only<T>(list: readonly T[]): T {
  const [first, ...rest] = list;
  if (first === undefined || rest.length > 0) throw new Error(`${list.length} instead of 1`);
  return first;
}

describe('an import', () => {
  it('refuses a key that comes twice in the part', async () => {
    const input = part([{ key: 'new' }, { key: 'twice' }, { key: 'twice' }]);
    expect(await refused(driver.token, 'importSamples', input, 'DUPLICATE_KEYS')).toMatchObject({
      count: 1,
      keys: ['twice'],
    });
  });

  it('refuses a key that the project has', async () => {
    const input = part([{ key: 'new' }, { key: 'k3' }, { key: 'k4' }]);
    expect(await refused(driver.token, 'importSamples', input, 'DUPLICATE_KEYS')).toMatchObject({
      count: 2,
      keys: ['k3', 'k4'],
    });
  });

  it('names the first keys only', async () => {
    const input = part(Array.from({ length: 30 }, (_, i) => ({ key: `k${i}` })));
    const { count, keys } = await refused(driver.token, 'importSamples', input, 'DUPLICATE_KEYS');
    expect({ count, named: (keys as string[]).length }).toEqual({ count: 30, named: 10 });
  });

  it('refuses a part whose predecessor does not come', async () => {
    const input = part([{ key: 'new' }], { importId: 'early', part: 2 });
    expect(await refused(driver.token, 'importSamples', input, 'PART_OUT_OF_ORDER')).toMatchObject({
      part: 2,
      missing: 1,
    });
  });

  it('refuses data over 1 MiB', async () => {
    const input = part([{ key: 'small' }, { key: 'large', data: 'x'.repeat(1024 * 1024) }]);
    expect(await refused(driver.token, 'importSamples', input, 'PAYLOAD_TOO_LARGE')).toMatchObject({
      what: "the data of 'large'",
      bytes: 1024 * 1024 + 2,
      limit: 1024 * 1024,
    });
  });

  it.each([
    ['no samples', part([]), 'samples'],
    ['more than 10,000', part(Array.from({ length: 10_001 }, (_, i) => ({ key: `n${i}` }))), 'samples'],
    ['an empty key', part([{ key: '' }]), 'key'],
    ['a key of 257 characters', part([{ key: 'x'.repeat(257) }]), 'key'],
    ['a part below 0', part([{ key: 'new' }], { part: -1 }), 'part'],
    ['no import id', part([{ key: 'new' }], { importId: '' }), 'importId'],
    ['an import id of 201 characters', part([{ key: 'new' }], { importId: 'x'.repeat(201) }), 'importId'],
    ['a part imported before with others', part([{ key: 'new' }], { importId: 'import' }), 'part'],
  ])('refuses %s', async (_, input, field) => {
    const answer = await refused(driver.token, 'importSamples', { ...input, project }, 'INVALID_INPUT');
    expect(answer['field']).toBe(field);
  });

  it('done again does nothing and answers the same', async () => {
    const id = await createProject(service);
    const samples = [
      { key: 'a', data: 1 },
      { key: 'b', data: 2 },
    ];
    const first = await importSamples(service, id, samples);
    const before = await standing([id]);
    expect(await importSamples(service, id, samples)).toEqual(first);
    expect(await standing([id])).toEqual(before);
  });
});

describe('predictions', () => {
  it('refuse another number of classes', async () => {
    const input = upload(rows([0.5, 0.5]), { classes: 2 });
    expect(await refused(driver.token, 'uploadPredictions', input, 'WRONG_CLASS_COUNT')).toMatchObject({
      expected: 3,
      actual: 2,
    });
  });

  it.each([
    ['NaN', [Number.NaN, 0.5, 0.5]],
    ['Infinity', [Number.POSITIVE_INFINITY, 0, 0]],
    ['a negative value', [-0.2, 0.6, 0.6]],
    ['a sum below 1', [0.3, 0.3, 0.3]],
    ['a sum above 1', [0.5, 0.5, 0.5]],
  ])('refuse rows with %s, and name them', async (_, row) => {
    const input = upload(rows(SURE, row, SURE, row), { keys: ['k0', 'k1', 'k2', 'k3'] });
    const answer = await refused(driver.token, 'uploadPredictions', input, 'BAD_PROBABILITIES');
    expect(answer).toMatchObject({ count: 2, badRows: [{ row: 1 }, { row: 3 }] });
  });

  it('refuse keys and numbers that name no sample', async () => {
    const keys = upload(rows(SURE, SURE), { keys: ['k0', 'nobody'] });
    expect(await refused(driver.token, 'uploadPredictions', keys, 'UNKNOWN_SAMPLES')).toMatchObject({
      count: 1,
      samples: ['nobody'],
    });
    const input = { project, classes: 3, probabilities: rows(SURE, SURE), numbers: numbers(0, 30) };
    expect(await refused(driver.token, 'uploadPredictions', input, 'UNKNOWN_SAMPLES')).toMatchObject({
      count: 1,
      samples: ['30'],
    });
  });

  it('refuse more than 4 MiB', async () => {
    const bytes = 4 * 1024 * 1024 + 4;
    const input = upload(Buffer.alloc(bytes).toString('base64'));
    expect(await refused(driver.token, 'uploadPredictions', input, 'PAYLOAD_TOO_LARGE')).toMatchObject({
      what: 'probabilities',
      bytes,
      limit: 4 * 1024 * 1024,
    });
  });

  it.each([
    ['neither keys nor numbers', { keys: null }, 'keys'],
    ['keys and numbers', { numbers: numbers(0) }, 'keys'],
    ['numbers of 3 bytes', { keys: null, numbers: 'AAAA' }, 'numbers'],
    ['more keys than rows, known or not', { keys: ['k0', 'nobody'] }, 'probabilities'],
    ['half a row', { probabilities: rows([1, 0]) }, 'probabilities'],
    ['a byte too many', { probabilities: Buffer.alloc(13).toString('base64') }, 'probabilities'],
  ])('refuse %s', async (_, more, field) => {
    const answer = await refused(
      driver.token,
      'uploadPredictions',
      upload(rows(SURE), more),
      'INVALID_INPUT',
    );
    expect(answer['field']).toBe(field);
  });

  it('refuse what is no base64', async () => {
    const garbage = '*'.repeat(10_000);
    const { status, errors } = await service.ask(driver.token, mutation('uploadPredictions'), {
      input: upload(garbage),
    });
    expect(status).toBeLessThan(500);
    expect(only(errors)).toMatchObject({ extensions: { code: 'INVALID_INPUT' } });
  });

  const part = upload(rows(SURE));
  it.each([
    ['one pass', { ...part, passes: [rows(SURE)] }, 'passes'],
    ['101 passes', { ...part, passes: Array(101).fill(rows(SURE)) }, 'passes'],
    ['half a pass', { ...part, passes: [rows(SURE), rows([1])] }, 'passes.1'],
    ['no numbers at all', { ...part, probabilities: null }, 'probabilities'],
  ])('refuse %s', async (_, input, field) => {
    const given = { ...input, project };
    expect(await refused(driver.token, 'uploadPredictions', given, 'INVALID_INPUT')).toMatchObject({ field });
  });

  it('refuse passes that are no probabilities, and name pass and row', async () => {
    const passes = [rows(SURE, SURE), rows(SURE, [1, 1, 1])];
    const input = { project, keys: ['k0', 'k1'], classes: 3, passes };
    expect(await refused(driver.token, 'uploadPredictions', input, 'BAD_PROBABILITIES')).toMatchObject({
      count: 1,
      badRows: [{ row: 1, problem: 'pass 1: the sum is 3.000000, not 1' }],
    });
  });

  it('refuse parts of a run that have unlike passes', async () => {
    const parts: string[] = [];
    for (const [key, passes] of [
      ['k0', [rows(SURE), rows(SURE)]],
      ['k1', []],
    ] as const) {
      const input = upload(rows(SURE), { keys: [key], passes });
      const uploaded = '... on UploadedPart { receipt }';
      const { receipt } = await must<{ receipt: string }>(
        service,
        driver.token,
        'uploadPredictions',
        input,
        uploaded,
      );
      parts.push(receipt);
    }
    const input = { project, model: 'm', parts };
    expect(await refused(driver.token, 'publishPredictions', input, 'INVALID_INPUT')).toMatchObject({
      problem: 'part 1 has 0 passes, and the first has 2',
    });
    // And what is of predictions is none of embeddings.
    expect(await refused(driver.token, 'publishEmbeddings', input, 'UNKNOWN_PART')).toMatchObject({
      part: 0,
    });
  });

  it('refuse receipts that name no part', async () => {
    const foreign = await createProject(service, { labels: ['a', 'b'] });
    await importSamples(
      service,
      foreign,
      Array.from({ length: 50 }, (_, i) => ({ key: `f${i}`, data: i })),
    );
    const selection = '... on UploadedPart { receipt }';
    const { receipt } = await must<{ receipt: string }>(
      service,
      service.ownerToken,
      'uploadPredictions',
      { project: foreign, keys: ['f49'], classes: 2, probabilities: rows([1, 0]) },
      selection,
    );
    const made = Buffer.from(JSON.stringify({ matrix: 'f'.repeat(64), verdicts: 'e'.repeat(64), rows: 1 }));
    for (const bad of ['', 'nonsense', '{}', made.toString('base64url'), receipt]) {
      const input = { project, model: 'm', parts: [bad] };
      expect(await refused(driver.token, 'publishPredictions', input, 'UNKNOWN_PART')).toMatchObject({
        part: 0,
      });
    }
  });

  it('refuse more parts than are read for one operation', async () => {
    for (const mutation of ['publishPredictions', 'publishEmbeddings']) {
      const input = { project, model: 'm', parts: Array(10_001).fill('x') };
      expect(await refused(driver.token, mutation, input, 'INVALID_INPUT')).toMatchObject({ field: 'parts' });
    }
  });

  it('refuse a sample that comes in two parts', async () => {
    const uploaded = await must<{ receipt: string }>(
      service,
      driver.token,
      'uploadPredictions',
      upload(rows(SURE)),
      '... on UploadedPart { receipt }',
    );
    const input = { project, model: 'm', parts: [uploaded.receipt, uploaded.receipt] };
    expect(await refused(driver.token, 'publishPredictions', input, 'DUPLICATE_KEYS')).toMatchObject({
      count: 1,
      keys: ['k0'],
    });
  });

  it('refuse a run without parts or without a name', async () => {
    const { receipt } = await must<{ receipt: string }>(
      service,
      driver.token,
      'uploadPredictions',
      upload(rows(SURE)),
      '... on UploadedPart { receipt }',
    );
    for (const [input, field] of [
      [{ model: 'm', parts: [] }, 'parts'],
      [{ model: '', parts: [receipt] }, 'model'],
      [{ model: 'x'.repeat(201), parts: [receipt] }, 'model'],
    ] as const) {
      const answer = await refused(
        driver.token,
        'publishPredictions',
        { project, ...input },
        'INVALID_INPUT',
      );
      expect(answer['field']).toBe(field);
    }
  });
});

describe('a round', () => {
  const open = (input: Variables, code: string) =>
    refused(driver.token, 'openRound', { project, size: 5, ...input }, code);

  it('refuses a strategy that nobody has', async () => {
    const answer = await open({ strategy: 'astrology' }, 'UNKNOWN_STRATEGY');
    expect(answer['strategy']).toBe('astrology');
    expect(answer['known']).toEqual(expect.arrayContaining(['entropy', 'hybrid', 'margin', 'random']));
  });

  it('refuses a strategy that is broken, and says which file is', async () => {
    const answer = await open({ strategy: 'broken' }, 'BROKEN_STRATEGY');
    expect(answer['problem']).toContain('broken.ts: Error: no such model');
  });

  it('refuses a strategy that throws', async () => {
    const answer = await open({ strategy: 'throws' }, 'STRATEGY_FAILED');
    expect(answer['problem']).toContain('cannot choose');
  });

  it('refuses parameters that the strategy does not take', async () => {
    const answer = await open(
      { strategy: 'hybrid', parameters: { share: 2, shape: 1 } },
      'BAD_STRATEGY_PARAMETERS',
    );
    expect(answer['strategy']).toBe('hybrid');
    expect(answer['issues']).toHaveLength(2);
  });

  it('refuses a strategy that needs predictions before there are any', async () => {
    for (const strategy of ['entropy', 'hybrid']) {
      expect(await open({ strategy }, 'MISSING_STRATEGY_INPUT')).toMatchObject({ missing: 'probabilities' });
    }
  });

  it.each([
    ['size 0', { size: 0 }, 'size'],
    ['size 100,001', { size: 100_001 }, 'size'],
    ['a deadline that has passed', { deadline: '2020-01-01T00:00:00Z' }, 'deadline'],
    ['a seed below 0', { seed: -1 }, 'seed'],
    ['a seed of 2^32', { seed: 2 ** 32 }, 'seed'],
    ['half a seed', { seed: 0.5 }, 'seed'],
  ])('refuses %s', async (_, input, field) => {
    expect((await open({ strategy: 'random', ...input }, 'INVALID_INPUT'))['field']).toBe(field);
  });

  it('refuses a second one', async () => {
    const { number, id } = await openRound(service, project, { strategy: 'random', size: 3 });
    expect(await open({ strategy: 'random' }, 'ROUND_OPEN')).toMatchObject({ round: number });
    await must(service, driver.token, 'closeRound', { round: id });
  });

  it('refuses when nothing is left', async () => {
    const input = { project: other, strategy: 'random', size: 3 };
    const answer = await refused(service.ownerToken, 'openRound', input, 'NOTHING_TO_SELECT');
    expect(answer['unlabelled']).toBe(0);
  });

  it('that is not there cannot be closed', async () => {
    for (const local of [
      `${raw(project)}/99`,
      `${raw(project)}/0`,
      `${raw(project)}/x`,
      `${raw(project)}/1/2`,
      'x',
    ]) {
      const answer = await refused(driver.token, 'closeRound', { round: id('Round', local) }, 'NOT_FOUND');
      expect(answer['what']).toMatch(/round|project/);
    }
  });
});

describe('an answer', () => {
  let own: string;
  let mine: string;

  beforeAll(async () => {
    own = await ownProject();
    mine = only((await claim(service, anna, own)).assignments).id;
  });

  it('refuses a label that is not in the label set', async () => {
    const answer = await refused(
      anna.token,
      'submit',
      { assignment: mine, label: 'Animal' },
      'UNKNOWN_LABEL',
    );
    expect(answer).toMatchObject({ label: 'Animal', known: LABELS });
  });

  it("refuses somebody else's assignment as one that is not there", async () => {
    const made = id('Assignment', `${raw(own)}/${'x'.repeat(22)}`);
    for (const name of ['submit', 'skip', 'release', 'renew', 'undo']) {
      const answers = [];
      for (const assignment of [mine, made]) {
        const input = { assignment, ...(name === 'submit' && { label: 'nonsense' }) };
        answers.push(await refused(ben.token, name, input, 'NOT_FOUND'));
      }
      expect(answers[0]).toEqual(answers[1]);
    }
  });

  it('refuses ids that are none', async () => {
    const ids = [
      '',
      'x',
      '💥',
      mine.slice(0, -4),
      id('Round', raw(own)),
      id('Assignment', ''),
      id('Assignment', '//'),
    ];
    for (const assignment of ids) {
      await refused(anna.token, 'submit', { assignment, label: 'animal' }, 'NOT_FOUND');
    }
  });

  it.each([-1, 1e9, 1e300])('refuses %d milliseconds', async (milliseconds) => {
    const input = { assignment: mine, label: 'animal', milliseconds };
    expect((await refused(anna.token, 'submit', input, 'INVALID_INPUT'))['field']).toBe('milliseconds');
  });

  it('is not kept when the claim beside it is refused', async () => {
    const input = { assignment: mine, label: 'animal', hold: 1_000 };
    expect((await refused(anna.token, 'submit', input, 'INVALID_INPUT'))['field']).toBe('hold');
    const { assignments } = await claim(service, anna, own);
    expect(only(assignments)).toMatchObject({ id: mine, state: 'HELD' });
  });

  it('given twice is one; another one is refused until it is undone', async () => {
    const first = await submit(service, anna, mine, 'animal');
    expect(await submit(service, anna, mine, 'animal')).toEqual(first);
    const again = { assignment: mine, label: 'mineral' };
    expect(await refused(anna.token, 'submit', again, 'ALREADY_ANSWERED')).toMatchObject({
      answer: 'animal',
    });
    for (const name of ['skip', 'release', 'renew']) {
      await refused(anna.token, name, { assignment: mine }, 'ALREADY_ANSWERED');
    }
    await must(service, anna.token, 'undo', { assignment: mine });
    await submit(service, anna, mine, 'mineral');
  });

  it('to what was skipped is refused', async () => {
    const { id: skipped } = only((await claim(service, anna, own)).assignments);
    const tooLong = { assignment: skipped, reason: 'x'.repeat(1_001) };
    expect((await refused(anna.token, 'skip', tooLong, 'INVALID_INPUT'))['field']).toBe('reason');
    await must(service, anna.token, 'skip', { assignment: skipped });
    const input = { assignment: skipped, label: 'animal' };
    expect(await refused(anna.token, 'submit', input, 'ASSIGNMENT_CLOSED')).toMatchObject({
      assignmentState: 'SKIPPED',
    });
    expect(await refused(anna.token, 'undo', { assignment: skipped }, 'ASSIGNMENT_CLOSED')).toMatchObject({
      assignmentState: 'SKIPPED',
    });
  });

  it('is undone only among the last ten', async () => {
    let next = only((await claim(service, anna, own)).assignments).id;
    for (let i = 0; i < 10; i++) {
      next = only((await submit(service, anna, next, 'animal', 1)).queue.assignments).id;
    }
    const answer = await refused(anna.token, 'undo', { assignment: mine }, 'UNDO_CLOSED');
    expect(answer['limit']).toBe(10);
  });
});

describe('a claim', () => {
  it.each([0, -1, 101])('refuses to hold %d', async (hold) => {
    expect((await refused(anna.token, 'claim', { project, hold }, 'INVALID_INPUT'))['field']).toBe('hold');
  });

  it('after an ended work session says until when; what is open may still be answered', async () => {
    const own = await ownProject({ workSessionMinutes: 30, breakMinutes: 5 });
    const { assignments } = await claim(service, anna, own, 2);
    const selection = '... on Queue { empty { reason until } workSession { breakUntil } }';
    const ended = await must<Queue>(service, anna.token, 'endWorkSession', { project: own }, selection);
    const until = ended.workSession?.breakUntil;
    expect(ended.empty).toEqual({ reason: 'WORK_SESSION_OVER', until });
    const [open, ...others] = (await claim(service, anna, own, 5)).assignments;
    expect(others).toHaveLength(1);
    expect(open?.id).toBe(assignments[0]?.id);
    const { queue, assignment } = await submit(service, anna, open?.id ?? '', 'animal', 5);
    expect(assignment.state).toBe('SUBMITTED');
    expect(queue.assignments).toHaveLength(1);
    expect(queue.empty).toEqual({ reason: 'WORK_SESSION_OVER', until });
  });

  it('in a paused project says so', async () => {
    const own = await ownProject({ paused: true });
    expect((await claim(service, anna, own)).empty?.reason).toBe('PAUSED');
  });
});

describe('a project and its members', () => {
  it.each([
    ['a name of nothing', { name: ' ' }, 'name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, 'name'],
    ['one label', { labels: ['a'] }, 'labels'],
    ['1,001 labels', { labels: Array.from({ length: 1_001 }, (_, i) => `l${i}`) }, 'labels'],
    ['a label twice', { labels: ['a', 'b', 'a'] }, 'labels'],
    ['an empty label', { labels: ['a', ''] }, 'labels'],
    ['a label that ends with a space', { labels: ['a', 'b '] }, 'labels'],
    ['a seed below 0', { seed: -1 }, 'seed'],
    ['a policy out of range', { policy: { overlap: 0 } }, 'policy.overlap'],
  ])('refuse %s', async (_, more, field) => {
    const list = '{ projects(first: 500) { edges { node { id } } } }';
    const before = await service.query(service.ownerToken, list);
    const input = { name: 'New', labels: ['a', 'b'], ...more };
    expect((await refused(service.ownerToken, 'createProject', input, 'INVALID_INPUT'))['field']).toBe(field);
    expect(await service.query(service.ownerToken, list)).toEqual(before);
  });

  it('refuse guidelines over 100,000 characters', async () => {
    const input = { name: 'New', labels: ['a', 'b'], guidelines: 'x'.repeat(100_001) };
    const answer = await refused(service.ownerToken, 'createProject', input, 'PAYLOAD_TOO_LARGE');
    expect(answer).toMatchObject({ what: 'guidelines', limit: 100_000 });
  });

  it.each([
    ['roundSize', 0],
    ['autoAcceptThreshold', 1.01],
    ['auditShare', -0.1],
    ['auditCap', 10_001],
    ['auditErrorLimit', 2],
    ['overlap', 21],
    ['overlapShare', 1.5],
    ['skipLimit', 0],
    ['assignmentMinutes', 0],
    ['graceSeconds', -1],
    ['workSessionMinutes', 1_441],
    ['breakMinutes', -5],
    ['hiddenShare', 1.1],
    ['priorityThreshold', -1],
  ])('refuse a policy with %s %d', async (field, value) => {
    const input = { project, policy: { paused: true, [field]: value } };
    const answer = await refused(service.ownerToken, 'updatePolicy', input, 'INVALID_INPUT');
    expect(String(answer['field']).replace(/\W/g, '').toLowerCase()).toContain(field.toLowerCase().slice(-5));
  });

  it.each([
    ['that nobody has', { strategy: 'astrology' }, 'UNKNOWN_STRATEGY'],
    ['that is broken', { strategy: 'broken' }, 'BROKEN_STRATEGY'],
    [
      'with parameters it does not take',
      { strategy: 'entropy', strategyParameters: { a: 1 } },
      'BAD_STRATEGY_PARAMETERS',
    ],
    [
      'whose new parameters it does not take',
      { strategyParameters: { share: 2 } },
      'BAD_STRATEGY_PARAMETERS',
    ],
    ['that would ask one that nobody has', { strategyParameters: { base: 'astrology' } }, 'UNKNOWN_STRATEGY'],
  ])('refuse a policy with a strategy %s', async (_, policy, code) => {
    await refused(service.ownerToken, 'updatePolicy', { project, policy }, code);
    await refused(service.ownerToken, 'createProject', { name: 'New', labels: LABELS, policy }, code);
  });

  it('take a strategy that can be used, and forget the parameters of the one before', async () => {
    const id = await createProject(service, { policy: { strategyParameters: { share: 0.5 } } });
    const selection = '... on Project { policy { strategy strategyParameters } }';
    const set = (policy: Variables) =>
      must(service, service.ownerToken, 'updatePolicy', { project: id, policy }, selection);
    expect(await set({ roundSize: 5 })).toMatchObject({
      policy: { strategy: 'hybrid', strategyParameters: { share: 0.5 } },
    });
    expect(await set({ strategy: 'entropy' })).toMatchObject({
      policy: { strategy: 'entropy', strategyParameters: {} },
    });
  });

  it('refuse a token of no or too many days', async () => {
    for (const tokenDays of [0, -1, 3_651, 1e300]) {
      const member = { project, name: 'New', role: 'VIEWER', tokenDays };
      expect((await refused(service.ownerToken, 'addMember', member, 'INVALID_INPUT'))['field']).toBe(
        'tokenDays',
      );
      const token = { project, member: anna.id, tokenDays };
      expect((await refused(service.ownerToken, 'issueToken', token, 'INVALID_INPUT'))['field']).toBe(
        'tokenDays',
      );
    }
  });

  it('refuse a member without a name', async () => {
    const input = { project, name: '', role: 'VIEWER' };
    expect((await refused(service.ownerToken, 'addMember', input, 'INVALID_INPUT'))['field']).toBe('name');
  });

  it('refuse to lose their last owner', async () => {
    const id = await createProject(service);
    const { viewer: me } = await service.query<{ viewer: { id: string } }>(
      service.ownerToken,
      '{ viewer { id } }',
    );
    for (const role of ['DRIVER', null]) {
      const input = { project: id, member: me.id, role };
      expect((await refused(service.ownerToken, 'setRole', input, 'INVALID_INPUT'))['field']).toBe('role');
    }
    const second = await addMember(service, id, 'OWNER');
    await must(service, second.token, 'setRole', { project: id, member: me.id, role: null });
    const last = { project: id, member: second.id, role: 'VIEWER' };
    expect((await refused(second.token, 'setRole', last, 'INVALID_INPUT'))['field']).toBe('role');
  });

  it('refuse members who are not there', async () => {
    for (const member of ['', 'x', id('Member', 'nobody'), id('Project', raw(anna.id)), outsider.id]) {
      await refused(service.ownerToken, 'issueToken', { project, member }, 'NOT_FOUND');
      await refused(service.ownerToken, 'revokeTokens', { project, member }, 'NOT_FOUND');
    }
    await refused(service.ownerToken, 'setRole', { project, member: id('Member', 'nobody') }, 'NOT_FOUND');
  });

  it('let only who owns all projects of a member hand out their tokens, and any owner end them', async () => {
    const [one, other] = [await createProject(service), await createProject(service)];
    const owner = await addMember(service, other, 'OWNER', { name: 'Olga' });
    const eve = await addMember(service, one, 'VIEWER', { name: 'Eve' });
    const joins = { project: other, member: eve.id, role: 'VIEWER' };
    // A stranger's member: to this owner, there is nobody of that id.
    await refused(owner.token, 'setRole', joins, 'NOT_FOUND');
    await must(service, service.ownerToken, 'setRole', joins);
    await refused(owner.token, 'issueToken', { project: other, member: eve.id }, 'FORBIDDEN');
    await must(service, owner.token, 'revokeTokens', { project: other, member: eve.id });
  });

  it('take a change of role into account at once', async () => {
    const id = await ownProject();
    const eve = await addMember(service, id, 'VIEWER', { name: 'Eve' });
    await refused(eve.token, 'claim', { project: id }, 'FORBIDDEN');
    await must(service, service.ownerToken, 'setRole', { project: id, member: eve.id, role: 'ANNOTATOR' });
    const { id: held } = only((await claim(service, eve, id)).assignments);
    await must(service, service.ownerToken, 'setRole', { project: id, member: eve.id, role: null });
    await refused(eve.token, 'submit', { assignment: held, label: 'animal' }, 'NOT_FOUND');
  });
});

describe('embeddings', () => {
  const stored = async (input: Variables): Promise<string> => {
    const selection = '... on UploadedPart { receipt }';
    return (await must<{ receipt: string }>(service, driver.token, 'uploadEmbeddings', input, selection))
      .receipt;
  };

  it.each([
    ['no dimensions', vectors('', { dimensions: 0 }), 'dimensions'],
    ['too many dimensions', vectors('', { dimensions: 4_097 }), 'dimensions'],
    ['half a row', vectors(rows([1])), 'embeddings'],
    ['neither keys nor numbers', vectors(rows([1, 2]), { keys: null }), 'keys'],
  ])('refuse %s', async (_, input, field) => {
    const given = { ...input, project };
    expect(await refused(driver.token, 'uploadEmbeddings', given, 'INVALID_INPUT')).toMatchObject({ field });
  });

  it('refuse what is not finite, and name the rows', async () => {
    const input = vectors(rows([1, 2], [1, Number.NaN], [Number.POSITIVE_INFINITY, 0]), {
      keys: ['k0', 'k1', 'k2'],
    });
    expect(await refused(driver.token, 'uploadEmbeddings', input, 'BAD_EMBEDDINGS')).toMatchObject({
      count: 2,
      badRows: [
        { row: 1, problem: 'number 1 is NaN' },
        { row: 2, problem: 'number 0 is Infinity' },
      ],
    });
  });

  it('refuse samples that are not there, and more than 2 MiB', async () => {
    const unknown = vectors(rows([1, 2]), { keys: ['nobody'] });
    await refused(driver.token, 'uploadEmbeddings', unknown, 'UNKNOWN_SAMPLES');
    const large = vectors(Buffer.alloc(2 * 1024 * 1024 + 4).toString('base64'));
    expect(await refused(driver.token, 'uploadEmbeddings', large, 'PAYLOAD_TOO_LARGE')).toMatchObject({
      what: 'embeddings',
    });
  });

  it('refuse parts that do not go together, and numbers that read as a receipt', async () => {
    const publish = (parts: readonly string[], code: string) =>
      refused(driver.token, 'publishEmbeddings', { project, model: 'm', parts }, code);
    const one = await stored(vectors(rows([1, 2])));
    const other = await stored(vectors(rows([1, 2, 3]), { keys: ['k1'], dimensions: 3 }));
    expect(await publish([one, one], 'DUPLICATE_KEYS')).toMatchObject({ keys: ['k0'] });
    expect(await publish([one, other], 'INVALID_INPUT')).toMatchObject({
      problem: 'part 1 has 3 dimensions, and the first has 2',
    });
    expect(await publish([], 'INVALID_INPUT')).toMatchObject({ field: 'parts' });
    const forged = Buffer.from(
      JSON.stringify({ project: raw(project), kind: 'embeddings', part: { vectors: 'f'.repeat(64) } }).padEnd(
        400,
      ),
    );
    await stored(vectors(forged.toString('base64'), { dimensions: 100 }));
    const chunk = Buffer.concat([Buffer.alloc(4), forged]);
    for (const bytes of [forged, chunk]) {
      await publish([createHash('sha256').update(bytes).digest('hex')], 'UNKNOWN_PART');
    }
  });
});

describe('invitations', () => {
  it('let nobody in twice', async () => {
    const selection = '... on NewInvitation { invitationCode }';
    const { invitationCode } = await must(service, service.ownerToken, 'invite', { project }, selection);
    const input = { invitationCode, name: 'Guest' };
    await must(service, null, 'acceptInvitation', input);
    expect(await refused(null, 'acceptInvitation', input, 'INVITATION_CLOSED')).toMatchObject({
      invitationState: 'ACCEPTED',
    });
  });
});

describe('ERASED', () => {
  it('to a person, nobody gives a role again', async () => {
    const gone = await addMember(service, project, 'VIEWER');
    await must(service, service.ownerToken, 'erasePerson', { member: gone.id, reason: 'OBJECTION' });
    const input = { project, member: gone.id, role: 'VIEWER' };
    expect(await refused(service.ownerToken, 'setRole', input, 'ERASED')).toMatchObject({ what: 'person' });
  });

  it('a sample is, and becomes gold no more', async () => {
    const own = await createProject(service);
    await importSamples(service, own, [{ key: 'a', data: 1 }]);
    const sample = id('Sample', `${raw(own)}/0`);
    const input = { project: own, samples: [sample], reason: 'OBJECTION' };
    await must(service, service.ownerToken, 'eraseSamples', input);
    const gold = { project: own, answers: [{ sample, label: 'spam' }] };
    expect(await refused(service.ownerToken, 'setGold', gold, 'ERASED')).toMatchObject({ what: 'sample' });
  });
});

describe('who may do what', () => {
  const ANNOTATE = ['ANNOTATOR'];
  const STEER = ['OWNER', 'DRIVER'];
  const OWN = ['OWNER'];
  /** Of every mutation: who may, and an input to which nothing but the role is wrong. */
  const RIGHTS: Readonly<Record<string, { allowed: readonly string[]; input: () => Variables }>> = {
    addMember: { allowed: OWN, input: () => ({ project, name: 'New', role: 'VIEWER' }) },
    claim: { allowed: ANNOTATE, input: () => ({ project }) },
    closeRound: { allowed: STEER, input: () => ({ round: id('Round', `${raw(project)}/1`) }) },
    createProject: { allowed: [], input: () => ({ name: 'New', labels: ['a', 'b'] }) },
    endWorkSession: { allowed: ANNOTATE, input: () => ({ project }) },
    eraseSamples: {
      allowed: OWN,
      input: () => ({ project, samples: [id('Sample', `${raw(project)}/0`)], reason: 'OBJECTION' }),
    },
    importSamples: { allowed: STEER, input: () => part([{ key: 'forbidden' }]) },
    invite: { allowed: OWN, input: () => ({ project }) },
    issueToken: { allowed: OWN, input: () => ({ project, member: anna.id }) },
    publishEmbeddings: { allowed: STEER, input: () => ({ project, model: 'm', parts: ['x'] }) },
    openRound: { allowed: STEER, input: () => ({ project, strategy: 'random', size: 1 }) },
    publishPredictions: { allowed: STEER, input: () => ({ project, model: 'm', parts: ['x'] }) },
    removeGold: {
      allowed: OWN,
      input: () => ({ project, samples: [id('Sample', `${raw(project)}/0`)] }),
    },
    resumeAnnotator: { allowed: OWN, input: () => ({ project, member: anna.id }) },
    setGold: {
      allowed: OWN,
      input: () => ({
        project,
        answers: [{ sample: id('Sample', `${raw(project)}/0`), label: LABELS[0] }],
      }),
    },
    reopenRuling: {
      allowed: OWN,
      input: () => ({ sample: id('Sample', `${raw(project)}/0`), reason: 'r' }),
    },
    release: { allowed: ANNOTATE, input: () => ({ assignment: assignment() }) },
    renew: { allowed: ANNOTATE, input: () => ({ assignment: assignment() }) },
    revokeTokens: { allowed: OWN, input: () => ({ project, member: anna.id }) },
    rule: {
      allowed: OWN,
      input: () => ({ sample: id('Sample', `${raw(project)}/0`), label: LABELS[0], reason: 'r' }),
    },
    setRole: { allowed: OWN, input: () => ({ project, member: anna.id, role: 'OWNER' }) },
    skip: { allowed: ANNOTATE, input: () => ({ assignment: assignment() }) },
    submit: { allowed: ANNOTATE, input: () => ({ assignment: assignment(), label: 'animal' }) },
    undo: { allowed: ANNOTATE, input: () => ({ assignment: assignment() }) },
    updatePolicy: { allowed: OWN, input: () => ({ project, policy: { paused: true } }) },
    uploadEmbeddings: { allowed: STEER, input: () => vectors(rows([1, 2])) },
    uploadPredictions: { allowed: STEER, input: () => upload(rows(SURE)) },
    withdrawInvitation: { allowed: OWN, input: () => ({ project, invitation: id('Invitation', 'x') }) },
  };
  const assignment = () => id('Assignment', `${raw(project)}/${'a'.repeat(22)}`);
  /** These name a token, an invitation or a person, and no project: `tokens` and `erasure.int.test.ts` say who may. */
  const BY_NAME = ['acceptInvitation', 'erasePerson', 'expireToken', 'revokeToken', 'rotateToken'];
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {})
    .filter((name) => !BY_NAME.includes(name))
    .sort();

  it('is said here of every mutation', () => {
    expect(Object.keys(RIGHTS).sort()).toEqual(mutations);
  });

  it.each(mutations)('%s', async (name) => {
    const right = RIGHTS[name];
    if (right === undefined) throw new Error(`who may do ${name} is not said above`);
    const { allowed, input } = right;
    const people = {
      OWNER: service.ownerToken,
      DRIVER: driver.token,
      ANNOTATOR: anna.token,
      VIEWER: viewer.token,
    };
    for (const [role, token] of Object.entries(people)) {
      if (allowed.includes(role) || (name === 'createProject' && role === 'OWNER')) continue;
      const answer = await refused(token, name, input(), 'FORBIDDEN');
      if (allowed.length > 0) expect(answer['allowed']).toEqual(allowed);
    }
    // To outsiders there is no such project; to nobody there is nothing.
    if (name !== 'createProject') await refused(outsider.token, name, input(), 'NOT_FOUND');
    const { status, errors } = await service.ask(null, mutation(name), { input: input() });
    expect(status).toBe(401);
    expect(only(errors).extensions).toEqual({ code: 'UNAUTHENTICATED' });
  });
});

describe('a page', () => {
  const LISTS = [
    ['projects', (args: string) => `{ projects${args} { edges { cursor } pageInfo { endCursor } } }`],
    ...['members', 'samples', 'rounds', 'predictionRuns', 'trainingSet'].map(
      (list) =>
        [
          list,
          (args: string) =>
            `query P($id: ID!) { project(id: $id) { ${list}${args} { edges { cursor } pageInfo { endCursor } } } }`,
        ] as const,
    ),
    [
      'round samples',
      (args: string) =>
        `query P($id: ID!) { project(id: $id) { round(number: 1) { samples${args} { edges { cursor } pageInfo { endCursor } } } } }`,
    ],
  ] as const;

  beforeAll(async () => {
    await publish(service, project, { k0: SURE, k1: UNSURE });
  });

  const ask = (document: string) =>
    service.ask(service.ownerToken, document, document.includes('$id') ? { id: project } : {});

  it.each(LISTS)('of %s refuses sizes and cursors that cannot be served', async (list, document) => {
    const bad: [string, string][] = [
      ['(first: 0)', 'INVALID_INPUT'],
      ['(first: -1)', 'INVALID_INPUT'],
      ['(first: 1000000)', 'INVALID_INPUT'],
      ['(first: 10, after: "garbage")', 'BAD_CURSOR'],
      ['(first: 10, after: "")', 'BAD_CURSOR'],
      [`(first: 10, after: "${Buffer.from('OffsetConnection:1').toString('base64')}")`, 'BAD_CURSOR'],
      [`(first: 10, after: "${Buffer.from('another-list:1').toString('base64')}")`, 'BAD_CURSOR'],
    ];
    if (list !== 'trainingSet') bad.push(['(last: 0)', 'INVALID_INPUT'], ['(last: 501)', 'INVALID_INPUT']);
    for (const [args, code] of bad) {
      const { status, errors } = await ask(document(args));
      expect(status, args).toBeLessThan(500);
      expect(only(errors).extensions?.['code'], `${args}: ${errors[0]?.message}`).toBe(code);
    }
    expect((await ask(document('(first: 1)'))).errors).toEqual([]);
    expect((await ask(document(''))).errors).toEqual([]);
  });

  it('walks a list forward and backward without a gap', async () => {
    const keys = async (args: string) => {
      const document = `query P($id: ID!) { project(id: $id) { samples${args} {
        edges { node { key } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }`;
      const answer = await service.query<{ project: { samples: SamplePage } }>(service.ownerToken, document, {
        id: project,
      });
      const { edges, pageInfo } = answer.project.samples;
      return { keys: edges.map(({ node }) => node.key), ...pageInfo };
    };
    const all = (await keys('(first: 500)')).keys;
    expect(all).toHaveLength(30);
    const forward: string[] = [];
    let page = await keys('(first: 7)');
    expect(page.hasPreviousPage).toBe(false);
    for (;;) {
      forward.push(...page.keys);
      if (!page.hasNextPage) break;
      page = await keys(`(first: 7, after: "${page.endCursor}")`);
    }
    expect(forward).toEqual(all);
    const backward: string[] = [];
    page = await keys('(last: 7)');
    expect(page.hasNextPage).toBe(false);
    for (;;) {
      backward.unshift(...page.keys);
      if (!page.hasPreviousPage) break;
      page = await keys(`(last: 7, before: "${page.startCursor}")`);
    }
    expect(backward).toEqual(all);
    const behind = await keys(`(first: 5, after: "${(await keys('(last: 1)')).endCursor}")`);
    expect(behind).toMatchObject({ keys: [], endCursor: null, startCursor: null, hasNextPage: false });
  });
});

interface SamplePage {
  readonly edges: readonly { readonly node: { readonly key: string } }[];
  readonly pageInfo: {
    readonly startCursor: string | null;
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
  };
}

describe('an id', () => {
  it('that names nothing gives null', async () => {
    const ids = ['', 'x', '💥', 'AAAA', id('Nothing', '1'), id('Member', 'x'), id('Assignment', 'x/y')];
    ids.push(
      ...['Project', 'Sample', 'PredictionRun', 'Round'].flatMap((type) => [
        id(type, ''),
        id(type, '/'),
        id(type, 'x/1'),
      ]),
    );
    ids.push(
      ...['Sample', 'PredictionRun', 'Round'].flatMap((type) =>
        ['-1', '1e9', 'x', '1.5', '999999999999'].map((local) => id(type, `${raw(project)}/${local}`)),
      ),
    );
    const { nodes } = await service.query<{ nodes: unknown[] }>(
      service.ownerToken,
      'query N($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      { ids },
    );
    expect(nodes).toEqual(ids.map(() => null));
    for (const one of ids) {
      const document = 'query N($id: ID!) { node(id: $id) { id } project(id: $id) { id } }';
      expect(await service.query(service.ownerToken, document, { id: one })).toEqual({
        node: null,
        project: null,
      });
    }
  });

  it('comes with at most 99 others', async () => {
    const { errors } = await service.ask(
      service.ownerToken,
      'query N($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      {
        ids: Array.from({ length: 101 }, () => project),
      },
    );
    expect(only(errors).extensions).toMatchObject({ code: 'INVALID_INPUT', field: 'ids' });
  });
});

describe('a feed', () => {
  const FEED = `subscription F($project: ID!, $after: String) { prioritized(project: $project, after: $after) {
    __typename ... on FeedReset { reason cursor } ... on PrioritizedSamples { round samples { rank } cursor } } }`;
  const cursor = (text: string) => Buffer.from(text).toString('base64url');

  it('refuses cursors that are not its own', async () => {
    for (const after of [
      '',
      '*',
      'garbage',
      cursor('x/1'),
      cursor(`${raw(project)}/-1/0`),
      cursor(`${raw(other)}/1/0`),
    ]) {
      for (const over of [overEvents, overWebSocket]) {
        const reader = over(service, driver.token, FEED, { project, after });
        const push = await reader.next();
        expect(only(push?.errors ?? []).extensions, after).toMatchObject({ code: 'BAD_CURSOR' });
        expect(push?.data ?? null).toBeNull();
        expect(await reader.next()).toBeNull();
        await reader.close();
      }
    }
    provoked.add('BAD_CURSOR');
  });

  it('says so when a cursor is stale, and goes on', async () => {
    const own = await ownProject();
    const first = overEvents(service, service.ownerToken, FEED, { project: own });
    const push = (await first.next())?.data as { prioritized: { cursor: string } } | undefined;
    const stale = push?.prioritized.cursor;
    await first.close();
    for (let i = 1; i <= 101; i++) {
      await must(service, service.ownerToken, 'closeRound', { round: id('Round', `${raw(own)}/${i}`) });
      if (i < 101) await openRound(service, own, { strategy: 'random', size: 1 });
    }
    const { number } = await openRound(service, own, { strategy: 'random', size: 1 });
    for (const after of [stale, cursor(`${raw(own)}/500/0`)]) {
      const reader = overEvents(service, service.ownerToken, FEED, { project: own, after });
      expect((await reader.next())?.data).toMatchObject({ prioritized: { __typename: 'FeedReset' } });
      expect((await reader.next())?.data).toMatchObject({
        prioritized: { __typename: 'PrioritizedSamples', round: number, samples: [{ rank: 0 }] },
      });
      await reader.close();
    }
  });

  it("refuses a queue that is nobody's", async () => {
    const document = 'subscription Q($project: ID!) { queue(project: $project) { seq } }';
    for (const [token, code] of [
      [viewer.token, 'FORBIDDEN'],
      [driver.token, 'FORBIDDEN'],
      [outsider.token, 'NOT_FOUND'],
    ] as const) {
      for (const over of [overEvents, overWebSocket]) {
        const reader = over(service, token, document, { project });
        expect(only((await reader.next())?.errors ?? []).extensions).toMatchObject({ code });
        await reader.close();
      }
    }
  });
});

describe('a token', () => {
  const ASK = '{ viewer { id } }';
  const status = async (authorization: string) => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: JSON.stringify({ query: ASK }),
    });
    const { errors = [] } = (await response.json()) as { errors?: { extensions?: { code?: string } }[] };
    return { status: response.status, code: errors[0]?.extensions?.code };
  };
  const refusedOne = { status: 401, code: 'UNAUTHENTICATED' };

  it.each([
    ['is too short', 'Bearer short'],
    ['has characters that none has', `Bearer ${'!'.repeat(40)}`],
    ['is too long', `Bearer ${'x'.repeat(129)}`],
    ['is of another scheme', `Basic ${'x'.repeat(40)}`],
    ['is not there', 'Bearer'],
    ['is unknown', `Bearer ${'x'.repeat(40)}`],
  ])('that %s is refused', async (_, authorization) => {
    expect(await status(authorization)).toEqual(refusedOne);
  });

  it('that was revoked is refused, and one issued later is good', async () => {
    const eve = await addMember(service, project, 'VIEWER', { name: 'Eve' });
    expect(await status(`Bearer ${eve.token}`)).toEqual({ status: 200, code: undefined });
    const revoked = await must(
      service,
      service.ownerToken,
      'revokeTokens',
      { project, member: eve.id },
      '... on RevokedTokens { count }',
    );
    expect(revoked).toMatchObject({ count: 1 });
    expect(await status(`Bearer ${eve.token}`)).toEqual(refusedOne);
    const issued = await must<{ token: string }>(
      service,
      service.ownerToken,
      'issueToken',
      { project, member: eve.id },
      '... on NewToken { token }',
    );
    expect((await status(`Bearer ${issued.token}`)).status).toBe(200);
  });
});

describe('a request', () => {
  it('of more than 32 MiB is refused', async () => {
    const response = await fetch(`${service.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${driver.token}` },
      body: 'x'.repeat(32 * 1024 * 1024 + 1),
    }).catch((error: unknown) => error as Error);
    // The server answers before it has read the body: a client that is still sending may find the socket closed.
    if (response instanceof Response) {
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({
        errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }],
      });
    }
  });

  it('with inputs of the wrong kind is an error of the client', async () => {
    const inputs: Variables[] = [
      {},
      { project: {} },
      { project, size: 'five' },
      { project, size: 1e12 },
      { project, parameters: 'x' },
      { project, deadline: 'tomorrow' },
      { project, nonsense: 1 },
    ];
    for (const input of inputs) {
      const { status, errors, data } = await service.ask(driver.token, mutation('openRound'), { input });
      expect(status).toBeLessThan(500);
      expect(errors.length).toBeGreaterThan(0);
      expect(errors[0]?.extensions?.['code']).not.toBe('INTERNAL_SERVER_ERROR');
      expect(data ?? null).toBeNull();
    }
  });
});

describe('a store', () => {
  it.each([
    ['is full', 'STORE_FULL', new StoreFullError('full')],
    ['is out of reach', 'STORE_UNAVAILABLE', new StoreUnavailableError('gone')],
  ])('that %s keeps nothing', async (_, code, error) => {
    const { id: held } = only((await claim(service, anna, await ownProject())).assignments);
    const before = await standing();
    storeFault.error = error;
    const answers = [];
    try {
      answers.push(await mutate(service, driver.token, 'importSamples', part([{ key: 'new' }])));
      answers.push(await mutate(service, anna.token, 'submit', { assignment: held, label: 'animal' }));
      answers.push(
        await mutate(service, service.ownerToken, 'addMember', { project, name: 'New', role: 'VIEWER' }),
      );
    } finally {
      storeFault.error = null;
    }
    for (const answer of answers) expect(answer).toMatchObject({ code });
    expect(await standing()).toEqual(before);
    expect((await submit(service, anna, held, 'animal')).assignment.state).toBe('SUBMITTED');
    provoked.add(code);
  });
});

describe('the table of refusals', () => {
  it('has been provoked in full', () => {
    expect([...provoked].sort()).toEqual([...REFUSAL_CODES].sort());
  });

  it('left no fault in the log', () => {
    expect(service.log.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('stands in docs/errors.md, with the same details', async () => {
    const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` \| [^|]+ \| ([^|]*) \| [^|]+ \|$/gm)].map(
      ([, code = '', details = '']) => ({
        code,
        details: [...details.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort(),
      }),
    );
    const table = REFUSAL_CODES.map((code) => {
      const name = `${code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase())}Error`;
      const type = schema.getType(name);
      const fields = isObjectType(type) ? Object.keys(type.getFields()) : [];
      return { code, details: fields.filter((field) => field !== 'code' && field !== 'message').sort() };
    });
    expect(documented).toEqual(table);
  });
});

/** A global id, as a client could make one up. */
function id(type: string, local: string): string {
  return Buffer.from(`${type}:${local}`).toString('base64');
}

/** What a global id says within its type. */
function raw(globalId: string): string {
  return Buffer.from(globalId, 'base64').toString().split(':').slice(1).join(':');
}
