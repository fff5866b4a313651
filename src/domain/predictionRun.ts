import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import { DRAWS, MODES } from './assignmentTable.ts';
import { cohensKappa } from './cohensKappa.ts';
import { ContingencyTables } from './contingency.ts';
import type { Draw, PredictionsPublished } from './events.ts';
import { Lane } from './lane.ts';
import type { SuggestionMode } from './policy.ts';
import { NONE } from './sampleTable.ts';
import { knownEffects, revealedEffect, type SuggestionEffect, shownEffect } from './suggestionEffect.ts';

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
  /** How the policy had suggestions, and the class that was offered, or {@link NONE}. */
  readonly mode: SuggestionMode;
  readonly suggestion: number;
  readonly predicted: number;
  /** The answer before a suggestion was revealed, and as it stands; the same in other modes. */
  readonly first: number;
  readonly label: number;
}

/**
 * How far people agree with a run, over the answers of one draw that were given in one mode, with a suggestion or without.
 * Where it is revealed after a first answer, that answer is the one.
 */
export interface ModelAgreement {
  readonly draw: Draw;
  readonly mode: SuggestionMode;
  readonly isOffered: boolean;
  /** Answers, and those that are what the run had predicted. */
  readonly answers: number;
  readonly agreeing: number;
  readonly kappa: AgreementFigure | UndefinedFigure;
}

/** The prediction was not known to those who answered. */
export function isBlind({ mode, isOffered }: Pick<ModelAgreement, 'mode' | 'isOffered'>): boolean {
  return !isOffered || mode === 'AFTER_FIRST_ANSWER';
}

/** What audits have shown of one predicted class: those of the budget and of its floor, both uniform within it. */
export interface ClassAudit {
  readonly label: number;
  /** Unlabelled samples that were auto-accepted as of this class. */
  readonly accepted: number;
  readonly audited: number;
  readonly errors: number;
}

/** A number for how an answer was given: in which mode, with a suggestion or without. */
function wayOf(mode: SuggestionMode, isOffered: boolean): number {
  return 2 * MODES.indexOf(mode) + Number(isOffered);
}

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

  /** Answers by draw and by the way in which they were given: what was predicted, and what people said. */
  readonly #answers = new ContingencyTables();
  /** Of answers after which this prediction was revealed: whether the first agreed, and whether it does now. */
  readonly #revealed = new ContingencyTables();
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
    for (let way = 0; way < 2 * MODES.length; way++) {
      for (const { row, column, count } of this.#answers.cells(DRAWS.indexOf('AUDIT'), way)) {
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
  count({ sample, draw, mode, suggestion, predicted, first, label }: AnswerToModel, by: 1 | -1): void {
    this.#answers.count(DRAWS.indexOf(draw), wayOf(mode, suggestion !== NONE), predicted, first, by);
    // Somebody who has given a sample back and got it again knows what an earlier run said.
    if (mode === 'AFTER_FIRST_ANSWER' && suggestion === predicted)
      this.#revealed.count(0, 0, Number(first === predicted), Number(label === predicted), by);
    if (draw !== 'AUDIT' || this.isFloor(sample)) return;
    this.audited += by;
    if (first !== predicted) this.errors += by;
  }

  /**
   * How far its suggestions sway people: how often they say the same, with a suggestion and without. Audits are left out of
   * those that were shown to some, for they were hidden always.
   */
  suggestionEffects(): SuggestionEffect[] {
    const kinds = this.peopleAgainstModel().filter(({ draw, mode }) => draw !== 'AUDIT' && mode === 'SHOWN');
    const sum = (offered: boolean) => {
      const some = kinds.filter(({ isOffered }) => isOffered === offered);
      const total = (of: (kind: ModelAgreement) => number) => some.reduce((all, kind) => all + of(kind), 0);
      return { answers: total(({ answers }) => answers), agreeing: total(({ agreeing }) => agreeing) };
    };
    const cells = this.#revealed.cells(0, 0);
    const of = (first: number, last: number) =>
      cells.find(({ row, column }) => row === first && column === last)?.count ?? 0;
    const revealed = { both: of(1, 1), onlyFirst: of(1, 0), onlyLast: of(0, 1), neither: of(0, 0) };
    return knownEffects(shownEffect(sum(false), sum(true)), revealedEffect(revealed));
  }

  /**
   * People against the model, of each kind of answer that there is. Of samples drawn at random whose prediction
   * was not shown before the answer, it estimates how the model would do on all that was unlabelled; the others were chosen by what
   * the model said, or were seen beside it.
   */
  peopleAgainstModel(): ModelAgreement[] {
    return [...this.#answers.pairs()]
      .sort((left, right) => left.a - right.a || left.b - right.b)
      .map(({ a, b, shared }) => {
        const cells = this.#answers.cells(a, b);
        const agreeing = cells.reduce((sum, { row, column, count }) => sum + (row === column ? count : 0), 0);
        const kappa = cohensKappa(cells, 'NONE', null);
        const mode = MODES[b >> 1] as SuggestionMode;
        return { draw: DRAWS[a] as Draw, mode, isOffered: b % 2 === 1, answers: shared, agreeing, kappa };
      });
  }
}
