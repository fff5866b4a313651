import type { Role } from '../domain/directory.ts';
import type { AutoAcceptStatus } from '../domain/predictionRun.ts';
import { refuse } from '../domain/refusals.ts';
import type { StoppingSignals } from '../domain/stopping.ts';
import { type Audience, STEERING } from '../service/access.ts';
import {
  publishEmbeddings,
  publishPredictions,
  type UploadedPart,
  uploadEmbeddings,
  uploadPredictions,
} from '../service/predictions.ts';
import { type EmbeddingsView, embeddingsView, type RunView, runViewOf } from '../service/views.ts';
import { builder, type Context, enumType, type SchemaTypes } from './builder.ts';
import { page } from './connections.ts';
import { IntervalType } from './figures.ts';
import { ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { accessById, maySee, orNull, projectById } from './visibility.ts';

/** Figures of a run may be seen by all but annotators, whom they would tell how audits go. */
export const FIGURES: readonly Role[] = ['OWNER', 'DRIVER', 'VIEWER'];

const AutoAcceptStatusEnum = enumType<AutoAcceptStatus>(
  'AutoAcceptStatus',
  'Whether auto-accept may be trusted, by its audits.',
  {
    PROVISIONAL: 'The audits have not decided yet.',
    PROVEN: 'The error rate is below the limit.',
    SUSPENDED: 'The error rate is above the limit: what was accepted goes to people.',
  },
);

const StoppingSignalsType = builder
  .objectRef<StoppingSignals & { readonly isStable: boolean }>('StoppingSignals')
  .implement({
    description:
      'When to stop: worked out when a prediction run is published, over its pool, the samples of which it speaks and that nobody had labelled by then.',
    fields: (t) => ({
      pool: t.exposeInt('pool', { description: 'Samples in the pool.' }),
      meanUncertainty: t.exposeFloat('meanUncertainty', {
        nullable: true,
        description:
          'The mean of entropy / ln(classes), 0…1 (overall uncertainty: Zhu, Wang, Hovy and Ma 2010); null if the pool is empty.',
      }),
      compared: t.exposeInt('compared', {
        description: 'Samples of the pool of which the run before spoke as well.',
      }),
      changed: t.exposeInt('changed', {
        description:
          'Those of them whose likeliest class is another one now (classification change: Zhu, Wang and Hovy 2008).',
      }),
      kappa: t.exposeFloat('kappa', {
        nullable: true,
        description:
          "Cohen's kappa between the likeliest classes of both runs (stabilizing predictions: Bloodgood and Vijay-Shanker 2009); null if none were compared, or all are of one class.",
      }),
      isStable: t.exposeBoolean('isStable', {
        description: 'Whether the mean kappa of the newest three runs is 0.99 or more.',
      }),
    }),
  });

export const RunType = builder.objectRef<RunView & { readonly access: Audience }>('PredictionRun');

builder.node(RunType, {
  description: 'What one model version said of the samples, and what audits have shown of it.',
  id: { resolve: ({ access, number }) => `${access.live.id}/${number}`, description: 'Its id.' },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'autoAccept' in value,
  loadOne: (id, context) => orNull(loadRun(id, context)),
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1, 2, 3 …' }),
    model: t.exposeString('model', { description: 'What its trainer calls the model version.' }),
    rows: t.exposeInt('rows', { description: 'Samples of which it speaks.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'When it was published.' }),
    threshold: t.exposeFloat('threshold', {
      nullable: true,
      description: 'Confidence from which it was auto-accepted, rounded to float32; null: none was.',
    }),
    accepted: t.exposeInt('accepted', { description: 'Unlabelled samples that were auto-accepted.' }),
    autoAccept: t.expose('autoAccept', {
      type: AutoAcceptStatusEnum,
      description: 'Whether that may be trusted.',
    }),
    errorLimit: t.exposeFloat('errorLimit', { description: 'The error rate it may not pass.' }),
    audits: t.exposeInt('audits', {
      description: 'Audits drawn among the accepted, uniformly at random: by these the run is judged.',
    }),
    audited: t.exposeInt('audited', { description: 'Audits answered.' }),
    errors: t.exposeInt('errors', { description: 'Answers that differ from the prediction.' }),
    errorRate: t.float({
      nullable: true,
      description: 'Errors among the audited, 0…1; null before the first answer.',
      resolve: ({ audited, errors }) => (audited === 0 ? null : errors / audited),
    }),
    errorInterval: t.expose('errorInterval', {
      type: IntervalType,
      nullable: true,
      description: 'Wilson interval of the error rate, for display; null before the first answer.',
    }),
    passes: t.exposeInt('passes', {
      description: 'How many passes it has, of a committee or of MC dropout; 0: none.',
    }),
    signals: t.field({
      type: StoppingSignalsType,
      description: 'Whether labelling more is worth it, by what it says of samples that nobody has labelled.',
      resolve: ({ signals, isStable }) => ({ ...signals, isStable }),
    }),
  }),
});

const EmbeddingsType = builder.objectRef<EmbeddingsView>('Embeddings').implement({
  description: 'Vectors of samples, from whatever encoder.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1, 2, 3 …' }),
    model: t.exposeString('model', { description: 'What made them.' }),
    dimensions: t.exposeInt('dimensions', { description: 'Numbers in a vector.' }),
    rows: t.exposeInt('rows', { description: 'Samples that have one.' }),
    publishedAt: t.expose('publishedAt', { type: 'DateTime', description: 'When they were published.' }),
  }),
});

