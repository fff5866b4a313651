import type { AssignmentState } from '../domain/assignmentTable.ts';
import type { EmptyReason } from '../domain/claim.ts';
import type { Role } from '../domain/directory.ts';
import type { ProjectAccess } from '../service/access.ts';
import * as queue from '../service/queue.ts';
import { queueStream } from '../service/states.ts';
import type { AssignmentView, QueueView, WorkSessionState, WorkSessionView } from '../service/views.ts';
import { builder, type Context, enumType } from './builder.ts';
import { globalId, parseId } from './ids.ts';
import { textOf } from './inputs.ts';
import { ProjectType } from './project.ts';
import { mutation } from './refusals.ts';
import { mapped } from './streams.ts';
import { accessById, maySee, projectById } from './visibility.ts';

const LABELLING: readonly Role[] = ['ANNOTATOR'];

const AssignmentStateEnum = enumType<AssignmentState>('AssignmentState', 'What became of an assignment.', {
  HELD: 'In your hands.',
  SUBMITTED: 'Answered.',
  SKIPPED: 'Skipped; it does not come again.',
  RELEASED: 'Given back.',
  EXPIRED: 'Its time has passed; an answer is still taken.',
});

interface OwnAssignment extends AssignmentView {
  readonly access: ProjectAccess;
}

const AssignmentType = builder.objectRef<OwnAssignment>('Assignment').implement({
  description:
    'A sample in your hands. It tells nothing of why it is asked, of what others answered, or of what a model says, unless the policy offers that.',
  fields: (t) => ({
    id: t.id({
      description: 'Its id, by which you answer it.',
      resolve: ({ access, id }) => globalId('Assignment', access.live.id, id),
    }),
    data: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What is to be labelled; null if it was erased: then it is taken out of your hands.',
      resolve: ({ payload }, _, { answer }) => answer.payload(payload),
    }),
    suggestion: t.exposeString('suggestion', {
      nullable: true,
      description:
        "The model's label, if the policy offers it here, and in the mode AFTER_FIRST_ANSWER once you have answered. An offer, not a default.",
    }),
    state: t.expose('state', { type: AssignmentStateEnum, description: 'What became of it.' }),
    label: t.exposeString('label', { nullable: true, description: 'Your answer, once given.' }),
    until: t.expose('until', { type: 'DateTime', description: 'How long it is kept for you.' }),
  }),
});

const EmptyReasonEnum = enumType<EmptyReason>('EmptyReason', 'Why there is nothing for you to label.', {
  DONE: 'All that could be asked is answered.',
  ALL_HELD: 'Others hold what is left; the first comes back at `until` at the latest.',
  ALL_HAD_BY_YOU: 'You have had all that is left; it waits for others.',
  WORK_SESSION_OVER: 'Have a break; the next session may begin at `until`.',
  PAUSED: 'The owner has paused the project.',
  ANNOTATOR_PAUSED: 'An owner has to let you go on; what you hold may be answered.',
  NO_ROUND: 'Work comes in rounds here, and none is open.',
});

const EmptyQueueType = builder.objectRef<NonNullable<QueueView['empty']>>('EmptyQueue').implement({
  description: 'Why there is nothing for you to label, and until when.',
  fields: (t) => ({
    reason: t.expose('reason', { type: EmptyReasonEnum, description: 'Why.' }),
    until: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When to come again, where that is known.',
      resolve: (empty) => ('until' in empty ? empty.until : null),
    }),
  }),
});

const WorkSessionStateEnum = enumType<WorkSessionState>('WorkSessionState', 'How a work session stands.', {
  RUNNING: 'It goes on.',
  BREAK: 'It is over, and the break goes on.',
  OVER: 'The break is over too: the next claim begins another.',
});

