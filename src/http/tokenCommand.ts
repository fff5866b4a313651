import { type AccessToken, allOf, type Driver } from '@concord/sdk/driver';
import { CommandError } from './command.ts';
import { daysOf, memberNamed, must, projectOf, roleOption, tabbed } from './commandArguments.ts';
import { withService } from './remote.ts';

interface Given {
  readonly url: string;
  readonly token: string;
  readonly project: string;
  readonly days: string;
  readonly label: string;
  readonly role: string;
  readonly only: string;
  readonly overlap: string;
}

const DAY_MS = 86_400_000;

/** `concord token`. Secrets go to standard output alone, each on a line of its own. */
export function tokenCommand(given: Given, [action = '', named]: readonly string[]): Promise<boolean> {
  const run = ACTIONS.get(action);
  if (run === undefined) throw new CommandError(`say what to do: ${[...ACTIONS.keys()].join(', ')}`);
  return withService(given, async (driver) => {
    await run(driver, given, named);
    return true;
  });
}

const ACTIONS: ReadonlyMap<string, (driver: Driver, given: Given, named?: string) => Promise<void>> = new Map(
  [
    ['create', create],
    ['list', list],
    ['expire', expire],
    ['revoke', revoke],
    ['rotate', rotate],
  ],
);

async function create(driver: Driver, given: Given, named?: string): Promise<void> {
  const project = await projectOf(driver, given.project);
  const member = await memberNamed(driver, project, must(named, 'the member'));
  if (given.only !== 'yes' && given.only !== 'no')
    throw new CommandError(`--only is yes or no, not ${given.only}`);
  const { token } = await driver.client.issueToken({
    project,
    member,
    label: given.label,
    tokenDays: daysOf('--days', given.days),
    role: given.role === '' ? null : roleOption(given.role),
    onlyThisProject: given.only === 'yes',
  });
  process.stdout.write(`${token}\n`);
}

async function list(driver: Driver, given: Given): Promise<void> {
  const { client } = driver;
  const tokens: AccessToken[] = [];
  if (given.project === '') {
    for await (const token of allOf((after) => client.ownTokens({ first: 100, after }))) tokens.push(token);
  } else {
    const project = await projectOf(driver, given.project);
    for await (const token of allOf((after) => client.projectTokens({ project, first: 100, after })))
      tokens.push(token);
  }
  process.stdout.write(
    tabbed(
      ['token', 'member', 'label', 'may', 'issued', 'expires', 'last use'],
      tokens.map(({ id, member, label, role, project, issuedAt, expires, lastUse }) => [
        id,
        member.name ?? member.id,
        label,
        `${role ?? 'all'}${project === null ? '' : ' in one project'}`,
        issuedAt,
        expires ?? 'never',
        lastUse ?? '-',
      ]),
    ),
  );
}

async function expire({ client }: Driver, { days }: Given, named?: string): Promise<void> {
  const after = days === '0' ? 0 : daysOf('--days', days);
  if (after === null) throw new CommandError('--days says when it runs out; 0: at once');
  const expires = new Date(Date.now() + after * DAY_MS).toISOString();
  const token = await client.expireToken({ token: must(named, 'the token'), expires });
  process.stdout.write(`${token.id} runs out at ${token.expires}\n`);
}

async function revoke({ client }: Driver, _: Given, named?: string): Promise<void> {
  const { id } = await client.revokeToken({ token: must(named, 'the token') });
  process.stdout.write(`${id} is revoked\n`);
}

async function rotate({ client }: Driver, given: Given, named?: string): Promise<void> {
  const overlapMinutes = Number(given.overlap);
  if (given.overlap === '' || Number.isNaN(overlapMinutes))
    throw new CommandError(`--overlap is a number of minutes, not ${given.overlap}`);
  const tokenDays = daysOf('--days', given.days);
  const { token } = await client.rotateToken({ token: named ?? null, overlapMinutes, tokenDays });
  process.stdout.write(`${token}\n`);
}
