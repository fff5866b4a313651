import { allOf, ConcordError, createClient, type Driver, type Invitation } from '@concord/sdk/driver';
import { CommandError } from './command.ts';
import { daysOf, projectOf, roleOption, tabbed } from './commandArguments.ts';
import { withService } from './remote.ts';

interface Given {
  readonly url: string;
  readonly token: string;
  readonly project: string;
  readonly role: string;
  readonly label: string;
  readonly days: string;
  readonly 'token-days': string;
}

/** `concord invitation`. Codes and tokens go to standard output alone, each on a line of its own. */
export async function invitationCommand(
  given: Given,
  [action = '', ...named]: readonly string[],
): Promise<boolean> {
  if (action === 'accept') await accept(given, named);
  else {
    const run = ACTIONS.get(action);
    if (run === undefined)
      throw new CommandError(`say what to do: ${[...ACTIONS.keys(), 'accept'].join(', ')}`);
    if (given.token === '') throw new CommandError('--token is missing, or CONCORD_TOKEN');
    await withService(given, (driver) => run(driver, given, named));
  }
  return true;
}

const ACTIONS: ReadonlyMap<
  string,
  (driver: Driver, given: Given, named: readonly string[]) => Promise<void>
> = new Map([
  ['create', create],
  ['list', list],
  ['withdraw', withdraw],
]);

async function create(driver: Driver, given: Given): Promise<void> {
  const { invitationCode } = await driver.client.invite({
    project: await projectOf(driver, given.project),
    role: roleOption(given.role),
    label: given.label,
    days: daysOf('--days', given.days) ?? 7,
    tokenDays: daysOf('--token-days', given['token-days']),
  });
  process.stdout.write(`${invitationCode}\n`);
}

async function list(driver: Driver, given: Given): Promise<void> {
  const project = await projectOf(driver, given.project);
  const found: Invitation[] = [];
  for await (const invitation of allOf((after) => driver.client.invitations({ project, first: 100, after })))
    found.push(invitation);
  process.stdout.write(
    tabbed(
      ['invitation', 'role', 'label', 'state', 'made', 'expires', 'came in'],
      found.map(({ id, role, label, state, madeAt, expires, member }) => [
        id,
        role,
        label,
        state,
        madeAt,
        expires,
        member === null ? '-' : (member.name ?? member.id),
      ]),
    ),
  );
}

async function withdraw(driver: Driver, given: Given, [invitation]: readonly string[]): Promise<void> {
  if (invitation === undefined) throw new CommandError('name the invitation');
  const project = await projectOf(driver, given.project);
  const { id } = await driver.client.withdrawInvitation({ project, invitation });
  process.stdout.write(`${id} is withdrawn\n`);
}

/** Whoever comes in has no token yet. */
async function accept({ url }: Given, [code, name]: readonly string[]): Promise<void> {
  if (code === undefined || name === undefined) throw new CommandError('give the code, and your name');
  let client: ReturnType<typeof createClient>;
  try {
    client = createClient({ url, token: null });
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
  try {
    const { token } = await client.acceptInvitation({ invitationCode: code, name });
    process.stdout.write(`${token}\n`);
  } catch (error) {
    throw error instanceof ConcordError ? new CommandError(error.message) : error;
  } finally {
    client.close();
  }
}
