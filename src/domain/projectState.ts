import { Annotator, type WorkSession } from './annotator.ts';
import type { Column, NumberArray } from './columns.ts';
import type { PredictionsPublished, RoundClosed, RoundOpened } from './events.ts';
import type { FirstAnswer, KnownAnswer } from './gold.ts';
import type { KeyTable } from './keyTable.ts';
import type { AutoAcceptStatus } from './predictionRun.ts';
import { PredictionRun } from './predictionRun.ts';
import { type ImportRecord, Project, type ProjectRecord } from './project.ts';
import { Round } from './round.ts';
import type { Ruling } from './rulings.ts';
import type { FirstOfBlock } from './sampleTable.ts';
import { restoreLogs, savedLogs } from './workLog.ts';

/**
 * The version of the fold. Raise it with every change after which the same events come to another state, and with
 * every change of what is kept here: state of another version is not read, but folded anew from the journal.
 */
export const FOLD_VERSION = 18;

/**
 * A project's state as it can be kept: what the tables hold as arrays of numbers, the rest as lists of plain values.
 * What follows from these is not kept, so that it cannot contradict them: hash tables, agreement, deadlines, lanes.
 */
export interface ProjectState {
  readonly columns: ReadonlyMap<string, NumberArray>;
  readonly lists: ReadonlyMap<string, Iterable<unknown>>;
}

interface AnnotatorState {
  readonly id: string;
  readonly held: readonly number[];
  readonly undoable: readonly number[];
  readonly grants: number;
  readonly asides: number;
  readonly newestAside: number;
  readonly answers: number;
  readonly skips: number;
  readonly session: WorkSession | null;
  readonly pausedAt: number | null;
  readonly judgedAfter: number;
  readonly changedAt: number;
}

/** What was published never changes, and what became of it stands in the list beside: see {@link RunProgress}. */
interface RunState {
  readonly published: PredictionsPublished;
  readonly publishedAt: number;
}

interface RunProgress {
  readonly autoAccept: AutoAcceptStatus;
}

interface RoundState {
  readonly opened: RoundOpened;
  readonly openedAt: number;
  readonly openedSeq: number;
}

interface RoundProgress {
  readonly unsettled: number;
  readonly unanswerable: number;
  /** Rows that have taken its places for gold. */
  readonly goldTakers: readonly number[];
  readonly closed: RoundClosed | null;
  readonly closedAt: number | null;
}

/** A project's state, over the project's own memory: good until the next event is folded. */
export function saveProject(project: Project): ProjectState {
  const { samples, assignments, annotators, runs, rounds } = project;
  const logs = savedLogs(annotators.map(({ work }) => work));
  return {
    columns: new Map<string, NumberArray>([
      ...savedTable('samples', samples.keys, samples.columns),
      ...savedTable('assignments', assignments.ids, assignments.columns),
      ['held', Uint32Array.from(project.held)],
      ['activity', Float64Array.from(project.activity)],
      ['work.stretches', logs.stretches],
      ['work.bins', logs.bins],
    ]),
    lists: new Map<string, Iterable<unknown>>([
      ['project', [project.record()]],
      ['imports', project.importRecords()],
      ['rulings', project.rulings],
      ['gold', project.gold.known],
      ['goldAnswers', project.gold.firstAnswers()],
      ['blocks', samples.blocks],
      ['replaced', samples.replaced],
      ['annotators', annotators.map(savedAnnotator)],
      ['runs', runs.map(({ published, publishedAt }): RunState => ({ published, publishedAt }))],
      ['runProgress', runs.map(({ autoAccept }): RunProgress => ({ autoAccept }))],
      [
        'rounds',
        rounds.map(({ opened, openedAt, openedSeq }): RoundState => ({ opened, openedAt, openedSeq })),
      ],
      [
        'roundProgress',
        rounds.map(
          ({ unsettled, unanswerable, goldTakers, closed, closedAt }): RoundProgress => ({
            unsettled,
            unanswerable,
            goldTakers: [...goldTakers],
            closed,
            closedAt,
          }),
        ),
      ],
    ]),
  };
}

/**
 * The project of a state, which it takes over. It gives way now and then, so that whoever has other work can do it.
 * @throws {Error} the state is not whole
 */
