import { shownLocation } from '../journal/open.ts';
import { directoryOf } from '../service/copying.ts';
import { verifyProject } from '../service/verifying.ts';
import { CommandError } from './command.ts';
import { projectsNamed, storeWork, withStore } from './storeWork.ts';

/** `concord verify`; whether all is well. */
export function verify(
  { store: location }: { readonly store: string },
  names: readonly string[],
): Promise<boolean> {
  return withStore(location, 'READ', async (store) => {
    const directory = await directoryOf(store, storeWork('directory'));
    if (directory.seq === 0)
      throw new CommandError(`there is nothing in the store in ${shownLocation(location)}`);
    let isWell = true;
    for (const project of projectsNamed(directory, names)) {
      const { seq, chunks, snapshot, problems } = await verifyProject(store, project, storeWork(project));
      const what = `${seq} commits, ${chunks} chunks, ${snapshot === null ? 'no snapshot' : `snapshot at ${snapshot}`}`;
      isWell &&= problems.length === 0;
      process.stdout.write(`${project}: ${problems.length === 0 ? 'identical' : 'DAMAGED'} (${what})\n`);
      for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    }
    return isWell;
  });
}
