import type { Attention } from './annotator.ts';
import type { GoldOrigin, GoldSet } from './events.ts';

/** Gold: samples whose answer is known. They check attention, and look like any other. */

/** What is known of a sample. */
export interface KnownAnswer {
  readonly label: number;
  readonly origin: GoldOrigin;
  readonly by: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** The first answer that somebody gave to a sample that was asked as gold. It stays, whatever is undone. */
export interface FirstAnswer {
  readonly sample: number;
  /** Index of the annotator, and the row of their assignment. */
  readonly annotator: number;
  readonly row: number;
  readonly label: number;
  /** The commit at which it was given. */
  readonly seq: number;
  /** When, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What is known, who has answered it first, and who has had it. Whether an answer was right is held against what is
 * known now: a known answer that is mended mends everybody's figures, and one that is taken back leaves them.
 */
export class GoldBook {
  /** In the order in which they were set. */
  readonly known = new Map<number, KnownAnswer>();
  /** By sample and by annotator. What is gold no more is kept, for it may become so again. */
  readonly #first = new Map<number, Map<number, FirstAnswer>>();
  /** The assignment of each annotator who has or had a gold sample, by sample. */
  readonly #rows = new Map<number, Map<number, number>>();
  /** Of what is known, what nobody can be asked any more. */
  readonly #erased = new Set<number>();

  get size(): number {
    return this.known.size;
  }

  /** How many can be asked. */
  get askable(): number {
    return this.known.size - this.#erased.size;
  }

  /** The class of a gold sample, or undefined. */
  labelOf(sample: number): number | undefined {
    return this.known.get(sample)?.label;
  }

  /** Makes a sample gold, or changes what is known of it. */
  set(sample: number, { origin, by }: Pick<GoldSet, 'origin' | 'by'>, label: number, at: number): void {
    this.known.set(sample, { label, origin, by, at });
  }

  /** First answers to a sample that is or was gold. */
  answersTo(sample: number): Iterable<FirstAnswer> {
    return this.#first.get(sample)?.values() ?? [];
  }

  /** First answers to all samples that are or were gold. */
  *firstAnswers(): Generator<FirstAnswer, void, void> {
    for (const answers of this.#first.values()) yield* answers.values();
  }

  hasAnswer(sample: number, annotator: number): boolean {
    return this.#first.get(sample)?.has(annotator) === true;
  }

  keep(answer: FirstAnswer): void {
    const answers = this.#first.get(answer.sample) ?? new Map<number, FirstAnswer>();
    this.#first.set(answer.sample, answers.set(answer.annotator, answer));
  }

  /** Somebody has an assignment of a gold sample. */
  keepRow(sample: number, annotator: number, row: number): void {
    const rows = this.#rows.get(sample) ?? new Map<number, number>();
    this.#rows.set(sample, rows.set(annotator, row));
  }

  /** The row of somebody's assignment of a gold sample, or undefined. */
  rowOf(sample: number, annotator: number): number | undefined {
    return this.#rows.get(sample)?.get(annotator);
  }

  /** What a gold sample holds was erased. */
  setErased(sample: number): void {
    this.#erased.add(sample);
  }

  /** A sample is gold no more. */
  forget(sample: number): void {
    this.known.delete(sample);
    this.#erased.delete(sample);
    this.#rows.delete(sample);
  }
}

/** Counts a first answer in (`by` = 1) or out again (−1). */
export function countAnswer(attention: Attention, isCorrect: boolean, by: 1 | -1): void {
  attention.answers += by;
  if (isCorrect) attention.correct += by;
}
