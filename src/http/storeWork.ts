import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Directory } from '../domain/directory.ts';
import { openStore, type StoreUse } from '../journal/open.ts';
import { type Store, StoreError } from '../journal/port.ts';
import { type CopyOptions, CopyRefusedError } from '../service/copying.ts';
import { newId } from '../service/environment.ts';
import { DamagedJournalError, JournalTooNewError } from '../service/folding.ts';
import { CommandError } from './command.ts';
import { realEnvironment } from './environment.ts';

/** How often long work says how far it has come, in milliseconds. */
const PROGRESS_MS = 2_000;

/** What work on a store is given: the real clock, and a progress report on standard error now and then. */
export function storeWork(subject: string): CopyOptions {
  let last = Date.now();
  return {
    pause: () => nextTurn(),
    now: () => Date.now(),
    newId: () => newId(realEnvironment),
    onProgress(what, done, of) {
      if (Date.now() - last < PROGRESS_MS) return;
      last = Date.now();
      process.stderr.write(
        `${subject}: ${done.toLocaleString('en')} of ${of.toLocaleString('en')} ${what}\n`,
      );
    },
  };
}

/** Opens a store, does something with it, and closes it. Trouble that people can mend is a {@link CommandError}. */
export async function withStore<T>(
  location: string,
  use: StoreUse,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  return orCommandError(async () => {
    const store = await openStore(location, use);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  });
}

export async function orCommandError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isKnown = [StoreError, CopyRefusedError, DamagedJournalError, JournalTooNewError].some(
      (kind) => error instanceof kind,
    );
    throw isKnown ? new CommandError((error as Error).message, { cause: error }) : error;
  }
}

/**
 * The projects of a directory that are named, each by its id or by a name that no other has; all if none is named.
 * @throws {CommandError} there is no such project, or there are several
 */
export function projectsNamed({ projects }: Directory, names: readonly string[]): string[] {
  if (names.length === 0) return [...projects.keys()];
  return names.map((name) => {
    if (projects.has(name)) return name;
    const [project, other] = [...projects.values()].filter((candidate) => candidate.name === name);
    if (other !== undefined) throw new CommandError(`several projects are called ${name}: name it by its id`);
    if (project !== undefined) return project.id;
    const known = [...projects.values()].map(({ id, name }) => `${id} (${name})`).join(', ');
    throw new CommandError(`there is no project ${name}; there ${known === '' ? 'are none' : `is ${known}`}`);
  });
}
