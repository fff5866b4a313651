import { type Advice, adviceOn } from './advice.ts';
import { agreementTrend, type TrendPoint } from './agreementTrend.ts';
import { type AttentionTotals, attentionTotals } from './attentionTotals.ts';
import { type ClassPair, classPairs } from './classPairs.ts';
import { jointRatings } from './jointRatings.ts';
import { type LabellingCost, labellingCost } from './labellingCost.ts';
import { type CurvePoint, modelCurve } from './modelCurve.ts';
import { type PersonFigures, peopleOverTime } from './peopleOverTime.ts';
import type { Project } from './project.ts';

/** How a project stands, beside the figures that are counted all the time. */
export interface ProjectReport {
  readonly seq: number;
  readonly cost: LabellingCost;
  readonly curve: readonly CurvePoint[];
  readonly trend: readonly TrendPoint[];
  readonly classPairs: readonly ClassPair[];
  readonly people: readonly PersonFigures[];
  readonly attention: AttentionTotals;
  readonly advice: readonly Advice[];
}

/** Worked out anew from all answers: some tenths of a second for 100,000. */
export function projectReport(project: Project): ProjectReport {
  const joint = jointRatings(project);
  const classes = project.labels.length;
  const figures = {
    cost: labellingCost(project),
    curve: modelCurve(project),
    trend: agreementTrend(joint, classes, project.created.scale),
    classPairs: classPairs(joint, classes),
    people: peopleOverTime(project, joint),
    attention: attentionTotals(project),
  };
  return { seq: project.seq, ...figures, advice: adviceOn(project, figures) };
}
