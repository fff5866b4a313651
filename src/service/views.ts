import type { AnnotatorPair, ClassAgreement, OverallAgreement } from '../domain/agreement.ts';
import type { AgreementFigure, UndefinedFigure } from '../domain/agreementFigure.ts';
import type { WorkSession } from '../domain/annotator.ts';
import { roundProgress } from '../domain/announced.ts';
import { isUndoable } from '../domain/answer.ts';
import type { AssignmentState } from '../domain/assignmentTable.ts';
import { type EmptyClaim, whyEmpty } from '../domain/claim.ts';
import { confidenceSequence, type Interval, wilson } from '../domain/confidence.ts';
import type { Embeddings } from '../domain/embedding.ts';
import type { Draw, RoundClosed, RoundOpened, StrategyOrigin } from '../domain/events.ts';
import type { SuggestionMode } from '../domain/policy.ts';
import type { AutoAcceptStatus, ClassAudit, ModelAgreement, PredictionRun } from '../domain/predictionRun.ts';
import type { Project } from '../domain/project.ts';
import type { Round } from '../domain/round.ts';
import { NONE, type PayloadPlace } from '../domain/sampleTable.ts';
import { isStable, type StoppingSignals } from '../domain/stopping.ts';
import type { SuggestionEffect } from '../domain/suggestionEffect.ts';

/**
 * What leaves the service: plain values, taken from a projection at one instant. They hold nothing that a later
 * commit could change, so that an answer speaks of one state however long it takes to send.
 */

/** An assignment as its own annotator may see it: no key, no draw, nothing of others. */
export interface AssignmentView {
  readonly id: string;
  readonly payload: PayloadPlace;
  readonly state: AssignmentState;
  /** The model's label, if one is offered and may be seen by now. */
  readonly suggestion: string | null;
  /** One's own answer. */
  readonly label: string | null;
  readonly grantedAt: number;
  readonly until: number;
}

export function assignmentView(project: Project, row: number): AssignmentView {
  const { assignments, samples } = project;
  return {
    id: assignments.ids.keyAt(row),
    payload: samples.payload(assignments.sample.get(row)),
    state: assignments.state(row),
    suggestion: labelAt(project, assignments.offered(row)),
    label: labelAt(project, assignments.label.get(row)),
    grantedAt: assignments.grantedAt.get(row),
    until: assignments.until.get(row),
  };
}

/** An answer with where it comes from, as those who steer the project may see it. */
export interface AnnotationView {
  /** Of the assignment that it answers. */
  readonly id: string;
  /** Member id of who gave it. */
  readonly member: string;
  readonly label: string;
  readonly answeredAt: number;
  /** Time taken, as the annotator's program measured it; null: not told. */
  readonly milliseconds: number | null;
  readonly draw: Draw;
  /** The round that was open when the sample was asked; null: none. */
  readonly round: number | null;
  /** How the policy had suggestions when the sample was asked. */
  readonly mode: SuggestionMode;
  /** The model's label that was offered, before the answer or after the first; null: none was. */
  readonly suggestion: string | null;
  /** The answer that was given before the suggestion was revealed; null: none was revealed after an answer. */
  readonly firstLabel: string | null;
  /** Since then, the answer has become what was suggested. */
  readonly movedToSuggestion: boolean;
  /** The prediction run that was current when the sample was asked, and what that said of it; null: nothing. */
  readonly run: number | null;
  readonly predicted: string | null;
  /** False: it came when the sample had its answers, and is kept outside consensus. */
  readonly counted: boolean;
}

/** Answers to a sample that stand, in the order in which their assignments were first granted. */
export function annotationViews(project: Project, sample: number): AnnotationView[] {
  const { assignments } = project;
  const views: AnnotationView[] = [];
  for (const row of project.assignmentsOf(sample)) {
    if (assignments.state(row) !== 'SUBMITTED') continue;
    const milliseconds = assignments.milliseconds.get(row);
    views.push({
      id: assignments.ids.keyAt(row),
      member: project.annotatorOf(row).id,
      label: project.labels[assignments.label.get(row)] ?? '',
      answeredAt: assignments.answeredAt.get(row),
      milliseconds: Number.isNaN(milliseconds) ? null : milliseconds,
      draw: assignments.draw(row),
      round: assignments.round.get(row) || null,
      mode: assignments.mode(row),
      suggestion: labelAt(project, assignments.suggestion.get(row)),
      firstLabel: labelAt(project, assignments.first.get(row)),
      movedToSuggestion: assignments.hasMovedToSuggestion(row),
      run: assignments.run.get(row) || null,
      predicted: labelAt(project, assignments.predicted.get(row)),
      counted: assignments.isCounted(row),
    });
  }
  return views.reverse();
}