async function loadRun(id: string, context: Context) {
  const [project = '', number = ''] = id.split('/');
  const access = await accessById(context, project, FIGURES);
  return access.live.read((state) => {
    const run = state.runs[Number(number) - 1];
    return run ? { ...runViewOf(state, run), access } : null;
  });
}

builder.objectFields(ProjectType, (t) => ({
  embeddings: t.field({
    type: EmbeddingsType,
    nullable: true,
    description: 'The newest embeddings; null before the first, and to annotators.',
    resolve: async (access) => {
      if (!maySee(access, FIGURES)) return null;
      return access.live.read(({ embeddings }) => embeddings && embeddingsView(embeddings));
    },
  }),
  predictionRun: t.field({
    type: RunType,
    nullable: true,
    description: 'The current prediction run; null before the first, and to annotators.',
    resolve: async (access) => {
      if (!maySee(access, FIGURES)) return null;
      return access.live.read((project) =>
        project.currentRun ? { ...runViewOf(project, project.currentRun), access } : null,
      );
    },
  }),
  predictionRuns: t.connection({
    type: RunType,
    nullable: true,
    description: 'All prediction runs, oldest first; null to annotators.',
    resolve: async (access, args) => {
      if (!maySee(access, FIGURES)) return null;
      const count = await access.live.read(({ runs }) => runs.length);
      return page(args, { list: 'prediction-runs', count }, (from, to) =>
        access.live.read((project) =>
          project.runs.slice(from, to).map((run) => ({ ...runViewOf(project, run), access })),
        ),
      );
    },
  }),
}));

const UploadedPartType = builder.objectRef<UploadedPart>('UploadedPart').implement({
  description: 'A part of predictions or embeddings, stored but not published.',
  fields: (t) => ({
    receipt: t.exposeString('receipt', { description: 'Names it when it is published.' }),
    rows: t.exposeInt('rows', { description: 'How many rows it has.' }),
  }),
});

/** The samples that an uploaded part is about. */
const rowNameFields = (t: PothosSchemaTypes.InputFieldBuilder<SchemaTypes, 'InputObject'>) => ({
  keys: t.stringList({ description: 'Whose rows they are, by key: as many as there are rows.' }),
  numbers: t.field({
    type: 'Bytes',
    description: 'Whose rows they are, by number, as many as there are rows: uint32, little-endian.',
  }),
});

