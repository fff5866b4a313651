import type { RoundClosed, RoundOpened } from './events.ts';
import { Lane } from './lane.ts';
import { countBelow, firstNotBefore } from './ranks.ts';
import { NONE } from './sampleTable.ts';

/** How many of the chosen may have been asked since a place for gold was announced, that it is asked still. */
const NEAR = 4;

/** A round: the samples one strategy chose, and how far their labelling has come. */
export class Round {
  readonly opened: RoundOpened;
  readonly openedAt: number;
  /** The commit that opened it. */
  readonly openedSeq: number;
  readonly lane = new Lane();
  /** The same order, of those of which one more opinion is asked. */
  readonly extraLane = new Lane();
  /** The audits that it has announced, in the order of their ranks. */
  readonly auditLane = new Lane();
  /** Samples that are neither answered nor unanswerable. */
  unsettled: number;
  /** Samples given up by enough people. */
  unanswerable = 0;
  closed: RoundClosed | null = null;
  closedAt: number | null = null;

  /** The row that has taken each of its places for gold, or {@link NONE}. */
  readonly goldTakers: Int32Array;

  readonly #auditPosition = new Map<number, number>();

  constructor(opened: RoundOpened, openedAt: number, openedSeq: number) {
    this.opened = opened;
    this.openedAt = openedAt;
    this.openedSeq = openedSeq;
    this.unsettled = opened.samples.length;
    this.goldTakers = new Int32Array(opened.goldRanks.length).fill(NONE);
    opened.audits.forEach((sample, position) => {
      this.#auditPosition.set(sample, position);
    });
  }

  /** The place of a sample among the audits that were announced, or undefined. */
  auditPosition(sample: number): number | undefined {
    return this.#auditPosition.get(sample);
  }

  /** Whether an audit was announced ahead of a sample that was chosen, each by its position among its own. */
  isAhead(audit: number, position: number): boolean {
    return this.chosenAhead(this.opened.auditRanks[audit] as number) <= position;
  }

  /** Whether a place for gold was announced ahead of an audit. */
  isGoldAhead(place: number, audit: number): boolean {
    return (this.opened.goldRanks[place] as number) < (this.opened.auditRanks[audit] as number);
  }

  /** How many of the chosen are announced at ranks below one. */
  chosenAhead(rank: number): number {
    const { auditRanks, goldRanks } = this.opened;
    return rank - countBelow(auditRanks, rank) - countBelow(goldRanks, rank);
  }

  /**
   * The first of the free places for gold that were announced just ahead of a chosen sample, at most {@link NEAR} of
   * the chosen before it; or undefined. Those further back have been passed, and are not made up for: whoever came
   * new to a round would be asked one after the other.
   */
  goldPlaceAhead(position: number): number | undefined {
    const { goldRanks } = this.opened;
    const ahead = (place: number) => this.chosenAhead(goldRanks[place] as number);
    const first = firstNotBefore(goldRanks.length, (place) => ahead(place) < position - NEAR);
    for (let place = first; place < goldRanks.length && ahead(place) <= position; place++) {
      if (this.goldTakers[place] === NONE) return place;
    }
    return undefined;
  }

  /** An assignment gives its place for gold back, if it has one. */
  freeGoldPlace(row: number): void {
    const place = this.goldTakers.indexOf(row);
    if (place >= 0) this.goldTakers[place] = NONE;
  }

  get number(): number {
    return this.opened.round;
  }

  get size(): number {
    return this.opened.samples.length;
  }

  get isOpen(): boolean {
    return this.closed === null;
  }
}
