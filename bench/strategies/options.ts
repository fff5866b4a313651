import { parseArgs } from 'node:util';

export const PARTS = ['scoring', 'claims'] as const;

export const HELP = `npm run bench:strategies -- [options]

  --only PARTS   some of ${PARTS.join(',')} (default all)

Scoring is compared with numpy: on Debian, apt-get install python3-numpy.
Only a run of all parts writes bench/results/strategies.md.
`;

/** @throws {TypeError} a flag is unknown, or a part is */
export function readOptions(args: readonly string[]): readonly (typeof PARTS)[number][] | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const wanted = values.only.split(',');
  for (const part of wanted) {
    if (!PARTS.some((known) => known === part)) throw new TypeError(`--only knows ${PARTS.join(', ')}`);
  }
  return PARTS.filter((part) => wanted.includes(part));
}
