import type { Role } from '../domain/directory.ts';
import type { LabelScale, ScaleKind } from '../domain/labelScale.ts';
import { POLICY_PRESETS, type Policy } from '../domain/policy.ts';
import type { RefusalCode } from '../domain/refusals.ts';
import { type Audience, type ProjectAccess, roleOf } from '../service/access.ts';
import * as members from '../service/members.ts';
import { checkStrategy } from '../service/rounds.ts';
import { mapSource } from '../service/source.ts';
import { progressSource } from '../service/states.ts';
import { type ProgressView, progressView } from '../service/views.ts';
import { builder, type Context, enumType, viewerOf } from './builder.ts';
import { page } from './connections.ts';
import { globalId } from './ids.ts';
import { seedOf } from './inputs.ts';
import { PolicyInput, PolicyPresetEnum, PolicyType, policyChange } from './policy.ts';
import { mutation } from './refusals.ts';
import { SHARED, sharedStream } from './sharing.ts';
import { accessById, maySee, orNull, projectById } from './visibility.ts';

export const RoleEnum = enumType<Role>('Role', 'What somebody may do in a project.', {
  OWNER: 'Everything: members, policy, and what a driver may.',
  DRIVER: 'Import, publish predictions, run rounds, export.',
  ANNOTATOR: 'Claim and label, blind to others.',
  VIEWER: 'See the figures.',
});

const LabelScaleEnum = enumType<ScaleKind>(
  'LabelScale',
  'What the classes are to each other. It decides which figures of agreement have a meaning, and is fixed when the project is created.',
  {
    NOMINAL: 'Names, in no order.',
    ORDINAL: 'In the order of the label set; how far apart two are is unknown.',
    INTERVAL: 'Numbers, whose differences have a meaning: see `labelValues`.',
  },
);

const about = {
  scale: 'What the classes are to each other.',
  values: 'The number that each class stands for, ascending; of an INTERVAL scale only.',
};

export const ProjectType = builder.objectRef<ProjectAccess>('Project');

builder.node(ProjectType, {
  description: 'A label set, guidelines and a policy, and the samples labelled under them.',
  id: { resolve: ({ live }) => live.id, description: 'Its id.' },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'live' in value && 'role' in value,
  loadOne: (id, context) => orNull(projectById(context, globalId('Project', id))),
  fields: (t) => ({
    name: t.string({
      description: 'What people call it.',
      resolve: ({ live }, _, { concord }) =>
        concord.directory.read((directory) => directory.projects.get(live.id)?.name ?? ''),
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was created.',
      resolve: ({ live }, _, { concord }) =>
        concord.directory.read((directory) => directory.projects.get(live.id)?.createdAt ?? 0),
    }),
    myRole: t.field({ type: RoleEnum, description: 'What you may do here.', resolve: ({ role }) => role }),
    labels: t.stringList({
      description: 'The classes, in the order that probabilities have.',
      resolve: async ({ live }, _, { answer }) =>
        answer.texts(await live.read((project) => [...project.labels])),
    }),
    labelScale: t.field({
      type: LabelScaleEnum,
      description: about.scale,
      resolve: ({ live }) => live.read((project) => project.created.scale.kind),
    }),
    labelValues: t.floatList({
      nullable: true,
      description: `${about.values} Null of other scales.`,
      resolve: ({ live }) =>
        live.read(({ created: { scale } }) => (scale.kind === 'INTERVAL' ? [...scale.values] : null)),
    }),
    guidelines: t.string({
      description: 'How to label, for annotators.',
      resolve: async ({ live }, _, { answer }) =>
        answer.texts(await live.read((project) => project.created.guidelines)),
    }),
    policy: t.field({
      type: PolicyType,
      description: 'How it labels.',
      resolve: ({ live }) => live.read((project) => project.policy),
    }),
    progress: t.field({
      type: ProgressType,
      description: 'How far the labelling has come.',
      resolve: async (access) => ({ access, view: await access.live.read(progressView) }),
    }),
  }),
});

/** A project's progress, with the access under which it was read. */
export interface Progress {
  readonly access: Audience;
  readonly view: ProgressView;
}

export const ProgressType = builder.objectRef<Progress>('Progress').implement({
  extensions: SHARED,
  description: 'How far the labelling of a project has come.',
  fields: (t) => ({
    seq: t.int({ description: 'The commit at which it stands.', resolve: ({ view }) => view.seq }),
    samples: t.int({ description: 'Samples imported.', resolve: ({ view }) => view.samples }),
    labelled: t.int({
      description:
        'Samples with at least one answer that counts; to annotators, answers to gold are among them, for they must look like any other.',
      resolve: ({ view, access }) => (maySee(access, ['ANNOTATOR']) ? view.veiledLabelled : view.labelled),
    }),
    answers: t.int({
      description: "Everybody's answers that stand: what labelling has cost so far.",
      resolve: ({ view }) => view.answers,
    }),
  }),
});

