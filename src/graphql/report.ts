import type { Advice, Urgency } from '../domain/advice.ts';
import { MIN_FOR_BAND } from '../domain/agreementFigure.ts';
import type { TrendPoint } from '../domain/agreementTrend.ts';
import type { AttentionTotals } from '../domain/attentionTotals.ts';
import { type Interval, wilson } from '../domain/confidence.ts';
import type { LabellingCost } from '../domain/labellingCost.ts';
import type { CurvePoint } from '../domain/modelCurve.ts';
import type { ProjectReport } from '../domain/report.ts';
import { type Audience, STEERING } from '../service/access.ts';
import { ResultType } from './agreement.ts';
import { builder, enumType } from './builder.ts';
import { IntervalType } from './figures.ts';
import { AnnotatorWorkType } from './people.ts';
import { FIGURES } from './predictions.ts';
import { ProjectType } from './project.ts';
import { SuggestionEffectType } from './suggestions.ts';
import { maySee } from './visibility.ts';

const CostType = builder.objectRef<LabellingCost>('LabellingCost').implement({
  description: 'What labelling has cost so far, and what it has come to.',
  fields: (t) => ({
    samples: t.exposeInt('samples', { description: 'Samples imported.' }),
    labelled: t.exposeInt('labelled', { description: 'Samples with an answer that counts.' }),
    autoAccepted: t.exposeInt('autoAccepted', {
      description: 'Samples that the model stands in for at present.',
    }),
    unanswerable: t.exposeInt('unanswerable', {
      description: 'Samples that so many people have skipped that they are given up.',
    }),
    answers: t.exposeInt('answers', { description: 'Answers that stand, of everybody.' }),
    measured: t.exposeInt('measured', { description: 'Those of them whose time was measured.' }),
    hours: t.exposeFloat('hours', {
      nullable: true,
      description: 'What they took, all together; null: none was measured.',
    }),
    hoursAtWork: t.exposeFloat('hoursAtWork', {
      description:
        'Hours that people were at work: from answer or skip to the next, gaps of more than five minutes left out.',
    }),
    medianSeconds: t.exposeFloat('medianSeconds', {
      nullable: true,
      description: 'The middle one of them; null: none was measured.',
    }),
  }),
});

const ShareType = builder
  .objectRef<{ readonly value: number; readonly interval: Interval }>('EstimatedShare')
  .implement({
    description: 'A share with how uncertain it is.',
    fields: (t) => ({
      value: t.exposeFloat('value', { description: '0…1.' }),
      interval: t.expose('interval', {
        type: IntervalType,
        description: "Wilson's, of 95 %.",
      }),
    }),
  });

const CurvePointType = builder.objectRef<CurvePoint>('LearningCurvePoint').implement({
  description: 'How good a prediction run was, for how many answers.',
  fields: (t) => ({
    run: t.exposeInt('run', { description: 'Its number.' }),
    model: t.exposeString('model', { description: 'What the trainer calls the model version.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'When it was published.' }),
    answers: t.exposeInt('answers', {
      description:
        'Answers that had been given by then, of those that stand now: what it can have learnt from.',
    }),
    heldOut: t.exposeInt('heldOut', {
      description:
        'Answers to samples drawn at random whose prediction was not shown before, given while the run was current.',
    }),
    agreeing: t.exposeInt('agreeing', { description: 'Those of them that are as it had predicted.' }),
    accuracy: t.expose('accuracy', {
      type: ShareType,
      nullable: true,
      description: "Their share, with Wilson's interval of 95 %; null: fewer than 30 are held out.",
    }),
  }),
});

const TrendPointType = builder.objectRef<TrendPoint>('AgreementTrendPoint').implement({
  description: 'Agreement in one stretch of time, over samples that no strategy and no audit has picked.',
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', description: 'When its first sample had its second answer.' }),
    until: t.expose('until', { type: 'DateTime', description: 'The same of its last one.' }),
    alpha: t.expose('alpha', { type: ResultType, description: "Krippendorff's alpha over its samples." }),
  }),
});

interface NamedPair {
  readonly first: string;
  readonly second: string;
  readonly count: number;
}

const ClassPairType = builder.objectRef<NamedPair>('ClassPair').implement({
  description: 'How often two people have given these two classes to one sample.',
  fields: (t) => ({
    first: t.exposeString('first', { description: 'The class of one.' }),
    second: t.exposeString('second', { description: 'The class of the other; the same where they agree.' }),
    count: t.exposeInt('count', { description: 'How often, each two answers to a sample counted once.' }),
  }),
});

