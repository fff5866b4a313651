import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Below node_modules, so that a copy finds its packages. */
const COPIES = join(ROOT, 'node_modules/.cache/concord-test');

/** The strategies that a copy comes with. */
const PLUGINS = ['margin.ts', 'random.ts'];

/** A place in a built file, and what is to stand there instead. */
export interface Patch {
  /** Below `dist/src`. */
  readonly file: string;
  /** Must be there once. */
  readonly find: string;
  readonly put: string;
}

/**
 * Snapshots after some dozens of events, not some hundred thousand: a run is short. In nothing else does the service
 * under test differ from the one that is shipped.
 */
export const FREQUENT_SNAPSHOTS: readonly Patch[] = [
  {
    file: 'service/upkeep.js',
    find: 'const WORK_PER_SNAPSHOT = 200_000;',
    put: 'const WORK_PER_SNAPSHOT = 20;',
  },
  {
    file: 'service/upkeep.js',
    find: 'const BYTES_PER_EVENT = 1_000;',
    put: 'const BYTES_PER_EVENT = 1e9;',
  },
];

/**
 * Loads the code of the service, which is most of a start, and waits for a byte on standard input before it lets the
 * service begin: so the next process is made while the one before it runs. It ends when its parent does, which closes
 * that input.
 */
const AHEAD = `import { readSync } from 'node:fs';
await import('./bundle/http/run.js');
if (readSync(0, Buffer.alloc(1)) === 0) process.exit();
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume().unref();
`;

/** A copy of the built service, which nobody builds anew meanwhile. */
export interface Build {
  readonly cli: string;
  /** Its `src` folder, in which the service lies in pieces. */
  readonly src: string;
  /** For Node's `--import`; see {@link AHEAD}. */
  readonly ahead: string;
  remove(): Promise<void>;
}

/**
 * Copies the built service, with some places changed.
 * @throws {Error} a patch does not fit: the code has changed, and the patch must follow
 */
export async function buildWith(patches: readonly Patch[]): Promise<Build> {
  await mkdir(COPIES, { recursive: true });
  const folder = await mkdtemp(join(COPIES, 'crash-'));
  const code = join(folder, 'dist/src');
  await cp(join(ROOT, 'dist/src'), code, { recursive: true });
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'));
  // Few strategies: each is compiled and tried at every start.
  for (const file of PLUGINS) await cp(join(ROOT, 'plugins', file), join(folder, 'plugins', file));
  for (const { file, find, put } of patches) {
    const path = join(code, file);
    const parts = (await readFile(path, 'utf8')).split(find);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places that read: ${find}`);
    await writeFile(path, parts.join(put));
  }
  await promisify(execFile)(process.execPath, [join(ROOT, 'dist/scripts/bundle.js'), folder]);
  const ahead = join(folder, 'dist/ahead.mjs');
  await writeFile(ahead, AHEAD);
  return {
    cli: join(folder, 'dist/bundle/http/cli.js'),
    src: code,
    ahead,
    remove: () => rm(folder, { recursive: true }),
  };
}
