import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

/** What a server process has used so far, and holds. */
export interface Usage {
  /** Processor time of all its threads, in microseconds. */
  readonly cpu: number;
  /** After collecting garbage, in bytes. */
  readonly heap: number;
  /** Resident memory, in bytes. */
  readonly resident: number;
  /** How late timers of 1 ms were since it was asked last, in milliseconds: what the event loop was busy with. */
  readonly delay: { readonly p99: number; readonly max: number };
}

/** What a server process is told. */
export type Command = { readonly usage: { readonly collect: boolean } } | { readonly broadcast: number };

interface Asked {
  readonly id: number;
  readonly command: Command;
}

interface Answered {
  readonly id: number;
  readonly result: unknown;
}

/** A server as a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly url: string;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    child.on('message', ({ id, result }: Answered) => {
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  /** @param script beside this file, without its ending */
  static async start(script: string, args: readonly string[] = []): Promise<ServerProcess> {
    const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
    const child = fork(path, args, { execArgv: ['--expose-gc', ...process.execArgv] });
    const [url] = await once(child, 'message');
    return new ServerProcess(child, String(url));
  }

  async usage({ collect = false } = {}): Promise<Usage> {
    return (await this.ask({ usage: { collect } })) as Usage;
  }

  /** Sends a command; resolves with its answer. */
  async ask(command: Command): Promise<unknown> {
    const id = this.#asked++;
    this.#child.send({ id, command } satisfies Asked);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async stop(): Promise<void> {
    this.#child.disconnect();
    await once(this.#child, 'exit');
  }
}

/** In the server's process: says where it listens, and answers commands until the parent goes. */
export function serveCommands(
  url: string,
  {
    broadcast = async () => undefined,
    close,
  }: { readonly broadcast?: (times: number) => Promise<void>; readonly close: () => Promise<void> },
): void {
  process.on('message', ({ id, command }: Asked) => {
    const answer = async () => {
      if ('broadcast' in command) return broadcast(command.broadcast);
      return usageNow(command.usage.collect);
    };
    void answer().then((result) => process.send?.({ id, result } satisfies Answered));
  });
  process.once('disconnect', () => void close().then(() => process.exit()));
  delays.enable();
  process.send?.(url);
}

const delays = monitorEventLoopDelay({ resolution: 1 });

async function usageNow(collect: boolean): Promise<Usage> {
  const { user, system } = process.cpuUsage();
  if (collect) {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const { heapUsed, rss } = process.memoryUsage();
  const inMilliseconds = (nanoseconds: number) => nanoseconds / 1e6;
  const delay = { p99: inMilliseconds(delays.percentile(99)), max: inMilliseconds(delays.max) };
  delays.reset();
  return { cpu: user + system, heap: heapUsed, resident: rss, delay };
}
