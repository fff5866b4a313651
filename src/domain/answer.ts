import { UNDO_LIMIT } from './annotator.ts';
import { type Claim, checkHold, claim } from './claim.ts';
import { labelIndex } from './classNames.ts';
import type { Decision, Moment } from './decision.ts';
import type { Project } from './project.ts';
import { notFound, refuse } from './refusals.ts';
import { judgeAttention, judgeAudit, settleSample } from './settling.ts';

/** What an annotator does with an assignment: answer, skip, give back, keep longer, take an answer back. */

/** An assignment of one's own, named by its id. */
export interface OwnAssignment {
  readonly by: string;
  readonly assignment: string;
}

export interface Submission extends OwnAssignment {
  readonly label: string;
  /** How long it took, in milliseconds, or null. */
  readonly milliseconds: number | null;
  /** If given, tops up what the annotator holds to this many in the same commit. */
  readonly hold: number | null;
  /** True: it takes the place of another answer of theirs, if that can be undone. */
  readonly revise?: boolean;
}

export interface Answered {
  readonly row: number;
  /** False: kept as surplus. */
  readonly counted: boolean;
  /** What is held after topping up, if that was asked. */
  readonly claim: Claim | null;
}

/**
 * Records an answer. The same answer again gives the first result; another one is refused unless it is a revision, which is
 * open for as long as undo is. A late answer counts only if the sample still has room for it, and is kept as surplus otherwise.
 */
export function* submit(project: Project, submission: Submission, moment: Moment): Decision<Answered> {
  const { by, assignment, milliseconds, hold, revise = false } = submission;
  const { assignments, samples } = project;
  const row = ownRow(project, submission);
  const label = labelIndex(project, submission.label);
  if (milliseconds !== null && !(milliseconds >= 0 && milliseconds < 1e9)) {
    throw refuse('INVALID_INPUT', { field: 'milliseconds', problem: `${milliseconds} is not a time taken` });
  }
  // Before anything is recorded: a refusal of the claim would come too late for the answer.
  if (hold !== null) checkHold(hold);
  const state = assignments.state(row);
  if (state === 'SKIPPED') throw refuse('ASSIGNMENT_CLOSED', { assignmentState: state });
  if (state !== 'SUBMITTED') mustNotBeWithdrawn(project, row);
  if (state === 'SUBMITTED') {
    if (assignments.label.get(row) !== label) {
      if (!revise) throw alreadyAnswered(project, row);
      mustBeUndoable(project, row);
      yield { type: 'revised', assignment, label };
      if (assignments.isCounted(row)) yield* judgeAudit(project, row);
      yield* settleSample(project, assignments.sample.get(row));
    }
  } else {
    const sample = assignments.sample.get(row);
    const keepsPlace = state === 'HELD' && assignments.placed.get(row) === 1;
    const counted = !assignments.isRepeat(row) && (keepsPlace || samples.hasFreePlace(sample));
    yield { type: 'submitted', assignment, label, milliseconds, counted };
    if (counted) yield* judgeAudit(project, row);
    yield* judgeAttention(project, row);
    yield* settleSample(project, sample);
  }
  const counted = assignments.isCounted(row);
  return { row, counted, claim: hold === null ? null : yield* claim(project, { by, hold }, moment) };
}

/** Declines to answer; the sample never comes to this person again. Skipped by enough people it is given up. */
export function* skip(
  project: Project,
  { reason, ...own }: OwnAssignment & { readonly reason: string },
): Decision<number> {
  const { assignments, samples } = project;
  const row = ownRow(project, own);
  const state = assignments.state(row);
  if (state === 'SKIPPED') return row;
  mustBeHeld(project, row);
  const sample = assignments.sample.get(row);
  const unanswerable =
    !assignments.isRepeat(row) &&
    !assignments.isGold(row) &&
    samples.skips.get(sample) + 1 >= project.policy.skipLimit;
  yield { type: 'skipped', assignment: own.assignment, reason, unanswerable };
  yield* settleSample(project, sample);
  return row;
}

