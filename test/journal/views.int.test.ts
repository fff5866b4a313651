import { type Document, MongoServerError } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProjectEvent } from '../../src/domain/events.ts';
import { openStore } from '../../src/journal/open.ts';
import type { Store, StoredValue } from '../../src/journal/port.ts';
import { VIEWS } from '../../src/journal/views.ts';
import { describeNeeding } from '../support/needing.ts';
import { TestDatabase } from './wire.ts';

const TIME = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

const GRANTED = {
  type: 'granted',
  member: 'ada',
  draw: 'UNCERTAIN',
  until: TIME,
  suggestion: -1,
  predicted: -1,
} as const;
const SUBMITTED = { type: 'submitted', milliseconds: 900, counted: true } as const;
const OPENED = {
  type: 'roundOpened',
  version: 2,
  readAt: 1,
  requested: 3,
  origin: 'POLICY',
  strategy: { name: 'margin', version: 'v1', parameters: { 'batch.size': 2 }, asked: [] },
  seed: 7,
  run: 1,
  samples: Uint32Array.of(4, 2, 9),
  scores: Float64Array.of(1, 2, 3),
  normalised: Float64Array.of(0.1, 0.2, 0.3),
  random: Uint8Array.of(0, 0, 1),
  priority: { threshold: 0.8, score: 'NORMALISED' },
  inclusionProbability: 0.1,
  reasons: null,
  states: {},
  audits: new Uint32Array(),
  auditRanks: new Uint32Array(),
  goldRanks: new Uint32Array(),
  by: 'bob',
} as const;

/** A project's life, a commit an hour. Typed, so that a view does not outlive the events it is made of. */
const COMMITS: readonly (readonly ProjectEvent[])[] = [
  [
    {
      type: 'projectCreated',
      version: 2,
      labels: ['ham', 'spam'],
      scale: { kind: 'NOMINAL', values: [] },
      guidelines: '',
      policy: {} as Extract<ProjectEvent, { type: 'projectCreated' }>['policy'],
      seed: 1,
      by: 'bob',
    },
  ],
  [{ ...OPENED, round: 1, deadline: TIME + 9 * HOUR }],
  [
    { ...GRANTED, assignment: 'a1', sample: 4 },
    {
      ...GRANTED,
      assignment: 'a2',
      sample: 2,
      member: 'cy',
      draw: 'AUDIT',
      suggestion: 1,
      mode: 'AFTER_FIRST_ANSWER',
    },
    { ...GRANTED, assignment: 'a3', sample: 9 },
    { ...GRANTED, assignment: 'a4', sample: 5 },
  ],
  [
    { ...SUBMITTED, assignment: 'a1', label: 1 },
    { ...SUBMITTED, assignment: 'a2', label: 1, counted: false },
    { ...SUBMITTED, assignment: 'a3', label: 0 },
  ],
  // a1 is taken back and given anew, a2 is promoted and changed, a3 is taken back for good, a4 is never answered.
  [
    { type: 'undone', assignment: 'a1', until: TIME },
    { type: 'promoted', assignment: 'a2' },
    { type: 'revised', assignment: 'a2', label: 0 },
  ],
  [{ ...SUBMITTED, assignment: 'a1', label: 0, milliseconds: null }],
  [{ type: 'undone', assignment: 'a3', until: TIME }],
  [
    { type: 'roundClosed', round: 1, reason: 'WITHDRAWN', withdrawn: 2, by: 'dora' },
    { ...OPENED, round: 2, run: null, deadline: null },
  ],
];

const at = (commit: number): Date => new Date(TIME + commit * HOUR);