const WorkSessionType = builder.objectRef<WorkSessionView>('WorkSession').implement({
  description: 'A stint of work and the break after it.',
  fields: (t) => ({
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    until: t.expose('until', { type: 'DateTime', description: 'When it ends.' }),
    breakUntil: t.expose('breakUntil', { type: 'DateTime', description: 'When the next may begin.' }),
    state: t.expose('state', { type: WorkSessionStateEnum, description: 'How it stands.' }),
    secondsLeft: t.int({
      description:
        'How long what goes on has still to go, the session or the break; 0 when both are over. Pushed by the minute, so that a countdown needs no clock that agrees with the service.',
      resolve: ({ millisecondsLeft }) => Math.ceil(millisecondsLeft / 1_000),
    }),
    answers: t.exposeInt('answers', { description: 'Your answers since it began, that stand.' }),
  }),
});

interface OwnQueue {
  readonly access: ProjectAccess;
  readonly view: QueueView;
}

const QueueType = builder.objectRef<OwnQueue>('Queue').implement({
  description: 'What you have in hands in a project, and how your work stands.',
  fields: (t) => ({
    seq: t.int({ description: 'The commit at which it stands.', resolve: ({ view }) => view.seq }),
    assignments: t.field({
      type: [AssignmentType],
      description: 'What you hold, oldest first: at most 100.',
      resolve: ({ view, access }) => view.held.map((assignment) => ({ ...assignment, access })),
    }),
    revealed: t.field({
      type: [AssignmentType],
      description:
        'Your newest answers after which a suggestion was revealed, as long as you may change them, oldest first: at most ten. Empty unless the policy offers suggestions AFTER_FIRST_ANSWER.',
      resolve: ({ view, access }) => view.revealed.map((assignment) => ({ ...assignment, access })),
    }),
    empty: t.field({
      type: EmptyQueueType,
      nullable: true,
      description: 'Why a claim would give nothing more; null while there is work for you.',
      resolve: ({ view }) => view.empty,
    }),
    workSession: t.field({
      type: WorkSessionType,
      nullable: true,
      description: 'Your newest work session; null before the first.',
      resolve: ({ view }) => view.workSession,
    }),
    answers: t.int({ description: 'Your answers that stand.', resolve: ({ view }) => view.answers }),
    skips: t.int({ description: 'Samples that you have skipped.', resolve: ({ view }) => view.skips }),
  }),
});

builder.objectField(ProjectType, 'queue', (t) =>
  t.field({
    type: QueueType,
    nullable: true,
    description: 'Your own queue. For annotators; null to others.',
    resolve: async (access, _, { concord }) =>
      maySee(access, LABELLING) ? { access, view: await queue.currentQueue(concord, access) } : null,
  }),
);

builder.subscriptionField('queue', (t) =>
  t.field({
    type: QueueType,
    description: 'State: your own queue, whenever it changes. For annotators.',
    args: { project: t.arg.id({ required: true, description: 'The project.' }) },
    subscribe: async (_, args, context) => {
      const access = await projectById(context, args.project, LABELLING);
      return mapped(
        queueStream(context.concord, access),
        (view) => ({ access, view }),
        () => context.answer.letGo(),
      );
    },
    resolve: (own) => own,
  }),
);

mutation('claim', {
  description:
    'Tops up your queue to `hold` samples, the most useful first. Calling it again gives nothing more, and nobody else gets what you hold.',
  input: builder.inputType('ClaimInput', {
    description: 'A claim.',
    fields: (t) => ({
      project: t.id({ required: true, description: 'The project.' }),
      hold: t.int({ defaultValue: 1, required: true, description: 'How many to hold: 1…100.' }),
    }),
  }),
  success: QueueType,
  resolve: async ({ project, hold }, context) => {
    const access = await projectById(context, project, LABELLING);
    return { access, view: await queue.claim(context.concord, access, hold) };
  },
});

interface Submission {
  readonly assignment: OwnAssignment;
  readonly queue: OwnQueue;
}

const SubmissionType = builder.objectRef<Submission>('Submission').implement({
  description: 'An answer as recorded, and your queue after it.',
  fields: (t) => ({
    assignment: t.expose('assignment', { type: AssignmentType, description: 'What you answered.' }),
    queue: t.expose('queue', { type: QueueType, description: 'Your queue after it.' }),
  }),
});

