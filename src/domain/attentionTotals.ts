import type { Project } from './project.ts';

/** What gold shows of everybody together. */
export interface AttentionTotals {
  /** Samples whose answer is known. */
  readonly samples: number;
  /** First answers to them, and those that are right. */
  readonly answers: number;
  readonly correct: number;
  /** People who have answered any, and those who are paused. */
  readonly checked: number;
  readonly paused: number;
}

export function attentionTotals({ gold, annotators }: Project): AttentionTotals {
  const sum = (of: (one: (typeof annotators)[number]) => number) =>
    annotators.reduce((total, annotator) => total + of(annotator), 0);
  return {
    samples: gold.size,
    answers: sum(({ attention }) => attention.answers),
    correct: sum(({ attention }) => attention.correct),
    checked: sum(({ attention }) => Number(attention.answers > 0)),
    paused: sum(({ pausedAt }) => Number(pausedAt !== null)),
  };
}
