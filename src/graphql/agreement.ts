import type { AlphaFigure, KappaFigure, RawAgreementFigure, UndefinedFigure } from '../domain/agreement.ts';
import { agreementSource } from '../service/states.ts';
import { type AgreementView, agreementView, type PairView } from '../service/views.ts';
import { builder } from './builder.ts';
import { MemberType } from './members.ts';
import { IntervalType } from './predictions.ts';
import { ProjectType } from './project.ts';
import { SHARED, sharedStream } from './sharing.ts';

const BandEnum = builder.enumType('AgreementBand', {
  description: 'How good an agreement is.',
  values: {
    EXCELLENT: { value: 'EXCELLENT', description: 'Above 0.8.' },
    GOOD: { value: 'GOOD', description: 'Above 0.6.' },
    NEEDS_IMPROVEMENT: { value: 'NEEDS_IMPROVEMENT', description: 'Above 0.4.' },
    UNACCEPTABLE: { value: 'UNACCEPTABLE', description: '0.4 and below.' },
  } as const,
});

const UndefinedReasonEnum = builder.enumType('UndefinedReason', {
  description: 'Why a figure is undefined.',
  values: {
    FEWER_THAN_TWO_ANNOTATORS: {
      value: 'FEWER_THAN_TWO_ANNOTATORS',
      description: 'Fewer than two annotators have labelled anything.',
    },
    NO_JOINTLY_LABELLED_SAMPLE: {
      value: 'NO_JOINTLY_LABELLED_SAMPLE',
      description: 'They have labelled, but no sample jointly.',
    },
    CHANCE_AGREEMENT_IS_ONE: {
      value: 'CHANCE_AGREEMENT_IS_ONE',
      description: 'Every joint label is of one class: agreement by chance is certain.',
    },
  } as const,
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
    n: t.exposeInt('n', { description: 'What the figure would rest on.' }),
  }),
});

function isUndefined(figure: object): figure is UndefinedFigure {
  return 'undefined' in figure;
}

const band = 'How good that is.';
const observed = 'The share of agreement seen, 0…1.';
const expected = 'The share to be expected by chance, 0…1.';

const KappaType = builder.objectRef<KappaFigure>('Kappa').implement({
  extensions: SHARED,
  description: "Cohen's kappa (1960) of two annotators.",
  fields: (t) => ({
    value: t.exposeFloat('kappa', { description: 'Kappa, -1…1; 0 is agreement as by chance.' }),
    observed: t.exposeFloat('observed', { description: observed }),
    expected: t.exposeFloat('expected', { description: expected }),
    n: t.exposeInt('n', { description: 'Samples labelled by both.' }),
    standardError: t.exposeFloat('standardError', {
      description: 'Large-sample standard error (Fleiss, Cohen and Everitt 1969).',
    }),
    interval: t.expose('interval', { type: IntervalType, description: '95 %, from the standard error.' }),
    band: t.expose('band', { type: BandEnum, description: band }),
  }),
});

const AlphaType = builder.objectRef<AlphaFigure>('Alpha').implement({
  extensions: SHARED,
  description: "Krippendorff's alpha (nominal) over all annotators, with missing data.",
  fields: (t) => ({
    value: t.exposeFloat('alpha', { description: 'Alpha, at most 1; 0 is agreement as by chance.' }),
    observed: t.exposeFloat('observed', { description: observed }),
    expected: t.exposeFloat('expected', { description: expected }),
    n: t.exposeInt('n', { description: 'Answers to samples that have two or more.' }),
    units: t.exposeInt('units', { description: 'Samples that have two or more answers.' }),
    band: t.expose('band', { type: BandEnum, description: band }),
  }),
});

const RawAgreementType = builder.objectRef<RawAgreementFigure>('RawAgreement').implement({
  extensions: SHARED,
  description: 'How often two answers to one sample agree, with nothing taken off for chance.',
  fields: (t) => ({
    value: t.exposeFloat('agreement', { description: 'The share of agreeing pairs of answers, 0…1.' }),
    n: t.exposeInt('n', { description: 'Pairs of answers.' }),
  }),
});

const KappaResult = builder.unionType('KappaResult', {
  description: 'Kappa, or why it is undefined.',
  types: [KappaType, UndefinedType],
  resolveType: (figure) => (isUndefined(figure) ? 'UndefinedFigure' : 'Kappa'),
});
const AlphaResult = builder.unionType('AlphaResult', {
  description: 'Alpha, or why it is undefined.',
  types: [AlphaType, UndefinedType],
  resolveType: (figure) => (isUndefined(figure) ? 'UndefinedFigure' : 'Alpha'),
});
const RawAgreementResult = builder.unionType('RawAgreementResult', {
  description: 'Raw agreement, or why it is undefined.',
  types: [RawAgreementType, UndefinedType],
  resolveType: (figure) => (isUndefined(figure) ? 'UndefinedFigure' : 'RawAgreement'),
});

const PairType = builder.objectRef<PairView>('AgreementPair').implement({
  extensions: SHARED,
  description: 'Agreement of two annotators.',
  fields: (t) => ({
    members: t.field({
      type: [MemberType],
      description: 'The two.',
      resolve: ({ members }) => members.map((id) => ({ id })),
    }),
    kappa: t.expose('kappa', { type: KappaResult, description: 'Their kappa over what both have labelled.' }),
  }),
});

const AgreementType = builder.objectRef<AgreementView>('Agreement').implement({
  extensions: SHARED,
  description: 'Agreement over the base overlap: no extra opinions, no repeats, no gold.',
  fields: (t) => ({
    seq: t.exposeInt('seq', { description: 'The commit at which it stands.' }),
    alpha: t.expose('alpha', { type: AlphaResult, description: 'Of all annotators.' }),
    raw: t.expose('raw', { type: RawAgreementResult, description: 'Of all annotators.' }),
    pairs: t.field({
      type: [PairType],
      description: 'Of each two who have labelled a sample jointly.',
      resolve: ({ pairs }) => [...pairs],
    }),
  }),
});

builder.objectField(ProjectType, 'agreement', (t) =>
  t.field({
    type: AgreementType,
    description: 'How far annotators agree.',
    resolve: ({ live }) => live.read(agreementView),
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