export function* restoreProject(state: ProjectState): Generator<void, Project, void> {
  const project = new Project();
  const { samples, assignments } = project;
  const [record] = listOf<ProjectRecord>(state, 'project');
  if (record === undefined) throw lacks('project');
  yield* adoptTable(state, 'samples', samples.keys, samples.columns);
  yield* adoptTable(state, 'assignments', assignments.ids, assignments.columns);
  for (const row of columnOf(state, 'held')) project.held.add(row);
  for (const seq of columnOf(state, 'activity')) project.activity.push(seq);
  for (const [sample, ruling] of listOf<[number, Ruling]>(state, 'rulings'))
    project.rulings.set(sample, ruling);
  for (const [sample, answer] of listOf<[number, KnownAnswer]>(state, 'gold'))
    project.gold.known.set(sample, answer);
  for (const first of listOf<FirstAnswer>(state, 'goldAnswers')) project.gold.keep(first);
  for (const block of listOf<FirstOfBlock>(state, 'blocks')) samples.blocks.push(block);
  for (const [from, to] of listOf<[string, string]>(state, 'replaced')) samples.replaced.set(from, to);
  for (const annotator of listOf<AnnotatorState>(state, 'annotators')) {
    project.annotators.push(restoredAnnotator(project.annotators.length, annotator));
  }
  const logs = { stretches: columnOf(state, 'work.stretches'), bins: columnOf(state, 'work.bins') };
  if (!(logs.stretches instanceof Float64Array && logs.bins instanceof Uint32Array)) throw lacks('work');
  restoreLogs({ stretches: logs.stretches, bins: logs.bins }, (index) => {
    const annotator = project.annotators[index];
    if (annotator === undefined) throw lacks(`annotator ${index}`);
    return annotator.work;
  });
  for (const [{ published, publishedAt }, progress] of pairsOf<RunState, RunProgress>(
    state,
    'runs',
    'runProgress',
  )) {
    project.runs.push(Object.assign(new PredictionRun(published, publishedAt), progress));
  }
  for (const [{ opened, openedAt, openedSeq }, progress] of pairsOf<RoundState, RoundProgress>(
    state,
    'rounds',
    'roundProgress',
  )) {
    const { goldTakers, ...rest } = progress;
    const round = Object.assign(new Round(opened, openedAt, openedSeq), rest);
    round.goldTakers.set(goldTakers);
    project.rounds.push(round);
  }
  yield* project.adopt(record, listOf<ImportRecord>(state, 'imports'));
  return project;
}

type Columns = Readonly<Record<string, Column<NumberArray>>>;

function savedTable(name: string, keys: KeyTable, columns: Columns): [string, NumberArray][] {
  const { bytes, ends } = keys.view();
  return [
    [`${name}.keys.bytes`, bytes],
    [`${name}.keys.ends`, ends],
    ...Object.entries(columns).map(([column, rows]): [string, NumberArray] => [
      `${name}.${column}`,
      rows.view(),
    ]),
  ];
}

function* adoptTable(
  state: ProjectState,
  name: string,
  keys: KeyTable,
  columns: Columns,
): Generator<void, void, void> {
  const bytes = columnOf(state, `${name}.keys.bytes`);
  const ends = columnOf(state, `${name}.keys.ends`);
  if (!(bytes instanceof Uint8Array && ends instanceof Uint32Array)) throw lacks(`${name}.keys`);
  yield* keys.adopt({ bytes, ends });
  for (const [column, rows] of Object.entries(columns)) {
    rows.adopt(columnOf(state, `${name}.${column}`));
    if (rows.length !== keys.size)
      throw new Error(`${name}.${column} has ${rows.length} rows of ${keys.size}`);
  }
}

function savedAnnotator(annotator: Annotator): AnnotatorState {
  const { id, held, undoable, changedAt } = annotator;
  return { id, held, undoable, changedAt, ...ownCounts(annotator) };
}

function restoredAnnotator(
  index: number,
  { id, held, undoable, changedAt, ...counts }: AnnotatorState,
): Annotator {
  const annotator = new Annotator(index, id, changedAt);
  annotator.held.push(...held);
  annotator.undoable.push(...undoable);
  return Object.assign(annotator, ownCounts(counts));
}

function ownCounts(of: Omit<AnnotatorState, 'id' | 'held' | 'undoable' | 'changedAt'>) {
  const { grants, asides, newestAside, answers, skips, session, pausedAt, judgedAfter } = of;
  return { grants, asides, newestAside, answers, skips, session, pausedAt, judgedAfter };
}

function columnOf({ columns }: ProjectState, name: string): NumberArray {
  const column = columns.get(name);
  if (column === undefined) throw lacks(name);
  return column;
}

/** The values of a list, which are what {@link saveProject} has put there: a state comes from nowhere else. */
function listOf<T>({ lists }: ProjectState, name: string): T[] {
  const list = lists.get(name);
  if (list === undefined) throw lacks(name);
  return [...list] as T[];
}

/** Two lists of one length, row by row. */
function pairsOf<A, B>(state: ProjectState, first: string, second: string): [A, B][] {
  const [left, right] = [listOf<A>(state, first), listOf<B>(state, second)];
  if (left.length !== right.length) throw new Error(`${first} and ${second} differ in length`);
  return left.map((value, i) => [value, right[i] as B]);
}

function lacks(name: string): Error {
  return new Error(`the state lacks ${name}`);
}
