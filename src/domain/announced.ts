import type { Draw } from './events.ts';
import type { Project } from './project.ts';
import { countBelow } from './ranks.ts';
import type { Round } from './round.ts';
import { NONE } from './sampleTable.ts';

export type Priority = 'HIGH' | 'MEDIUM';

/** How far to look for a neighbour that was scored. */
const NEAR = 64;

/** One sample as a round announces it: the chosen in their order, and audits and gold at plausible ranks among them. */
export interface AnnouncedSample {
  /** From 0. */
  readonly rank: number;
  /** {@link NONE} for gold: which one, is said when somebody comes to it, for it is asked of everybody once. */
  readonly sample: number;
  readonly draw: Draw;
  /** NaN where there is none, as for audits and gold. */
  readonly score: number;
  /** In 0…1, likewise. */
  readonly normalised: number;
  /** An audit, gold, or a sample of the random share, has its neighbour's, so that it does not stand out. */
  readonly priority: Priority;
}

export function announcedCount({ opened }: Round): number {
  return opened.samples.length + opened.audits.length + opened.goldRanks.length;
}

/** The announced sample at a rank below {@link announcedCount}. */
export function announcedAt({ opened }: Round, rank: number): AnnouncedSample {
  const { samples, audits, auditRanks, goldRanks, priority } = opened;
  const audit = countBelow(auditRanks, rank);
  const gold = countBelow(goldRanks, rank);
  const position = Math.min(rank - audit - gold, samples.length - 1);
  const score = opened.scores[position] as number;
  const normalised = opened.normalised[position] as number;
  const scored = nearestScored(opened, position);
  const deciding = (priority.score === 'RAW' ? opened.scores : opened.normalised)[scored] as number;
  const shared = { rank, priority: deciding > priority.threshold ? 'HIGH' : 'MEDIUM' } as const;
  const unscored = { score: Number.NaN, normalised: Number.NaN };
  if (auditRanks[audit] === rank)
    return { ...shared, ...unscored, sample: audits[audit] as number, draw: 'AUDIT' };
  if (goldRanks[gold] === rank) return { ...shared, ...unscored, sample: NONE, draw: 'GOLD' };
  const draw = opened.random[position] === 1 ? 'RANDOM' : 'UNCERTAIN';
  return { ...shared, sample: samples[position] as number, draw, score, normalised };
}

/**
 * The place of the nearest sample that a strategy has scored: itself, else the one before, else the one behind.
 * Only near ones are looked at, for a round may be random throughout.
 */
function nearestScored({ random, samples }: Round['opened'], position: number): number {
  for (let step = 0; step <= NEAR && random[position - step] !== undefined; step++) {
    if (random[position - step] === 0) return position - step;
  }
  for (let step = 1; step <= NEAR && position + step < samples.length; step++) {
    if (random[position + step] === 0) return position + step;
  }
  return position;
}

/**
 * How far a round has come, counted over all that it announced: whoever watched the count of the chosen alone
 * would see which of their answers was an audit, or gold. A round that closed settled is whole, whatever became of the
 * audits and of the gold that it had announced.
 */
export function roundProgress(
  project: Project,
  round: Round,
): { readonly total: number; readonly settled: number } {
  const total = announcedCount(round);
  if (round.closed?.reason === 'SETTLED') return { total, settled: total };
  const audited = round.opened.audits.reduce(
    (count, sample) => count + Number(project.samples.isSettled(sample)),
    0,
  );
  const { assignments } = project;
  const checked = round.goldTakers.reduce(
    (count, row) => count + Number(row !== NONE && assignments.state(row) === 'SUBMITTED'),
    0,
  );
  return { total, settled: round.size - round.unsettled + audited + checked };
}
