import type { Decision, Moment } from './decision.ts';
import type { Draw } from './events.ts';
import {
  cannotAudit,
  goldLeft,
  hasHad,
  hasWork,
  type Next,
  nextFor,
  type Offer,
  offerOf,
  poolIsOpen,
} from './nextSample.ts';
import type { Project } from './project.ts';
import { hash32, stringSeed, uniform } from './random.ts';
import { refuse } from './refusals.ts';
import { NONE } from './sampleTable.ts';

/** Why a claim gave nothing, and for some reasons until when (milliseconds since 1970). */
export type EmptyClaim =
  /** Every sample that could be asked has its answers. */
  | { readonly reason: 'DONE' }
  /** Others hold what is left; the first of it comes back at `until` at the latest. */
  | { readonly reason: 'ALL_HELD'; readonly until: number }
  /** You have had all that is left; it waits for others. */
  | { readonly reason: 'ALL_HAD_BY_YOU' }
  /** Your work session is over; the next may begin at `until`. */
  | { readonly reason: 'WORK_SESSION_OVER'; readonly until: number }
  /** The owner has paused the project. */
  | { readonly reason: 'PAUSED' }
  /** Gold has paused you: an owner lets you go on. */
  | { readonly reason: 'ANNOTATOR_PAUSED' }
  /** No round is open, and this project's work comes in rounds. */
  | { readonly reason: 'NO_ROUND' };

export type EmptyReason = EmptyClaim['reason'];

/** What an annotator holds after a claim: rows of assignments, oldest first; and why it is nothing. */
export interface Claim {
  readonly held: readonly number[];
  readonly empty: EmptyClaim | null;
}

/** The most assignments one person may hold. */
export const MAX_HOLD = 100;

/** Of the project's seed: from which share of all work suggestions are hidden. */
const SUGGESTION_STREAM = stringSeed('hidden suggestions');

/** Tops up what an annotator holds to `hold`. Two programs of one person share one queue. */
export function* claim(
  project: Project,
  { by, hold }: { readonly by: string; readonly hold: number },
  moment: Moment,
): Decision<Claim> {
  checkHold(hold);
  const stopped = whyStopped(project, by, moment.now);
  if (stopped === null) {
    for (let held = heldBy(project, by).length; held < hold; held++) {
      const next = nextFor(project, by);
      if (next === undefined) break;
      yield* startWorkSession(project, by, moment.now);
      yield grantEvent(project, by, next, moment);
      if (next.draw === 'GOLD') yield* warnOfLowGold(project, by);
    }
  }
  const held = heldBy(project, by);
  return { held, empty: held.length > 0 ? null : (stopped ?? whyNothing(project, by)) };
}

/** @throws {Refusal} INVALID_INPUT */
export function checkHold(hold: number): void {
  if (Number.isInteger(hold) && hold >= 1 && hold <= MAX_HOLD) return;
  const problem = `${hold} is not a whole number from 1 to ${MAX_HOLD}`;
  throw refuse('INVALID_INPUT', { field: 'hold', problem });
}

/** Why a claim would give nothing to somebody who holds nothing, or null if it would give something. */
export function whyEmpty(project: Project, by: string, now: number): EmptyClaim | null {
  const stopped = whyStopped(project, by, now);
  if (stopped !== null) return stopped;
  return hasWork(project, by) ? null : whyNothing(project, by);
}

function heldBy(project: Project, by: string): readonly number[] {
  return [...(project.annotator(by)?.held ?? [])];
}

function whyStopped(project: Project, by: string, now: number): EmptyClaim | null {
  const { policy } = project;
  if (policy.paused) return { reason: 'PAUSED' };
  if (project.annotator(by)?.pausedAt) return { reason: 'ANNOTATOR_PAUSED' };
  const session = project.annotator(by)?.session;
  if (policy.workSession.minutes > 0 && session && session.until <= now && now < session.breakUntil) {
    return { reason: 'WORK_SESSION_OVER', until: session.breakUntil };
  }
  return null;
}

