import { Column } from './columns.ts';
import type { Draw } from './events.ts';
import { stringSeed } from './random.ts';
import { NONE } from './sampleTable.ts';
import { WorkLog } from './workLog.ts';

/** A stint of work and the break after it. */
export interface WorkSession {
  /** In milliseconds since 1970, as the others. */
  readonly startedAt: number;
  readonly until: number;
  readonly breakUntil: number;
  /** The annotator's answers that stood when it began. */
  readonly answersBefore: number;
}

/** How many of one's newest answers can be undone. */
export const UNDO_LIMIT = 10;

/** First answers to gold, and those of them that were right. */
export interface Attention {
  answers: number;
  correct: number;
}

/** What a project knows of one annotator. People are opaque ids here; names are documents elsewhere. */
export class Annotator {
  /** Small dense number of the annotator within the project. */
  readonly index: number;
  readonly id: string;
  /** Of the id: for draws that are this annotator's own. */
  readonly seed: number;
  /** Rows of the assignments in their hands, in the order of granting. */
  readonly held: number[] = [];
  /** Rows of the newest answers that can be undone, oldest first; at most {@link UNDO_LIMIT}. */
  readonly undoable: number[] = [];
  /** Rows of all assignments that were ever theirs, in the order in which they were first granted. */
  readonly rows = new Column(Uint32Array);
  /** Assignments ever granted, renewed grants of the same sample included. */
  grants = 0;
  /** Those of them that were audits, extra opinions, repeats or gold. */
  asides = 0;
  /** How many there were before the newest of those, or {@link NONE}. */
  newestAside = NONE;
  /** Answers that stand, surplus included. */
  answers = 0;
  skips = 0;
  session: WorkSession | null = null;
  /** Their work over time. */
  readonly work = new WorkLog();
  /** When gold paused them, in milliseconds since 1970; null: they may work. */
  pausedAt: number | null = null;
  /** The `seq` of the commit after which answers to gold are what they are judged by: they were resumed there; 0: never. */
  judgedAfter = 0;
  /** First answers to what is gold now: all, and those after {@link judgedAfter}. */
  readonly attention: Attention = { answers: 0, correct: 0 };
  readonly judged: Attention = { answers: 0, correct: 0 };
  /** Samples that are gold now and do not come to them any more, for they have had them. */
  goldHad = 0;
  /** The `seq` of the newest commit that changed something of theirs: what they hold, their answers, their session. */
  changedAt: number;

  constructor(index: number, id: string, seq: number) {
    this.index = index;
    this.id = id;
    this.changedAt = seq;
    this.seed = stringSeed(id);
  }

  granted(draw: Draw): void {
    if (isAside(draw)) {
      this.newestAside = this.grants;
      this.asides++;
    }
    this.grants++;
  }

  answered(row: number): void {
    this.answers++;
    this.undoable.push(row);
    if (this.undoable.length > UNDO_LIMIT) this.undoable.shift();
  }

  undid(row: number): void {
    this.answers--;
    remove(this.undoable, row);
  }

  drops(row: number): void {
    remove(this.held, row);
  }
}

/** Whether it is something else than the round's or the pool's own next. */
export function isAside(draw: Draw): boolean {
  return draw === 'AUDIT' || draw === 'REPEAT' || draw === 'GOLD' || draw === 'EXTRA_OPINION';
}

function remove(list: number[], value: number): void {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
}
