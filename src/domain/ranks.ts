/**
 * Of so many places in order, the first that is not before a boundary: all before it are so, and none from there on.
 */
export function firstNotBefore(places: number, isBefore: (place: number) => boolean): number {
  let low = 0;
  let high = places;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of some ascending ranks are below one. */
export function countBelow(ranks: Uint32Array, rank: number): number {
  return firstNotBefore(ranks.length, (place) => (ranks[place] as number) < rank);
}
