import { Column } from './columns.ts';
import type { PayloadBlock, ReplacedChunk } from './events.ts';
import { KeyTable } from './keyTable.ts';

/** Stands for "no class", "no prediction", "no row" in the columns. */
export const NONE = -1;

const UNANSWERABLE = 1;
const ACCEPTED = 2;
const GOLD = 4;
const ERASED = 8;

/** Where a sample's payload lies: the chunk, and the sample's place in it. */
export interface PayloadPlace {
  readonly chunk: string;
  readonly index: number;
}

/** A chunk of payloads, and the ordinal of the first sample in it. */
export interface FirstOfBlock {
  readonly chunk: string;
  readonly first: number;
}

/**
 * All samples of a project as columns, by ordinal: about 30 bytes a sample beside its key. It knows nothing of
 * people and rounds; `Project` keeps the counters in step.
 */
export class SampleTable {
  /** Keys in the order of import: the index of a key is the sample's ordinal. */
  readonly keys = new KeyTable();
  /** How many people label the sample, those asked for an extra opinion included. */
  readonly overlap = new Column(Uint8Array);
  /** How many of them are asked for an extra opinion. */
  readonly extra = new Column(Uint8Array);
  /** Answers that count. */
  readonly counted = new Column(Uint8Array);
  /** Assignments in hands that take up a place of the overlap. */
  readonly live = new Column(Uint8Array);
  /** People who skipped it. */
  readonly skips = new Column(Uint8Array);
  /** The current run's label, or {@link NONE}. */
  readonly predicted = new Column(Int32Array);
  /** The current run's confidence, float32. */
  readonly confidence = new Column(Float32Array);
  /** The newest assignment of the sample (they are linked, newest first), or {@link NONE}. */
  readonly assignments = new Column(Int32Array);
  /** Place in the newest round that chose the sample, from 0; see {@link round}. */
  readonly position = new Column(Uint32Array);
  /** The number of the newest round that chose the sample; 0: none yet. */
  readonly round = new Column(Uint32Array);

  readonly #flags = new Column(Uint8Array);
  /** Blocks of payloads, by their first sample. */
  readonly blocks: FirstOfBlock[] = [];
  /** The chunks that others have taken the place of, because something in them was erased. */
  readonly replaced = new Map<string, string>();

  /** All columns by name: what a snapshot keeps of the table, beside keys and blocks. */
  readonly columns = {
    overlap: this.overlap,
    extra: this.extra,
    counted: this.counted,
    live: this.live,
    skips: this.skips,
    predicted: this.predicted,
    confidence: this.confidence,
    assignments: this.assignments,
    position: this.position,
    round: this.round,
    flags: this.#flags,
  };

  get size(): number {
    return this.keys.size;
  }

  add(keys: readonly string[], blocks: readonly PayloadBlock[]): void {
    let first = this.size;
    for (const { chunk, count } of blocks) {
      this.blocks.push({ chunk, first });
      first += count;
    }
    for (const key of keys) this.keys.add(key);
    const count = keys.length;
    this.overlap.extend(count, 1);
    this.extra.extend(count, 0);
    this.counted.extend(count, 0);
    this.live.extend(count, 0);
    this.skips.extend(count, 0);
    this.predicted.extend(count, NONE);
    this.confidence.extend(count, 0);
    this.assignments.extend(count, NONE);
    this.position.extend(count, 0);
    this.round.extend(count, 0);
    this.#flags.extend(count, 0);
  }