/** Gives a sample back unanswered. Nothing happens if it is not in one's hands any more. */
export function* release(project: Project, own: OwnAssignment): Decision<number> {
  const { assignments } = project;
  const row = ownRow(project, own);
  const state = assignments.state(row);
  if (state === 'RELEASED' || state === 'EXPIRED') return row;
  mustBeHeld(project, row);
  yield* giveBack(project, row);
  return row;
}

/** Keeps a sample for another full time. Recorded only once half of the time is gone. */
export function* renew(project: Project, own: OwnAssignment, { now }: Moment): Decision<number> {
  const row = ownRow(project, own);
  mustBeHeld(project, row);
  const full = project.policy.assignmentMinutes * 60_000;
  if (project.assignments.until.get(row) - now < full / 2) {
    yield { type: 'renewed', assignment: own.assignment, until: now + full };
  }
  return row;
}

/**
 * Takes back one of one's newest answers, unless somebody has ruled on the sample; it is in one's hands again. It never
 * reopens a round.
 */
export function* undo(project: Project, own: OwnAssignment, { now }: Moment): Decision<number> {
  const { assignments, policy } = project;
  const row = ownRow(project, own);
  const state = assignments.state(row);
  if (state === 'HELD') return row;
  if (state !== 'SUBMITTED') throw refuse('ASSIGNMENT_CLOSED', { assignmentState: state });
  mustBeUndoable(project, row);
  yield { type: 'undone', assignment: own.assignment, until: now + policy.assignmentMinutes * 60_000 };
  return row;
}

/** Whether an answer that stands may be taken back or changed: it is one of the newest, and nobody has ruled on it. */
export function isUndoable(project: Project, row: number): boolean {
  const sample = project.assignments.sample.get(row);
  const isClosed = project.rulings.has(sample) || project.samples.isErased(sample);
  return !isClosed && project.annotatorOf(row).undoable.includes(row);
}

function mustBeUndoable(project: Project, row: number): void {
  // Nobody could answer it anew.
  mustNotBeWithdrawn(project, row);
  if (!isUndoable(project, row)) throw refuse('UNDO_CLOSED', { limit: UNDO_LIMIT });
}

/**
 * An annotator has been away longer than the grace period: what they had not come to goes back. The oldest they
 * hold, the one before their eyes, stays theirs until its time has passed.
 */
export function* disconnect(project: Project, { by }: { readonly by: string }): Decision<void> {
  const [, ...prefetched] = project.annotator(by)?.held ?? [];
  for (const row of prefetched) yield* giveBack(project, row);
}

/** Ends one's work session before its time: the break begins now. */
export function* endWorkSession(
  project: Project,
  { by }: { readonly by: string },
  { now }: Moment,
): Decision<void> {
  const session = project.annotator(by)?.session;
  if (!session || session.until <= now) return;
  const breakUntil = now + project.policy.workSession.breakMinutes * 60_000;
  yield { type: 'workSessionEnded', member: by, breakUntil };
}

function* giveBack(project: Project, row: number): Decision<void> {
  yield { type: 'released', assignment: project.assignments.ids.keyAt(row) };
  yield* settleSample(project, project.assignments.sample.get(row));
}

/** Somebody else's assignment looks like one that does not exist. */
function ownRow(project: Project, { by, assignment }: OwnAssignment): number {
  const row = project.assignments.ids.indexOf(assignment);
  if (row < 0 || project.annotatorOf(row).id !== by) throw notFound('assignment');
  return row;
}

function mustBeHeld(project: Project, row: number): void {
  const state = project.assignments.state(row);
  if (state === 'SUBMITTED') throw alreadyAnswered(project, row);
  mustNotBeWithdrawn(project, row);
  if (state !== 'HELD') throw refuse('ASSIGNMENT_CLOSED', { assignmentState: state });
}

/** The sample was erased: what was in hands of it was taken back. */
function mustNotBeWithdrawn({ samples, assignments }: Project, row: number): void {
  if (samples.isErased(assignments.sample.get(row)))
    throw refuse('ASSIGNMENT_CLOSED', { assignmentState: 'WITHDRAWN' });
}

function alreadyAnswered(project: Project, row: number) {
  return refuse('ALREADY_ANSWERED', { answer: project.labels[project.assignments.label.get(row)] ?? '' });
}
