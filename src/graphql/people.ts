import { FALSE_ALARM } from '../domain/changeTest.ts';
import type { PersonFigures } from '../domain/personFigures.ts';
import {
  type AnswerTime,
  answerTime,
  type Drift,
  type DriftVerdict,
  rubberStamped,
  type ShareOf,
  shareOf,
  type Throughput,
  throughput,
} from '../domain/workFigures.ts';
import type { Work } from '../domain/workLog.ts';
import { STEERING } from '../service/access.ts';
import {
  MOST_PUSHED,
  type PeopleView,
  type PersonView,
  personView,
  type StretchView,
} from '../service/people.ts';
import { peopleSource } from '../service/states.ts';
import { ResultType } from './agreement.ts';
import { builder, enumType } from './builder.ts';
import { page } from './connections.ts';
import { CountedType, IntervalType, WithheldType, withheldOr } from './figures.ts';
import { MemberType } from './member.ts';
import { ProjectType } from './project.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { maySee } from './visibility.ts';

const ShareType = builder.objectRef<ShareOf>('ShareFigure').implement({
  extensions: SHARED,
  description: 'A share.',
  fields: (t) => ({
    value: t.exposeFloat('value', { description: '0…1.' }),
    interval: t.expose('interval', { type: IntervalType, description: "Wilson's." }),
    n: t.exposeInt('n', { description: 'Of how many.' }),
  }),
});

const ThroughputType = builder.objectRef<Throughput>('ThroughputFigure').implement({
  extensions: SHARED,
  description:
    'Answers an hour at work: time between two answers or skips, but for gaps of more than five minutes, of which only what was measured of the one answer counts.',
  fields: (t) => ({
    perHour: t.exposeFloat('value', { description: 'Answers that stand, an hour.' }),
    interval: t.expose('interval', {
      type: IntervalType,
      description: "Taking the count for one of Poisson's (Byar's approximation).",
    }),
    n: t.exposeInt('n', { description: 'Answers.' }),
    hours: t.exposeFloat('hours', { description: 'Hours at work.' }),
  }),
});

const AnswerTimeType = builder.objectRef<AnswerTime>('AnswerTimeFigure').implement({
  extensions: SHARED,
  description:
    'Seconds that an answer takes, as programs measured it. Kept as a histogram: each is within 9 % of the exact one.',
  fields: (t) => ({
    median: t.exposeFloat('median', { description: 'The middle one.' }),
    interval: t.expose('interval', { type: IntervalType, description: 'Of the median, from ranks.' }),
    lowerQuartile: t.exposeFloat('lowerQuartile', { description: 'A quarter take less.' }),
    upperQuartile: t.exposeFloat('upperQuartile', { description: 'A quarter take more.' }),
    n: t.exposeInt('n', { description: 'Answers whose time was measured.' }),
  }),
});

const ShareResult = builder.unionType('ShareResult', {
  description: 'A share, or why it is held back.',
  types: [ShareType, WithheldType],
  ...withheldOr('ShareFigure'),
});
const ThroughputResult = builder.unionType('ThroughputResult', {
  description: 'A throughput, or why it is held back.',
  types: [ThroughputType, WithheldType],
  ...withheldOr('ThroughputFigure'),
});
const AnswerTimeResult = builder.unionType('AnswerTimeResult', {
  description: 'A time, or why it is held back.',
  types: [AnswerTimeType, WithheldType],
  ...withheldOr('AnswerTimeFigure'),
});

const DriftVerdictEnum = enumType<DriftVerdict>('DriftVerdict', "Whether somebody's agreement has changed.", {
  NO_CHANGE_SHOWN: 'It may have, but that is not shown.',
  WORSE: 'They agree less than before.',
  BETTER: 'They agree more than before.',
});

const DriftType = builder.objectRef<Drift>('DriftFigure').implement({
  extensions: SHARED,
  description:
    "Whether somebody's agreement has changed, by a test that may be looked at after every answer (universal inference: Wasserman, Ramdas and Balakrishnan 2020). Of two people who label the same samples it does not tell which one has changed.",
  fields: (t) => ({
    verdict: t.expose('verdict', { type: DriftVerdictEnum, description: 'The result.' }),
    since: t.expose('since', {
      type: 'DateTime',
      description: 'When it is likeliest to have changed, shown or not: the beginning of a stretch.',
    }),
    before: t.field({
      type: CountedType,
      description: 'Answers before that.',
      resolve: ({ change }) => change.before,
    }),
    after: t.field({
      type: CountedType,
      description: 'Answers from then on.',
      resolve: ({ change }) => change.after,
    }),
    logEvidence: t.float({
      description:
        'The natural logarithm of the evidence for a change: how much likelier it makes these answers.',
      resolve: ({ change }) => change.logEvidence,
    }),
    falseAlarmRate: t.float({
      description: 'The chance that somebody who never changes is ever said to have.',
      resolve: () => FALSE_ALARM,
    }),
  }),
});

