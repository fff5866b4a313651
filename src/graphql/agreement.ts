import type {
  AgreementBand,
  AgreementFigure,
  UndefinedFigure,
  UndefinedReason,
} from '../domain/agreementFigure.ts';
import type { ModelAgreement } from '../domain/predictionRun.ts';
import { agreementSource } from '../service/states.ts';
import {
  type AgreementView,
  agreementView,
  type ClassView,
  MAX_PAIRS,
  type PairView,
  pairView,
} from '../service/views.ts';
import { builder, enumType, forwardArgs } from './builder.ts';
import { forwardPage, MAX_PAGE } from './connections.ts';
import { DrawEnum } from './draws.ts';
import { IntervalType } from './figures.ts';
import { MemberType } from './member.ts';
import { SuggestionModeEnum } from './policy.ts';
import { RunType } from './predictions.ts';
import { ProjectType } from './project.ts';
import { SHARED, sharedStream } from './sharing.ts';

const BandEnum = enumType<AgreementBand>('AgreementBand', 'How good a chance-corrected agreement is.', {
  EXCELLENT: 'Above 0.8.',
  GOOD: 'Above 0.6.',
  NEEDS_IMPROVEMENT: 'Above 0.4.',
  UNACCEPTABLE: '0.4 and below.',
  TOO_FEW: 'It rests on fewer than 30 samples: too few to say.',
});

const UndefinedReasonEnum = enumType<UndefinedReason>('UndefinedReason', 'Why a figure is undefined.', {
  FEWER_THAN_TWO_ANNOTATORS: 'Fewer than two annotators have labelled anything.',
  NO_JOINTLY_LABELLED_SAMPLE: 'They have labelled, but no sample jointly.',
  CHANCE_AGREEMENT_IS_ONE: 'Every joint label is of one class: agreement by chance is certain.',
  LABELS_HAVE_NO_ORDER:
    "It weighs how far apart two classes are, and the project's are names: see `labelScale`.",
  LABELS_HAVE_NO_DISTANCES:
    "It takes differences of classes, and the project's are not numbers: see `labelScale`.",
});

const UndefinedType = builder.objectRef<UndefinedFigure>('UndefinedFigure').implement({
  extensions: SHARED,
  description: 'A figure that these labels do not define.',
  fields: (t) => ({
    reason: t.field({
      type: UndefinedReasonEnum,
      description: 'Why.',
      resolve: (figure) => figure.undefined,
    }),
    n: t.exposeInt('n', { description: 'Samples on which it would rest.' }),
  }),
});

const FigureType = builder.objectRef<AgreementFigure>('AgreementFigure').implement({
  extensions: SHARED,
  description: 'A figure of agreement, with what it rests on and how uncertain it is.',
  fields: (t) => ({
    value: t.exposeFloat('value', {
      description: 'At most 1. Chance-corrected, 0 is agreement as by chance; raw, it is a share.',
    }),
    observed: t.exposeFloat('observed', {
      description:
        'The agreement seen, 0…1: a share, or where classes have degrees, 1 less the share of the worst disagreement.',
    }),
    expected: t.exposeFloat('expected', {
      description: 'The same as chance would have it; 0 where nothing is taken off for chance.',
    }),
    n: t.exposeInt('n', { description: 'Samples on which it rests: those with two answers or more.' }),
    answers: t.exposeInt('answers', { description: 'Answers to those samples.' }),
    standardError: t.exposeFloat('standardError', {
      nullable: true,
      description: 'Large-sample standard error over samples; null for one sample.',
    }),
    interval: t.expose('interval', {
      type: IntervalType,
      nullable: true,
      description:
        "95 %, from the standard error; where all agree, from Wilson's interval of the observed agreement. Null for one sample.",
    }),
    band: t.expose('band', {
      type: BandEnum,
      nullable: true,
      description: 'How good that is; null for raw agreement.',
    }),
  }),
});

/** A figure, or why there is none. */
export const ResultType = builder.unionType('AgreementResult', {
  description: 'A figure of agreement, or why it is undefined.',
  types: [FigureType, UndefinedType],
  resolveType: (figure) => ('undefined' in figure ? 'UndefinedFigure' : 'AgreementFigure'),
});

const PairType = builder.objectRef<PairView>('AgreementPair').implement({
  extensions: SHARED,
  description: 'Agreement of two annotators over what both have labelled.',
  fields: (t) => ({
    members: t.field({
      type: [MemberType],
      description: 'The two.',
      resolve: ({ members }) => [...members],
    }),
    kappa: t.expose('kappa', { type: ResultType, description: "Cohen's kappa (1960)." }),
    linearKappa: t.expose('linearKappa', {
      type: ResultType,
      description:
        'Weighted kappa (Cohen 1968): a disagreement weighs as the two classes are apart. For ordered labels.',
    }),
    quadraticKappa: t.expose('quadraticKappa', {
      type: ResultType,
      description: 'The same with the square of how far they are apart.',
    }),
  }),
});

