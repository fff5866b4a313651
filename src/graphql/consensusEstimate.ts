import { classesOf, likeliest, type NoEstimateReason } from '../domain/consensusEstimate.ts';
import { accuracy, type DawidSkeneFit } from '../domain/dawidSkene.ts';
import type { Role } from '../domain/directory.ts';
import type { ConsensusEstimate } from '../service/consensusEstimates.ts';
import { builder, enumType, forwardArgs } from './builder.ts';
import { forwardPage } from './connections.ts';
import { MemberType } from './member.ts';
import { ProjectType } from './project.ts';
import { SampleType } from './samples.ts';
import { SHARED } from './sharing.ts';
import { maySee } from './visibility.ts';

/** What concerns people's own errors. */
const OWNERS: readonly Role[] = ['OWNER'];

/** The most matrices that one page holds. */
const MAX_MATRICES = 100;
/** Classes of a sample that are less likely are not listed. */
const LEAST_LIKELY = 0.001;

interface ClassProbability {
  readonly label: string;
  readonly probability: number;
}

const ClassProbabilityType = builder.objectRef<ClassProbability>('ClassProbability').implement({
  extensions: SHARED,
  description: 'How likely a class is.',
  fields: (t) => ({
    label: t.exposeString('label', { description: 'The class.' }),
    probability: t.exposeFloat('probability', { description: '0…1.' }),
  }),
});

interface AnnotatorErrors {
  readonly index: number;
  readonly member: string;
  readonly answers: number;
  readonly fit: DawidSkeneFit;
  readonly seq: number;
}

const AnnotatorErrorsType = builder.objectRef<AnnotatorErrors>('AnnotatorErrors').implement({
  description: 'How one annotator errs, as estimated together with the consensus.',
  fields: (t) => ({
    member: t.expose('member', { type: MemberType, description: 'Who.' }),
    seq: t.exposeInt('seq', { description: 'The commit at which the estimate stands.' }),
    answers: t.exposeInt('answers', { description: 'Answers of theirs that it rests on.' }),
    accuracy: t.float({
      description:
        'How likely an answer of theirs is right, 0…1, for a class drawn from the class prior. An estimate, and no measurement: gold measures.',
      resolve: ({ fit, index }) => accuracy(fit, index),
    }),
    confusion: t.field({
      type: 'Bytes',
      description:
        'Classes × classes float32, row-major, in the order of the label set: given the true class of the row, how likely they answer the class of the column. Each row sums to 1.',
      resolve: ({ fit: { confusion, classes }, index }) => {
        const from = index * classes * classes;
        return new Uint8Array(new Float32Array(confusion.subarray(from, from + classes * classes)).buffer);
      },
    }),
  }),
});

interface EstimateView {
  readonly labels: readonly string[];
  readonly estimate: ConsensusEstimate;
  readonly fit: DawidSkeneFit;
}

const EstimateType = builder.objectRef<EstimateView>('ConsensusEstimate').implement({
  description:
    "People's labels and everybody's errors, estimated together by the method of Dawid and Skene (1979): whoever agrees with what is likely weighs more.",
  fields: (t) => ({
    seq: t.int({
      description: 'The commit at which it stands: it rests on the answers that counted then.',
      resolve: ({ estimate }) => estimate.seq,
    }),
    answers: t.int({
      description: 'Answers that it rests on.',
      resolve: ({ estimate }) => estimate.answers,
    }),
    samples: t.int({
      description: 'Samples that have those answers.',
      resolve: ({ estimate }) => estimate.samples,
    }),
    iterations: t.int({ description: 'Steps that it took.', resolve: ({ fit }) => fit.iterations }),
    converged: t.boolean({
      description:
        'Whether the last step made the answers hardly likelier, by less than 0.000001 a sample in logarithms; else it was cut short.',
      resolve: ({ fit }) => fit.converged,
    }),
    classPrior: t.field({
      type: [ClassProbabilityType],
      description: 'How likely each class is before any answer, in the order of the label set.',
      resolve: ({ fit, labels }) =>
        [...fit.prior].map((probability, i) => ({ label: labels[i] ?? '', probability })),
    }),
  }),
});

const NoEstimateReasonEnum = enumType<NoEstimateReason>(
  'NoEstimateReason',
  'Why answers do not tell who errs how.',
  {
    FEWER_THAN_TWO_ANNOTATORS: 'Fewer than two annotators have an answer that counts.',
    NO_JOINTLY_LABELLED_SAMPLE:
      'No sample has two answers: nobody can be held against anybody. Raise `overlapShare`.',
    TOO_LARGE: 'Annotators × classes² is above 4,000,000.',
  },
);

interface UndefinedView {
  readonly reason: NoEstimateReason;
  readonly estimate: ConsensusEstimate;
}

