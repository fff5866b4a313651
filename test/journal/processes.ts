import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SCRIPT = fileURLToPath(new URL('child.ts', import.meta.url));
/** Below node_modules, so that the script finds the packages that are not bundled into it. */
const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/concord-test', import.meta.url));

/** Makes of `child.ts` what any Node runs, and returns where it is. */
export async function bundleChild(): Promise<string> {
  await mkdir(BUNDLES, { recursive: true });
  const outfile = join(BUNDLES, `journal-child-${process.pid}.mjs`);
  await build({
    entryPoints: [SCRIPT],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  return outfile;
}

/** Whether a program is there and does what is asked of it. */
export function canRun(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0;
}

const NAMESPACE = ['unshare', '--user', '--map-root-user', '--mount'];

/** Whether {@link onDisk} works: not every container lets its users make namespaces. */
export const canMount = canRun('unshare', ...NAMESPACE.slice(1), 'mount', '-t', 'tmpfs', 'none', '/mnt');
if (!canMount) console.warn('tests are skipped: no disk can be mounted in a namespace of our own here');

/** The command, run where a folder is a disk in memory that nobody else sees. Needs no privilege. */
export function onDisk(options: string, folder: string, command: readonly string[]): string[] {
  return [
    ...NAMESPACE,
    'sh',
    '-c',
    `mount -t tmpfs -o ${options} none "$0" && exec "$@"`,
    folder,
    ...command,
  ];
}

/** A running `child.ts`. */
export class Child {
  readonly pid: number;
  /** What it wrote first: `open`, or why it failed. */
  readonly greeting: Promise<string>;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param command what to run: Node, the script and the folder, with other programs in front if need be */
  constructor([program = '', ...args]: readonly string[]) {
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    if (!this.#process.stdout) throw new Error('no output');
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
    this.pid = this.#process.pid ?? 0;
    this.greeting = this.#next();
  }

  /** Gives a command, and returns the lines of the answer. */
  async ask(command: string): Promise<string[]> {
    this.#process.stdin?.write(`${command}\n`);
    const answer: string[] = [];
    for (let line = await this.#next(); line !== 'done'; line = await this.#next()) answer.push(line);
    return answer;
  }

  /** Lets it close the store and end. */
  async end(): Promise<void> {
    this.#process.stdin?.end();
    await this.#exit();
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit();
  }

  async #exit(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
  }

  async #next(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error('the child ended in the middle of an answer');
    return value;
  }
}
