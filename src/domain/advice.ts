import { MIN_FOR_BAND } from './agreementFigure.ts';
import type { TrendPoint } from './agreementTrend.ts';
import type { AttentionTotals } from './attentionTotals.ts';
import type { ClassPair } from './classPairs.ts';
import type { LabellingCost } from './labellingCost.ts';
import type { CurvePoint } from './modelCurve.ts';
import type { PersonFigures } from './personFigures.ts';
import type { Standing } from './report.ts';
import type { SuggestionEffect } from './suggestionEffect.ts';
import { rubberStamped, shareOf, throughput } from './workFigures.ts';
import { Work } from './workLog.ts';

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
  /** How far suggestions make people agree with each other. */
  readonly suggestionEffects: readonly SuggestionEffect[];
  readonly people: readonly PersonFigures[];
  readonly attention: AttentionTotals;
}

/** A share of samples given up from which the question itself is in doubt. */
const MANY_GIVEN_UP = 0.05;
/** A share of suggestions accepted in haste from which somebody seems not to look. */
const MANY_HASTY = 0.5;
/** So much less often than all together somebody must agree with the others to be named, as a share of answers. */
const MUCH_LESS = 0.1;
/** People who are asked again should say the same at least so often. */
const CONSISTENT = 0.8;
/** A share of assignments that run out from which the time for one seems too short. */
const MANY_EXPIRED = 0.1;

/** What the figures say to do, the most urgent first. */
export function adviceOn(standing: Standing, figures: Figures): Advice[] {
  const all = [
    ...onProgress(standing, figures.cost),
    ...onAudit(standing),
    ...onSuggestions(standing, figures.suggestionEffects),
    ...onAgreement(standing, figures.classPairs),
    ...onTrend(figures.trend),
    ...onPeople(standing, figures.people, figures.cost),
    ...onGold(standing, figures.attention),
    ...onModel(standing, figures.curve),
  ];
  const order: readonly Urgency[] = ['ACT', 'IMPROVE', 'KNOW'];
  return order.flatMap((urgency) => all.filter((advice) => advice.urgency === urgency));
}

function* onProgress(
  { policy, isRoundOpen }: Standing,
  { samples, labelled, autoAccepted, answers, unanswerable }: LabellingCost,
): Generator<Advice> {
  const isDone = samples > 0 && labelled + autoAccepted + unanswerable >= samples;
  if (samples === 0) yield act('Import samples: there is nothing to label yet.');
  else if (answers === 0) yield act('Nobody has labelled anything yet: add annotators and let them begin.');
  if (isDone) yield know('Every sample is labelled, left to the model, or given up.');
  else if (policy.paused) yield act('The project is paused: nobody is given anything to label.');
  else if (answers > 0 && policy.withoutRound === 'WAIT' && !isRoundOpen)
    yield act('No round is open, and people wait for one: open it.');
  if (unanswerable > MANY_GIVEN_UP * samples)
    yield improve(
      `${rounded(unanswerable)} of ${rounded(samples)} samples were skipped so often that they were given up. Ask why: a class may be missing, or the guidelines may not say what to do.`,
    );
}

function* onAudit({ audit }: Standing): Generator<Advice> {
  if (audit === null || audit.accepted === 0) return;
  const { autoAccept, audited, errors } = audit;
  const limit = percent(audit.errorLimit);
  if (autoAccept === 'SUSPENDED')
    yield act(
      `The model's own labels are suspended: audits found ${errors} of ${audited} wrong, more than the limit of ${limit} allows. Those samples go to people. Train a better model, or raise the threshold.`,
    );
  else if (autoAccept === 'PROVISIONAL')
    yield improve(
      `Do not rely on the model's own labels yet: ${audited} audits are answered, ${errors} of them found an error, and that does not decide whether the error rate is below ${limit}.`,
    );
  else yield know(`Audits have proven that the model's own labels are wrong in less than ${limit} of cases.`);
}

/** Only where it is shown that they do. */
function* onSuggestions({ audit }: Standing, amongPeople: readonly SuggestionEffect[]): Generator<Advice> {
  for (const effect of audit?.effects ?? []) {
    const much = howMuchMore(effect);
    if (much === null) continue;
    if (effect.mode === 'SHOWN')
      yield improve(
        `Suggestions sway people: where the model's label is shown, they say the same ${much} than where it is hidden. Show it after the first answer (AFTER_FIRST_ANSWER), or not at all.`,
      );
    else
      yield know(
        `Once they have seen the model's label, people say the same ${much} than at first. Their first answers are kept, and measure them.`,
      );
  }
  for (const effect of amongPeople) {
    const much = howMuchMore(effect);
    if (much === null) continue;
    if (effect.mode === 'SHOWN')
      yield improve(
        `Part of what people agree on is the model's: where its label is shown, two of them say the same ${much} than where it is hidden. Judge how far they agree where it is hidden, or show it after the first answer.`,
      );
    else
      yield know(
        `Once they have seen the model's label, two people say the same ${much} than at first. Agreement is measured by first answers.`,
      );
  }
}

