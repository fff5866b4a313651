import { Directory, type DirectoryEvent } from '../domain/directory.ts';
import { currentDirectoryEvent } from '../domain/upcasting.ts';
import type { JournalKind } from './folding.ts';

/** The one journal that is no project's. */
export const DIRECTORY_JOURNAL = 'directory';

export const DIRECTORY_KIND: JournalKind<Directory, DirectoryEvent> = {
  empty: () => new Directory(),
  current: currentDirectoryEvent,
  chunksToFold: () => [],
  isFact: () => false,
  workOf: () => 1,
  // A few events for each person and project, ever.
  form: null,
};
