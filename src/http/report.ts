import { writeFile } from 'node:fs/promises';
import { CommandError } from './command.ts';
import { type Remote, withProject } from './remote.ts';
import { reportPage } from './reportPage.ts';

/** `concord report`. */
export async function report(
  { to, ...remote }: Omit<Remote, 'project'> & { readonly to: string },
  [project, ...others]: readonly string[],
): Promise<boolean> {
  if (project === undefined || others.length > 0)
    throw new CommandError('name one project, by id or by name');
  if (to !== '' && !/\.(html|json)$/i.test(to))
    throw new CommandError(`${to} is neither .html nor .json, which are what a report can be`);
  const found = await withProject({ ...remote, project }, (opened) => opened.report());
  // It is there: the SDK refuses where a role may not see it.
  if (found.report === null) throw new CommandError('the report is not for your role');
  const text = /\.html$/i.test(to)
    ? reportPage(found, found.report, new Date())
    : `${JSON.stringify(found, null, 2)}\n`;
  if (to === '') process.stdout.write(text);
  else {
    try {
      await writeFile(to, text);
    } catch (error) {
      throw new CommandError(`${to} cannot be written: ${(error as Error).message}`);
    }
    process.stdout.write(`report on ${found.name} written to ${to}\n`);
  }
  return true;
}
