/**
 * Samples by what was said of them, whoever said it: two samples with two "cat" and one "dog" each have one pattern.
 * Every figure over many raters is a function of the counts of patterns, its standard error too; and there are few
 * patterns, whatever the number of samples: 55 of two labels in ten classes, 220 of three.
 */

/** The samples of one pattern. */
export interface UnitPattern {
  /** Classes that occur, ascending, and how often each does. */
  readonly classes: readonly number[];
  readonly counts: readonly number[];
  /** Labels of each such sample: the sum of `counts`. */
  readonly size: number;
  /** How many samples are such. */
  readonly units: number;
}

/** Counts of patterns, moved by each sample that changes its own. */
export class UnitPatterns {
  /** By the labels in order, a character each: labels are below 2^16. */
  readonly #units = new Map<string, number>();

  /** Counts a sample in (`by` = 1) or out (−1). @throws {RangeError} what was never counted is counted out */
  count(labels: readonly number[], by: 1 | -1): void {
    const key = String.fromCharCode(...[...labels].sort((a, b) => a - b));
    const units = (this.#units.get(key) ?? 0) + by;
    if (units < 0) throw new RangeError('What was never counted cannot be taken back');
    if (units === 0) this.#units.delete(key);
    else this.#units.set(key, units);
  }

  /** All patterns that occur, in one order, whatever the history: sums of fractions differ with the order. */
  list(): UnitPattern[] {
    return [...this.#units]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, units]) => pattern(key, units));
  }
}

function pattern(key: string, units: number): UnitPattern {
  const classes: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < key.length; i++) {
    const label = key.charCodeAt(i);
    if (classes.at(-1) === label) counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    else {
      classes.push(label);
      counts.push(1);
    }
  }
  return { classes, counts, size: key.length, units };
}

/** The same patterns with every class but one taken as one: class 0 is the one asked for, class 1 all the others. */
export function oneAgainstTheRest(patterns: readonly UnitPattern[], label: number): UnitPattern[] {
  const units = new Map<string, UnitPattern>();
  for (const { classes, counts, size, units: more } of patterns) {
    const own = counts[classes.indexOf(label)] ?? 0;
    const key = `${own} of ${size}`;
    const before = units.get(key)?.units ?? 0;
    const parts = [own, size - own].map((count, i) => ({ count, i })).filter(({ count }) => count > 0);
    units.set(key, {
      classes: parts.map(({ i }) => i),
      counts: parts.map(({ count }) => count),
      size,
      units: before + more,
    });
  }
  return [...units.values()];
}