/** By how much a share is larger with suggestions, in words; null: it is not shown that it is. */
function howMuchMore({ difference }: SuggestionEffect): string | null {
  if ('withheld' in difference || difference.interval.lower <= 0) return null;
  const { value, interval } = difference;
  return `${points(value)} more often (${points(interval.lower)} to ${points(interval.upper)})`;
}

function* onAgreement({ progress, alpha, labels }: Standing, pairs: readonly ClassPair[]): Generator<Advice> {
  if (progress.answers === 0) return;
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
      `Most disagreement is between “${labels[worst.first]}” and “${labels[worst.second]}” (${worst.count} times): say in the guidelines how to tell them apart.`,
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

function* onPeople(
  { policy }: Standing,
  people: readonly PersonFigures[],
  cost: LabellingCost,
): Generator<Advice> {
  const all = new Work();
  for (const { total } of people) all.add(total);
  const howMany = (holds: (person: PersonFigures) => boolean) => people.filter(holds).length;

  const worse = howMany(({ drift }) => 'verdict' in drift && drift.verdict === 'WORSE');
  if (worse > 0)
    yield act(
      `${worse === 1 ? 'One person agrees' : `${worse} people agree`} less with the others than before: see “People”. It may be the others who have changed; look at some of their answers.`,
    );
  const hasty = howMany(({ total, usual }) => {
    const share = rubberStamped(total, usual);
    return 'value' in share && share.interval.lower > MANY_HASTY;
  });
  if (hasty > 0)
    yield act(
      `${hasty === 1 ? 'One person accepts' : `${hasty} people accept`} most suggestions in about a third of the time that their other answers take, or less: perhaps without looking. Look at some of them, or hide suggestions.`,
    );
  const together = shareOf(all.agreeing, all.compared);
  const apart = howMany(({ total }) => {
    const share = shareOf(total.agreeing, total.compared);
    return 'value' in share && 'value' in together && share.interval.upper < together.value - MUCH_LESS;
  });
  if (apart > 0 && 'value' in together)
    yield improve(
      `${apart === 1 ? 'One person says' : `${apart} people say`} what most others say much less often than people do on the whole (${percent(together.value)}): see “People”, and ask what they understand differently.`,
    );
  const same = shareOf(all.same, all.repeats);
  if ('value' in same && same.interval.upper < CONSISTENT)
    yield improve(
      `Asked the same again, people say the same in ${percent(same.value)} of cases only. Whoever does not agree with themselves cannot agree with others: sharpen the guidelines first.`,
    );
  const expired = shareOf(all.expiries, all.answers + all.skips + all.expiries);
  if ('value' in expired && expired.interval.lower > MANY_EXPIRED)
    yield improve(
      `${percent(expired.value)} of what people are given runs out in their hands: ${policy.assignmentMinutes} minutes may be too few for one sample, or their programs fetch too much ahead.`,
    );
  const pace = throughput(all);
  const left = cost.samples - cost.labelled - cost.autoAccepted - cost.unanswerable;
  if ('value' in pace && left > 0)
    yield know(
      `People give ${rounded(pace.value)} answers an hour at work. One answer to each of the ${rounded(left)} samples that are left would take ${time(left / pace.value)}.`,
    );
}

function* onGold({ policy }: Standing, { samples, paused }: AttentionTotals): Generator<Advice> {
  if (paused > 0)
    yield act(
      `${paused === 1 ? 'One person is' : `${paused} people are`} paused, because gold shows that they are right too seldom. Look at what they got wrong, talk to them, and let them go on or not.`,
    );
  if (policy.gold.share > 0 && samples < policy.gold.reserve)
    yield improve(
      `Only ${samples} samples have a known answer, and each is asked of everybody once: set more gold, ${policy.gold.reserve} or more.`,
    );
}

function* onModel({ progress, isStable }: Standing, curve: readonly CurvePoint[]): Generator<Advice> {
  if (progress.answers === 0) return;
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
  if (isStable)
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

function points(share: number): string {
  return `${Number((100 * share).toFixed(1))} points`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function time(hours: number): string {
  const minutes = Math.max(1, Math.round(60 * hours));
  if (minutes < 90) return minutes === 1 ? 'a minute' : `${minutes} minutes`;
  return `${rounded(hours)} hours`;
}

/** To two digits, or all before the point. */
function rounded(value: number): string {
  return value < 10 ? String(Number(value.toPrecision(2))) : Math.round(value).toLocaleString('en');
}