const DriftResult = builder.unionType('DriftResult', {
  description: 'Whether there is drift, or why nothing is said.',
  types: [DriftType, WithheldType],
  ...withheldOr('DriftFigure'),
});

interface Counts {
  readonly work: Work;
  readonly usual: PersonView['usual'];
}

const ended = ({ answers, skips, expiries }: Work) => answers + skips + expiries;

/** What one may know of one's own work: nothing of it is compared with anything. */
const OWN = {
  answers: {
    description: 'Answers that stand.',
    resolve: ({ work }: Counts) => work.answers,
  },
  skips: { description: 'Samples skipped.', resolve: ({ work }: Counts) => work.skips },
  expiries: {
    description: 'Times that a sample ran out of time in their hands.',
    resolve: ({ work }: Counts) => work.expiries,
  },
} as const;

const throughputOf = {
  type: ThroughputResult,
  description: 'Answers an hour at work.',
  resolve: ({ work }: Counts) => throughput(work),
} as const;
const secondsOf = {
  type: AnswerTimeResult,
  description: 'Seconds that an answer takes.',
  resolve: ({ work }: Counts) => answerTime(work.times),
} as const;

/** What those who steer may know beside. */
const COMPARED = {
  skipRate: {
    type: ShareResult,
    description: 'Samples skipped, of those answered, skipped or expired.',
    resolve: ({ work }: Counts) => shareOf(work.skips, ended(work)),
  },
  expiryRate: {
    type: ShareResult,
    description: 'Samples that ran out of time, of those answered, skipped or expired.',
    resolve: ({ work }: Counts) => shareOf(work.expiries, ended(work)),
  },
  withConsensus: {
    type: ShareResult,
    description:
      'Answers that are what the sample is without them: as it was ruled, else as most of the others say. Answers of the base overlap, as they were given blind; where the others tie, or there are none, nothing is compared. It moves when others answer.',
    resolve: ({ work }: Counts) => shareOf(work.agreeing, work.compared),
  },
  withGold: {
    type: ShareResult,
    description:
      'First answers to gold that are right, by what is known now; each is counted when it was given.',
    resolve: ({ work }: Counts) => shareOf(work.correct, work.checks),
  },
  consistency: {
    type: ShareResult,
    description: 'Repeats to which they said the same as the first time.',
    resolve: ({ work }: Counts) => shareOf(work.same, work.repeats),
  },
  suggestionsAccepted: {
    type: ShareResult,
    description: 'Answers that are as the suggestion said, of those given beside one.',
    resolve: ({ work }: Counts) => shareOf(work.accepted, work.shown),
  },
  rubberStamped: {
    type: ShareResult,
    description:
      'Suggestions accepted in less than 0.35 of the median time of their other answers, of those accepted whose time was measured: perhaps without looking. Withheld too where fewer than 30 of the others were measured.',
    resolve: ({ work, usual }: Counts) => rubberStamped(work, usual),
  },
} as const;

const StretchType = builder.objectRef<StretchView>('WorkStretch').implement({
  extensions: SHARED,
  description: "One stretch of somebody's work.",
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', description: 'Its beginning.' }),
    until: t.expose('until', { type: 'DateTime', description: 'Its end.' }),
    answers: t.int(OWN.answers),
    skips: t.int(OWN.skips),
    expiries: t.int(OWN.expiries),
    throughput: t.field(throughputOf),
    secondsPerAnswer: t.field(secondsOf),
    skipRate: t.field(COMPARED.skipRate),
    expiryRate: t.field(COMPARED.expiryRate),
    withConsensus: t.field(COMPARED.withConsensus),
    withGold: t.field(COMPARED.withGold),
    consistency: t.field(COMPARED.consistency),
    suggestionsAccepted: t.field(COMPARED.suggestionsAccepted),
    rubberStamped: t.field(COMPARED.rubberStamped),
  }),
});

const countsOf = ({ total, usual }: PersonFigures): Counts => ({ work: total, usual });
/** A field of counts, as one of a person. */
const ofPerson = <F extends { resolve: (counts: Counts) => unknown }>(field: F) =>
  ({
    ...field,
    resolve: (person: PersonFigures) => field.resolve(countsOf(person)) as ReturnType<F['resolve']>,
  }) as const;

const stretchMinutes = {
  description: 'How long a stretch is: an hour at first, twice as long whenever there would be more than 60.',
  resolve: ({ stretchMs }: PersonView) => stretchMs / 60_000,
} as const;

