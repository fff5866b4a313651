import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { shownLocation } from '../journal/open.ts';
import type { Store } from '../journal/port.ts';
import {
  copyDirectory,
  copyProject,
  directoryOf,
  enterProjects,
  mustTakeDirectory,
} from '../service/copying.ts';
import { CommandError } from './command.ts';
import { projectsNamed, storeWork, withStore } from './storeWork.ts';

/** `concord copy`. */
export async function copy(
  { from, to }: { readonly from: string; readonly to: string },
  names: readonly string[],
): Promise<boolean> {
  if (from === to || placeOf(from) === placeOf(to))
    throw new CommandError('--from and --to are the same store');
  await withStore(from, 'READ', (source) =>
    withStore(to, 'SERVE', (target) => copyBetween(source, target, names)),
  );
  process.stdout.write(`copied to ${shownLocation(to)}\n`);
  return true;
}

/** Copies projects, all if none is named, and then enters them in the target's directory: until then it lacks them. */
export async function copyBetween(source: Store, target: Store, names: readonly string[]): Promise<void> {
  const work = storeWork('directory');
  const directory = await directoryOf(source, work);
  if (directory.seq === 0) throw new CommandError('there is nothing in the store to copy from');
  const projects = projectsNamed(directory, names);
  if (names.length === 0) await mustTakeDirectory(source, target, directory.seq);
  for (const project of projects) {
    const { seq, chunks } = await copyProject(source, target, project, storeWork(project));
    process.stdout.write(`${project}: ${seq} commits and ${chunks} chunks, compared and identical\n`);
  }
  if (names.length === 0) await copyDirectory(source, target, directory.seq, work);
  else await enterProjects(source, target, projects, work);
}

/** Where a folder is, whatever leads to it. */
function placeOf(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder);
}
