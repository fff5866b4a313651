import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './waiting.ts';

/** The built service, as `npm start` and the `concord` command run it. */
export const CLI = fileURLToPath(new URL('../../dist/src/http/cli.js', import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Programs to put in front: {@link CLI} and its arguments follow. */
  readonly command?: (command: readonly string[]) => readonly string[];
}

/** A process of the service's own, and what it says. */
export class ServiceProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  #log = '';
  #errors = '';
  #url: string | null = null;

  constructor({ args = [], env = {}, command = (given) => given }: StartOptions) {
    const [program = '', ...rest] = command([process.execPath, CLI, ...args]);
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('CONCORD_'));
    this.child = spawn(program, rest, {
      env: { ...Object.fromEntries(kept), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
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
    let exit: Exit | null = null;
    void service.exited.then((how) => {
      exit = how;
    });
    await until('the service is ready, or has ended', () => service.#url !== null || exit !== null, 20_000);
    if (exit !== null) throw new Error(`it ended: ${JSON.stringify(exit)} ${service.errors} ${service.log}`);
    return service;
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