const ClassType = builder.objectRef<ClassView>('ClassAgreement').implement({
  extensions: SHARED,
  description: 'Agreement on one class.',
  fields: (t) => ({
    label: t.exposeString('name', { description: 'The class.' }),
    answers: t.exposeInt('answers', {
      description: 'Answers of this class to samples that have two or more.',
    }),
    specific: t.exposeFloat('specific', {
      nullable: true,
      description:
        'Given that one says this class, how likely another does, 0…1; null if nobody has said it.',
    }),
    alpha: t.expose('alpha', {
      type: ResultType,
      description: "Krippendorff's alpha with all other classes taken as one.",
    }),
  }),
});

const AgreementType = builder.objectRef<AgreementView>('Agreement').implement({
  extensions: SHARED,
  description: 'Agreement over the base overlap: no extra opinions, no repeats, no gold.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'The commit at which it stands.' }),
    alpha: t.expose('alpha', {
      type: ResultType,
      description: "Of all annotators: Krippendorff's alpha of names, with missing data. The headline.",
    }),
    ordinalAlpha: t.expose('ordinalAlpha', {
      type: ResultType,
      description: 'Alpha that weighs disagreements by how many labels lie between. For ordered labels.',
    }),
    intervalAlpha: t.expose('intervalAlpha', {
      type: ResultType,
      description: 'Alpha that weighs disagreements by the squared difference. For labels that are numbers.',
    }),
    fleissKappa: t.expose('fleissKappa', {
      type: ResultType,
      description: "Fleiss' kappa, for any number of answers a sample (Gwet 2014).",
    }),
    gwetAC1: t.expose('gwetAC1', {
      type: ResultType,
      description: "Gwet's AC1 (2008): it holds its ground where one class prevails.",
    }),
    raw: t.expose('raw', {
      type: ResultType,
      description: 'How often two answers to one sample agree, with nothing taken off for chance.',
    }),
    classes: t.field({
      type: [ClassType],
      description: 'On each class, in the order of the label set.',
      resolve: ({ classes }) => [...classes],
    }),
    pairCount: t.exposeInt('pairCount', { description: 'Pairs that have labelled a sample jointly.' }),
    pairs: t.field({
      type: [PairType],
      description: `Of each two who have labelled a sample jointly; of more than ${MAX_PAIRS} pairs, the ${MAX_PAIRS} that share the most. The others: \`Project.agreementPairs\`.`,
      resolve: ({ pairs }) => [...pairs],
    }),
  }),
});

/** A pair's place in their order. */
const PLACES = 2 ** 24;

builder.objectFields(ProjectType, (t) => ({
  agreement: t.field({
    type: AgreementType,
    description: 'How far annotators agree.',
    resolve: ({ live }) => live.read(agreementView),
  }),
  agreementPairs: t.field({
    type: builder.connectionObject(
      { type: PairType, name: 'ProjectAgreementPairsConnection' },
      { name: 'ProjectAgreementPairsConnectionEdge' },
    ),
    description: 'Of each two who have labelled a sample jointly, in a fixed order, forward only.',
    args: forwardArgs(t.arg, MAX_PAGE),
    resolve: ({ live }, args) => {
      const placeIn = ({ a, b }: PairView) => a * PLACES + b;
      return forwardPage(args, { list: 'agreement-pairs', max: MAX_PAGE, placeIn }, (from, count) => {
        const pair = { a: Math.floor(from / PLACES), b: from % PLACES };
        return live.read((project) =>
          project.agreement.pairsFrom(pair, count).map((found) => pairView(project, found)),
        );
      });
    },
  }),
}));

const ModelAgreementType = builder.objectRef<ModelAgreement>('ModelAgreement').implement({
  description: 'How far people agree with a prediction run, over one kind of answer.',
  fields: (t) => ({
    draw: t.expose('draw', { type: DrawEnum, description: 'Why the samples were asked.' }),
    suggestions: t.expose('mode', {
      type: SuggestionModeEnum,
      description: 'How the policy had suggestions when the samples were asked.',
    }),
    suggestionOffered: t.exposeBoolean('isOffered', {
      description:
        'Whether there was one: in SHOWN mode beside the choices, where it has swayed the answers; in AFTER_FIRST_ANSWER mode it came after the answers that are counted here, which are the first ones.',
    }),
    answers: t.exposeInt('answers', { description: 'Answers that count.' }),
    agreeing: t.exposeInt('agreeing', { description: 'Those that are what the run had predicted.' }),
    kappa: t.expose('kappa', { type: ResultType, description: "Cohen's kappa of people and the run." }),
  }),
});

builder.objectField(RunType, 'peopleAgreement', (t) =>
  t.field({
    type: [ModelAgreementType],
    description:
      'People against this run, on samples asked while it was current. RANDOM draws whose suggestion was not shown before the answer estimate it on all that was unlabelled; the others were chosen by it, or seen beside it.',
    resolve: ({ peopleAgreement }) => [...peopleAgreement],
  }),
);

builder.subscriptionField('agreement', (t) =>
  t.field({
    type: AgreementType,
    description: 'State: how far annotators agree, whenever it changes.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({ open: (_, audience) => agreementSource(audience) }),
  }),
);
