import { relative, sep } from 'node:path';
import { watch } from 'chokidar';
import type { SetTimer } from './threads.ts';

/** What changes within this time is looked at together. */
const SETTLE_MS = 100;

/** A file is taken for written when it has not grown for so long. */
const WRITTEN = { stabilityThreshold: 50, pollInterval: 20 };

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
 * @returns ends it
 */
export async function watchFolder(
  folder: string,
  { setTimer, onChange, onTrouble }: FolderWatch,
): Promise<() => Promise<void>> {
  let cancel: (() => void) | null = null;
  const watcher = watch(folder, {
    ignoreInitial: true,
    awaitWriteFinish: WRITTEN,
    ignored: (path) => relative(folder, path).split(sep).some(isPassedOver),
  });
  watcher.on('all', () => {
    cancel ??= setTimer(() => {
      cancel = null;
      onChange();
    }, SETTLE_MS);
  });
  watcher.on('error', onTrouble);
  await new Promise<void>((resolve) => {
    watcher.once('ready', resolve);
  });
  return async () => {
    cancel?.();
    await watcher.close();
  };
}

function isPassedOver(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.');
}
