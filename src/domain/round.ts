import type { RoundClosed, RoundOpened } from './events.ts';
import { Lane } from './lane.ts';

/** A round: the samples one strategy chose, and how far their labelling has come. */
export class Round {
  readonly opened: RoundOpened;
  readonly openedAt: number;
  /** The commit that opened it. */
  readonly openedSeq: number;
  readonly lane = new Lane();
  /** The audits that it has announced, in the order of their ranks. */
  readonly auditLane = new Lane();
  /** Samples that are neither answered nor unanswerable. */
  unsettled: number;
  /** Samples given up by enough people. */
  unanswerable = 0;
  closed: RoundClosed | null = null;
  closedAt: number | null = null;

  readonly #auditPosition = new Map<number, number>();

  constructor(opened: RoundOpened, openedAt: number, openedSeq: number) {
    this.opened = opened;
    this.openedAt = openedAt;
    this.openedSeq = openedSeq;
    this.unsettled = opened.samples.length;
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
    // As many of the chosen are announced ahead of the audit as its rank is above its number.
    return (this.opened.auditRanks[audit] as number) - audit <= position;
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
