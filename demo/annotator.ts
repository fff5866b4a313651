/** A person who labels, as the demo plays one. */
export interface SimulatedAnnotator {
  readonly name: string;
  /**
   * What this person says of the sample `key`, which is truly `truth`: another class in `errorRate` of the cases.
   * Whoever is asked the same again says the same again, whatever came before.
   */
  answer(key: string, truth: string): string;
  /** How long this person takes over the next sample, in milliseconds. */
  thinkingTime(): number;
}

export interface SimulatedAnnotatorOptions {
  readonly name: string;
  readonly classes: readonly string[];
  /** Share of answers that are wrong, 0 … 1; a wrong answer is any other class with the same chance. */
  readonly errorRate: number;
  /** Median thinking time; single ones scatter around it (log-normal, two in three within a factor 1.5). */
  readonly paceMs: number;
  /** The same seed gives the same person: the same slips, and the same pauses in the same order. */
  readonly seed: number;
}

export function simulateAnnotator(options: SimulatedAnnotatorOptions): SimulatedAnnotator {
  const { name, classes, errorRate, paceMs, seed } = options;
  if (!(errorRate >= 0 && errorRate <= 1))
    throw new RangeError(`errorRate ${errorRate} is not within 0 … 1.`);
  const pauses = seededRandom(seed ^ 0x5bd1e995);
  return {
    name,
    answer(key, truth) {
      const slips = seededRandom(hash(key, seed));
      if (slips() >= errorRate) return truth;
      const others = classes.filter((label) => label !== truth);
      return others[Math.floor(slips() * others.length)] ?? truth;
    },
    thinkingTime() {
      const gaussian = Math.sqrt(-2 * Math.log(1 - pauses())) * Math.cos(2 * Math.PI * pauses());
      return paceMs * Math.exp(Math.log(1.5) * gaussian);
    },
  };
}

/**
 * What was said of each sample when it was asked for the first, the second … time. Two runs that share it meet the
 * same labels for the same samples, though it is chance which of the people is asked: what is left between them is
 * the choice of samples.
 */
export class SharedAnswers {
  readonly #said = new Map<string, string>();

  /** One run's view: it counts how often it has asked for a sample. */
  forRun(): (person: SimulatedAnnotator, key: string, truth: string) => string {
    const asked = new Map<string, number>();
    return (person, key, truth) => {
      const times = (asked.get(key) ?? 0) + 1;
      asked.set(key, times);
      const turn = `${times}/${key}`;
      const answer = this.#said.get(turn) ?? person.answer(key, truth);
      this.#said.set(turn, answer);
      return answer;
    };
  }
}

/** FNV-1a of a text, begun at a seed. */
function hash(text: string, seed: number): number {
  let state = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state;
}

/** Mulberry32: uniform in [0, 1), the same sequence for the same seed. For simulations, not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A new array with the items in random order (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}
