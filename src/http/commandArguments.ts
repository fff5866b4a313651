import type { Driver, Role } from '@concord/sdk/driver';
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
