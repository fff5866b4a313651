import { hash32, uniform } from '../../src/domain/random.ts';

export const CLASSES = 10;
export const ANNOTATORS = 100;
export const ANSWERS = 100_000;

/** Streams of seeded draws. */
const [TRUTH, WHO, SLIP, OTHER] = [1, 2, 3, 4];

/** Answers as columns, sample by sample, and the true class of each sample. */
export interface SimulatedAnswers {
  readonly perSample: number;
  readonly annotator: Uint32Array;
  readonly label: Uint16Array;
  readonly truth: Uint16Array;
}

/**
 * {@link ANSWERS} answers of {@link ANNOTATORS} people to samples of {@link CLASSES} classes. The careful are wrong in
 * 15 %, with any other class; the careless, who come first, answer at random.
 */
export function simulatedAnswers(perSample: number, careless: number, seed: number): SimulatedAnswers {
  const samples = Math.floor(ANSWERS / perSample);
  const annotator = new Uint32Array(samples * perSample);
  const label = new Uint16Array(annotator.length);
  const truth = Uint16Array.from({ length: samples }, (_, i) => hash32(seed + TRUTH, i) % CLASSES);
  for (let i = 0, at = 0; i < samples; i++) {
    const people = new Set<number>();
    for (let draw = 0; people.size < perSample; draw++) people.add(hash32(seed + WHO, i, draw) % ANNOTATORS);
    for (const one of people) {
      const random = hash32(seed + OTHER, i, one) % CLASSES;
      const slips = one >= careless && uniform(seed + SLIP, i, one) < 0.15;
      const other = ((truth[i] as number) + 1 + (random % (CLASSES - 1))) % CLASSES;
      annotator[at] = one;
      label[at++] = one < careless ? random : slips ? other : (truth[i] as number);
    }
  }
  return { perSample, annotator, label, truth };
}
