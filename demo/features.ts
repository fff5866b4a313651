/** One text as the classifier sees it: the places that are not zero, ascending, and what stands there. */
export interface SparseRow {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

export interface FeatureOptions {
  /** Number of places the words are hashed to; a power of two. */
  readonly dimensions?: number;
  /** Words seen in fewer texts than this say nothing in general and are dropped. */
  readonly minTexts?: number;
}

export interface Vocabulary {
  readonly dimensions: number;
  featurise(text: string): SparseRow;
}

/**
 * Hashed TF-IDF: words are hashed to a fixed number of places (no dictionary to keep or ship), weighted
 * (1 + ln count) · (ln((1 + texts) / (1 + texts with it)) + 1), and each row is scaled to length 1, so that a
 * long mail is no louder than a short one. Only the weights are learned from `texts`, without any label: fit it
 * on the unlabelled pool. Two words that share a place (few at 2^17) blur, they do not break anything. Single words
 * only: pairs of words triple the cost and, at a few hundred labels, predict worse.
 */
export function fitFeatures(texts: readonly string[], options: FeatureOptions = {}): Vocabulary {
  const { dimensions = 2 ** 17, minTexts = 3 } = options;
  if (!Number.isInteger(Math.log2(dimensions))) throw new RangeError('dimensions must be a power of two.');
  const mask = dimensions - 1;
  const textsWith = new Uint32Array(dimensions);
  for (const text of texts)
    for (const place of counts(text, mask).keys()) textsWith[place] = (textsWith[place] as number) + 1;

  const weight = new Float64Array(dimensions);
  textsWith.forEach((n, place) => {
    if (n >= minTexts) weight[place] = Math.log((1 + texts.length) / (1 + n)) + 1;
  });

  return {
    dimensions,
    featurise(text) {
      const found = counts(text, mask);
      const indices = Uint32Array.from(found.keys())
        .filter((place) => (weight[place] as number) > 0)
        .sort();
      const values = new Float32Array(indices.length);
      let squares = 0;
      indices.forEach((place, i) => {
        const value = (1 + Math.log(found.get(place) ?? 1)) * (weight[place] as number);
        values[i] = value;
        squares += value * value;
      });
      const length = Math.sqrt(squares);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / length;
      return { indices, values };
    },
  };
}

/**
 * Words of two letters or more, in lower case; numbers all alike but for their length (prices and phone numbers
 * are told by their shape); `!` and `$`, which shout.
 */
const word = /\p{L}[\p{L}\p{M}_'’-]+|\p{N}+|[!$]+/gu;

function counts(text: string, mask: number): Map<number, number> {
  const found = new Map<number, number>();
  for (const [match] of text.toLowerCase().matchAll(word)) {
    const place = fnv1a(/^\p{N}/u.test(match) ? `#${Math.min(match.length, 9)}` : match) & mask;
    found.set(place, (found.get(place) ?? 0) + 1);
  }
  return found;
}

/** FNV-1a with a final mix, so that the low bits are good places. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
