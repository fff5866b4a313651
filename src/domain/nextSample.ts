import { type Annotator, isAside } from './annotator.ts';
import type { Draw } from './events.ts';
import type { LaneView } from './lane.ts';
import type { SuggestionMode } from './policy.ts';
import type { PredictionRun } from './predictionRun.ts';
import type { Project } from './project.ts';
import { hash32 } from './random.ts';
import type { Round } from './round.ts';
import { NONE } from './sampleTable.ts';
import {
  GOLD_STREAM,
  INTERLEAVE,
  isExtraTurn,
  isGoldTurn,
  isRepeatTurn,
  isSideTurn,
  REPEAT_STREAM,
  seedOfTurn,
} from './sideTurns.ts';

/** So many of their newest assignments nobody is asked again: they would answer from memory. */
export const REPEAT_GAP = 20;
/** How often to look for an answer that can be asked again: where most were skipped, there may be none. */
const REPEAT_TRIES = 8;

/** A suggestion as it is offered. */
export interface Offer {
  /** The class, or {@link NONE}. */
  readonly suggestion: number;
  readonly mode: SuggestionMode;
}

/** What somebody is asked next. */
export interface Next {
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
 * there is no gold and no repeat either: whoever is asked when nothing else is left would know what it is. But what is left of
 * extra opinions is asked then, or no round would end; and so are the pool's audits, or a model that accepts everything would
 * never be checked. That they are audits can be told then, what the model says cannot.
 */
export function nextFor(project: Project, by: string): Next | undefined {
  const annotator = project.annotator(by);
  const index = annotator?.index ?? NONE;
  const { openRound } = project;
  const main = openRound === undefined ? nextOfPool(project, index) : nextOfRound(project, openRound, by);
  if (main === undefined) return auditLeft(project, index);
  if (isAside(main.draw) || !isSideTurn(project, by)) return main;
  const extra = nextExtra(project, index);
  // The turn is a repeat's though there is none yet: were it gold's then, the first answers would have more gold.
  if (isRepeatTurn(project, by)) return (annotator && nextRepeat(project, annotator)) ?? extra ?? main;
  if (openRound !== undefined) return extra ?? main;
  const gold = isGoldTurn(project, by) ? nextGold(project, by) : undefined;
  if (gold !== undefined) return gold;
  const audit = nextAudit(project, index);
  if (audit === undefined || extra === undefined) return audit ?? extra ?? main;
  return isExtraTurn(project, by) ? extra : audit;
}

/**
 * One of somebody's own earlier answers, to be given once more; each is asked again once at most, and only after it can no
 * more be undone. Never so that with it more than a fifth of what they were given is something else than the round's or
 * the pool's own.
 */
function nextRepeat(project: Project, annotator: Annotator): Next | undefined {
  const { assignments } = project;
  const { grants, asides, rows, undoable } = annotator;
  const seed = seedOfTurn(project, annotator.id, REPEAT_STREAM);
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

/** The next audit for somebody to whom nothing else can be given. A round has announced its own, and `WAIT` waits for one. */
function auditLeft(project: Project, annotator: number): Next | undefined {
  if (project.openRound !== undefined || project.policy.withoutRound === 'WAIT') return undefined;
  return nextAudit(project, annotator);
}

/**
 * Whether somebody who may claim would be given something. What is put among the work at times, gold or a repeat, is
 * never given without it: so it need not be looked for, which makes this cheap to ask.
 */
export function hasWork(project: Project, by: string): boolean {
  const annotator = project.annotator(by)?.index ?? NONE;
  const { openRound } = project;
  return openRound === undefined
    ? nextOfPool(project, annotator) !== undefined || auditLeft(project, annotator) !== undefined
    : placeOrExtra(project, openRound, annotator) !== undefined;
}

/** A gold sample that somebody has not had, in an order of their own; none is left to who has had them all. */
function nextGold(project: Project, by: string): Next | undefined {
  const annotator = project.annotator(by)?.index ?? NONE;
  const seed = seedOfTurn(project, by, GOLD_STREAM);
  let sample = NONE;
  let first = Number.POSITIVE_INFINITY;
  for (const gold of project.gold.known.keys()) {
    const turn = hash32(seed, gold, 1);
    if (turn >= first || hasHadGold(project, gold, annotator)) continue;
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
    ...poolPlaces(project, isExtra),
    hadBefore: (sample) => hasHad(project, sample, annotator),
  });
}

/** The pool as a lane reads it: what one more opinion is asked of, or the others. */
function poolPlaces(project: Project, isExtra: boolean): Omit<LaneView, 'hadBefore'> {
  const { samples } = project;
  return {
    length: samples.size,
    hasRoom: (sample) => project.poolHasRoom(sample) && samples.isExtraNext(sample) === isExtra,
  };
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
    ...auditPlaces(project, run),
    hadBefore: (place) => cannotAudit(project, audits[place] as number, annotator),
  });
  return position === undefined ? undefined : { sample: audits[position] as number, draw: 'AUDIT' };
}

/** The audits of a run as its lane reads them. */
function auditPlaces(project: Project, run: PredictionRun): Omit<LaneView, 'hadBefore'> {
  return { length: run.published.audits.length, hasRoom: (place) => project.auditHasRoom(run, place) };
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
export function cannotAudit(project: Project, sample: number, annotator: number): boolean {
  const row = annotator === NONE ? NONE : project.assignmentOf(sample, annotator);
  if (row === NONE) return false;
  return !project.assignments.mayComeAgain(row) || project.assignments.offered(row) !== NONE;
}

/** How a suggestion was offered with an assignment. */
export function offerOf({ assignments }: Project, row: number): Offer {
  return { suggestion: assignments.suggestion.get(row), mode: assignments.mode(row) };
}

/** Whether the pool has a place for anybody, or an audit is left. */
export function poolIsOpen(project: Project): boolean {
  const { currentRun: run } = project;
  if (run?.lane.hasRoom(auditPlaces(project, run))) return true;
  return [false, true].some((isExtra) =>
    (isExtra ? project.extraPool : project.pool).hasRoom(poolPlaces(project, isExtra)),
  );
}
