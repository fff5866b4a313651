import { hash32, sampleWithoutReplacement } from './random.ts';

/** What people check of what a run has accepted, in the order in which they are asked. */
export interface AuditDraw {
  readonly audits: Uint32Array;
  /** 1 where one was drawn to reach the floor of its class, and so tells of that class alone. */
  readonly floors: Uint8Array;
}

/** Samples that a run has accepted, and the class it predicts of each. */
export interface Accepted {
  readonly samples: readonly number[];
  readonly labels: readonly number[];
}

/**
 * Draws audits among the accepted: a budget uniformly at random, by which the run is judged; and beside it, for
 * predicted classes that have fewer than a floor, more of those, drawn uniformly within the class. There are at most
 * as many of these as of the others, and the classes that have the fewest come first.
 *
 * The verdict may fall after any number of answers, so each beginning is a random sample too: all are in one random
 * order.
 */
export function drawAudits(
  { samples, labels }: Accepted,
  {
    budget,
    floor,
    classes,
    seed,
  }: { readonly budget: number; readonly floor: number; readonly classes: number; readonly seed: number },
): AuditDraw {
  const chosen = sampleWithoutReplacement(seed, samples.length, Math.min(budget, samples.length));
  const perClass = new Uint32Array(classes);
  for (const i of chosen) perClass[labels[i] as number] = (perClass[labels[i] as number] as number) + 1;
  const extra = missing(
    { samples, labels },
    { chosen: new Set(chosen), perClass, floor, seed, most: chosen.length },
  );
  const turn = (sample: number) => hash32(seed, sample, 1);
  const all = [
    ...Array.from(chosen, (i) => ({ sample: samples[i] as number, isFloor: false })),
    ...extra.map((i) => ({ sample: samples[i] as number, isFloor: true })),
  ].sort((a, b) => turn(a.sample) - turn(b.sample));
  return {
    audits: Uint32Array.from(all, ({ sample }) => sample),
    floors: Uint8Array.from(all, ({ isFloor }) => Number(isFloor)),
  };
}

/** Places of samples that bring the classes up to the floor, as far as there may be any. */
function missing(
  { samples, labels }: Accepted,
  {
    chosen,
    perClass,
    floor,
    seed,
    most,
  }: {
    readonly chosen: ReadonlySet<number>;
    readonly perClass: Uint32Array;
    readonly floor: number;
    readonly seed: number;
    readonly most: number;
  },
): number[] {
  // Of each class, those that come first in a random order: as many as it lacks.
  const first = perClass.map((count) => Math.max(0, floor - count));
  const candidates: { readonly place: number; readonly turn: number }[][] = Array.from(first, () => []);
  for (const [place, sample] of samples.entries()) {
    const label = labels[place] as number;
    const wanted = first[label] as number;
    if (wanted === 0 || chosen.has(place)) continue;
    const list = candidates[label] as { place: number; turn: number }[];
    const turn = hash32(seed, sample, 2);
    if (list.length === wanted && turn >= (list.at(-1)?.turn ?? 0)) continue;
    if (list.length === wanted) list.pop();
    let at = list.length;
    while (at > 0 && (list[at - 1]?.turn ?? 0) > turn) at--;
    list.splice(at, 0, { place, turn });
  }
  return candidates
    .flatMap((list, label) =>
      list.map(({ place }, i) => ({ place, label, have: (perClass[label] as number) + i })),
    )
    .sort((a, b) => a.have - b.have || a.label - b.label)
    .slice(0, most)
    .map(({ place }) => place);
}
