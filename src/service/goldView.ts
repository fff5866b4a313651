import type { Attention } from '../domain/annotator.ts';
import { confidenceSequence, type Interval, wilson } from '../domain/confidence.ts';
import { goldLeft } from '../domain/nextSample.ts';
import type { Project } from '../domain/project.ts';

/** What gold shows of one annotator. */
export interface AttentionView {
  readonly member: string;
  /** First answers to what is gold now, and those of them that are right. */
  readonly answers: number;
  readonly correct: number;
  /** Wilson's interval of how often they are right, 95 %, for display; null before the first answer. */
  readonly interval: Interval | null;
  /** The same since they were last resumed, by which they are judged, and its bounds at all times at once. */
  readonly judged: Attention;
  readonly bounds: Interval;
  /** When they were paused, in milliseconds since 1970; null: they may work. */
  readonly pausedAt: number | null;
  /** Gold samples that they have not had. */
  readonly left: number;
  readonly isLow: boolean;
}

/** How a project stands with gold. */
export interface GoldView {
  readonly seq: number;
  /** Samples whose answer is known. */
  readonly samples: number;
  /** Gold is to be mixed in, and there is less of it than the reserve, or an annotator has less left. */
  readonly isLow: boolean;
  /** Everybody who has ever been given something, in the order in which they began. */
  readonly annotators: readonly AttentionView[];
}

export function goldView(project: Project): GoldView {
  const { gold, policy } = project;
  const isUsed = policy.gold.share > 0;
  const annotators = project.annotators.map(({ index, id, attention, judged, pausedAt }): AttentionView => {
    const left = goldLeft(project, index);
    return {
      member: id,
      ...attention,
      interval: attention.answers === 0 ? null : wilson(attention.correct, attention.answers),
      judged: { ...judged },
      bounds: confidenceSequence(judged.correct, judged.answers),
      pausedAt,
      left,
      isLow: isUsed && left < policy.gold.reserve,
    };
  });
  const isLow = isUsed && gold.size < policy.gold.reserve;
  return {
    seq: project.seq,
    samples: gold.size,
    isLow: isLow || annotators.some((annotator) => annotator.isLow),
    annotators,
  };
}