const UndefinedEstimateType = builder.objectRef<UndefinedView>('UndefinedEstimate').implement({
  description: 'There is no estimate, and why. The training set takes the majority meanwhile.',
  fields: (t) => ({
    reason: t.expose('reason', { type: NoEstimateReasonEnum, description: 'Why.' }),
    seq: t.int({ description: 'The commit at which it stands.', resolve: ({ estimate }) => estimate.seq }),
    answers: t.int({
      description: 'Answers that it would rest on.',
      resolve: ({ estimate }) => estimate.answers,
    }),
  }),
});

const EstimateResult = builder.unionType('ConsensusEstimateResult', {
  description: 'The estimate, or why there is none.',
  types: [EstimateType, UndefinedEstimateType],
  resolveType: (value) => ('fit' in value ? EstimateType : UndefinedEstimateType),
});

builder.objectField(ProjectType, 'consensusEstimate', (t) =>
  t.field({
    type: EstimateResult,
    nullable: true,
    description:
      'Consensus as Dawid and Skene estimate it from all answers that count, whatever the policy takes. Made anew if answers have changed: seconds for 100,000 answers. For owners; null to others.',
    resolve: async (access) => {
      if (!maySee(access, OWNERS)) return null;
      const estimate = await access.live.estimates.upToDate();
      const { fit, undefined: reason } = estimate;
      if (fit === null) return reason === null ? null : { reason, estimate };
      return access.live.read(({ labels }) => ({ labels, estimate, fit }));
    },
  }),
);

builder.objectField(ProjectType, 'annotatorErrors', (t) =>
  t.field({
    type: builder.connectionObject(
      { type: AnnotatorErrorsType, name: 'ProjectAnnotatorErrorsConnection' },
      { name: 'ProjectAnnotatorErrorsConnectionEdge' },
    ),
    nullable: true,
    description:
      'How each annotator errs by `consensusEstimate`, in the order in which they began, forward only; nobody while that is undefined. The first page has it made anew if answers have changed. For owners; null to others.',
    args: forwardArgs(t.arg, MAX_MATRICES),
    resolve: async ({ live, role }, args) => {
      if (!OWNERS.includes(role)) return null;
      const estimate = await (args.after == null ? live.estimates.upToDate() : live.estimates.newest());
      const members = await live.read(({ annotators }) => annotators.map(({ id }) => id));
      const placeIn = ({ index }: AnnotatorErrors) => index;
      const list = { list: 'annotator-errors', max: MAX_MATRICES, placeIn };
      return forwardPage(args, list, async (from, count) => annotatorErrors(estimate, members, from, count));
    },
  }),
);

function annotatorErrors(
  { fit, seq, answersOf }: ConsensusEstimate,
  members: readonly string[],
  from: number,
  count: number,
): AnnotatorErrors[] {
  const found: AnnotatorErrors[] = [];
  for (let index = from; fit !== null && index < answersOf.length && found.length < count; index++) {
    const answers = answersOf[index] as number;
    if (answers > 0) found.push({ index, answers, member: members[index] ?? '', fit, seq });
  }
  return found;
}

interface SampleEstimate {
  readonly label: string | null;
  readonly confidence: number;
  readonly classes: readonly ClassProbability[];
  readonly seq: number;
}

const SampleEstimateType = builder.objectRef<SampleEstimate>('SampleEstimate').implement({
  extensions: SHARED,
  description: "How likely the classes of a sample are, by its answers and by how annotators' answers err.",
  fields: (t) => ({
    label: t.exposeString('label', {
      nullable: true,
      description: 'The likeliest class; null if another is as likely.',
    }),
    confidence: t.exposeFloat('confidence', { description: 'How likely that is, 0…1.' }),
    classes: t.field({
      type: [ClassProbabilityType],
      description: `The classes from ${LEAST_LIKELY} on, the likeliest first.`,
      resolve: ({ classes }) => [...classes],
    }),
    seq: t.exposeInt('seq', {
      description:
        'The commit at which the estimate of how annotators err stands, which may be behind: see `Project.consensusEstimate`.',
    }),
  }),
});

builder.objectField(SampleType, 'estimate', (t) =>
  t.field({
    type: SampleEstimateType,
    nullable: true,
    description:
      'Its class as Dawid and Skene estimate it, by the newest estimate there is. Null before the first answer that counts, and while there is no estimate.',
    resolve: async ({ access: { live }, ordinal }) => {
      const { fit, seq } = await live.estimates.newest();
      if (fit === null) return null;
      return live.read((project) => {
        const shares = classesOf(project, fit, ordinal);
        if (shares === null) return null;
        const label = likeliest(shares)?.label;
        const classes = [...shares]
          .map((probability, i) => ({ label: project.labels[i] ?? '', probability }))
          .filter(({ probability }) => probability >= LEAST_LIKELY)
          .sort((a, b) => b.probability - a.probability);
        return {
          label: label === undefined ? null : (project.labels[label] ?? null),
          confidence: Math.max(...shares),
          classes,
          seq,
        };
      });
    },
  }),
);