const EXPECTED: Readonly<Record<string, readonly Document[]>> = {
  annotations: [
    {
      project: 'p/1',
      assignment: 'a1',
      sample: 4,
      member: 'ada',
      draw: 'UNCERTAIN',
      label: 'ham',
      labelIndex: 0,
      suggestionIndex: -1,
      suggestions: 'HIDDEN',
      counted: true,
      milliseconds: null,
      grantedAt: at(3),
      submittedAt: at(6),
    },
    {
      project: 'p/1',
      assignment: 'a2',
      sample: 2,
      member: 'cy',
      draw: 'AUDIT',
      label: 'ham',
      labelIndex: 0,
      suggestionIndex: 1,
      suggestions: 'AFTER_FIRST_ANSWER',
      counted: true,
      milliseconds: 900,
      grantedAt: at(3),
      submittedAt: at(4),
    },
  ],
  rounds: [
    {
      project: 'p/1',
      round: 1,
      strategy: 'margin',
      version: 'v1',
      parameters: { 'batch%2Esize': 2 },
      seed: 7,
      run: 1,
      size: 3,
      openedBy: 'bob',
      openedAt: at(2),
      deadline: at(9),
      reason: 'WITHDRAWN',
      withdrawn: 2,
      closedAt: at(8),
    },
    {
      project: 'p/1',
      round: 2,
      strategy: 'margin',
      version: 'v1',
      parameters: { 'batch%2Esize': 2 },
      seed: 7,
      run: null,
      size: 3,
      openedBy: 'bob',
      openedAt: at(8),
      deadline: null,
      reason: null,
      withdrawn: null,
      closedAt: null,
    },
  ],
};

describeNeeding('CONCORD_TEST_MONGODB', 'Views for people', (server) => {
  let database: TestDatabase;
  let store: Store;

  beforeEach(async () => {
    database = new TestDatabase(server);
    store = await openStore(database.url);
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  async function record(): Promise<void> {
    for (const [i, events] of COMMITS.entries()) {
      await store.append('p/1', {
        seq: i + 1,
        id: `c${i}`,
        time: TIME + (i + 1) * HOUR,
        events: events as unknown as StoredValue[],
      });
    }
    await store.append('directory', {
      seq: 1,
      id: 'd',
      time: TIME,
      events: [{ type: 'memberAdded', member: 'ada' }],
    });
  }

  describe.each(Object.keys(VIEWS))('%s', (name) => {
    const expected = EXPECTED[name] ?? [];

    it('come from the pipeline, run over the commits', async (context) => {
      await record();
      const found = await unlessUnknown(() =>
        database.db
          .collection('commits')
          .aggregate([...(VIEWS[name] ?? [])])
          .toArray(),
      );
      context.skip(found === undefined, 'this server lacks a stage or an operator of the pipeline');
      expect(sorted(found)).toStrictEqual(expected);
    });

    it('come from a view, which can be filtered', async (context) => {
      context.skip(!(await isView(name)), 'this server has no views');
      await record();
      const view = database.db.collection(name);
      expect(sorted(await view.find().toArray())).toStrictEqual(expected);
      expect(await view.countDocuments({ project: 'p/1' })).toBe(expected.length);
      expect(await view.countDocuments({ project: 'other' })).toBe(0);
    });

    it('come from the newest pipeline, whichever made the view', async (context) => {
      context.skip(!(await isView(name)), 'this server has no views');
      await store.close();
      await database.db.command({ collMod: name, viewOn: 'commits', pipeline: [{ $match: { seq: -1 } }] });
      store = await openStore(database.url);
      await record();
      expect(await database.db.collection(name).countDocuments()).toBe(expected.length);
    });

    it('leave alone a collection that has their name already', async () => {
      await store.close();
      await database.db.dropCollection(name).catch(() => {});
      await database.db.collection(name).insertOne({ mine: true });
      store = await openStore(database.url);
      expect(await database.db.collection(name).findOne({ mine: true })).not.toBeNull();
    });
  });

  it('are there where the server has them, and leave nothing where it has not', async () => {
    const names = (await database.db.listCollections().toArray())
      .filter(({ name }) => name in VIEWS)
      .map(({ type }) => type);
    expect(['', 'view,view']).toContain(names.join());
  });

  async function isView(name: string): Promise<boolean> {
    const [found] = await database.db.listCollections({ name }).toArray();
    return found?.type === 'view';
  }
});

function sorted(documents: readonly Document[] | undefined): readonly Document[] {
  const key = ({ assignment, round }: Document) => String(assignment ?? round);
  return (documents ?? []).toSorted((a, b) => key(a).localeCompare(key(b)));
}

/** What comes of it, or undefined if the server says that it does not know something in it. */
async function unlessUnknown<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (
      error instanceof MongoServerError &&
      /unrecognized|unknown|not.*(implemented|supported)/i.test(error.message)
    ) {
      return undefined;
    }
    throw error;
  }
}