export const AnnotatorWorkType = builder.objectRef<PersonFigures>('AnnotatorWork').implement({
  extensions: SHARED,
  description: "One annotator's work.",
  fields: (t) => ({
    member: t.expose('id', { type: MemberType, description: 'Whose.' }),
    answers: t.int(ofPerson(OWN.answers)),
    skips: t.int(ofPerson(OWN.skips)),
    expiries: t.int(ofPerson(OWN.expiries)),
    throughput: t.field(ofPerson(throughputOf)),
    secondsPerAnswer: t.field(ofPerson(secondsOf)),
    skipRate: t.field(ofPerson(COMPARED.skipRate)),
    expiryRate: t.field(ofPerson(COMPARED.expiryRate)),
    withConsensus: t.field(ofPerson(COMPARED.withConsensus)),
    withGold: t.field(ofPerson(COMPARED.withGold)),
    consistency: t.field(ofPerson(COMPARED.consistency)),
    consistencyKappa: t.expose('kappa', {
      type: ResultType,
      description: "Cohen's kappa of their answers and their answers to repeats.",
    }),
    suggestionsAccepted: t.field(ofPerson(COMPARED.suggestionsAccepted)),
    rubberStamped: t.field(ofPerson(COMPARED.rubberStamped)),
    drift: t.expose('drift', {
      type: DriftResult,
      description:
        'Whether their agreement with consensus has changed. It takes 60 answers in two stretches.',
    }),
    goldDrift: t.expose('goldDrift', {
      type: DriftResult,
      description:
        'Whether they have become less or more often right on gold. It takes 60 first answers in two stretches.',
    }),
  }),
});

const PersonSeriesType = builder.objectRef<PersonView>('AnnotatorSeries').implement({
  extensions: SHARED,
  description: "One annotator's work, and how it was over time.",
  fields: (t) => ({
    work: t.field({
      type: AnnotatorWorkType,
      description: 'All of it together.',
      resolve: (person) => person,
    }),
    stretchMinutes: t.float(stretchMinutes),
    series: t.field({
      type: [StretchType],
      description: 'Over time, at most 60 stretches, those without work left out.',
      resolve: ({ series }) => [...series],
    }),
  }),
});

const OwnStretchType = builder.objectRef<StretchView>('OwnWorkStretch').implement({
  description: "One stretch of one's own work.",
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime', description: 'Its beginning.' }),
    until: t.expose('until', { type: 'DateTime', description: 'Its end.' }),
    answers: t.int(OWN.answers),
    skips: t.int(OWN.skips),
    throughput: t.field(throughputOf),
    secondsPerAnswer: t.field(secondsOf),
  }),
});

const OwnWorkType = builder.objectRef<PersonView>('OwnWork').implement({
  description: "One's own work. Nothing of it is compared with what others, gold or the model say.",
  fields: (t) => ({
    answers: t.int(ofPerson(OWN.answers)),
    skips: t.int(ofPerson(OWN.skips)),
    throughput: t.field(ofPerson(throughputOf)),
    secondsPerAnswer: t.field(ofPerson(secondsOf)),
    stretchMinutes: t.float(stretchMinutes),
    series: t.field({
      type: [OwnStretchType],
      description: 'Over time, at most 60 stretches, those without work left out.',
      resolve: ({ series }) => [...series],
    }),
  }),
});

builder.objectFields(ProjectType, (t) => ({
  annotatorWork: t.connection({
    type: PersonSeriesType,
    nullable: true,
    description:
      'The work of everybody who has been given something, in the order in which they began. For owners and drivers; null to others.',
    resolve: async (access, args) => {
      if (!maySee(access, STEERING)) return null;
      const count = await access.live.read(({ annotators }) => annotators.length);
      return page(args, { list: 'annotator-work', count }, (from, to) =>
        access.live.read((project) =>
          project.annotators.slice(from, to).map((annotator) => personView(project, annotator)),
        ),
      );
    },
  }),
  ownWork: t.field({
    type: OwnWorkType,
    nullable: true,
    description: 'Your own work in this project; null if you have been given nothing.',
    resolve: ({ live, viewer }) =>
      live.read((project) => {
        const annotator = project.annotator(viewer.member);
        return annotator === undefined ? null : personView(project, annotator);
      }),
  }),
}));

const PeopleType = builder.objectRef<PeopleView>('PeopleAtWork').implement({
  extensions: SHARED,
  description: 'How people work.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'The commit at which it stands.' }),
    count: t.exposeInt('count', { description: 'Annotators who have been given something.' }),
    people: t.field({
      type: [AnnotatorWorkType],
      description: `Those whose work has changed last, at most ${MOST_PUSHED}; the others: \`Project.annotatorWork\`.`,
      resolve: ({ people }) => [...people],
    }),
  }),
});

builder.subscriptionField('people', (t) =>
  t.field({
    type: PeopleType,
    description:
      'State: how people work, whenever it changes, at most once a second. For owners and drivers.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({ allowed: STEERING, open: (_, audience) => peopleSource(audience) }),
  }),
);
