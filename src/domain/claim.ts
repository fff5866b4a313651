import type { Annotator } from './annotator.ts';
import type { Decision, Moment } from './decision.ts';
import type { Draw } from './events.ts';
import type { SuggestionMode } from './policy.ts';
import type { Project } from './project.ts';
import { hash32, stringSeed, uniform } from './random.ts';
import { refuse } from './refusals.ts';
import type { Round } from './round.ts';
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

/** At most one claim in this many is something else than the pool's next. */
const INTERLEAVE = 5;

/** So many of their newest assignments nobody is asked again: they would answer from memory. */
export const REPEAT_GAP = 20;
/** How often to look for an answer that can be asked again: where most were skipped, there may be none. */
const REPEAT_TRIES = 8;

// Streams of the project's seed, one a purpose, so that one draw tells nothing of another.
const SIDE_STREAM = stringSeed('interleaving');
const EXTRA_STREAM = stringSeed('extra opinions');
const GOLD_STREAM = stringSeed('gold');
const REPEAT_STREAM = stringSeed('repeats');
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

/**
 * Whether somebody who may claim would be given something. What is put among the work at times, gold or a repeat, is
 * never given without it: so it need not be looked for, which makes this cheap to ask.
 */
export function hasWork(project: Project, by: string): boolean {
  const annotator = project.annotator(by)?.index ?? NONE;
  const { openRound } = project;
  return openRound === undefined
    ? nextOfPool(project, annotator) !== undefined
    : placeOrExtra(project, openRound, annotator) !== undefined;
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

interface Offer {
  /** The class, or {@link NONE}. */
  readonly suggestion: number;
  readonly mode: SuggestionMode;
}

interface Next {
  readonly sample: number;
  readonly draw: Draw;
  /** How a repeat offers a suggestion: as the first time. */
  readonly offer?: Offer;
  /** The place of the round that gold takes. */
  readonly goldPlace?: number;
}

/**
 * What to ask an annotator next: the round's next as it was announced, audits among the rest; without a round,
 * the pool's, if the policy serves it, and at seeded places among those, gold or an audit. At some of these places, with a round
 * or without, they are asked again what they have answered before, or for an extra opinion. Without work of the first kind
 * there is none of the others either: whoever is asked when nothing else is left would know what it is. But what is left of
 * extra opinions is asked then, or no round would end.
 */
function nextFor(project: Project, by: string): Next | undefined {
  const annotator = project.annotator(by);
  const index = annotator?.index ?? NONE;
  const { openRound } = project;
  const main = openRound === undefined ? nextOfPool(project, index) : nextOfRound(project, openRound, by);
  if (
    main === undefined ||
    main.draw === 'AUDIT' ||
    main.draw === 'GOLD' ||
    main.draw === 'EXTRA_OPINION' ||
    !isSideTurn(project, annotator, by)
  )
    return main;
  const extra = nextExtra(project, index);
  // The turn is a repeat's though there is none yet: were it gold's then, the first answers would have more gold.
  if (isRepeatTurn(project, annotator, by))
    return (annotator && nextRepeat(project, annotator)) ?? extra ?? main;
  if (openRound !== undefined) return extra ?? main;
  const gold = isGoldTurn(project, annotator, by) ? nextGold(project, by) : undefined;
  const audit = gold ?? nextAudit(project, index);
  if (gold !== undefined || extra === undefined) return audit ?? main;
  return audit === undefined || isExtraTurn(project, annotator, by) ? extra : audit;
}

/**
 * One of somebody's own earlier answers, to be given once more; each is asked again once at most, and only after it can no
 * more be undone. Never so that with it more than a fifth of what they were given is something else than the round's or
 * the pool's own.
 */
function nextRepeat(project: Project, annotator: Annotator): Next | undefined {
  const { assignments } = project;
  const { grants, asides, rows, undoable } = annotator;
  const seed = hash32(project.created.seed, REPEAT_STREAM, annotator.seed);
  const count = rows.length - REPEAT_GAP;
  if (count <= 0 || (asides + 1) * INTERLEAVE > grants + 1) return undefined;
  for (let attempt = 0; attempt < REPEAT_TRIES; attempt++) {
    const row = rows.get(hash32(seed, grants, attempt) % count);
    const isAnswered = assignments.state(row) === 'SUBMITTED' && !undoable.includes(row);
    // Nor one that is a repeat itself, nor gold: of that, the first answer is what there is to know.
    if (!isAnswered || assignments.twin.get(row) !== NONE || assignments.isGold(row)) continue;
    if (project.samples.isErased(assignments.sample.get(row))) continue;
    return {
      sample: assignments.sample.get(row),
      draw: 'REPEAT',
      offer: offerOf(project, row),
    };
  }
  return undefined;
}

/** The shares of the side turns that are repeats' and gold's; where both ask for more than there are, each gets less. */
function sideShares({ policy: { repeatShare, gold } }: Project): {
  readonly repeats: number;
  readonly gold: number;
} {
  const asked = Math.max(1, INTERLEAVE * (repeatShare + gold.share));
  return { repeats: (INTERLEAVE * repeatShare) / asked, gold: (INTERLEAVE * gold.share) / asked };
}

/** Whether a side turn is a repeat's. */
function isRepeatTurn(project: Project, annotator: Annotator | undefined, by: string): boolean {
  const seed = hash32(project.created.seed, REPEAT_STREAM, annotator?.seed ?? stringSeed(by));
  const block = Math.floor((annotator?.grants ?? 0) / INTERLEAVE);
  return uniform(seed, block) < sideShares(project).repeats;
}

/** Whether a side turn that is no repeat's is gold's. */
function isGoldTurn(project: Project, annotator: Annotator | undefined, by: string): boolean {
  const seed = hash32(project.created.seed, GOLD_STREAM, annotator?.seed ?? stringSeed(by));
  const block = Math.floor((annotator?.grants ?? 0) / INTERLEAVE);
  const shares = sideShares(project);
  return uniform(seed, block) < shares.gold / (1 - shares.repeats);
}

/** Whether a side turn is an extra opinion's where an audit could be asked as well: every other, so that neither waits for long. */
function isExtraTurn(project: Project, annotator: Annotator | undefined, by: string): boolean {
  const seed = hash32(project.created.seed, EXTRA_STREAM, annotator?.seed ?? stringSeed(by));
  const block = Math.floor((annotator?.grants ?? 0) / INTERLEAVE);
  return uniform(seed, block) < 0.5;
}

/** A gold sample that somebody has not had, in an order of their own; none is left to who has had them all. */
function nextGold(project: Project, by: string): Next | undefined {
  const annotator = project.annotator(by);
  const seed = hash32(project.created.seed, GOLD_STREAM, annotator?.seed ?? stringSeed(by));
  let sample = NONE;
  let first = Number.POSITIVE_INFINITY;
  for (const gold of project.gold.known.keys()) {
    const turn = hash32(seed, gold, 1);
    if (turn >= first || hasHadGold(project, gold, annotator?.index ?? NONE)) continue;
    sample = gold;
    first = turn;
  }
  return sample === NONE ? undefined : { sample, draw: 'GOLD' };
}

/** Nobody can be asked what was erased: it is as if everybody had had it. */
function hasHadGold({ gold, assignments, samples }: Project, sample: number, annotator: number): boolean {
  if (samples.isErased(sample)) return true;
  const row = gold.rowOf(sample, annotator);
  return row !== undefined && assignments.isSpentAsGold(row);
}

/** How many gold samples can still come to somebody. */
export function goldLeft({ gold, annotators }: Project, annotator: number): number {
  return gold.askable - (annotators[annotator]?.goldHad ?? 0);
}

/** Once, when what is left falls below the reserve. */
function* warnOfLowGold(project: Project, by: string): Decision<void> {
  const left = goldLeft(project, project.annotator(by)?.index ?? NONE);
  if (left === project.policy.gold.reserve - 1) yield { type: 'goldRanLow', member: by, left };
}

/**
 * By rank, audits too: one that nobody had announced, or that came out of turn, would be known by that to
 * whoever compares what they are asked with what was announced.
 */
function nextOfRound(project: Project, round: Round, by: string): Next | undefined {
  const annotator = project.annotator(by)?.index ?? NONE;
  const { samples, random, audits } = round.opened;
  const position = placeOrExtra(project, round, annotator);
  if (position === undefined) return undefined;
  const audit = round.auditLane.find(annotator, {
    length: audits.length,
    hasRoom: (place) => project.announcedAuditHasRoom(audits[place] as number),
    hadBefore: (place) => cannotAudit(project, audits[place] as number, annotator),
  });
  const isAuditNext = audit !== undefined && round.isAhead(audit, position);
  const goldPlace = round.goldPlaceAhead(position);
  if (goldPlace !== undefined) {
    const isFirst = !isAuditNext || round.isGoldAhead(goldPlace, audit);
    const gold = isFirst ? nextGold(project, by) : undefined;
    if (gold !== undefined) return { ...gold, goldPlace };
  }
  if (isAuditNext) return { sample: audits[audit] as number, draw: 'AUDIT' };
  const sample = samples[position] as number;
  return { sample, draw: drawOf(project, sample, random[position] === 1 ? 'RANDOM' : 'UNCERTAIN') };
}

/** The place of the round's next sample for somebody; of extra opinions, where nothing else is left; undefined: neither. */
function placeOrExtra(project: Project, round: Round, annotator: number): number | undefined {
  return placeInRound(project, round, annotator, false) ?? placeInRound(project, round, annotator, true);
}

/** The first place of the round, among those of which one more opinion is asked or among the others, that somebody can be asked. */
function placeInRound(
  project: Project,
  round: Round,
  annotator: number,
  isExtra: boolean,
): number | undefined {
  const chosen = round.opened.samples;
  const { samples } = project;
  return (isExtra ? round.extraLane : round.lane).find(annotator, {
    length: round.size,
    hasRoom: (place) =>
      samples.hasRoom(chosen[place] as number) && samples.isExtraNext(chosen[place] as number) === isExtra,
    hadBefore: (place) => hasHad(project, chosen[place] as number, annotator),
  });
}

function nextOfPool(project: Project, annotator: number): Next | undefined {
  const sample = placeInPool(project, annotator, false) ?? placeInPool(project, annotator, true);
  return sample === undefined ? undefined : { sample, draw: drawOf(project, sample, 'POOL') };
}

/** As {@link placeInRound}, of the pool: a sample. */
function placeInPool(project: Project, annotator: number, isExtra: boolean): number | undefined {
  if (project.policy.withoutRound === 'WAIT') return undefined;
  return (isExtra ? project.extraPool : project.pool).find(annotator, {
    length: project.samples.size,
    hasRoom: (sample) => project.poolHasRoom(sample) && project.samples.isExtraNext(sample) === isExtra,
    hadBefore: (sample) => hasHad(project, sample, annotator),
  });
}

function nextExtra(project: Project, annotator: number): Next | undefined {
  const round = project.openRound;
  if (round === undefined) {
    const sample = placeInPool(project, annotator, true);
    return sample === undefined ? undefined : { sample, draw: 'EXTRA_OPINION' };
  }
  const place = placeInRound(project, round, annotator, true);
  if (place === undefined) return undefined;
  return { sample: round.opened.samples[place] as number, draw: 'EXTRA_OPINION' };
}

function drawOf({ samples }: Project, sample: number, draw: Draw): Draw {
  return samples.isExtraNext(sample) ? 'EXTRA_OPINION' : draw;
}

function nextAudit(project: Project, annotator: number): Next | undefined {
  const run = project.currentRun;
  if (run === undefined) return undefined;
  const { audits } = run.published;
  const position = run.lane.find(annotator, {
    length: audits.length,
    hasRoom: (place) => project.auditHasRoom(run, place),
    hadBefore: (place) => cannotAudit(project, audits[place] as number, annotator),
  });
  return position === undefined ? undefined : { sample: audits[position] as number, draw: 'AUDIT' };
}

/** One seeded place in every five grants of an annotator, unless one of the five was something else already. */
function isSideTurn(project: Project, annotator: Annotator | undefined, by: string): boolean {
  const grants = annotator?.grants ?? 0;
  const seed = hash32(project.created.seed, SIDE_STREAM, annotator?.seed ?? stringSeed(by));
  const block = Math.floor(grants / INTERLEAVE);
  if (hasAside(annotator)) return false;
  return grants % INTERLEAVE === hash32(seed, block) % INTERLEAVE;
}

/** An audit, a repeat, gold or an extra opinion was among the five grants of which the next is one. */
function hasAside(annotator: Annotator | undefined): boolean {
  const block = Math.floor((annotator?.grants ?? 0) / INTERLEAVE);
  return Math.floor((annotator?.newestAside ?? NONE) / INTERLEAVE) === block;
}

/**
 * Whether an annotator has had a sample, so that it must not come again. One that they gave back, or that ran
 * out of time once, may come again; after an undo it is in their hands.
 */
export function hasHad(project: Project, sample: number, annotator: number): boolean {
  const row = annotator === NONE ? NONE : project.assignmentOf(sample, annotator);
  return row !== NONE && !project.assignments.mayComeAgain(row);
}

/** Audits are blind: who has seen a suggestion of the sample, and gave it back, checks another. */
function cannotAudit(project: Project, sample: number, annotator: number): boolean {
  const row = annotator === NONE ? NONE : project.assignmentOf(sample, annotator);
  if (row === NONE) return false;
  return !project.assignments.mayComeAgain(row) || project.assignments.offered(row) !== NONE;
}

function offerOf({ assignments }: Project, row: number): Offer {
  return { suggestion: assignments.suggestion.get(row), mode: assignments.mode(row) };
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
    const isAsked =
      round === undefined ? !project.isAutoAccepted(sample) : samples.round.get(sample) === round.number;
    // A hand without a place (an undone surplus answer) gives none back.
    if (!isAsked || samples.isSettled(sample) || assignments.placed.get(row) === 0) continue;
    someHeld = true;
    if (!hasHad(project, sample, annotator)) until = Math.min(until, assignments.until.get(row));
  }
  if (until < Number.POSITIVE_INFINITY) return { reason: 'ALL_HELD', until };
  const isOpen = round === undefined ? someHeld || poolHasRoom(project) : round.unsettled > 0;
  return { reason: isOpen ? 'ALL_HAD_BY_YOU' : 'DONE' };
}

/** Whether the pool has a place for anybody. */
function poolHasRoom(project: Project): boolean {
  const { samples } = project;
  return [false, true].some((isExtra) =>
    (isExtra ? project.extraPool : project.pool).hasRoom({
      length: samples.size,
      hasRoom: (sample) => project.poolHasRoom(sample) && samples.isExtraNext(sample) === isExtra,
    }),
  );
}
