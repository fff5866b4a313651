import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { StoreLockedError } from './port.ts';

/** Who holds a folder: a process, told from a later one that was given the same number. */
interface Holder {
  readonly pid: number;
  /** The boot and the moment in it when the process began; absent where the system does not tell. */
  readonly began?: string | undefined;
}

/**
 * Marks a folder as held by this process, in a file that names it. The mark outlives a killed process and
 * then binds nobody: what counts is whether the process that it names still runs.
 *
 * Files alone give no way to take over from a killed process that two could not believe to have won: the
 * caller sees to it that one process at a time is in {@link FolderLock.take}.
 *
 * Processes are looked up in this process's own namespace. Containers that share a folder do not see each
 * other's, and must be kept apart by whoever runs them.
 */
export class FolderLock {
  readonly #file: string;
  readonly #folder: string;
  #taken = false;

  constructor(file: string, folder: string) {
    this.#file = file;
    this.#folder = folder;
  }

  /** @throws {StoreLockedError} a running process holds the folder, be it this one */
  check(): void {
    const holder = this.#holder();
    if (holder === undefined || !isRunning(holder)) return;
    const whose = holder.pid === process.pid ? 'this process' : 'another process';
    throw new StoreLockedError(
      `the store in ${this.#folder} is open in ${whose} (pid ${holder.pid}): close it there, or use another folder`,
    );
  }

  /**
   * Holds the folder until {@link release}.
   * @throws {StoreLockedError} as {@link check}
   */
  take(): void {
    this.check();
    const holder: Holder = { pid: process.pid, began: beginning(process.pid) };
    writeFileSync(this.#file, `${JSON.stringify(holder)}\n`);
    this.#taken = true;
  }

  /** Lets others take the folder; does nothing if it was not taken. */
  release(): void {
    if (!this.#taken) return;
    this.#taken = false;
    rmSync(this.#file, { force: true });
  }

  #holder(): Holder | undefined {
    try {
      return JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch (error) {
      // Half a line is what remains of a process that was killed while it took the folder.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
        return undefined;
      throw error;
    }
  }
}

function isRunning({ pid, began }: Holder): boolean {
  if (began !== undefined) return beginning(pid) === began;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in a form to compare; undefined if it has ended, or if the system is not Linux. */
function beginning(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    // The fields after the command's name, which is in parentheses and may hold any character: see proc(5).
    const [, fields = ''] = /.*\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const [state = '', ...rest] = fields.split(' ');
    const hasEnded = state === 'Z' || state === 'X';
    return hasEnded ? undefined : `${boot} ${rest[18]}`;
  } catch {
    return undefined;
  }
}