function labelAt(project: Project, index: number): string | null {
  return index === NONE ? null : (project.labels[index] ?? null);
}

/** How a work session stands: it runs, the break after it does, or both are over. */
export type WorkSessionState = 'RUNNING' | 'BREAK' | 'OVER';

export interface WorkSessionView extends Pick<WorkSession, 'startedAt' | 'until' | 'breakUntil'> {
  readonly state: WorkSessionState;
  /** How long what runs has still to go, the session or the break, in milliseconds; 0: both are over. */
  readonly millisecondsLeft: number;
  /** Answers given since it began, that stand. */
  readonly answers: number;
}

/** What one annotator has in hands, and how their work stands. */
export interface QueueView {
  readonly seq: number;
  readonly held: readonly AssignmentView[];
  /** Answers on which a suggestion was revealed, oldest first, as long as they may be changed. */
  readonly revealed: readonly AssignmentView[];
  /** Why a claim would give nothing; null while there is work. */
  readonly empty: EmptyClaim | null;
  readonly workSession: WorkSessionView | null;
  /** Answers that stand. */
  readonly answers: number;
  readonly skips: number;
}

export function queueView(project: Project, member: string, now: number): QueueView {
  const annotator = project.annotator(member);
  return {
    seq: project.seq,
    held: (annotator?.held ?? []).map((row) => assignmentView(project, row)),
    revealed: (annotator?.undoable ?? [])
      .filter((row) => project.assignments.isRevealed(row) && isUndoable(project, row))
      .map((row) => assignmentView(project, row)),
    empty: whyEmpty(project, member, now),
    workSession: annotator?.session ? workSessionView(annotator.session, annotator.answers, now) : null,
    answers: annotator?.answers ?? 0,
    skips: annotator?.skips ?? 0,
  };
}

function workSessionView(
  { startedAt, until, breakUntil, answersBefore }: WorkSession,
  answers: number,
  now: number,
): WorkSessionView {
  const state = now < until ? 'RUNNING' : now < breakUntil ? 'BREAK' : 'OVER';
  const end = { RUNNING: until, BREAK: breakUntil, OVER: now }[state];
  return {
    startedAt,
    until,
    breakUntil,
    state,
    millisecondsLeft: end - now,
    // One that was taken back may be older than the session.
    answers: Math.max(0, answers - answersBefore),
  };
}

export interface RoundView {
  readonly seq: number;
  readonly number: number;
  readonly strategy: RoundOpened['strategy'];
  readonly seed: number;
  readonly run: number | null;
  readonly origin: StrategyOrigin;
  /** Samples that the strategy was to choose. */
  readonly requested: number;
  /** Samples chosen by the strategy. */
  readonly size: number;
  readonly inclusionProbability: number | null;
  readonly openedAt: number;
  readonly deadline: number | null;
  readonly closedAt: number | null;
  readonly closeReason: RoundClosed['reason'] | null;
  /** Samples announced, and those of them that are settled. */
  readonly total: number;
  readonly settled: number;
}

export function roundView(project: Project, round: Round): RoundView {
  const { opened, closed } = round;
  return {
    seq: project.seq,
    number: round.number,
    strategy: opened.strategy,
    seed: opened.seed,
    run: opened.run,
    origin: opened.origin,
    requested: opened.requested,
    size: round.size,
    inclusionProbability: opened.inclusionProbability,
    openedAt: round.openedAt,
    deadline: opened.deadline,
    closedAt: round.closedAt,
    closeReason: closed?.reason ?? null,
    ...roundProgress(project, round),
  };
}

/** How far a project's labelling has come. */
export interface ProgressView {
  readonly seq: number;
  readonly samples: number;
  /** Samples with at least one answer that counts. */
  readonly labelled: number;
  /**
   * The same as annotators may see it, moved by each answer to gold as well: whoever watched what their own answers move
   * would know which was gold. At most all samples.
   */
  readonly veiledLabelled: number;
  /** Answers that stand, of everybody. */
  readonly answers: number;
  /** The newest round, open or closed. */
  readonly round: RoundView | null;
}

export function progressView(project: Project): ProgressView {
  const newest = project.rounds.at(-1);
  return {
    seq: project.seq,
    samples: project.samples.size,
    labelled: project.labelled,
    veiledLabelled: Math.min(project.samples.size, project.labelled + project.checks),
    answers: project.answers,
    round: newest ? roundView(project, newest) : null,
  };
}

