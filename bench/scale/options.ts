import { parseArgs } from 'node:util';

/** How large a run is. */
export interface Options {
  /** Samples in the project. */
  readonly samples: number;
  /** How long each run under load lasts, in seconds. */
  readonly seconds: number;
  /** How often what can be repeated is, for the median. */
  readonly repeats: number;
  /** A folder for the server's CPU profiles; null: none are taken, which is what figures are from. */
  readonly profiles: string | null;
}

export const HELP = `npm run bench -- [options]

  --samples NUMBER    samples in the project (default 1000000; with fewer than 100000, work may run out)
  --seconds NUMBER    how long each run under load lasts (default 8)
  --repeats NUMBER    how often what can be repeated is, for the median (default 3)
  --profiles FOLDER   have the server write CPU profiles there: slower, for looking into what limits

Only a run of the default size writes bench/results/scale.md. With CONCORD_TEST_MONGODB=mongodb://…
appends are measured over the wire too.
`;

/** @throws {TypeError} a flag is unknown, or its value no positive whole number */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      samples: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '8' },
      repeats: { type: 'string', default: '3' },
      profiles: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    samples: positive('samples', values.samples),
    seconds: positive('seconds', values.seconds),
    repeats: positive('repeats', values.repeats),
    profiles: values.profiles ?? null,
  };
}

/** @throws {TypeError} a flag's value is no positive whole number */
export function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TypeError(`--${flag} is a positive whole number, not ${text}`);
}

/**
 * The parts that `--only` names, parted by commas; none: all of them.
 * @throws {TypeError} there is no such part
 */
export function partsOf(known: readonly string[], text: string): readonly string[] {
  const parts = text === '' ? [] : text.split(',');
  if (parts.every((part) => known.includes(part))) return parts;
  throw new TypeError(`--only knows ${known.join(', ')}`);
}
