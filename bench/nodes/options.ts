import { parseArgs } from 'node:util';
import { partsOf, positive } from '../scale/options.ts';

/** What a run measures, and how long. */
export interface Options {
  /** How long each run under load lasts, in seconds, behind a warm-up. */
  readonly seconds: number;
  /** How often each is repeated, for the median. */
  readonly repeats: number;
  /** How often a node is killed. */
  readonly kills: number;
  /** A folder for the nodes' CPU profiles; null: none are taken, which is what figures are from. */
  readonly profiles: string | null;
  /** The parts to be run; empty: all of them. */
  readonly only: readonly string[];
}

export const PARTS = ['labels', 'forwarding', 'takeover'] as const;

export const HELP = `npm run bench:nodes -- [options]

  --seconds NUMBER    how long each run under load lasts (default 5)
  --repeats NUMBER    how often each is repeated, for the median (default 3)
  --kills NUMBER      how often a node is killed (default 7)
  --profiles FOLDER   have the nodes write CPU profiles there: slower, for looking into what limits
  --only PARTS        some of ${PARTS.join(',')} (default all)

Only a run of all parts without profiles writes bench/results/nodes.md. The store is a fresh mongo-java-server for each
set of nodes, or the server that CONCORD_TEST_MONGODB=mongodb://… names.
`;

/** @throws {TypeError} a flag is unknown, or its value is none of its kind */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '5' },
      repeats: { type: 'string', default: '3' },
      kills: { type: 'string', default: '7' },
      profiles: { type: 'string' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    seconds: positive('seconds', values.seconds),
    repeats: positive('repeats', values.repeats),
    kills: positive('kills', values.kills),
    profiles: values.profiles ?? null,
    only: partsOf(PARTS, values.only),
  };
}
