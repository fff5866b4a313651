import type { CommandInput } from '../domain/commands.ts';
import type { Project } from '../domain/project.ts';
import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';
import { type AssignmentView, assignmentView, type QueueView, queueView } from './views.ts';

/**
 * An annotator's commands, each answered with what they come to as the annotator may see it. All but `claim`, which
 * programs give by themselves, are signs of life: see `Attendance`.
 */

/** Tops up one's queue. */
export function claim(concord: Concord, { live, viewer }: ProjectAccess, hold: number): Promise<QueueView> {
  return live.execute('claim', { by: viewer.member, hold }, (project) =>
    ownQueue(concord, project, viewer.member),
  );
}

export interface SubmittedView {
  readonly assignment: AssignmentView;
  readonly queue: QueueView;
}

/** Answers, and tops up one's queue if `hold` is given. */
export function submit(
  concord: Concord,
  { live, viewer }: ProjectAccess,
  answer: Omit<CommandInput<'submit'>, 'by'>,
): Promise<SubmittedView> {
  concord.attendance.acted(live, viewer.member);
  return live.execute('submit', { by: viewer.member, ...answer }, (project, { row }) => ({
    assignment: assignmentView(project, row),
    queue: ownQueue(concord, project, viewer.member),
  }));
}

/** Gives a sample back, keeps it longer, or takes an answer back. */
export function handle(
  { attendance }: Concord,
  { live, viewer }: ProjectAccess,
  command: 'release' | 'renew' | 'undo',
  assignment: string,
): Promise<AssignmentView> {
  attendance.acted(live, viewer.member);
  return live.execute(command, { by: viewer.member, assignment }, assignmentView);
}

export function skip(
  { attendance }: Concord,
  { live, viewer }: ProjectAccess,
  assignment: string,
  reason: string,
): Promise<AssignmentView> {
  attendance.acted(live, viewer.member);
  return live.execute('skip', { by: viewer.member, assignment, reason }, assignmentView);
}

export function endWorkSession(concord: Concord, { live, viewer }: ProjectAccess): Promise<QueueView> {
  concord.attendance.acted(live, viewer.member);
  return live.execute('endWorkSession', { by: viewer.member }, (project) =>
    ownQueue(concord, project, viewer.member),
  );
}

export function currentQueue(concord: Concord, { live, viewer }: ProjectAccess): Promise<QueueView> {
  return live.read((project) => ownQueue(concord, project, viewer.member));
}

function ownQueue(concord: Concord, project: Project, member: string): QueueView {
  return queueView(project, member, Math.max(project.time, concord.environment.now()));
}
