import { parseArgs } from 'node:util';

export interface DemoOptions {
  /** Runs to the end and exits; else the service stays up. */
  readonly once: boolean;
  readonly strategy: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly rounds: number;
  readonly roundSize: number;
  readonly paceMs: number;
  readonly seed: number;
  readonly port: number;
}

export const HELP = `Runs active learning on real mail, over the real API, with simulated annotators.

Usage: npm run demo -- [options]

  --once              run to the end and exit; else the service stays up for you to look around
  --strategy NAME     the strategy that is compared with random sampling (default: hybrid)
  --parameters JSON   its parameters (default: {})
  --rounds NUMBER     rounds after the seed round (default: 15)
  --round-size NUMBER mails in a round (default: 30)
  --pace MS           how long an annotator takes over a mail, at the median (default: 25)
  --seed NUMBER       seeds the draws, and the annotators' slips (default: 1)
  --port NUMBER       where the service listens; 0 for any free port (default: 0)
  --help              show this and exit
`;

/** @throws {Error} with a message that says which option is wrong */
export function readOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      once: { type: 'boolean', default: false },
      strategy: { type: 'string', default: 'hybrid' },
      parameters: { type: 'string', default: '{}' },
      rounds: { type: 'string', default: '15' },
      'round-size': { type: 'string', default: '30' },
      pace: { type: 'string', default: '25' },
      seed: { type: 'string', default: '1' },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const whole = (
    name: 'rounds' | 'round-size' | 'pace' | 'seed' | 'port',
    low: number,
    high: number,
  ): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new Error(`--${name} ${values[name]} is not a whole number from ${low} to ${high}. See --help.`);
  };
  return {
    once: values.once,
    strategy: values.strategy,
    parameters: parseObject(values.parameters),
    rounds: whole('rounds', 1, 100),
    roundSize: whole('round-size', 1, 1_000),
    paceMs: whole('pace', 0, 60_000),
    seed: whole('seed', 0, 2 ** 31 - 1),
    port: whole('port', 0, 65_535),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Falls through to the same complaint.
  }
  throw new Error(`--parameters ${text} is not a JSON object. See --help.`);
}
