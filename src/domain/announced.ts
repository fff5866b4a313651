import type { Draw } from './events.ts';
import type { Project } from './project.ts';
import type { Round } from './round.ts';

export type Priority = 'HIGH' | 'MEDIUM';

/** How far to look for a neighbour that was scored. */
const NEAR = 64;

/** One sample as a round announces it: the chosen in their order, and audits at plausible ranks among them. */
export interface AnnouncedSample {
  /** From 0. */
  readonly rank: number;
  readonly sample: number;
  readonly draw: Draw;
  /** NaN where there is none, as for audits. */
  readonly score: number;
  /** In 0…1, likewise. */
  readonly normalised: number;
  /** An audit, or a sample of the random share, has its neighbour's, so that it does not stand out. */
  readonly priority: Priority;
}

export function announcedCount({ opened }: Round): number {
  return opened.samples.length + opened.audits.length;
}

/** The announced sample at a rank below {@link announcedCount}. */
export function announcedAt({ opened }: Round, rank: number): AnnouncedSample {
  const { samples, audits, auditRanks, priority } = opened;
  const audit = auditsBefore(auditRanks, rank);
  const position = Math.min(rank - audit, samples.length - 1);
  const score = opened.scores[position] as number;
  const normalised = opened.normalised[position] as number;
  const scored = nearestScored(opened, position);
  const deciding = (priority.score === 'RAW' ? opened.scores : opened.normalised)[scored] as number;
  const shared = { rank, priority: deciding > priority.threshold ? 'HIGH' : 'MEDIUM' } as const;
  if (auditRanks[audit] === rank) {
    return {
      ...shared,
      sample: audits[audit] as number,
      draw: 'AUDIT',
      score: Number.NaN,
      normalised: Number.NaN,
    };
  }
  const draw = opened.random[position] === 1 ? 'RANDOM' : 'UNCERTAIN';
  return { ...shared, sample: samples[position] as number, draw, score, normalised };
}

/** How many audits stand at ranks below one. */
function auditsBefore(auditRanks: Uint32Array, rank: number): number {
  let low = 0;
  let high = auditRanks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((auditRanks[middle] as number) < rank) low = middle + 1;
    else high = middle;
  }
  return low;
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
 * would see which of their answers was an audit. A round that closed settled is whole, whatever became of the
 * audits that it had announced.
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
  return { total, settled: round.size - round.unsettled + audited };
}
