import { allOf, type Driver, type Role } from '@concord/sdk/driver';
import { CommandError } from './command.ts';
import { projectNamed } from './remote.ts';

/** What commands about people are given, as text. */

/** @throws {CommandError} it is no number of days */
export function daysOf(option: string, text: string): number | null {
  if (text === '') return null;
  const days = Number(text);
  if (!(days > 0)) throw new CommandError(`${option} is a number of days, not ${text}`);
  return days;
}

/** @throws {CommandError} there is no such role */
export function roleOption(text: string): Role {
  const role = text.toUpperCase();
  if (ROLES.includes(role as Role)) return role as Role;
  throw new CommandError(`--role is one of ${ROLES.join(', ').toLowerCase()}, not ${text}`);
}

const ROLES: readonly Role[] = ['OWNER', 'DRIVER', 'ANNOTATOR', 'VIEWER'];

/** @throws {CommandError} it was not named, or there is none */
export async function projectOf(driver: Driver, named: string): Promise<string> {
  if (named === '') throw new CommandError('--project names the project, by id or by name');
  return (await projectNamed(driver, named)).id;
}

/** Rows under their headings, tab-separated, with what would break a row taken out. */
export function tabbed(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `${cells.map((cell) => cell.replace(/\s+/g, ' ')).join('\t')}\n`;
  return [headings, ...rows].map(line).join('');
}

/** @throws {CommandError} it was not named */
export function must(named: string | undefined, what: string): string {
  if (named === undefined) throw new CommandError(`name ${what}`);
  return named;
}

/**
 * The id of a member of a project, by the id or the name.
 * @throws {CommandError} there is none, or several have the name
 */
export async function memberNamed({ client }: Driver, project: string, named: string): Promise<string> {
  const found: string[] = [];
  for await (const { member } of allOf((after) => client.members({ project, first: 100, after }))) {
    if (member.id === named) return member.id;
    if (member.name === named) found.push(member.id);
  }
  const [id, ...others] = found;
  if (id === undefined) throw new CommandError(`nobody in the project is called ${named}`);
  if (others.length > 0)
    throw new CommandError(`several are called ${named}; name one by the id: ${found.join(', ')}`);
  return id;
}