builder.queryFields((t) => ({
  project: t.field({
    type: ProjectType,
    nullable: true,
    description: 'A project by its id; null if there is none, or it is not yours to see.',
    args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
    resolve: (_, { id }, context) => orNull(projectById(context, id)),
  }),
  projects: t.connection({
    type: ProjectType,
    description: 'The projects in which you have a role, oldest first.',
    resolve: async (_, args, context) => {
      const viewer = viewerOf(context);
      const { concord } = context;
      const mine = await concord.directory.read((directory) =>
        [...directory.projects.keys()].filter((id) => roleOf(concord, directory, viewer, id) !== undefined),
      );
      return page(args, { list: 'projects', count: mine.length }, (from, to) =>
        Promise.all(mine.slice(from, to).map((id) => accessById(context, id))),
      );
    },
  }),
}));

builder.subscriptionField('progress', (t) =>
  t.field({
    type: ProgressType,
    description: 'State: progress of a project and of its newest round.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    ...sharedStream({
      open: (_, access) => mapSource(progressSource(access), (view) => ({ access, view })),
    }),
  }),
);

function labelScale(
  kind: ScaleKind,
  values: readonly number[] | null | undefined,
  classes: number,
): LabelScale {
  const steps = kind === 'INTERVAL' ? Array.from({ length: classes }, (_, i) => i) : [];
  return { kind, values: values ?? steps };
}

const DEFAULT_PRESET = 'ACTIVE_LEARNING';

/** What a policy's strategy can be refused with. */
const OF_STRATEGY = [
  'UNKNOWN_STRATEGY',
  'BROKEN_STRATEGY',
  'BAD_STRATEGY_PARAMETERS',
  'STRATEGY_FAILED',
] as const satisfies readonly RefusalCode[];

/** @throws {Refusal} one {@link OF_STRATEGY}; nothing is checked where the change names no strategy */
async function checkPolicyStrategy(
  { concord }: Context,
  { strategy: name, strategyParameters: parameters, coldStart }: typeof PolicyInput.$inferInput,
  before: Policy['strategy'],
): Promise<void> {
  if (coldStart) await checkStrategy(concord, coldStart.strategy, coldStart.parameters ?? {});
  if (name == null && parameters == null) return;
  const kept = name == null || name === before.name ? before.parameters : {};
  await checkStrategy(concord, name ?? before.name, parameters ?? kept);
}

mutation('createProject', {
  description: 'Creates a project. You become its owner.',
  input: builder.inputType('CreateProjectInput', {
    description: 'A new project.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What people call it: 1 to 200 characters.' }),
      labels: t.stringList({ required: true, description: 'The classes: 2 to 1,000, all different.' }),
      labelScale: t.field({ type: LabelScaleEnum, description: `${about.scale} Default: NOMINAL.` }),
      labelValues: t.floatList({ description: `${about.values} Default: 0, 1, 2 …` }),
      guidelines: t.string({ description: 'How to label, for annotators.' }),
      preset: t.field({
        type: PolicyPresetEnum,
        description: `Where the policy starts. Default: ${DEFAULT_PRESET}.`,
      }),
      policy: t.field({ type: PolicyInput, description: 'Laid over the preset.' }),
      seed: t.float({ description: "Seeds the project's draws: a uint32; a random one by default." }),
    }),
  }),
  success: ProjectType,
  refusals: ['PAYLOAD_TOO_LARGE', ...OF_STRATEGY],
  resolve: async (input, context) => {
    await checkPolicyStrategy(
      context,
      input.policy ?? {},
      POLICY_PRESETS[input.preset ?? DEFAULT_PRESET].strategy,
    );
    const live = await members.createProject(context.concord, viewerOf(context), {
      name: input.name,
      labels: input.labels,
      scale: labelScale(input.labelScale ?? 'NOMINAL', input.labelValues, input.labels.length),
      guidelines: input.guidelines ?? '',
      preset: input.preset ?? DEFAULT_PRESET,
      policy: policyChange(input.policy ?? {}),
      seed: seedOf(input.seed),
    });
    return projectById(context, globalId('Project', live.id));
  },
});

mutation('updatePolicy', {
  description: 'Changes fields of the policy. For owners.',
  input: builder.inputType('UpdatePolicyInput', {
    description: 'A change of a policy.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      policy: t.field({ type: PolicyInput, required: true, description: 'What to change.' }),
    }),
  }),
  success: ProjectType,
  refusals: OF_STRATEGY,
  resolve: async (input, context) => {
    const access = await projectById(context, input.project, ['OWNER']);
    const { strategy } = await access.live.read(({ policy }) => policy);
    await checkPolicyStrategy(context, input.policy, strategy);
    const change = policyChange(input.policy);
    await access.live.execute('changePolicy', { by: access.viewer.member, change }, () => undefined);
    return access;
  },
});
