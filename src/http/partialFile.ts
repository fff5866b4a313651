import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CommandError } from './command.ts';

/** What makes a piece of work what it is: flags and their values. */
export type About = Readonly<Record<string, string>>;

/** What has been written so far, and of what. */
interface State {
  readonly about: About;
  readonly cursor: string | null;
  readonly samples: number;
  readonly bytes: number;
}

/**
 * A file that is there once it is whole: until then it is `FILE.partial`, and `FILE.partial.json` says how far it has
 * come, so that whoever was stopped, however hard, goes on there.
 */
export class PartialFile {
  readonly #to: string;
  readonly #handle: FileHandle;
  #state: State;

  private constructor(to: string, handle: FileHandle, state: State) {
    this.#to = to;
    this.#handle = handle;
    this.#state = state;
  }

  /**
   * Goes on with what was left of the same work, or begins anew.
   * @param about the work, by which it is known again
   * @throws {CommandError} it cannot be written there, or what is left there is of other work, and is not touched
   */
  static async open(to: string, about: About): Promise<PartialFile> {
    const handle = await open(`${to}.partial`, 'a').catch((error: Error) => {
      throw cannotBeWritten(to, error);
    });
    try {
      const file = new PartialFile(to, handle, await stateOf(to, about, handle));
      await handle.truncate(file.#state.bytes);
      await file.#keepState();
      return file;
    } catch (error) {
      await handle.close();
      throw error instanceof CommandError ? error : cannotBeWritten(to, error as Error);
    }
  }

  get cursor(): string | null {
    return this.#state.cursor;
  }

  get samples(): number {
    return this.#state.samples;
  }

  /** Adds a text, behind which one goes on at a cursor. */
  async write(text: string, cursor: string | null, samples: number): Promise<void> {
    const { about, ...before } = this.#state;
    await this.#append(text);
    const bytes = before.bytes + Buffer.byteLength(text);
    this.#state = { about, cursor, samples: before.samples + samples, bytes };
    await this.#keepState();
  }

  /** Adds the end, and gives the file its name. */
  async finish(end: string): Promise<void> {
    await this.#append(end);
    await this.#handle.sync();
    await rename(`${this.#to}.partial`, this.#to);
    await rm(`${this.#to}.partial.json`, { force: true });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #append(text: string): Promise<void> {
    try {
      await this.#handle.appendFile(text);
    } catch (error) {
      throw cannotBeWritten(this.#to, error as Error);
    }
  }

  async #keepState(): Promise<void> {
    // Replaced at once: a state that is cut short says nothing.
    await writeFile(`${this.#to}.partial.json.new`, JSON.stringify(this.#state));
    await rename(`${this.#to}.partial.json.new`, `${this.#to}.partial.json`);
  }
}

function cannotBeWritten(to: string, { message }: Error): CommandError {
  return new CommandError(`${to} cannot be written: ${message}`);
}

/** @throws {CommandError} what is there is no part of this work */
async function stateOf(to: string, about: About, handle: FileHandle): Promise<State> {
  const nothing: State = { about, cursor: null, samples: 0, bytes: 0 };
  const { size } = await handle.stat();
  if (size === 0) return nothing;
  const kept = await keptState(`${to}.partial.json`);
  const inTheWay = `${to}.partial is in the way, and nothing is overwritten:`;
  if (kept === null) throw new CommandError(`${inTheWay} it is no export that was cut short; remove it`);
  const other = Object.keys(about).filter((flag) => about[flag] !== kept.about[flag]);
  if (other.length > 0) {
    const flags = other.map((flag) => `--${flag} ${kept.about[flag] || "''"}`).join(' ');
    throw new CommandError(
      `${inTheWay} it is what is left of an export with ${flags}. Go on with that, or remove it and ${to}.partial.json`,
    );
  }
  // After a power cut the file may be shorter than what was noted of it.
  return kept.cursor !== null && size >= kept.bytes ? kept : nothing;
}

async function keptState(path: string): Promise<State | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as State;
  } catch {
    return null;
  }
}
