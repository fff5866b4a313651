import { type Advice, adviceOn } from './advice.ts';
import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import type { AnswerTallies } from './answerTallies.ts';
import { type AttentionTotals, attentionTotals } from './attentionTotals.ts';
import type { PredictionsPublished } from './events.ts';
import { type LabellingCost, type LabellingProgress, labellingProgress } from './labellingCost.ts';
import { type CurvePoint, type RunQuality, runQualities } from './modelCurve.ts';
import type { PersonFigures } from './personFigures.ts';
import type { Policy } from './policy.ts';
import type { AutoAcceptStatus } from './predictionRun.ts';
import type { Project } from './project.ts';
import { isStable } from './stopping.ts';
import type { SuggestionEffect } from './suggestionEffect.ts';

/** How a project stands, beside the figures that are counted all the time. */
export interface ProjectReport extends Pick<AnswerTallies, 'trend' | 'classPairs' | 'suggestionEffects'> {
  readonly seq: number;
  readonly labels: readonly string[];
  readonly cost: LabellingCost;
  readonly curve: readonly CurvePoint[];
  /** Everybody who has been given something, most answers first. */
  readonly people: readonly PersonFigures[];
  readonly attention: AttentionTotals;
  readonly advice: readonly Advice[];
}

/** What is counted all the time, as it is at one commit. */
export interface Standing {
  readonly seq: number;
  readonly labels: readonly string[];
  readonly policy: Policy;
  readonly progress: LabellingProgress;
  readonly isRoundOpen: boolean;
  readonly runs: readonly RunQuality[];
  /** The newest runs agree so well that more labels change little. */
  readonly isStable: boolean;
  readonly audit: AuditStanding | null;
  readonly alpha: AgreementFigure | UndefinedFigure;
  readonly attention: AttentionTotals;
}

/** How the audits of the current run stand. */
export interface AuditStanding extends Pick<PredictionsPublished, 'accepted' | 'errorLimit'> {
  readonly autoAccept: AutoAcceptStatus;
  readonly audited: number;
  readonly errors: number;
  /** How far its suggestions sway people towards it. */
  readonly effects: readonly SuggestionEffect[];
}

/** To be taken at the same instant as the columns that the tallies come from. */
export function standingOf(project: Project): Standing {
  const { seq, labels, policy, currentRun, runs } = project;
  return {
    seq,
    labels,
    policy,
    progress: labellingProgress(project),
    isRoundOpen: project.openRound !== undefined,
    runs: runQualities(project),
    isStable: isStable(runs.map(({ published }) => published.signals)),
    audit: currentRun === undefined ? null : auditStanding(currentRun),
    alpha: project.agreement.overall().alpha,
    attention: attentionTotals(project),
  };
}

function auditStanding(run: Project['runs'][number]): AuditStanding {
  const { published, autoAccept, audited, errors } = run;
  const { accepted, errorLimit } = published;
  return { accepted, errorLimit, autoAccept, audited, errors, effects: run.suggestionEffects() };
}

/** @param people in any order */
export function projectReport(
  standing: Standing,
  { time, answersBefore, trend, classPairs, suggestionEffects }: AnswerTallies,
  people: readonly PersonFigures[],
): ProjectReport {
  const { seq, labels, progress, runs, attention } = standing;
  const activeMs = people.reduce((sum, { total }) => sum + total.activeMs, 0);
  const figures = {
    cost: { ...progress, ...time, hoursAtWork: activeMs / 3_600_000 },
    curve: runs.map((run, i): CurvePoint => ({ ...run, answers: answersBefore[i] ?? 0 })),
    trend,
    classPairs,
    suggestionEffects,
    people: people.toSorted((one, other) => other.total.answers - one.total.answers),
    attention,
  };
  return { seq, labels, ...figures, advice: adviceOn(standing, figures) };
}