const UrgencyEnum = enumType<Urgency>('Urgency', 'How much a piece of advice matters.', {
  ACT: 'Labels are wrong, or work stands still, until something is done.',
  IMPROVE: 'It could be better, or better known.',
  KNOW: 'Good to know.',
});

const AdviceType = builder.objectRef<Advice>('Advice').implement({
  description: 'What to do next.',
  fields: (t) => ({
    urgency: t.expose('urgency', { type: UrgencyEnum, description: 'How much it matters.' }),
    text: t.exposeString('text', { description: 'For people to read, in English.' }),
  }),
});

/** A report, for one who may see it. */
interface ReportView extends ProjectReport {
  readonly access: Audience;
}

/** The most people that a report lists. */
const MOST_PEOPLE = 100;

const AttentionTotalsType = builder.objectRef<AttentionTotals>('AttentionTotals').implement({
  description: 'What gold shows of everybody together.',
  fields: (t) => ({
    samples: t.exposeInt('samples', { description: 'Samples whose answer is known.' }),
    answers: t.exposeInt('answers', { description: 'First answers to them.' }),
    correct: t.exposeInt('correct', { description: 'Those that are right.' }),
    accuracy: t.field({
      type: ShareType,
      nullable: true,
      description: 'Correct of answers, with Wilson’s interval of 95 %; null: fewer than 30 answers.',
      resolve: ({ answers, correct }) =>
        answers < MIN_FOR_BAND ? null : { value: correct / answers, interval: wilson(correct, answers) },
    }),
    checked: t.exposeInt('checked', { description: 'People who have answered any.' }),
    paused: t.exposeInt('paused', { description: 'People who are paused.' }),
  }),
});

const ReportType = builder.objectRef<ReportView>('Report').implement({
  description: 'How a project stands, beside the figures that are counted all the time.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'The commit at which it stands.' }),
    cost: t.expose('cost', { type: CostType, description: 'What labelling has cost so far.' }),
    learningCurve: t.field({
      type: [CurvePointType],
      description:
        'How good the newest 100 prediction runs were, by what people answered after each; oldest first.',
      resolve: ({ curve }) => curve.slice(-100),
    }),
    agreementTrend: t.field({
      type: [TrendPointType],
      description:
        'Agreement over time, in at most 12 stretches of the same number of samples, 30 or more. Empty: fewer than 30 samples have two answers.',
      resolve: ({ trend }) => [...trend],
    }),
    classPairs: t.field({
      type: [ClassPairType],
      description:
        'Which classes people mix up, most frequent first: all pairs of up to 20 classes, else the 200 most frequent.',
      resolve: ({ labels, classPairs }) =>
        classPairs.map(({ first, second, count }) => ({
          first: labels[first] ?? '',
          second: labels[second] ?? '',
          count,
        })),
    }),
    suggestionEffects: t.field({
      type: [SuggestionEffectType],
      description:
        'How far suggestions make people agree with each other: the oldest two answers to a sample, where both had one and where neither had, and those that are the same. Chance agreement is not taken off. The same of agreement with the model: `PredictionRun.suggestionEffects`.',
      resolve: ({ suggestionEffects }) => [...suggestionEffects],
    }),
    people: t.field({
      type: [AnnotatorWorkType],
      nullable: true,
      description: `The work of the ${MOST_PEOPLE} annotators with the most answers. For owners and drivers; null to others.`,
      resolve: ({ access, people }) => (maySee(access, STEERING) ? people.slice(0, MOST_PEOPLE) : null),
    }),
    attention: t.expose('attention', {
      type: AttentionTotalsType,
      description: 'What gold shows of everybody together.',
    }),
    advice: t.field({
      type: [AdviceType],
      description: 'What to do next, the most urgent first.',
      resolve: ({ advice }) => [...advice],
    }),
  }),
});

builder.objectField(ProjectType, 'report', (t) =>
  t.field({
    type: ReportType,
    nullable: true,
    description:
      'How the project stands, and what to do next. All answers are looked through for it, beside the labelling, so ask for it now and then. Null to annotators.',
    resolve: async (access) =>
      maySee(access, FIGURES) ? { ...(await access.live.reports.upToDate()), access } : null,
  }),
);
