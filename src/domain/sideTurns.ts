import type { Project } from './project.ts';
import { hash32, stringSeed, uniform } from './random.ts';
import { NONE } from './sampleTable.ts';

/**
 * When somebody is asked something else than the round's or the pool's next, and what: gold, audits, repeats and extra
 * opinions, together at one seeded place in five of their own grants at most. The draws are theirs, and of one place in five
 * each, so that one claim more or less moves none of those that come later.
 */

/** At most one claim in this many is something else than the pool's next. */
export const INTERLEAVE = 5;

// Streams of the project's seed, one a purpose, so that one draw tells nothing of another.
const SIDE_STREAM = stringSeed('interleaving');
const EXTRA_STREAM = stringSeed('extra opinions');
export const GOLD_STREAM = stringSeed('gold');
export const REPEAT_STREAM = stringSeed('repeats');

/** The seed of somebody's own draws for one purpose. */
export function seedOfTurn(project: Project, by: string, stream: number): number {
  return hash32(project.created.seed, stream, project.annotator(by)?.seed ?? stringSeed(by));
}

/** Whether the next is a side turn: one in every five grants, unless one of the five was something else already. */
export function isSideTurn(project: Project, by: string): boolean {
  if (hasAside(project, by)) return false;
  const grants = project.annotator(by)?.grants ?? 0;
  return grants % INTERLEAVE === hash32(seedOfTurn(project, by, SIDE_STREAM), blockOf(grants)) % INTERLEAVE;
}

/** Whether a side turn is a repeat's. */
export function isRepeatTurn(project: Project, by: string): boolean {
  return drawn(project, by, REPEAT_STREAM) < sideShares(project).repeats;
}

/** Whether a side turn that is no repeat's is gold's. */
export function isGoldTurn(project: Project, by: string): boolean {
  const shares = sideShares(project);
  return drawn(project, by, GOLD_STREAM) < shares.gold / (1 - shares.repeats);
}

/** Whether a side turn is an extra opinion's where an audit could be asked as well: every other, so that neither waits for long. */
export function isExtraTurn(project: Project, by: string): boolean {
  return drawn(project, by, EXTRA_STREAM) < 0.5;
}

/** The shares of the side turns that are repeats' and gold's; where both ask for more than there are, each gets less. */
function sideShares({ policy: { repeatShare, gold } }: Project): {
  readonly repeats: number;
  readonly gold: number;
} {
  const asked = Math.max(1, INTERLEAVE * (repeatShare + gold.share));
  return { repeats: (INTERLEAVE * repeatShare) / asked, gold: (INTERLEAVE * gold.share) / asked };
}

/** A number of 0…1 for the five grants of which somebody's next is one. */
function drawn(project: Project, by: string, stream: number): number {
  return uniform(seedOfTurn(project, by, stream), blockOf(project.annotator(by)?.grants ?? 0));
}

/** An audit, a repeat, gold or an extra opinion was among the five grants of which the next is one. */
function hasAside(project: Project, by: string): boolean {
  const annotator = project.annotator(by);
  return blockOf(annotator?.newestAside ?? NONE) === blockOf(annotator?.grants ?? 0);
}

function blockOf(grants: number): number {
  return Math.floor(grants / INTERLEAVE);
}
