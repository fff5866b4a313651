import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { SetTimer } from './threads.ts';

/** What changes within this time is looked at together. */
const SETTLE_MS = 100;

/** A file is taken for written when it has not grown for so long. */
const WRITTEN = { stabilityThreshold: 50, pollInterval: 20 };

/** How often it is looked whether the folder is still the same one. */
const LOOK_MS = 1_000;

export interface FolderWatch {
  readonly setTimer: SetTimer;
  /** Something in the folder has changed, and then been still for a moment. */
  readonly onChange: () => void;
  /** The folder cannot be followed, or not any more. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Follows a folder and what is below it, but not packages: what an `npm install` changes shows in the package's lock.
 * Where the system tells nothing, as on network drives, the environment variable `CHOKIDAR_USEPOLLING` makes it look by
 * itself.
 *
 * The system tells of a folder, and not of a path: when another folder is put in its place, as deploys and `git checkout`
 * do, nothing more is heard. So it is looked now and then which folder the path leads to, and that one is followed.
 *
 * @returns ends it
 */
export async function watchFolder(folder: string, options: FolderWatch): Promise<() => Promise<void>> {
  const following = new FollowedFolder(folder, options);
  await following.begin();
  return () => following.end();
}

class FollowedFolder {
  readonly #folder: string;
  readonly #options: FolderWatch;
  #watcher: FSWatcher | null = null;
  /** Which folder is followed; null: there is none at the path. */
  #followed: string | null = null;
  #cancelChange: (() => void) | null = null;
  #cancelLook: (() => void) | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(folder: string, options: FolderWatch) {
    this.#folder = folder;
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#followed = await identity(this.#folder);
    await this.#watch();
    this.#lookLater();
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    this.#cancelLook?.();
    this.#cancelChange?.();
    await this.#looking;
    await this.#watcher?.close();
  }

  async #watch(): Promise<void> {
    const watcher = watch(this.#folder, {
      ignoreInitial: true,
      awaitWriteFinish: WRITTEN,
      ignored: (path) => relative(this.#folder, path).split(sep).some(isPassedOver),
    });
    this.#watcher = watcher;
    watcher.on('all', (event, path) => {
      // A new folder may be given the number of the one that was removed: then it would be taken for that.
      if (event === 'unlinkDir' && relative(this.#folder, path) === '') this.#followed = null;
      this.#changed();
    });
    watcher.on('error', this.#options.onTrouble);
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
    });
  }

  #changed(): void {
    this.#cancelChange ??= this.#options.setTimer(() => {
      this.#cancelChange = null;
      this.#options.onChange();
    }, SETTLE_MS);
  }

  #lookLater(): void {
    if (this.#isEnded) return;
    this.#cancelLook = this.#options.setTimer(() => {
      this.#looking = this.#look()
        .catch(this.#options.onTrouble)
        .finally(() => this.#lookLater());
    }, LOOK_MS);
  }

  async #look(): Promise<void> {
    const found = await identity(this.#folder);
    if (found === this.#followed || this.#isEnded) return;
    this.#followed = found;
    await this.#watcher?.close();
    if (found !== null) await this.#watch();
    this.#changed();
  }
}

/** Tells a folder from one that is put in its place; null: there is none. */
async function identity(folder: string): Promise<string | null> {
  try {
    const { dev, ino, birthtimeNs } = await stat(folder, { bigint: true });
    return `${dev} ${ino} ${birthtimeNs}`;
  } catch {
    return null;
  }
}

function isPassedOver(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.');
}
