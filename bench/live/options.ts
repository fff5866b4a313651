import { parseArgs } from 'node:util';
import { partsOf, positive } from '../scale/options.ts';

/** What a run measures, and how long. */
export interface Options {
  /** How long each run under load lasts, in seconds. */
  readonly seconds: number;
  /** How long the soak lasts, in seconds. */
  readonly soak: number;
  /** Samples in the project that is claimed from. */
  readonly samples: number;
  /** The parts to be run; empty: all of them. */
  readonly only: readonly string[];
}

export const PARTS = ['fanout', 'change', 'last', 'push', 'idle', 'soak', 'claims'] as const;

export const HELP = `npm run bench:live -- [options]

  --seconds NUMBER   how long each run under load lasts (default 4)
  --soak SECONDS     how long the soak lasts (default 30; 600 for the ten minutes that count)
  --samples NUMBER   samples in the project that is claimed from (default 1000000)
  --only PARTS       some of ${PARTS.join(',')} (default all)

Only a run of all parts writes bench/results/live.md.
`;

/** @throws {TypeError} a flag is unknown, or its value is none of its kind */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '4' },
      soak: { type: 'string', default: '30' },
      samples: { type: 'string', default: '1000000' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    seconds: positive('seconds', values.seconds),
    soak: positive('soak', values.soak),
    samples: positive('samples', values.samples),
    only: partsOf(PARTS, values.only),
  };
}
