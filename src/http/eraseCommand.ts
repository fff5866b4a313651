import type { Driver, ErasureReason } from '@concord/sdk/driver';
import { CommandError } from './command.ts';
import { memberNamed, must, projectOf } from './commandArguments.ts';
import { projectNamed, withService } from './remote.ts';

interface Given {
  readonly url: string;
  readonly token: string;
  readonly project: string;
  readonly reason: string;
  readonly yes: string;
}

/** `concord erase`. What is erased does not come back, so it asks for `--yes`, and says without it what it would do. */
export function eraseCommand(given: Given, [what = '', ...named]: readonly string[]): Promise<boolean> {
  const run = ACTIONS.get(what);
  if (run === undefined) throw new CommandError(`say what to erase: ${[...ACTIONS.keys()].join(', ')}`);
  const reason = reasonOf(given.reason);
  if (given.yes !== 'yes' && given.yes !== 'no')
    throw new CommandError(`--yes is yes or no, not ${given.yes}`);
  return withService(given, async (driver) => {
    await run(driver, given, named, reason);
    return true;
  });
}

type Erase = (driver: Driver, given: Given, named: readonly string[], reason: ErasureReason) => Promise<void>;

const ACTIONS: ReadonlyMap<string, Erase> = new Map([
  ['person', erasePerson],
  ['samples', eraseSamples],
]);

async function erasePerson(
  driver: Driver,
  given: Given,
  [named]: readonly string[],
  reason: ErasureReason,
): Promise<void> {
  const project = await projectOf(driver, given.project);
  const id = await memberNamed(driver, project, must(named, 'the member'));
  mustBeMeant(given, `the name of ${id}, their tokens, and their place in every project`);
  await driver.erasePerson({ id }, { reason });
  process.stdout.write(`${id} is erased\n`);
}

async function eraseSamples(
  driver: Driver,
  given: Given,
  keys: readonly string[],
  reason: ErasureReason,
): Promise<void> {
  must(keys[0], 'the samples, by their keys');
  const project = await projectNamed(driver, given.project);
  const found = (await driver.client.samplesWithKeys({ project: project.id, keys })) ?? [];
  const missing = keys.filter((_, i) => found[i] == null);
  if (missing.length > 0) throw new CommandError(`there is no sample ${missing.join(', ')}`);
  mustBeMeant(given, `what ${keys.length} samples hold`);
  const samples = found.flatMap((sample) => sample ?? []);
  process.stdout.write(`${await project.eraseSamples(samples, { reason })} samples are erased\n`);
}

function mustBeMeant({ yes }: Given, what: string): void {
  if (yes === 'yes') return;
  throw new CommandError(`this erases ${what}, for good: say --yes yes to do it`);
}

const REASONS: readonly ErasureReason[] = [
  'NO_LONGER_NEEDED',
  'CONSENT_WITHDRAWN',
  'OBJECTION',
  'UNLAWFUL',
  'LEGAL_DUTY',
];

function reasonOf(text: string): ErasureReason {
  const reason = text.toUpperCase().replaceAll('-', '_');
  if (REASONS.includes(reason as ErasureReason)) return reason as ErasureReason;
  const known = REASONS.map((name) => name.toLowerCase().replaceAll('_', '-'));
  throw new CommandError(`--reason is one of ${known.join(', ')}, not '${text}'`);
}
