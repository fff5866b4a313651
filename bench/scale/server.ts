import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../bundle/http/cli.js', import.meta.url));

/** Memory of a process in MiB: what is its own (`anonymous`), and all that is mapped, files too. */
export interface Memory {
  readonly anonymous: number;
  readonly total: number;
}

/** Beside what every server is started with. */
export interface ServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The built service as a process of its own. */
export class Server {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /**
   * @param store a folder, or a connection string
   * @param profiles where it writes a CPU profile when it ends
   */
  static async start(
    store: string,
    ownerToken: string,
    profiles: string | null,
    { args = [], env = {} }: ServerOptions = {},
  ): Promise<Server> {
    const flags = profiles === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles];
    // As `npm start` does.
    const usual = { MALLOC_ARENA_MAX: '2', CONCORD_OWNER_TOKEN: ownerToken, CONCORD_RATE: '0' };
    const child = spawn(process.execPath, [...flags, CLI, '--port', '0', '--store', store, ...args], {
      env: { ...process.env, ...usual, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the service ended with code ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.msg === 'ready') resolve(entry.url);
        else if (entry.level >= 40) process.stderr.write(`${line}\n`);
      });
    });
    return new Server(child, url);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async memory(): Promise<Memory> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    const mib = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    return { anonymous: mib('RssAnon'), total: mib('VmRSS') };
  }

  /** Processor time so far, of all its threads, in seconds. */
  processorSeconds(): Promise<number> {
    return processorSeconds(this.pid);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }
}

/** Processor time of a process so far, of all its threads, in seconds. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user = '', system = ''] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  const TICKS_PER_SECOND = 100;
  return (Number(user) + Number(system)) / TICKS_PER_SECOND;
}
