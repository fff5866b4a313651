import { type Majority, majority } from '../domain/consensus.ts';
import { refuse } from '../domain/refusals.ts';
import { NONE, type PayloadPlace } from '../domain/sampleTable.ts';
import { type Audience, STEERING } from '../service/access.ts';
import { importPart } from '../service/importing.ts';
import { type AnnotationView, annotationViews } from '../service/views.ts';
import { AnnotationType } from './annotations.ts';
import { builder, type Context } from './builder.ts';
import { page } from './connections.ts';
import { textOf } from './inputs.ts';
import { ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { SHARED } from './sharing.ts';
import { accessById, maySee, orNull, projectById } from './visibility.ts';

/** A sample as those who steer a project see it. Annotators never do: they see assignments. */
export interface SampleView {
  readonly access: Audience;
  readonly ordinal: number;
  readonly key: string;
  readonly payload: PayloadPlace;
  readonly predicted: string | null;
  readonly confidence: number | null;
  readonly autoAccepted: boolean;
  readonly consensus: Majority;
  readonly skips: number;
  readonly unanswerable: boolean;
  readonly isErased: boolean;
  readonly annotations: readonly AnnotationView[];
}

/** @throws {RangeError} there is no such sample */
export function sampleView(access: Audience, ordinal: number): Promise<SampleView> {
  return access.live.read((project) => {
    const { samples } = project;
    const predicted = samples.predicted.get(ordinal);
    return {
      access,
      ordinal,
      key: samples.keys.keyAt(ordinal),
      payload: samples.payload(ordinal),
      predicted: predicted === NONE ? null : (project.labels[predicted] ?? null),
      confidence: predicted === NONE ? null : samples.confidence.get(ordinal),
      autoAccepted: project.isAutoAccepted(ordinal),
      consensus: majority(project.countedLabels(ordinal)),
      skips: samples.skips.get(ordinal),
      unanswerable: samples.isUnanswerable(ordinal),
      isErased: samples.isErased(ordinal),
      annotations: annotationViews(project, ordinal),
    };
  });
}

/** The most keys that are looked up at once. */
const MAX_KEYS = 1_000;

export const SampleType = builder.objectRef<SampleView>('Sample');

builder.node(SampleType, {
  extensions: SHARED,
  description: 'One item to label, as owners and drivers see it.',
  id: { resolve: ({ access, ordinal }) => `${access.live.id}/${ordinal}`, description: 'Its id.' },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'ordinal' in value,
  loadOne: (id, context) => orNull(loadSample(id, context)),
  fields: (t) => ({
    key: t.exposeString('key', { description: "The importer's name of it." }),
    number: t.exposeInt('ordinal', { description: 'Its place in the order of import, from 0.' }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What is to be labelled; null if it was erased.',
      resolve: ({ payload }, _, { answer }) => answer.payload(payload),
    }),
    predicted: t.exposeString('predicted', {
      nullable: true,
      description: "The current prediction run's label; null if it has none.",
    }),
    confidence: t.exposeFloat('confidence', { nullable: true, description: 'Its probability, 0…1.' }),
    autoAccepted: t.exposeBoolean('autoAccepted', {
      description: 'Whether the prediction stands in for people at present.',
    }),
    consensus: t.field({
      type: ConsensusType,
      nullable: true,
      description: "People's majority; null before the first answer that counts.",
      resolve: async (sample) => {
        const { consensus } = sample;
        if (consensus.kind === 'none') return null;
        const labels = await sample.access.live.read((project) => project.labels);
        const tied = consensus.kind === 'tie' ? consensus.labels : [];
        return {
          label: consensus.kind === 'label' ? (labels[consensus.label] ?? null) : null,
          tied: tied.map((index) => labels[index] ?? ''),
          votes: consensus.votes,
          of: consensus.of,
        };
      },
    }),
    annotations: t.field({
      type: [AnnotationType],
      description:
        'The answers that stand, in the order in which they were asked; none that was skipped or undone.',
      resolve: ({ access, annotations }) => annotations.map((view) => ({ access, view })),
    }),
    skips: t.exposeInt('skips', { description: 'How many people have skipped it.' }),
    isErased: t.exposeBoolean('isErased', {
      description: 'Whether what it held was erased: nobody is asked about it any more.',
    }),
    unanswerable: t.exposeBoolean('unanswerable', {
      description: 'Whether so many people have skipped it that it is given up.',
    }),
  }),
});

async function loadSample(id: string, context: Context): Promise<SampleView | null> {
  const [project = '', ordinal = ''] = id.split('/');
  const seen = await accessById(context, project, STEERING);
  const number = Number(ordinal);
  const exists = await seen.live.read(({ samples }) => /^\d+$/.test(ordinal) && number < samples.size);
  return exists ? sampleView(seen, number) : null;
}