export interface RunView {
  readonly number: number;
  readonly model: string;
  readonly rows: number;
  readonly publishedAt: number;
  readonly threshold: number | null;
  /** Unlabelled samples that were auto-accepted when the run was published. */
  readonly accepted: number;
  readonly autoAccept: AutoAcceptStatus;
  readonly errorLimit: number;
  /** Audits drawn, answered, and answered otherwise than predicted. */
  readonly audits: number;
  readonly audited: number;
  readonly errors: number;
  /** Wilson interval of the error rate, for display; null before the first answer. */
  readonly errorInterval: Interval | null;
  /** The anytime-valid bounds of the error rate, by which the run is judged; see `confidence.ts`. */
  readonly errorBounds: Interval;
  /** Audits beside the budget, for their class alone. */
  readonly floorAudits: number;
  readonly classAudits: readonly ClassAuditView[];
  /** How many passes it has; 0: none. */
  readonly passes: number;
  readonly signals: StoppingSignals;
  /** Whether the newest runs up to this one agree so well that more labels change little. */
  readonly isStable: boolean;
  readonly peopleAgreement: readonly ModelAgreement[];
  readonly suggestionEffects: readonly SuggestionEffect[];
}

export interface ClassAuditView extends ClassAudit {
  readonly name: string;
}

/** How the audits of the current run stand. */
export interface AuditView {
  readonly seq: number;
  /** Null before the first run. */
  readonly run: RunView | null;
}

export function auditView(project: Project): AuditView {
  const { seq, currentRun } = project;
  return { seq, run: currentRun === undefined ? null : runViewOf(project, currentRun) };
}

/** A run, with the signals of those before it. */
export function runViewOf({ runs, labels }: Project, run: PredictionRun): RunView {
  const { published, audited, errors } = run;
  const floorAudits = published.floors.reduce((sum, isFloor) => sum + isFloor, 0);
  return {
    number: run.number,
    model: published.model,
    rows: run.rows,
    publishedAt: run.publishedAt,
    threshold: published.threshold,
    accepted: published.accepted,
    autoAccept: run.autoAccept,
    errorLimit: published.errorLimit,
    audits: published.audits.length - floorAudits,
    floorAudits,
    audited,
    errors,
    errorInterval: audited === 0 ? null : wilson(errors, audited),
    errorBounds: confidenceSequence(errors, audited),
    classAudits: run.auditsByClass().map((audit) => ({ ...audit, name: labels[audit.label] ?? '' })),
    passes: run.passes,
    signals: published.signals,
    isStable: isStable(runs.slice(0, run.number).map(({ published }) => published.signals)),
    peopleAgreement: run.peopleAgainstModel(),
    suggestionEffects: run.suggestionEffects(),
  };
}

/** The newest vectors of a project's samples. */
export interface EmbeddingsView {
  readonly number: number;
  readonly model: string;
  readonly dimensions: number;
  readonly rows: number;
  readonly publishedAt: number;
}

export function embeddingsView({ published, publishedAt }: Embeddings): EmbeddingsView {
  const { publication, model, dimensions, parts } = published;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  return { number: publication, model, dimensions, rows, publishedAt };
}

/** Agreement over the base overlap. */
export interface AgreementView extends OverallAgreement {
  readonly seq: number;
  readonly classes: readonly ClassView[];
  /** Pairs that have labelled a sample jointly. */
  readonly pairCount: number;
  /** Those of them that share the most samples, at most {@link MAX_PAIRS}. */
  readonly pairs: readonly PairView[];
}

export interface ClassView extends ClassAgreement {
  readonly name: string;
}

export interface PairView extends AnnotatorPair {
  /** Member ids. */
  readonly members: readonly [string, string];
  readonly kappa: AgreementFigure | UndefinedFigure;
  readonly linearKappa: AgreementFigure | UndefinedFigure;
  readonly quadraticKappa: AgreementFigure | UndefinedFigure;
}

/** A thousand people make half a million pairs: too many to push whenever one of them has changed. */
export const MAX_PAIRS = 100;

export function agreementView(project: Project): AgreementView {
  const { agreement, labels } = project;
  return {
    seq: project.seq,
    ...agreement.overall(),
    classes: agreement.byClass().map((figures) => ({ ...figures, name: labels[figures.label] ?? '' })),
    pairCount: agreement.pairCount,
    pairs: agreement.closestPairs(MAX_PAIRS).map((pair) => pairView(project, pair)),
  };
}

export function pairView({ agreement, annotators }: Project, { a, b }: AnnotatorPair): PairView {
  return {
    a,
    b,
    members: [annotators[a]?.id ?? '', annotators[b]?.id ?? ''],
    kappa: agreement.cohensKappa(a, b),
    linearKappa: agreement.cohensKappa(a, b, 'LINEAR'),
    quadraticKappa: agreement.cohensKappa(a, b, 'QUADRATIC'),
  };
}
