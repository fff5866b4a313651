import { MIN_FOR_BAND } from './agreementFigure.ts';
import type { TrendPoint } from './agreementTrend.ts';
import type { AttentionTotals } from './attentionTotals.ts';
import type { ClassPair } from './classPairs.ts';
import type { LabellingCost } from './labellingCost.ts';
import type { CurvePoint } from './modelCurve.ts';
import type { PersonFigures } from './peopleOverTime.ts';
import type { Project } from './project.ts';
import { isStable } from './stopping.ts';

/** `ACT`: labels are wrong or work stands still until something is done; `IMPROVE`: it could be better; `KNOW`. */
export type Urgency = 'ACT' | 'IMPROVE' | 'KNOW';

/** What to do next, in plain words. */
export interface Advice {
  readonly urgency: Urgency;
  readonly text: string;
}

interface Figures {
  readonly cost: LabellingCost;
  readonly curve: readonly CurvePoint[];
  readonly trend: readonly TrendPoint[];
  readonly classPairs: readonly ClassPair[];
  readonly people: readonly PersonFigures[];
  readonly attention: AttentionTotals;
}

/** A share of samples given up from which the question itself is in doubt. */
const MANY_GIVEN_UP = 0.05;

/** What the figures say to do, the most urgent first. */
export function adviceOn(project: Project, figures: Figures): Advice[] {
  const all = [
    ...onProgress(project, figures.cost),
    ...onAudit(project),
    ...onAgreement(project, figures.classPairs),
    ...onTrend(figures.trend),
    ...onPeople(figures.people),
    ...onGold(project, figures.attention),
    ...onModel(project, figures.curve),
  ];
  const order: readonly Urgency[] = ['ACT', 'IMPROVE', 'KNOW'];
  return order.flatMap((urgency) => all.filter((advice) => advice.urgency === urgency));
}

function* onProgress(
  project: Project,
  { samples, labelled, autoAccepted, answers, unanswerable }: LabellingCost,
): Generator<Advice> {
  const isDone = samples > 0 && labelled + autoAccepted + unanswerable >= samples;
  if (samples === 0) yield act('Import samples: there is nothing to label yet.');
  else if (answers === 0) yield act('Nobody has labelled anything yet: add annotators and let them begin.');
  if (isDone) yield know('Every sample is labelled, left to the model, or given up.');
  else if (project.policy.paused) yield act('The project is paused: nobody is given anything to label.');
  else if (answers > 0 && project.policy.withoutRound === 'WAIT' && project.openRound === undefined)
    yield act('No round is open, and people wait for one: open it.');
  if (unanswerable > MANY_GIVEN_UP * samples)
    yield improve(
      `${unanswerable} of ${samples} samples were skipped so often that they were given up. Ask why: a class may be missing, or the guidelines may not say what to do.`,
    );
}

function* onAudit({ currentRun, policy }: Project): Generator<Advice> {
  if (currentRun === undefined || currentRun.published.accepted === 0) return;
  const { autoAccept, audited, errors } = currentRun;
  const limit = percent(currentRun.published.errorLimit);
  if (autoAccept === 'SUSPENDED')
    yield act(
      `The model's own labels are suspended: audits found ${errors} of ${audited} wrong, more than the limit of ${limit} allows. Those samples go to people. Train a better model, or raise the threshold.`,
    );
  else if (autoAccept === 'PROVISIONAL')
    yield improve(
      `Do not rely on the model's own labels yet: ${audited} audits are answered, ${errors} of them found an error, and that does not decide whether the error rate is below ${limit}.`,
    );
  else yield know(`Audits have proven that the model's own labels are wrong in less than ${limit} of cases.`);
  if (policy.suggestions === 'SHOWN')
    yield know("Suggestions are shown. Compare people's agreement with the model by shown and hidden.");
}

function* onAgreement(project: Project, pairs: readonly ClassPair[]): Generator<Advice> {
  if (project.answers === 0) return;
  const { alpha } = project.agreement.overall();
  if ('undefined' in alpha) {
    if (alpha.undefined !== 'CHANCE_AGREEMENT_IS_ONE')
      yield improve(
        'How far people agree is not known: let several people label the same samples (overlap).',
      );
    return;
  }
  if (alpha.n < MIN_FOR_BAND)
    yield improve(
      `Only ${alpha.n} samples were labelled by several people: too few to say how far they agree. ${MIN_FOR_BAND} are the least.`,
    );
  else if (alpha.band === 'NEEDS_IMPROVEMENT' || alpha.band === 'UNACCEPTABLE')
    yield act(
      `People agree too little (alpha ${alpha.value.toFixed(2)}). Sharpen the guidelines before labelling goes on.`,
    );
  const worst = pairs.find(({ first, second }) => first !== second);
  if (worst !== undefined && alpha.n >= MIN_FOR_BAND && alpha.band !== 'EXCELLENT')
    yield improve(
      `Most disagreement is between “${project.labels[worst.first]}” and “${project.labels[worst.second]}” (${worst.count} times): say in the guidelines how to tell them apart.`,
    );
}

function* onTrend(trend: readonly TrendPoint[]): Generator<Advice> {
  const [oldest, newest] = [trend[0]?.alpha, trend.at(-1)?.alpha];
  if (!oldest || !newest || 'undefined' in oldest || 'undefined' in newest) return;
  // Intervals that do not meet: more than a difference that chance explains.
  if (oldest.interval && newest.interval && newest.interval.upper < oldest.interval.lower)
    yield act(
      `People agree less lately (alpha ${newest.value.toFixed(2)}) than at first (${oldest.value.toFixed(2)}). Look for what has changed: the samples, the guidelines, or who labels.`,
    );
}

function* onPeople(people: readonly PersonFigures[]): Generator<Advice> {
  const worse = people.filter(({ change }) => change !== null && change.interval.upper < 0);
  if (worse.length > 0)
    yield act(
      `${worse.length === 1 ? 'One person agrees' : `${worse.length} people agree`} less with the others than before: see “People”. It may be the others who have changed; look at some of their answers.`,
    );
}

function* onGold({ policy }: Project, { samples, paused }: AttentionTotals): Generator<Advice> {
  if (paused > 0)
    yield act(
      `${paused === 1 ? 'One person is' : `${paused} people are`} paused, because gold shows that they are right too seldom. Look at what they got wrong, talk to them, and let them go on or not.`,
    );
  if (policy.gold.share > 0 && samples < policy.gold.reserve)
    yield improve(
      `Only ${samples} samples have a known answer, and each is asked of everybody once: set more gold, ${policy.gold.reserve} or more.`,
    );
}

function* onModel(project: Project, curve: readonly CurvePoint[]): Generator<Advice> {
  if (project.answers === 0) return;
  if (curve.length === 0) {
    yield know(
      'No model has been published: once there are some labels, train one and publish its predictions.',
    );
    return;
  }
  const newest = curve.at(-1);
  if (newest !== undefined && newest.accuracy === null)
    yield improve(
      `How good the newest model is, is not known: ${newest.heldOut} answers to samples drawn at random with the prediction hidden, and it takes ${MIN_FOR_BAND}. Open rounds with a random share (the hybrid strategy).`,
    );
  if (isStable(project.runs.map(({ published }) => published.signals)))
    yield know(
      'The newest models agree with each other: more labels of this kind would change little. Consider stopping.',
    );
}

function act(text: string): Advice {
  return { urgency: 'ACT', text };
}

function improve(text: string): Advice {
  return { urgency: 'IMPROVE', text };
}

function know(text: string): Advice {
  return { urgency: 'KNOW', text };
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}