interface ConsensusView {
  readonly label: string | null;
  readonly tied: readonly string[];
  readonly votes: number;
  readonly of: number;
}

const ConsensusType = builder.objectRef<ConsensusView>('Consensus').implement({
  extensions: SHARED,
  description: "A sample's label by plain majority of the answers that count. A tie is said, never broken.",
  fields: (t) => ({
    label: t.exposeString('label', { nullable: true, description: 'The majority; null in a tie.' }),
    tied: t.stringList({
      description: 'The labels that tie; empty without a tie.',
      resolve: ({ tied }) => [...tied],
    }),
    votes: t.exposeInt('votes', { description: 'Answers for it, or for each that ties.' }),
    of: t.exposeInt('of', { description: 'Answers that count.' }),
  }),
});

builder.objectFields(ProjectType, (t) => ({
  samples: t.connection({
    type: SampleType,
    nullable: true,
    description: 'The samples in the order of import. For owners and drivers; null to others.',
    resolve: async (project, args) => {
      if (!maySee(project, STEERING)) return null;
      const count = await project.live.read(({ samples }) => samples.size);
      return page(args, { list: 'samples', count }, (from, to) =>
        Promise.all(Array.from({ length: to - from }, (_, i) => sampleView(project, from + i))),
      );
    },
  }),
  samplesWithKeys: t.field({
    type: t.listRef(SampleType, { nullable: true }),
    nullable: true,
    description: `Samples by their keys, in the order of the keys, with null where there is none: what of an import is there already. For owners and drivers; null to others.`,
    args: {
      keys: t.arg.stringList({ required: true, description: `At most ${MAX_KEYS}.` }),
    },
    resolve: async (project, { keys }) => {
      if (!maySee(project, STEERING)) return null;
      if (keys.length > MAX_KEYS) {
        const problem = `${keys.length} are more than ${MAX_KEYS}`;
        throw refuse('INVALID_INPUT', { field: 'keys', problem });
      }
      const ordinals = await project.live.read(({ samples }) => keys.map((key) => samples.keys.indexOf(key)));
      return Promise.all(ordinals.map((ordinal) => (ordinal < 0 ? null : sampleView(project, ordinal))));
    },
  }),
  sample: t.field({
    type: SampleType,
    nullable: true,
    description: 'A sample by its key. For owners and drivers; null to others, and if there is none.',
    args: { key: t.arg.string({ required: true, description: "The importer's name of it." }) },
    resolve: async (project, { key }) => {
      if (!maySee(project, STEERING)) return null;
      const ordinal = await project.live.read(({ samples }) => samples.keys.indexOf(key));
      return ordinal < 0 ? null : sampleView(project, ordinal);
    },
  }),
}));

const ImportedPartType = builder
  .objectRef<{ readonly first: number; readonly count: number }>('ImportedPart')
  .implement({
    description: 'What one part of an import came to.',
    fields: (t) => ({
      first: t.exposeInt('first', { description: 'The number of its first sample; the others follow.' }),
      count: t.exposeInt('count', { description: 'How many samples it has.' }),
    }),
  });

const SampleInput = builder.inputType('SampleInput', {
  description: 'A sample to import.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: 'Your name of it, unique in the project: 1 to 256 characters.',
    }),
    data: t.field({ type: 'JSON', required: true, description: 'What is to be labelled: JSON up to 1 MiB.' }),
    groundTruth: t.string({
      description: 'What it is known to be, a label of the label set: it becomes gold. Default: not known.',
    }),
  }),
});

mutation('importSamples', {
  description:
    'Imports one part of a set of samples, all of it or nothing. Parts are numbered in their order, so one may be sent while the one before it is under way. The same part again does nothing and answers the same. For drivers and owners.',
  input: builder.inputType('ImportSamplesInput', {
    description: 'A part of an import.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      importId: t.string({
        required: true,
        description: 'Your name of the import, shared by its parts: 1 to 200 characters.',
      }),
      part: t.int({ required: true, description: 'Which part of the import, from 0.' }),
      samples: t.field({
        type: [SampleInput],
        required: true,
        description: '1 to 10,000 samples, in the order in which they are numbered.',
      }),
    }),
  }),
  success: ImportedPartType,
  refusals: ['DUPLICATE_KEYS', 'PART_OUT_OF_ORDER', 'PAYLOAD_TOO_LARGE', 'UNKNOWN_LABEL'],
  resolve: async ({ project, ...input }, context) => {
    const access = await projectById(context, project, STEERING);
    textOf('importId', input.importId, { to: 200 });
    if (input.part < 0) throw refuse('INVALID_INPUT', { field: 'part', problem: `${input.part} is below 0` });
    return importPart(context.concord, access, input);
  },
});