mutation('uploadPredictions', {
  description:
    'Stores a part of a prediction run: some samples and their class probabilities. Publish the parts together. For drivers and owners.',
  input: builder.inputType('UploadPredictionsInput', {
    description: 'A part of a prediction run. Give `keys` or `numbers`.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      ...rowNameFields(t),
      classes: t.int({ required: true, description: 'Columns of the matrix: as many as the label set has.' }),
      probabilities: t.field({
        type: 'Bytes',
        description:
          'rows × classes float32, row by row, little-endian; each row sums to 1. At most 4 MiB. Default: the mean of the passes.',
      }),
      passes: t.field({
        type: ['Bytes'],
        description:
          'The same of each pass of a committee or of MC dropout: none, or 2 to 100. Every part of a run has as many.',
      }),
    }),
  }),
  success: UploadedPartType,
  refusals: ['UNKNOWN_SAMPLES', 'WRONG_CLASS_COUNT', 'BAD_PROBABILITIES', 'PAYLOAD_TOO_LARGE'],
  resolve: async ({ project, keys, numbers, classes, probabilities, passes }, context) => {
    const access = await projectById(context, project, STEERING);
    return uploadPredictions(context.concord, access, {
      rows: rowNames(keys, numbers),
      classes,
      probabilities: probabilities ?? null,
      passes: passes ?? [],
    });
  },
});

function rowNames(keys: readonly string[] | null | undefined, numbers: Uint8Array | null | undefined) {
  if (keys && !numbers) return { keys };
  if (numbers && !keys) {
    if (numbers.length % 4 !== 0) {
      throw refuse('INVALID_INPUT', {
        field: 'numbers',
        problem: `${numbers.length} bytes are no whole number of uint32`,
      });
    }
    return { numbers: new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length / 4) };
  }
  throw refuse('INVALID_INPUT', { field: 'keys', problem: 'give either keys or numbers' });
}

mutation('uploadEmbeddings', {
  description:
    'Stores a part of embeddings: some samples and their vectors. Publish the parts together. For drivers and owners.',
  input: builder.inputType('UploadEmbeddingsInput', {
    description: 'A part of embeddings. Give `keys` or `numbers`.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      ...rowNameFields(t),
      dimensions: t.int({ required: true, description: 'Numbers in a vector: 1…4,096.' }),
      embeddings: t.field({
        type: 'Bytes',
        required: true,
        description: 'rows × dimensions float32, row by row, little-endian; all finite. At most 2 MiB.',
      }),
    }),
  }),
  success: UploadedPartType,
  refusals: ['UNKNOWN_SAMPLES', 'BAD_EMBEDDINGS', 'PAYLOAD_TOO_LARGE'],
  resolve: async ({ project, keys, numbers, dimensions, embeddings }, context) => {
    const access = await projectById(context, project, STEERING);
    const rows = rowNames(keys, numbers);
    return uploadEmbeddings(context.concord, access, { rows, dimensions, bytes: embeddings });
  },
});

mutation('publishEmbeddings', {
  description:
    'Makes uploaded parts the embeddings that strategies are given, in place of those before. They need no prediction run. For drivers and owners.',
  input: builder.inputType('PublishEmbeddingsInput', {
    description: 'Embeddings made of uploaded parts.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      model: t.string({ required: true, description: 'What made them: 1 to 200 characters.' }),
      parts: t.stringList({
        required: true,
        description: 'The receipts of their parts, at most 10,000; no sample twice.',
      }),
    }),
  }),
  success: EmbeddingsType,
  refusals: ['UNKNOWN_PART', 'DUPLICATE_KEYS'],
  resolve: async ({ project, model, parts }, context) => {
    const access = await projectById(context, project, STEERING);
    return publishEmbeddings(context.concord, access, { model, receipts: parts });
  },
});

mutation('publishPredictions', {
  description:
    'Makes uploaded parts the current prediction run: decides what is auto-accepted and draws the audits. For drivers and owners.',
  input: builder.inputType('PublishPredictionsInput', {
    description: 'A prediction run made of uploaded parts.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      model: t.string({
        required: true,
        description: 'What you call the model version: 1 to 200 characters.',
      }),
      parts: t.stringList({
        required: true,
        description: 'The receipts of its parts, at most 10,000; no sample twice.',
      }),
    }),
  }),
  success: RunType,
  refusals: ['UNKNOWN_PART', 'DUPLICATE_KEYS'],
  resolve: async ({ project, model, parts }, context) => {
    const access = await projectById(context, project, STEERING);
    return { ...(await publishPredictions(context.concord, access, { model, receipts: parts })), access };
  },
});
