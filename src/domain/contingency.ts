import { Column } from './columns.ts';
import { PairIndex } from './pairIndex.ts';
import { NONE } from './sampleTable.ts';

const LABELS = 2 ** 16;

/** Samples that one rater has put in the class `row` and the other in the class `column`. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
}

/**
 * A classes × classes table for each two raters that share a sample: sparse, in typed arrays, about 30 bytes a cell
 * that was ever in use. With a thousand annotators there may be half a million pairs, most of them of a few samples.
 *
 * Raters are numbers below 2^32, and a pair is (a, b) in this order; rows are the labels of a, columns those of b, both
 * below 2^16. A change takes constant time.
 */
export class ContingencyTables {
  readonly #pairs = new PairIndex();
  /** By the pair's number: its samples, and its newest cell. */
  readonly #samples = new Column(Uint32Array);
  readonly #newestCell = new Column(Int32Array);
  /** Cells by the pair's number and row × {@link LABELS} + column. */
  readonly #cells = new PairIndex();
  /** By the cell's number: its samples, and the next older cell of the same pair, or {@link NONE}. */
  readonly #counts = new Column(Uint32Array);
  readonly #olderCell = new Column(Int32Array);
  #inUse = 0;

  /** Pairs that share a sample. */
  get size(): number {
    return this.#inUse;
  }

  /** Counts a sample in (`by` = 1) or out (−1). @throws {RangeError} what was never counted is counted out */
  count(a: number, b: number, row: number, column: number, by: 1 | -1): void {
    const pair = this.#pair(a, b);
    const cell = this.#cell(pair, row * LABELS + column);
    const count = this.#counts.get(cell) + by;
    if (count < 0) throw new RangeError('What was never counted cannot be taken back');
    const samples = this.#samples.get(pair) + by;
    this.#counts.set(cell, count);
    this.#samples.set(pair, samples);
    if (by === 1 && samples === 1) this.#inUse++;
    if (by === -1 && samples === 0) this.#inUse--;
  }

  /** How many samples two raters share. */
  shared(a: number, b: number): number {
    const pair = this.#pairs.indexOf(a, b);
    return pair === NONE ? 0 : this.#samples.get(pair);
  }

  /** The cells of a pair that hold samples, by row and column. */
  cells(a: number, b: number): Cell[] {
    const pair = this.#pairs.indexOf(a, b);
    const cells: Cell[] = [];
    for (
      let cell = pair === NONE ? NONE : this.#newestCell.get(pair);
      cell !== NONE;
      cell = this.#olderCell.get(cell)
    ) {
      const count = this.#counts.get(cell);
      const place = this.#cells.second.get(cell);
      const row = Math.floor(place / LABELS);
      if (count > 0) cells.push({ row, column: place % LABELS, count });
    }
    // In one order, whatever the history: sums of fractions differ in their last bits with the order.
    return cells.sort((left, right) => left.row - right.row || left.column - right.column);
  }

  /** The `count` pairs that share the most samples, the most first; of equals, those that came first. */
  largest(count: number): { readonly a: number; readonly b: number }[] {
    const samples = this.#samples.view();
    const kept: number[] = [];
    for (let pair = 0; pair < samples.length; pair++) {
      const shared = samples[pair] as number;
      const least = kept.length < count ? 0 : (samples[kept.at(-1) as number] as number);
      if (shared <= least) continue;
      if (kept.length === count) kept.pop();
      let at = kept.length;
      while (at > 0 && (samples[kept[at - 1] as number] as number) < shared) at--;
      kept.splice(at, 0, pair);
    }
    return kept.map((pair) => ({ a: this.#pairs.first.get(pair), b: this.#pairs.second.get(pair) }));
  }

  /** Every pair that shares a sample, in no order that means anything. */
  *pairs(): Generator<{ readonly a: number; readonly b: number; readonly shared: number }> {
    for (let pair = 0; pair < this.#pairs.size; pair++) {
      const shared = this.#samples.get(pair);
      if (shared > 0) yield { a: this.#pairs.first.get(pair), b: this.#pairs.second.get(pair), shared };
    }
  }

  #pair(a: number, b: number): number {
    const known = this.#pairs.size;
    const pair = this.#pairs.add(a, b);
    if (pair === known) {
      this.#samples.push(0);
      this.#newestCell.push(NONE);
    }
    return pair;
  }

  #cell(pair: number, place: number): number {
    const known = this.#cells.size;
    const cell = this.#cells.add(pair, place);
    if (cell === known) {
      this.#counts.push(0);
      this.#olderCell.push(this.#newestCell.get(pair));
      this.#newestCell.set(pair, cell);
    }
    return cell;
  }
}
