import { randomAt } from '../random.ts';
import type { LabelledSamples, Need, Samples } from '../samples.ts';

/** Samples made up for a check, with everything that a strategy can need. Parallel arrays, one place a sample. */
export interface Universe {
  /** What it is like, for messages. */
  readonly title: string;
  readonly classes: number;
  readonly dimensions: number;
  /** Ascending, with gaps. */
  readonly ordinals: Uint32Array;
  readonly probabilities: Float32Array;
  readonly passes: readonly Float32Array[];
  readonly embeddings: Float32Array;
  /** The places of the samples to choose from. */
  readonly open: readonly number[];
  /** Those of them that were auto-accepted. */
  readonly accepted: ReadonlySet<number>;
  /** The places of the labelled samples; their label is place modulo `classes`. */
  readonly labelled: readonly number[];
}

interface Shape {
  /** How many samples are open. */
  readonly open: number;
  readonly classes: number;
  /** Default: 4. */
  readonly dimensions?: number;
  /** How many are labelled; default: 6. */
  readonly labelled?: number;
  /** Which of the open ones were auto-accepted; default: every fifth. */
  readonly isAccepted?: (place: number) => boolean;
  /** `different` from each other, `alike`, or `certain`: each surely of one class. Default: different. */
  readonly rows?: 'different' | 'alike' | 'certain';
}

export function universe(title: string, shape: Shape): Universe {
  const { open, classes, dimensions = 4, labelled = 6, rows = 'different' } = shape;
  const isAccepted = shape.isAccepted ?? ((place) => place % 5 === 4);
  const length = open + labelled;
  const places = Array.from({ length }, (_, place) => place);
  const matrix = (stream: number) =>
    Float32Array.from(places.flatMap((place) => rowOf(rows, rows === 'alike' ? 0 : place, classes, stream)));
  return {
    title,
    classes,
    dimensions,
    ordinals: Uint32Array.from(places, (place) => 3 * place + 7),
    probabilities: matrix(0),
    passes: [matrix(1), matrix(2), matrix(3)],
    embeddings: Float32Array.from({ length: length * dimensions }, (_, i) =>
      rows === 'alike' ? 0.5 : randomAt(SEED, i, 99) * 4 - 2,
    ),
    open: places.slice(0, open),
    accepted: new Set(places.slice(0, open).filter(isAccepted)),
    labelled: places.slice(open),
  };
}

const SEED = 20;

function rowOf(rows: Shape['rows'], place: number, classes: number, stream: number): number[] {
  const sure = Math.floor(randomAt(SEED, place, stream) * classes);
  const weights = Array.from({ length: classes }, (_, c) => {
    if (rows === 'certain') return c === sure ? 1 : 0;
    const u = randomAt(SEED, place * classes + c, 10 + stream);
    return u * u + 1e-3;
  });
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** Copies of some samples, with what is needed of them and null for the rest. */
export function samplesAt(from: Universe, places: readonly number[], needs: readonly Need[]): Samples<Need> {
  const copy = (need: Need, matrix: Float32Array, width: number) => {
    if (!needs.includes(need)) return null;
    const rows = new Float32Array(places.length * width);
    places.forEach((place, i) => {
      rows.set(matrix.subarray(place * width, (place + 1) * width), i * width);
    });
    return rows;
  };
  const { classes, dimensions } = from;
  // As the host does it: null where nothing is needed, which the type of the strategy's argument says.
  return {
    length: places.length,
    classes,
    ordinals: Uint32Array.from(places, (place) => from.ordinals[place] as number),
    probabilities: copy('probabilities', from.probabilities, classes),
    passes: needs.includes('passes') ? from.passes.map((pass) => copy('passes', pass, classes)) : null,
    embeddings: copy('embeddings', from.embeddings, dimensions),
    dimensions: needs.includes('embeddings') ? dimensions : null,
  } as unknown as Samples<Need>;
}

export function labelledOf(from: Universe, needs: readonly Need[]): LabelledSamples<Need> | null {
  if (!needs.includes('labelled')) return null;
  const labels = Uint16Array.from(from.labelled, (place) => place % from.classes);
  return { ...samplesAt(from, from.labelled, needs), labels };
}
