import { Refusal } from '../domain/refusals.ts';

/**
 * Whom the service tells what it does, so that it can be counted: for whoever runs it. It must not throw, and must be
 * cheap. Without one, nothing is counted.
 */
export interface Observer {
  /** A command was decided. */
  command(command: string, outcome: 'DONE' | 'REFUSED' | 'FAILED'): void;
  /** Somebody was refused something, with a code of the closed table. */
  refusal(code: string): void;
  /** A commit is being appended; the answer is called when it is synced, or was not. */
  commit(journal: string, events: number): (isSynced: boolean) => void;
  /** Another node had appended first: the conditional append kept this one out. */
  fenceLost(): void;
}

/** Tells an observer, if there is one, what becomes of a command. */
export async function observed<T>(
  observer: Observer | undefined,
  command: string,
  execute: () => Promise<T>,
): Promise<T> {
  if (observer === undefined) return execute();
  try {
    const result = await execute();
    observer.command(command, 'DONE');
    return result;
  } catch (error) {
    observer.command(command, error instanceof Refusal ? 'REFUSED' : 'FAILED');
    throw error;
  }
}
