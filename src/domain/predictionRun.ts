import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import { cohensKappa } from './cohensKappa.ts';
import { ContingencyTables } from './contingency.ts';
import type { Draw, PredictionsPublished } from './events.ts';
import { Lane } from './lane.ts';

/**
 * Whether auto-accept may be trusted: `PROVISIONAL` until the audits decide, `PROVEN` once the upper bound of
 * the error rate is below the limit, `SUSPENDED` once the lower bound exceeds it.
 */
export type AutoAcceptStatus = 'PROVISIONAL' | 'PROVEN' | 'SUSPENDED';

/** An answer beside what the run had said of the sample when it was asked. */
export interface AnswerToModel {
  readonly sample: number;
  /** Why the sample was asked. */
  readonly draw: Draw;
  /** The prediction was offered as a suggestion. */
  readonly isShown: boolean;
  readonly predicted: number;
  readonly label: number;
}

/** How far people agree with a run, over the answers of one draw to samples whose prediction was shown, or was not. */
export interface ModelAgreement {
  readonly draw: Draw;
  readonly isShown: boolean;
  /** Answers, and those that are what the run had predicted. */
  readonly answers: number;
  readonly agreeing: number;
  readonly kappa: AgreementFigure | UndefinedFigure;
}

/** What audits have shown of one predicted class: those of the budget and of its floor, both uniform within it. */
export interface ClassAudit {
  readonly label: number;
  /** Unlabelled samples that were auto-accepted as of this class. */
  readonly accepted: number;
  readonly audited: number;
  readonly errors: number;
}

const DRAWS: readonly Draw[] = ['UNCERTAIN', 'RANDOM', 'POOL', 'AUDIT', 'EXTRA_OPINION', 'REPEAT', 'GOLD'];

/** What one model version said of the samples, and what audits of its auto-accepted ones have shown. */
export class PredictionRun {
  readonly published: PredictionsPublished;
  readonly publishedAt: number;
  readonly rows: number;
  /** The order in which this run's audits are asked. */
  readonly lane = new Lane();
  autoAccept: AutoAcceptStatus = 'PROVISIONAL';
  /** Audits of the budget, which is drawn uniformly, with an answer that counts: the run is judged by these. */
  audited = 0;
  /** Those whose answer differs from the prediction. */
  errors = 0;

  /** Answers by draw and by whether the prediction was shown: what was predicted, and what people said. */
  readonly #answers = new ContingencyTables();
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

  /** Whether an audit was drawn for its class alone. */
  isFloor(sample: number): boolean {
    const position = this.auditPosition(sample);
    return position !== undefined && this.published.floors[position] === 1;
  }

  /** What audits have shown of each predicted class of which something was accepted. */
  auditsByClass(): ClassAudit[] {
    const counts = new Map<number, { audited: number; errors: number }>();
    for (const isShown of [0, 1]) {
      for (const { row, column, count } of this.#answers.cells(DRAWS.indexOf('AUDIT'), isShown)) {
        const before = counts.get(row) ?? { audited: 0, errors: 0 };
        const errors = before.errors + (row === column ? 0 : count);
        counts.set(row, { audited: before.audited + count, errors });
      }
    }
    return [...this.published.acceptedOf]
      .map((accepted, label) => ({ label, accepted, audited: 0, errors: 0, ...counts.get(label) }))
      .filter(({ accepted }) => accepted > 0);
  }

  /** Counts an answer in (`by` = 1) or out again (−1). */
  count({ sample, draw, isShown, predicted, label }: AnswerToModel, by: 1 | -1): void {
    this.#answers.count(DRAWS.indexOf(draw), Number(isShown), predicted, label, by);
    if (draw !== 'AUDIT' || this.isFloor(sample)) return;
    this.audited += by;
    if (label !== predicted) this.errors += by;
  }

  /**
   * People against the model, of each kind of answer that there is. Of samples drawn at random whose prediction was
   * hidden, it estimates how the model would do on all that was unlabelled; the others were chosen by what the model
   * said, or were seen beside it.
   */
  peopleAgainstModel(): ModelAgreement[] {
    return [...this.#answers.pairs()]
      .sort((left, right) => left.a - right.a || left.b - right.b)
      .map(({ a, b, shared }) => {
        const cells = this.#answers.cells(a, b);
        const agreeing = cells.reduce((sum, { row, column, count }) => sum + (row === column ? count : 0), 0);
        const kappa = cohensKappa(cells, 'NONE', null);
        return { draw: DRAWS[a] as Draw, isShown: b === 1, answers: shared, agreeing, kappa };
      });
  }
}
