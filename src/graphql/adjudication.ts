import { majority } from '../domain/consensus.ts';
import type { Role } from '../domain/directory.ts';
import { MAX_REASON, type Ruling } from '../domain/rulings.ts';
import type { ProjectAccess } from '../service/access.ts';
import { builder, type Context, forwardArgs } from './builder.ts';
import { forwardPage } from './connections.ts';
import { parseId } from './ids.ts';
import { textOf } from './inputs.ts';
import { MemberType } from './member.ts';
import { ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { SampleType, type SampleView, sampleView } from './samples.ts';
import { SHARED } from './sharing.ts';
import { accessById, maySee } from './visibility.ts';

/** Those who may rule. They see who has said what. */
const RULING: readonly Role[] = ['OWNER'];

/** The most disagreements that one page holds. */
const MAX_DISAGREEMENTS = 100;

interface RulingView extends Omit<Ruling, 'label'> {
  readonly label: string;
}

const RulingType = builder.objectRef<RulingView>('Ruling').implement({
  extensions: SHARED,
  description: "An expert's word on what a sample is, whatever its answers say.",
  fields: (t) => ({
    label: t.exposeString('label', { description: 'What the sample is.' }),
    reason: t.exposeString('reason', { description: 'Why, in the words of whoever ruled.' }),
    by: t.expose('by', { type: MemberType, description: 'Who ruled.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
});

builder.objectField(SampleType, 'ruling', (t) =>
  t.field({
    type: RulingType,
    nullable: true,
    description:
      'The ruling that stands; null without one. It takes the place of the consensus in the training set, for strategies, and in the estimate.',
    resolve: ({ access: { live }, ordinal }) =>
      live.read(({ rulings, labels }) => {
        const ruling = rulings.get(ordinal);
        return ruling === undefined ? null : { ...ruling, label: labels[ruling.label] ?? '' };
      }),
  }),
);

interface GivenAnswer {
  readonly member: string;
  readonly label: string;
  readonly at: number;
}

const GivenAnswerType = builder.objectRef<GivenAnswer>('GivenAnswer').implement({
  description: "Somebody's answer to a sample, for those who rule.",
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Whose.' }),
    label: t.exposeString('label', { description: 'What they said.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When.' }),
  }),
});

interface DisagreementView {
  readonly rank: number;
  readonly cost: number;
  readonly sample: SampleView;
  readonly tied: boolean;
  readonly answers: readonly GivenAnswer[];
}

const DisagreementType = builder.objectRef<DisagreementView>('Disagreement').implement({
  description: 'A sample whose answers differ, and on which nobody has ruled.',
  fields: (t) => ({
    sample: t.expose('sample', { type: SampleType, description: 'The sample.' }),
    cost: t.exposeFloat('cost', {
      description:
        "What it costs: its part of the disagreement in Krippendorff's alpha, in answers. Over all pairs of its answers, how far the two are apart (names: 1), divided by one less than its answers.",
    }),
    tied: t.exposeBoolean('tied', { description: 'Whether no label has the most answers.' }),
    answers: t.field({
      type: [GivenAnswerType],
      description: 'The answers that count, the newest first.',
      resolve: ({ answers }) => [...answers],
    }),
  }),
});

builder.objectFields(ProjectType, (t) => ({
  disagreementCount: t.int({
    nullable: true,
    description: 'Samples whose answers differ, and on which nobody has ruled. For owners; null to others.',
    resolve: (access) => (maySee(access, RULING) ? access.live.read(({ disputed }) => disputed.size) : null),
  }),
  disagreements: t.field({
    type: builder.connectionObject(
      { type: DisagreementType, name: 'ProjectDisagreementsConnection' },
      { name: 'ProjectDisagreementsConnectionEdge' },
    ),
    nullable: true,
    description:
      'The queue of those who rule: samples whose answers differ, the most costly first, forward only. A cursor is a place in the queue as it is now, so after ruling on what a page holds, ask for the first page again. For owners; null to others.',
    args: forwardArgs(t.arg, MAX_DISAGREEMENTS),
    resolve: (access, args) => {
      if (!maySee(access, RULING)) return null;
      const placeIn = ({ rank }: DisagreementView) => rank;
      const list = { list: 'disagreements', max: MAX_DISAGREEMENTS, placeIn };
      return forwardPage(args, list, (from, count) => pageOf(access, from, count));
    },
  }),
}));

async function pageOf(access: ProjectAccess, from: number, count: number): Promise<DisagreementView[]> {
  const page = await access.live.read((project) => {
    const { assignments, labels } = project;
    return project.disputed.slice(from, count).map(({ sample, cost }, i) => {
      const rows = [...project.assignmentsOf(sample)].filter((row) => assignments.isCounted(row));
      const answers = rows.map((row) => ({
        member: project.annotatorOf(row).id,
        label: labels[assignments.label.get(row)] ?? '',
        at: assignments.answeredAt.get(row),
      }));
      const tied = majority(project.countedLabels(sample)).kind === 'tie';
      return { rank: from + i, ordinal: sample, cost, tied, answers };
    });
  });
  return Promise.all(
    page.map(async ({ ordinal, ...rest }) => ({ ...rest, sample: await sampleView(access, ordinal) })),
  );
}

mutation('rule', {
  description:
    'Rules on what a sample is, whatever its answers say; it takes the place of an earlier ruling. The same ruling again does nothing. Answers to it can no more be undone. For owners.',
  input: builder.inputType('RuleInput', {
    description: 'A ruling.',
    fields: (t) => ({
      sample: t.id({ required: true, description: 'The sample. Somebody must have answered it.' }),
      label: t.string({ required: true, description: 'What it is: a label of the label set.' }),
      reason: t.string({ required: true, description: `Why: 1 to ${MAX_REASON} characters.` }),
    }),
  }),
  success: SampleType,
  refusals: ['UNKNOWN_LABEL', 'ERASED'],
  resolve: async ({ sample, label, reason }, context) => {
    const { access, ordinal } = await ruledSample(context, sample);
    textOf('reason', reason, { to: MAX_REASON });
    const input = { by: access.viewer.member, sample: ordinal, label, reason };
    return sampleView(access, await access.live.execute('rule', input, (_, done) => done));
  },
});

mutation('reopenRuling', {
  description:
    'Takes back the ruling on a sample: its answers say again what it is, and where they differ it is in the queue again. Without a ruling, nothing happens. For owners.',
  input: builder.inputType('ReopenRulingInput', {
    description: 'A ruling to take back.',
    fields: (t) => ({
      sample: t.id({ required: true, description: 'The sample.' }),
      reason: t.string({ required: true, description: `Why: 1 to ${MAX_REASON} characters.` }),
    }),
  }),
  success: SampleType,
  resolve: async ({ sample, reason }, context) => {
    const { access, ordinal } = await ruledSample(context, sample);
    textOf('reason', reason, { to: MAX_REASON });
    const input = { by: access.viewer.member, sample: ordinal, reason };
    return sampleView(access, await access.live.execute('reopenRuling', input, (_, done) => done));
  },
});

async function ruledSample(context: Context, id: string) {
  const [project = '', ordinal = ''] = parseId(id, 'Sample');
  return { access: await accessById(context, project, RULING), ordinal: Number(ordinal) };
}
