/** The values above the n-th highest, and those level with it. */
export interface Cut {
  /** Places whose value is above that of the count-th highest, ascending. */
  readonly above: Uint32Array;
  /** Places whose value is that of the count-th highest, ascending. */
  readonly level: Uint32Array;
  /** How many of the level ones complete the count: from 1 to all of them. */
  readonly missing: number;
}

/**
 * Cuts off the highest values. Exact, and linear in their number.
 *
 * @param values no NaN
 * @param count 1 … as many as there are
 */
export function cut(values: Float64Array, count: number): Cut {
  const { value, above } = nthHighest(values, count);
  let equal = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === value) equal++;
  }
  const higher = new Uint32Array(above);
  const level = new Uint32Array(equal);
  let h = 0;
  let l = 0;
  for (let i = 0; i < values.length; i++) {
    const at = values[i] as number;
    if (at > value) higher[h++] = i;
    else if (at === value) level[l++] = i;
  }
  return { above: higher, level, missing: count - above };
}

/** Where the sign, exponent and upper mantissa of a double lie among its two 32-bit words. */
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;
const SIGN = 0x80000000;
const DIGITS = 4;
const BUCKETS = 0x10000;

/** So few values are sorted faster than counted. */
const FEW = 512;

/**
 * The n-th highest value, and how many lie above it, by radix selection: count how many values have each
 * upper 16 bits, keep the bucket in which the n-th falls, go on there with the next 16. At most four passes
 * over an ever smaller list, whatever the values; a quickselect has bad inputs.
 */
function nthHighest(values: Float64Array, n: number): { value: number; above: number } {
  // Adding zero turns −0, whose bits differ, into 0.
  let candidates = new Float64Array(values.length);
  for (let i = 0; i < candidates.length; i++) candidates[i] = (values[i] as number) + 0;

  let above = 0;
  for (let digit = 0; digit < DIGITS && candidates.length > FEW; digit++) {
    const words = new Uint32Array(candidates.buffer);
    const counts = new Uint32Array(BUCKETS);
    for (let i = 0; i < candidates.length; i++) {
      const bucket = digitOf(words, i, digit);
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    let bucket = BUCKETS - 1;
    while (above + (counts[bucket] as number) < n) above += counts[bucket--] as number;

    const kept = new Float64Array(counts[bucket] as number);
    for (let i = 0, k = 0; k < kept.length; i++) {
      if (digitOf(words, i, digit) === bucket) kept[k++] = candidates[i] as number;
    }
    candidates = kept;
  }
  // More than a few are left only if no digit tells them apart: they are equal.
  if (candidates.length <= FEW) candidates.sort();
  const value = candidates[candidates.length - (n - above)] as number;
  return { value, above: above + candidates.length - 1 - candidates.lastIndexOf(value) };
}

/** Sixteen bits of a double, from the top, in a form whose unsigned order is the order of the numbers. */
function digitOf(words: Uint32Array, i: number, digit: number): number {
  const upper = words[2 * i + UPPER] as number;
  const negative = upper >= SIGN;
  const word = digit < 2 ? upper : (words[2 * i + 1 - UPPER] as number);
  const ordered = negative ? ~word : digit < 2 ? word | SIGN : word;
  return digit % 2 === 0 ? ordered >>> 16 : ordered & 0xffff;
}
