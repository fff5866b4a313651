import { isDeepStrictEqual } from 'node:util';
import { type Db, type Document, MongoServerError } from 'mongodb';
import { COLLECTIONS, FIRST_PLACE } from './places.ts';

/*
 * Views for people who look with their own tools. Concord does not read them. They are the one place of a store
 * that knows what events mean: a test folds real events through them.
 *
 * Only stages and operators that MongoDB 4.4 has. Where a server has no views, the pipelines below can be run
 * as they are, over the collection `commits`.
 */

/** The events of some types, one a document, in the order in which they happened. */
function eventsOf(...types: readonly string[]): Document[] {
  const isWanted = { $match: { 'events.type': { $in: types } } };
  // Sorted while the index can do it; taking the lists apart keeps the order.
  return [isWanted, { $sort: { _id: 1 } }, { $unwind: '$events' }, isWanted];
}

const ofType = (...types: readonly string[]): Document => ({
  $filter: { input: '$history', cond: { $in: ['$$this.event.type', types] } },
});

const last = (list: Document | string): Document => ({ $arrayElemAt: [list, -1] });

const asDate = (milliseconds: string): Document => ({
  $cond: [{ $isNumber: milliseconds }, { $toDate: { $toLong: milliseconds } }, null],
});

/** The `_id` of the journal's first commit, in which the project was created. */
const FIRST_COMMIT = { $concat: [{ $arrayElemAt: [{ $split: ['$commit', '/'] }, 0] }, FIRST_PLACE] };

/** One document for each answer that stands: given, and not undone since. */
export const ANNOTATIONS: readonly Document[] = [
  ...eventsOf('granted', 'submitted', 'revised', 'promoted', 'undone'),
  {
    $group: {
      _id: { project: '$journal', assignment: '$events.assignment' },
      commit: { $last: '$_id' },
      history: { $push: { event: '$events', time: '$time' } },
    },
  },
  {
    $project: {
      commit: 1,
      grant: last(ofType('granted')),
      answer: last(ofType('submitted')),
      // An answer that was given anew after an undo follows what the one before was changed to.
      given: last(ofType('submitted', 'revised')),
      // What became of the answer, if it was given: it stands as it was given, was promoted, or taken back.
      latest: last(ofType('submitted', 'promoted', 'undone')),
    },
  },
  { $match: { 'latest.event.type': { $in: ['submitted', 'promoted'] } } },
  { $addFields: { created: FIRST_COMMIT } },
  { $lookup: { from: COLLECTIONS.commits, localField: 'created', foreignField: '_id', as: 'created' } },
  { $addFields: { created: { $arrayElemAt: ['$created', 0] } } },
  { $addFields: { created: { $arrayElemAt: ['$created.events', 0] } } },
  {
    $project: {
      _id: 0,
      project: '$_id.project',
      assignment: '$_id.assignment',
      sample: '$grant.event.sample',
      member: '$grant.event.member',
      draw: '$grant.event.draw',
      label: { $arrayElemAt: ['$created.labels', '$given.event.label'] },
      labelIndex: '$given.event.label',
      suggestionIndex: '$grant.event.suggestion',
      suggestions: { $ifNull: ['$grant.event.mode', 'HIDDEN'] },
      counted: { $or: ['$answer.event.counted', { $eq: ['$latest.event.type', 'promoted'] }] },
      milliseconds: '$answer.event.milliseconds',
      grantedAt: '$grant.time',
      submittedAt: '$answer.time',
    },
  },
];

/** One document for each round. */
export const ROUNDS: readonly Document[] = [
  ...eventsOf('roundOpened', 'roundClosed'),
  {
    $group: {
      _id: { project: '$journal', round: '$events.round' },
      history: { $push: { event: '$events', time: '$time' } },
    },
  },
  { $project: { opened: last(ofType('roundOpened')), closed: last(ofType('roundClosed')) } },
  {
    $project: {
      _id: 0,
      project: '$_id.project',
      round: '$_id.round',
      strategy: '$opened.event.strategy.name',
      version: '$opened.event.strategy.version',
      parameters: '$opened.event.strategy.parameters',
      seed: '$opened.event.seed',
      run: '$opened.event.run',
      // Ordinals have four bytes each.
      size: { $toInt: { $divide: [{ $binarySize: '$opened.event.samples.%Uint32Array' }, 4] } },
      openedBy: '$opened.event.by',
      openedAt: '$opened.time',
      deadline: asDate('$opened.event.deadline'),
      reason: { $ifNull: ['$closed.event.reason', null] },
      withdrawn: { $ifNull: ['$closed.event.withdrawn', null] },
      closedAt: { $ifNull: ['$closed.time', null] },
    },
  },
  { $sort: { project: 1, round: 1 } },
];

export const VIEWS: Readonly<Record<string, readonly Document[]>> = {
  annotations: ANNOTATIONS,
  rounds: ROUNDS,
};

/**
 * Makes the views that are missing, and brings those of an older version up to date. A server without views, and
 * a user who may not make any, do without: nothing of Concord needs them. So does who has a collection of that
 * name already.
 */
export async function makeViews(db: Db): Promise<void> {
  const standing = await db
    .listCollections({ name: { $in: Object.keys(VIEWS) } }, { nameOnly: false })
    .toArray();
  for (const [name, pipeline] of Object.entries(VIEWS)) {
    const before = standing.find((collection) => collection.name === name);
    try {
      if (before === undefined) await makeView(db, name, pipeline);
      else if (before.type === 'view' && !isDeepStrictEqual(before.options?.['pipeline'], pipeline)) {
        await db.command({ collMod: name, viewOn: COLLECTIONS.commits, pipeline });
      }
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
    }
  }
}

async function makeView(db: Db, name: string, pipeline: readonly Document[]): Promise<void> {
  await db.createCollection(name, { viewOn: COLLECTIONS.commits, pipeline: [...pipeline] });
  const [made] = await db.listCollections({ name }).toArray();
  // A server that knows no views may take the options for none of its business, and make a collection.
  if (made?.type !== 'view') await db.dropCollection(name);
}