  /** @throws {RangeError} there is no such sample */
  payload(ordinal: number): PayloadPlace {
    const block = this.blocks[this.#blockOf(ordinal)];
    if (block === undefined || ordinal >= this.size) throw new RangeError(`no sample ${ordinal}`);
    return { chunk: block.chunk, index: ordinal - block.first };
  }

  /** The block that stands in the place of one that was replaced, or undefined: it was not. */
  successorOf(chunk: string): string | undefined {
    let successor = this.replaced.get(chunk);
    for (let next = successor; next !== undefined; next = this.replaced.get(next)) successor = next;
    return successor;
  }

  /** The place of the last block that begins at a sample or before it. */
  #blockOf(ordinal: number): number {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.blocks[middle]?.first ?? 0) <= ordinal) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Enough people have skipped it. */
  isUnanswerable(ordinal: number): boolean {
    return (this.#flags.get(ordinal) & UNANSWERABLE) !== 0;
  }

  setUnanswerable(ordinal: number): void {
    this.#flags.set(ordinal, this.#flags.get(ordinal) | UNANSWERABLE);
  }

  /** What it held is gone. Nobody can be asked about it; what was answered stays. */
  isErased(ordinal: number): boolean {
    return (this.#flags.get(ordinal) & ERASED) !== 0;
  }

  setErased(ordinal: number): void {
    this.#flags.set(ordinal, this.#flags.get(ordinal) | ERASED);
  }

  /** Puts a block in the place of another. */
  replaceBlock({ first, from, to }: ReplacedChunk): void {
    const place = this.#blockOf(first);
    this.blocks[place] = { chunk: to, first };
    this.replaced.set(from, to);
  }

  /** What it is, is known: it is asked only to check attention. */
  isGold(ordinal: number): boolean {
    return (this.#flags.get(ordinal) & GOLD) !== 0;
  }

  setGold(ordinal: number, isGold: boolean): void {
    const others = this.#flags.get(ordinal) & ~GOLD;
    this.#flags.set(ordinal, isGold ? others | GOLD : others);
  }

  /** The current run's confidence reached the threshold. Whether that holds is the run's to say. */
  isAccepted(ordinal: number): boolean {
    return (this.#flags.get(ordinal) & ACCEPTED) !== 0;
  }

  /** Samples that the current run's predictions can stand in for, unless it is suspended; and those given up. */
  count(): { readonly accepted: number; readonly unanswerable: number } {
    const [flags, counted] = [this.#flags.view(), this.counted.view()];
    let [accepted, unanswerable] = [0, 0];
    for (let i = 0; i < flags.length; i++) {
      const flag = flags[i] as number;
      if ((flag & (ACCEPTED | UNANSWERABLE | GOLD)) === ACCEPTED && counted[i] === 0) accepted++;
      if ((flag & UNANSWERABLE) !== 0) unanswerable++;
    }
    return { accepted, unanswerable };
  }

  predict(ordinal: number, label: number, confidence: number, accepted: boolean): void {
    this.predicted.set(ordinal, label);
    this.confidence.set(ordinal, confidence);
    const others = this.#flags.get(ordinal) & ~ACCEPTED;
    this.#flags.set(ordinal, accepted ? others | ACCEPTED : others);
  }

  /** Takes back every sample's prediction: what a run does not speak of has none. */
  clearPredictions(): void {
    this.predicted.view().fill(NONE);
    this.confidence.view().fill(0);
    const flags = this.#flags.view();
    for (let i = 0; i < flags.length; i++) flags[i] = (flags[i] as number) & ~ACCEPTED;
  }

  /** Fewer answers and hands than its overlap: one more answer counts, were it late or to one given up. Gold needs none. */
  hasFreePlace(ordinal: number): boolean {
    if (this.isGold(ordinal) || this.isErased(ordinal)) return false;
    return this.counted.get(ordinal) + this.live.get(ordinal) < this.overlap.get(ordinal);
  }

  /** The next place that is taken is one for an extra opinion: as many answers and hands as were meant are there. */
  isExtraNext(ordinal: number): boolean {
    const base = this.overlap.get(ordinal) - this.extra.get(ordinal);
    return this.counted.get(ordinal) + this.live.get(ordinal) >= base;
  }

  /** It can be put in somebody's hands: a place is free, and it is not given up. */
  hasRoom(ordinal: number): boolean {
    return this.hasFreePlace(ordinal) && !this.isUnanswerable(ordinal);
  }

  /** It has its answers, is unanswerable, is gold, or was erased. */
  isSettled(ordinal: number): boolean {
    if (this.isGold(ordinal) || this.isErased(ordinal)) return true;
    return this.counted.get(ordinal) >= this.overlap.get(ordinal) || this.isUnanswerable(ordinal);
  }

  /** Nobody has answered it, nobody holds it, and it can be asked. */
  isUnlabelled(ordinal: number): boolean {
    if (this.isUnanswerable(ordinal) || this.isGold(ordinal) || this.isErased(ordinal)) return false;
    return this.counted.get(ordinal) + this.live.get(ordinal) === 0;
  }
}
