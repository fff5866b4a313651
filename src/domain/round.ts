import type { RoundClosed, RoundOpened } from './events.ts';
import { Lane } from './lane.ts';

/** A round: the samples one strategy chose, and how far their labelling has come. */
export class Round {
  readonly opened: RoundOpened;
  readonly openedAt: number;
  /** The commit that opened it. */
  readonly openedSeq: number;
  readonly lane = new Lane();
  /** Samples that are neither answered nor unanswerable. */
  unsettled: number;
  /** Samples given up by enough people. */
  unanswerable = 0;
  closed: RoundClosed | null = null;
  closedAt: number | null = null;

  constructor(opened: RoundOpened, openedAt: number, openedSeq: number) {
    this.opened = opened;
    this.openedAt = openedAt;
    this.openedSeq = openedSeq;
    this.unsettled = opened.samples.length;
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
