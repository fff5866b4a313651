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

/** The built service as a process of its own, on the embedded store in a folder. */
export class Server {
  readonly #child: ChildProcess;
  readonly url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** @param profiles where it writes a CPU profile when it ends */
  static async start(folder: string, ownerToken: string, profiles: string | null): Promise<Server> {
    const flags = profiles === null ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles];
    const child = spawn(process.execPath, [...flags, CLI, '--port', '0', '--store', folder], {
      // As `npm start` does.
      env: { ...process.env, MALLOC_ARENA_MAX: '2', CONCORD_OWNER_TOKEN: ownerToken, CONCORD_RATE: '0' },
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

  async memory(): Promise<Memory> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    const mib = (field: string) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
    return { anonymous: mib('RssAnon'), total: mib('VmRSS') };
  }

  /** Processor time so far, of all its threads, in seconds. */
  async processorSeconds(): Promise<number> {
    const stat = await readFile(`/proc/${this.#child.pid}/stat`, 'utf8');
    const [user = '', system = ''] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    const TICKS_PER_SECOND = 100;
    return (Number(user) + Number(system)) / TICKS_PER_SECOND;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }
}
