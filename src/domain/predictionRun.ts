import type { PredictionsPublished } from './events.ts';
import { Lane } from './lane.ts';

/**
 * Whether auto-accept may be trusted: `PROVISIONAL` until the audits decide, `PROVEN` once the upper bound of
 * the error rate is below the limit, `SUSPENDED` once the lower bound exceeds it.
 */
export type AutoAcceptStatus = 'PROVISIONAL' | 'PROVEN' | 'SUSPENDED';

/** What one model version said of the samples, and what audits of its auto-accepted ones have shown. */
export class PredictionRun {
  readonly published: PredictionsPublished;
  readonly publishedAt: number;
  readonly rows: number;
  /** The order in which this run's audits are asked. */
  readonly lane = new Lane();
  autoAccept: AutoAcceptStatus = 'PROVISIONAL';
  /** Audited samples with an answer that counts. */
  audited = 0;
  /** Those whose answer differs from the prediction. */
  errors = 0;

  readonly #auditPosition = new Map<number, number>();

  constructor(published: PredictionsPublished, publishedAt: number) {
    this.published = published;
    this.publishedAt = publishedAt;
    this.rows = published.parts.reduce((rows, part) => rows + part.rows, 0);
    published.audits.forEach((sample, position) => {
      this.#auditPosition.set(sample, position);
    });
  }

  get number(): number {
    return this.published.run;
  }

  /** How many passes it has; 0: none. */
  get passes(): number {
    return this.published.parts[0]?.passes.length ?? 0;
  }

  /** The place of a sample among the run's audits, or undefined. */
  auditPosition(sample: number): number | undefined {
    return this.#auditPosition.get(sample);
  }

  /** Counts an audit's answer in (`by` = 1) or out again (−1). */
  count(isError: boolean, by: 1 | -1): void {
    this.audited += by;
    if (isError) this.errors += by;
  }
}
