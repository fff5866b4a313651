import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CommandError } from './command.ts';

/** What has been written so far, and of what. */
interface State {
  readonly about: Readonly<Record<string, string>>;
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
   * @throws {CommandError} it cannot be written there
   */
  static async open(to: string, about: Readonly<Record<string, string>>): Promise<PartialFile> {
    try {
      const handle = await open(`${to}.partial`, 'a');
      const kept = await stateOf(to, about, handle);
      await handle.truncate(kept.bytes);
      return new PartialFile(to, handle, kept);
    } catch (error) {
      throw new CommandError(`${to} cannot be written: ${(error as Error).message}`);
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
    // Replaced at once: a state that is cut short says nothing.
    await writeFile(`${this.#to}.partial.json.new`, JSON.stringify(this.#state));
    await rename(`${this.#to}.partial.json.new`, `${this.#to}.partial.json`);
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
      throw new CommandError(`${this.#to} cannot be written: ${(error as Error).message}`);
    }
  }
}

async function stateOf(to: string, about: State['about'], handle: FileHandle): Promise<State> {
  const nothing: State = { about, cursor: null, samples: 0, bytes: 0 };
  try {
    const state = JSON.parse(await readFile(`${to}.partial.json`, 'utf8')) as State;
    const { size } = await handle.stat();
    const isSame = JSON.stringify(state.about) === JSON.stringify(about);
    return isSame && state.cursor !== null && size >= state.bytes ? state : nothing;
  } catch {
    return nothing;
  }
}
