import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './waiting.ts';

/** The built service, as `npm start` and the `concord` command run it. */
const CLI = fileURLToPath(new URL('../../dist/bundle/http/cli.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The build to run, by its `cli.js`. Default: {@link CLI}. */
  readonly cli?: string;
  /** Programs to put in front: Node, the build and its arguments follow. */
  readonly command?: (command: readonly string[]) => readonly string[];
}

/** A line of the service's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** From this level on a line of the log tells of something that is wrong. */
const WARNING = 40;

/** A process of the service's own, and what it says. */
export class ServiceProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  #log = '';
  #errors = '';
  #url: string | null = null;

  constructor({ args = [], env = {}, cli = CLI, command = (given) => given }: StartOptions) {
    const [program = '', ...rest] = command([process.execPath, cli, ...args]);
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('CONCORD_'));
    this.child = spawn(program, rest, {
      env: { ...Object.fromEntries(kept), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors += text;
    });
    if (this.child.stdout) {
      createInterface(this.child.stdout).on('line', (line) => {
        this.#log += `${line}\n`;
        if (line.includes('"msg":"ready"')) this.#url = JSON.parse(line).url.replace(/\/graphql$/, '');
      });
    }
    this.exited = once(this.child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Starts it and waits until it is ready. */
  static async ready(options: StartOptions): Promise<ServiceProcess> {
    const service = new ServiceProcess(options);
    await service.untilReady();
    return service;
  }

  /** @throws {Error} it has ended before it was ready */
  async untilReady(): Promise<void> {
    let exit: Exit | null = null;
    void this.exited.then((how) => {
      exit = how;
    });
    await until('the service is ready, or has ended', () => this.#url !== null || exit !== null, 20_000);
    if (exit !== null) throw new Error(`it ended: ${JSON.stringify(exit)} ${this.errors} ${this.log}`);
  }

  /** Where it listens. */
  get url(): string {
    if (this.#url === null) throw new Error('it is not ready');
    return this.#url;
  }

  /** Its standard output: the log. */
  get log(): string {
    return this.#log;
  }

  /** The lines of its log that tell of something wrong. */
  get warnings(): readonly LogLine[] {
    const lines = this.#log.split('\n').filter((line) => line !== '');
    return lines.map((line): LogLine => JSON.parse(line)).filter(({ level }) => level >= WARNING);
  }

  /** Its standard error. */
  get errors(): string {
    return this.#errors;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Sends a signal, and tells how it ended and after how many milliseconds. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit & { readonly ms: number }> {
    const since = Date.now();
    this.child.kill(signal);
    return { ...(await this.exited), ms: Date.now() - since };
  }

  /** Makes sure that it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.exited;
  }
}

/** Runs one of the commands beside the service, such as `concord verify`, to its end. */
export async function runConcord(
  options: StartOptions,
): Promise<{ readonly code: number | null; readonly out: string; readonly errors: string }> {
  const command = new ServiceProcess(options);
  const { code } = await command.exited;
  return { code, out: command.log, errors: command.errors };
}