function* startWorkSession(project: Project, by: string, now: number): Decision<void> {
  const { minutes, breakMinutes } = project.policy.workSession;
  const session = project.annotator(by)?.session;
  if (minutes === 0 || (session && now < session.until)) return;
  const until = now + minutes * 60_000;
  yield { type: 'workSessionStarted', member: by, until, breakUntil: until + breakMinutes * 60_000 };
}

/** Once, when what is left falls below the reserve. */
function* warnOfLowGold(project: Project, by: string): Decision<void> {
  const left = goldLeft(project, project.annotator(by)?.index ?? NONE);
  if (left === project.policy.gold.reserve - 1) yield { type: 'goldRanLow', member: by, left };
}

function grantEvent(
  project: Project,
  by: string,
  { sample, draw, offer, goldPlace }: Next,
  { now, newId }: Moment,
) {
  const { samples } = project;
  const annotator = project.annotator(by);
  const earlier =
    annotator === undefined || draw === 'REPEAT' ? NONE : project.assignmentOf(sample, annotator.index);
  // What was revealed to somebody is no secret any more when they get the sample again.
  const isRevealed = earlier !== NONE && project.assignments.isRevealed(earlier);
  const { suggestion, mode } = isRevealed
    ? offerOf(project, earlier)
    : (offer ?? newOffer(project, sample, draw, annotator?.seed ?? stringSeed(by)));
  return {
    type: 'granted',
    assignment: earlier === NONE ? newId() : project.assignments.ids.keyAt(earlier),
    sample,
    member: by,
    draw,
    until: now + project.policy.assignmentMinutes * 60_000,
    suggestion,
    ...(mode === 'HIDDEN' ? {} : { mode }),
    predicted: samples.predicted.get(sample),
    ...(goldPlace === undefined ? {} : { goldPlace }),
  } as const;
}

/**
 * Where suggestions are shown, audits have none, as a share of all work has none. Where they come after the first answer,
 * that answer is blind for everything, and audits reveal theirs as work does: so there is nothing by which to tell them.
 */
function newOffer({ samples, policy, created }: Project, sample: number, draw: Draw, seed: number): Offer {
  const { suggestions: mode, hiddenShare } = policy;
  const hiding = hash32(created.seed, SUGGESTION_STREAM);
  const isHidden =
    mode === 'HIDDEN' ||
    (mode === 'SHOWN' && draw === 'AUDIT') ||
    uniform(hiding, sample, seed) < hiddenShare;
  return { suggestion: isHidden ? NONE : samples.predicted.get(sample), mode };
}

/** Why there is nothing for somebody who could work: {@link nextFor} has found nothing for them. */
function whyNothing(project: Project, by: string): EmptyClaim {
  const round = project.openRound;
  if (round === undefined && project.policy.withoutRound === 'WAIT') return { reason: 'NO_ROUND' };
  const { assignments, samples } = project;
  const annotator = project.annotator(by)?.index ?? NONE;
  let until = Number.POSITIVE_INFINITY;
  let someHeld = false;
  for (const row of project.held) {
    const sample = assignments.sample.get(row);
    const isAudit = round === undefined && project.isAutoAccepted(sample);
    const isAsked = isAudit
      ? project.currentRun?.auditPosition(sample) !== undefined
      : round === undefined || samples.round.get(sample) === round.number;
    // A hand without a place (an undone surplus answer) gives none back.
    if (!isAsked || samples.isSettled(sample) || assignments.placed.get(row) === 0) continue;
    someHeld = true;
    const isOver = isAudit ? cannotAudit(project, sample, annotator) : hasHad(project, sample, annotator);
    if (!isOver) until = Math.min(until, assignments.until.get(row));
  }
  if (until < Number.POSITIVE_INFINITY) return { reason: 'ALL_HELD', until };
  const isOpen = round === undefined ? someHeld || poolIsOpen(project) : round.unsettled > 0;
  return { reason: isOpen ? 'ALL_HAD_BY_YOU' : 'DONE' };
}
