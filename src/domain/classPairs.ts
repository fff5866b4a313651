import type { JointRatings } from './jointRatings.ts';

/** How often two people have given these two classes to one sample; the same class twice where they agree. */
export interface ClassPair {
  readonly first: number;
  readonly second: number;
  readonly count: number;
}

/** Up to so many classes, every pair that occurs is listed. */
const ALL_UP_TO = 20;
/** Above that, the most frequent ones. */
const MOST = 200;

/** Which classes people mix up with which: most frequent first, each two answers to a sample counted once. */
export function classPairs(joint: readonly JointRatings[], classes: number): ClassPair[] {
  const counts = new Map<number, number>();
  for (const ratings of joint) {
    for (let i = 0; i < ratings.length; i++) {
      for (let j = 0; j < i; j++) {
        const [a, b] = [ratings[i]?.label ?? 0, ratings[j]?.label ?? 0];
        const cell = Math.min(a, b) * classes + Math.max(a, b);
        counts.set(cell, (counts.get(cell) ?? 0) + 1);
      }
    }
  }
  return [...counts]
    .map(([cell, count]) => ({ first: Math.floor(cell / classes), second: cell % classes, count }))
    .sort((one, other) => other.count - one.count || one.first - other.first || one.second - other.second)
    .slice(0, classes <= ALL_UP_TO ? undefined : MOST);
}
