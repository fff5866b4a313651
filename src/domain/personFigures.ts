import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import type { Annotator } from './annotator.ts';
import type { Project } from './project.ts';
import type { TimeBins } from './timeSketch.ts';
import { type Drift, driftOf, usualTimes, WITH_CONSENSUS, WITH_GOLD, type Withheld } from './workFigures.ts';
import type { Work } from './workLog.ts';

/** What one person's work says, all of it together. */
export interface PersonFigures {
  /** Member id. */
  readonly id: string;
  readonly total: Work;
  /** By which accepted suggestions are judged. */
  readonly usual: TimeBins | null;
  /** Of their answers and their answers to repeats. */
  readonly kappa: AgreementFigure | UndefinedFigure;
  /** Of agreement with consensus, and with gold. */
  readonly drift: Drift | Withheld;
  readonly goldDrift: Drift | Withheld;
}

export function personFigures(project: Project, annotator: Annotator): PersonFigures {
  const { id, work } = annotator;
  const total = work.total();
  return {
    id,
    total,
    usual: usualTimes(total),
    kappa: project.consistencyOf(annotator),
    drift: driftOf(work, WITH_CONSENSUS),
    goldDrift: driftOf(work, WITH_GOLD),
  };
}
