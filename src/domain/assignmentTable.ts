import { Column } from './columns.ts';
import type { Draw } from './events.ts';
import { KeyTable } from './keyTable.ts';
import type { SuggestionMode } from './policy.ts';
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
export const MODES: readonly SuggestionMode[] = ['HIDDEN', 'SHOWN', 'AFTER_FIRST_ANSWER'];

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
  readonly mode: SuggestionMode;
  /** The round that was open when it was granted; 0: none. */
  readonly round: number;
  /** The prediction run that was current when it was granted; 0: none. */
  readonly run: number;
  /** What that run predicted of the sample, or {@link NONE}. */
  readonly predicted: number;
}

/**
 * All assignments of a project as columns, by row: one row for each pair of a sample and an annotator who has
 * had it, and one for each repeat, which is linked with no sample, so that it counts nowhere. About 80 bytes a row, ids
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
  /** The class that is offered, or {@link NONE}; whoever is asked may see {@link offered} of it. */
  readonly suggestion = new Column(Int32Array);
  /** The answer on which a suggestion was revealed: it was given without; {@link NONE}: none was revealed. */
  readonly first = new Column(Int32Array);
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
  /** How the policy had suggestions when it was last granted. */
  readonly #mode = new Column(Uint8Array);

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
    first: this.first,
    round: this.round,
    run: this.run,
    predicted: this.predicted,
    expiries: this.expiries,
    placed: this.placed,
    rating: this.rating,
    twin: this.twin,
    state: this.#state,
    draw: this.#draw,
    mode: this.#mode,
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
    this.first.push(NONE);
    this.round.push(assignment.round);
    this.run.push(assignment.run);
    this.predicted.push(assignment.predicted);
    this.expiries.push(0);
    this.placed.push(1);
    this.rating.push(NONE);
    this.twin.push(NONE);
    this.#state.push(STATES.indexOf('HELD'));
    this.#draw.push(DRAWS.indexOf(assignment.draw));
    this.#mode.push(MODES.indexOf(assignment.mode));
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

  mode(row: number): SuggestionMode {
    return MODES[this.#mode.get(row)] as SuggestionMode;
  }

  setMode(row: number, mode: SuggestionMode): void {
    this.#mode.set(row, MODES.indexOf(mode));
  }

  /** A suggestion stands beside the choices before any answer. */
  isShown(row: number): boolean {
    return this.suggestion.get(row) !== NONE && this.mode(row) !== 'AFTER_FIRST_ANSWER';
  }

  /** A suggestion was kept back until there was an answer, and is known to whoever gave it since. */
  isRevealed(row: number): boolean {
    return this.first.get(row) !== NONE;
  }

  /** Were its sample gold, it would not come to its annotator any more: they have had it, or a suggestion was revealed to them. */
  isSpentAsGold(row: number): boolean {
    return !this.mayComeAgain(row) || this.isRevealed(row);
  }

  /** The suggestion as far as its annotator may know it by now, or {@link NONE}. */
  offered(row: number): number {
    return this.isShown(row) || this.isRevealed(row) ? this.suggestion.get(row) : NONE;
  }

  /**
   * The answer as it was given before a suggestion was revealed, whatever it was changed to; in the other modes, the
   * answer. What people know by themselves is measured by this one.
   */
  firstLabel(row: number): number {
    return this.isRevealed(row) ? this.first.get(row) : this.label.get(row);
  }

  /** The answer has become what was suggested, after that was revealed. */
  hasMovedToSuggestion(row: number): boolean {
    const suggestion = this.suggestion.get(row);
    return this.isRevealed(row) && this.first.get(row) !== suggestion && this.label.get(row) === suggestion;
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
