/** A sample's label by plain majority (plurality) of its counted labels. A tie is said, never broken. */

export type Majority =
  /** No labels yet. */
  | { readonly kind: 'none' }
  /** `label` has more votes than any other: `votes` of the `of` labels. */
  | { readonly kind: 'label'; readonly label: number; readonly votes: number; readonly of: number }
  /** The labels, ascending, that share the most votes: `votes` each of the `of` labels. */
  | { readonly kind: 'tie'; readonly labels: readonly number[]; readonly votes: number; readonly of: number };

/** @param labels a class index a counted label, in any order: order never decides */
export function majority(labels: readonly number[]): Majority {
  const votesOf = new Map<number, number>();
  for (const label of labels) votesOf.set(label, (votesOf.get(label) ?? 0) + 1);

  const votes = Math.max(0, ...votesOf.values());
  const first = [...votesOf.keys()].filter((label) => votesOf.get(label) === votes).sort((a, b) => a - b);
  const [label] = first;
  if (label === undefined) return { kind: 'none' };
  if (first.length > 1) return { kind: 'tie', labels: first, votes, of: labels.length };
  return { kind: 'label', label, votes, of: labels.length };
}