mutation('submit', {
  description:
    'Answers an assignment. The same answer again is safe and gives the same result; another one is refused until you undo, unless you revise. A late answer is kept, and counts if the sample still needs it.',
  input: builder.inputType('SubmitInput', {
    description: 'An answer.',
    fields: (t) => ({
      assignment: t.id({ required: true, description: 'What you answer.' }),
      label: t.string({ required: true, description: 'A label of the label set.' }),
      milliseconds: t.float({ description: 'How long you looked at it.' }),
      hold: t.int({ description: 'Tops up your queue to so many in the same step.' }),
      revise: t.boolean({
        description:
          'Takes the place of another answer of yours, as long as that can be undone. When you gave that one, and how long it took, stays. False by default.',
      }),
    }),
  }),
  success: SubmissionType,
  refusals: ['UNKNOWN_LABEL', 'ALREADY_ANSWERED', 'ASSIGNMENT_CLOSED', 'UNDO_CLOSED'],
  resolve: async (input, context) => {
    const { access, assignment } = await ownAssignment(context, input.assignment);
    const { milliseconds = null, hold = null, revise = false, label } = input;
    const answer = { assignment, label, milliseconds, hold, revise: revise === true };
    const submitted = await queue.submit(context.concord, access, answer);
    return {
      assignment: { ...submitted.assignment, access },
      queue: { access, view: submitted.queue },
    };
  },
});

mutation('skip', {
  description: 'Declines to answer. It does not come to you again; skipped by enough people it is given up.',
  input: builder.inputType('SkipInput', {
    description: 'An assignment to skip.',
    fields: (t) => ({
      assignment: t.id({ required: true, description: 'What you skip.' }),
      reason: t.string({ description: 'Why, up to 1,000 characters.' }),
    }),
  }),
  success: AssignmentType,
  refusals: ['ALREADY_ANSWERED', 'ASSIGNMENT_CLOSED'],
  resolve: async (input, context) => {
    const { access, assignment } = await ownAssignment(context, input.assignment);
    const reason = textOf('reason', input.reason ?? '', { from: 0, to: 1_000 });
    return { ...(await queue.skip(context.concord, access, assignment, reason)), access };
  },
});

const handling = [
  {
    command: 'release',
    description: 'Gives a sample back unanswered. It may come to you again.',
    about: 'An assignment to give back.',
    refusals: ['ALREADY_ANSWERED', 'ASSIGNMENT_CLOSED'],
  },
  {
    command: 'renew',
    description: 'Keeps a sample for another full time.',
    about: 'An assignment to keep longer.',
    refusals: ['ALREADY_ANSWERED', 'ASSIGNMENT_CLOSED'],
  },
  {
    command: 'undo',
    description: 'Takes back one of your last ten answers. The sample is in your hands again.',
    about: 'An answer to take back.',
    refusals: ['ASSIGNMENT_CLOSED', 'UNDO_CLOSED'],
  },
] as const;

for (const { command, description, about, refusals } of handling) {
  mutation(command, {
    description,
    input: builder.inputType(`${command.charAt(0).toUpperCase()}${command.slice(1)}Input`, {
      description: about,
      fields: (t) => ({ assignment: t.id({ required: true, description: 'Which one.' }) }),
    }),
    success: AssignmentType,
    refusals,
    resolve: async (input, context) => {
      const { access, assignment } = await ownAssignment(context, input.assignment);
      return { ...(await queue.handle(context.concord, access, command, assignment)), access };
    },
  });
}

mutation('endWorkSession', {
  description: 'Ends your work session before its time; the break begins now.',
  input: builder.inputType('EndWorkSessionInput', {
    description: 'A work session to end.',
    fields: (t) => ({ project: t.id({ required: true, description: 'The project.' }) }),
  }),
  success: QueueType,
  resolve: async ({ project }, context) => {
    const access = await projectById(context, project, LABELLING);
    return { access, view: await queue.endWorkSession(context.concord, access) };
  },
});

async function ownAssignment(context: Context, id: string) {
  const [project = '', assignment = ''] = parseId(id, 'Assignment');
  return { access: await accessById(context, project, LABELLING), assignment };
}
