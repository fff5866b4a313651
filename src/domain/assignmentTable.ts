import { Column } from './columns.ts';
import type { Draw } from './events.ts';
import { KeyTable } from './keyTable.ts';
import { NONE } from './sampleTable.ts';

/** What became of an assignment. An expired or released one may be granted to the same person again. */
export type AssignmentState = 'HELD' | 'SUBMITTED' | 'SKIPPED' | 'RELEASED' | 'EXPIRED';

/** By the numbers that stand for them in columns. */
export const STATES: readonly AssignmentState[] = ['HELD', 'SUBMITTED', 'SKIPPED', 'RELEASED', 'EXPIRED'];
export const DRAWS: readonly Draw[] = [
  'UNCERTAIN',
  'RANDOM',
  'POOL',
  'AUDIT',
  'EXTRA_OPINION',
  'REPEAT',
  'GOLD',
];

/** What a grant says of a new assignment. */
export interface NewAssignment {
  readonly id: string;
  readonly sample: number;
  /** Index of the annotator in the project. */
  readonly annotator: number;
  /** The sample's previously newest assignment, to which this one is linked. */
  readonly previous: number;
  readonly draw: Draw;
  readonly until: number;
  readonly grantedAt: number;
  readonly suggestion: number;
  /** The round that was open when it was granted; 0: none. */
  readonly round: number;
  /** The prediction run that was current when it was granted; 0: none. */
  readonly run: number;
  /** What that run predicted of the sample, or {@link NONE}. */
  readonly predicted: number;
}

/**
 * All assignments of a project as columns, by row: one row for each pair of a sample and an annotator who has
 * had it, and one for each repeat, which is linked with no sample, so that it counts nowhere. About 75 bytes a row, ids
 * included.
 */
export class AssignmentTable {
  readonly ids = new KeyTable();
  readonly sample = new Column(Uint32Array);
  readonly annotator = new Column(Uint32Array);
  /** The sample's next older assignment, or {@link NONE}. */
  readonly next = new Column(Int32Array);
  readonly until = new Column(Float64Array);
  readonly grantedAt = new Column(Float64Array);
  readonly answeredAt = new Column(Float64Array);
  /** Time taken, as the annotator's program measured it; NaN: not told. */
  readonly milliseconds = new Column(Float32Array);
  readonly label = new Column(Int32Array);
  readonly suggestion = new Column(Int32Array);
  /** The number of the round that was open when it was last granted; 0: none. */
  readonly round = new Column(Uint32Array);
  /** The prediction run that was current when it was last granted, or 0, and what that predicted, or {@link NONE}. */
  readonly run = new Column(Uint32Array);
  readonly predicted = new Column(Int32Array);
  /** How often it has expired in the annotator's hands. */
  readonly expiries = new Column(Uint8Array);
  /** 1: it takes up, while held, or its answer has, a place of the sample's overlap. */
  readonly placed = new Column(Uint8Array);

  /**
   * The label by which it stands in the agreement, or {@link NONE}. It is the last answer that was given blind: once
   * somebody else has answered the sample, the figures tell who has answered what the other said, and an answer that
   * is changed after that changes the consensus alone.
   */
  readonly rating = new Column(Int32Array);
  /** Of a repeat, the assignment that it repeats; of that one, its repeat; {@link NONE} else. */
  readonly twin = new Column(Int32Array);

  readonly #state = new Column(Uint8Array);
  readonly #draw = new Column(Uint8Array);

  /** All columns by name: what a snapshot keeps of the table, beside ids. */
  readonly columns = {
    sample: this.sample,
    annotator: this.annotator,
    next: this.next,
    until: this.until,
    grantedAt: this.grantedAt,
    answeredAt: this.answeredAt,
    milliseconds: this.milliseconds,
    label: this.label,
    suggestion: this.suggestion,
    round: this.round,
    run: this.run,
    predicted: this.predicted,
    expiries: this.expiries,
    placed: this.placed,
    rating: this.rating,
    twin: this.twin,
    state: this.#state,
    draw: this.#draw,
  };

  get size(): number {
    return this.ids.size;
  }

  add(assignment: NewAssignment): number {
    const row = this.ids.add(assignment.id);
    this.sample.push(assignment.sample);
    this.annotator.push(assignment.annotator);
    this.next.push(assignment.previous);
    this.until.push(assignment.until);
    this.grantedAt.push(assignment.grantedAt);
    this.answeredAt.push(0);
    this.milliseconds.push(Number.NaN);
    this.label.push(NONE);
    this.suggestion.push(assignment.suggestion);
    this.round.push(assignment.round);
    this.run.push(assignment.run);
    this.predicted.push(assignment.predicted);
    this.expiries.push(0);
    this.placed.push(1);
    this.rating.push(NONE);
    this.twin.push(NONE);
    this.#state.push(STATES.indexOf('HELD'));
    this.#draw.push(DRAWS.indexOf(assignment.draw));
    return row;
  }

  state(row: number): AssignmentState {
    return STATES[this.#state.get(row)] as AssignmentState;
  }

  setState(row: number, state: AssignmentState): void {
    this.#state.set(row, STATES.indexOf(state));
  }

  draw(row: number): Draw {
    return DRAWS[this.#draw.get(row)] as Draw;
  }

  setDraw(row: number, draw: Draw): void {
    this.#draw.set(row, DRAWS.indexOf(draw));
  }

  /** It was asked only to compare the answer with that person's earlier one. */
  isRepeat(row: number): boolean {
    return this.draw(row) === 'REPEAT';
  }

  /** It was asked to check attention. */
  isGold(row: number): boolean {
    return this.draw(row) === 'GOLD';
  }

  /** Given back, or run out of time once: the same person may get it again. */
  mayComeAgain(row: number): boolean {
    const state = this.state(row);
    return state === 'RELEASED' || (state === 'EXPIRED' && !this.isSkipByExpiry(row));
  }

  /** It has run out of time again and again, which counts as a skip as long as it stays so. */
  isSkipByExpiry(row: number): boolean {
    return this.state(row) === 'EXPIRED' && this.expiries.get(row) >= 2 && !this.isRepeat(row);
  }

  /** The answer counts towards the sample's overlap and consensus. */
  isCounted(row: number): boolean {
    return this.state(row) === 'SUBMITTED' && this.placed.get(row) === 1;
  }

  /** Kept, outside consensus: the sample had its answers when it came. */
  isSurplus(row: number): boolean {
    return this.state(row) === 'SUBMITTED' && this.placed.get(row) === 0;
  }
}
