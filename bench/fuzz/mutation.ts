/** Inputs that are nearly right: valid ones of a corpus, bent at random places, the same from the same seed. */

/** A generator of 32-bit numbers: mulberry32, public domain, by Tommy Ettinger. */
export function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** What breaks readers of text: ends, depths, odd characters, numbers at the edge, names with a meaning. */
const ODD = [
  '',
  '\0',
  '\uD800',
  '\uFEFF',
  '\u2028',
  '"',
  "'",
  '\\',
  '\\u',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  ',',
  ':',
  '\n',
  '\r\n',
  '\t',
  '$',
  '!',
  '@',
  '...',
  '__proto__',
  'constructor',
  '__typename',
  'null',
  'true',
  'NaN',
  'Infinity',
  '-0',
  '1e999',
  '-1',
  '2147483648',
  '9007199254740993',
  '0.1',
  '[]',
  '{}',
  '[[[[[[[[',
  '{"a":{"a":{"a":',
  '%00',
  '../',
  '<script>',
  '\x93NUMPY',
  'on',
  'fragment F on F { ...F }',
  '@skip(if: true)',
  '"""',
  '#',
];

/** One input bent: some pieces are cut, doubled, changed, or taken from others. */
export function bent(text: string, corpus: readonly string[], roll: () => number): string {
  let given = text;
  for (let times = 1 + (roll() % 4); times > 0; times--) {
    const at = given.length === 0 ? 0 : roll() % given.length;
    const length = roll() % 12;
    switch (roll() % 8) {
      case 0:
        given = given.slice(0, at);
        break;
      case 1:
        given = given.slice(0, at) + given.slice(at + length);
        break;
      case 2:
        given = given.slice(0, at) + given.slice(at, at + length).repeat(1 + (roll() % 40)) + given.slice(at);
        break;
      case 3:
        given = given.slice(0, at) + String.fromCharCode(roll() % 0x300) + given.slice(at + 1);
        break;
      case 4: {
        const other = corpus[roll() % corpus.length] ?? '';
        const from = other.length === 0 ? 0 : roll() % other.length;
        given = given.slice(0, at) + other.slice(from, from + 60) + given.slice(at + length);
        break;
      }
      default:
        given = given.slice(0, at) + (ODD[roll() % ODD.length] ?? '') + given.slice(at + (roll() % 3));
    }
  }
  return given.slice(0, 20_000);
}
