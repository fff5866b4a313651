import { Worker } from 'node:worker_threads';
import type { Compiled } from './compile.ts';
import { workerEntry } from './entry.ts';
import { locate, withPlace } from './locate.ts';
import { MemoryWatch } from './memoryWatch.ts';
import type { SetTimer } from './threads.ts';

/** What the worker is given; the others follow when it has said that the plugin may ask some. */
export interface CheckInput {
  readonly file: string;
  readonly code: string;
  readonly parameters: unknown;
  readonly others: readonly { readonly file: string; readonly code: string }[];
}

/** What the worker says. */
export type CheckMessage =
  | { readonly kind: 'unusable'; readonly problem: string; readonly stack: string }
  | { readonly kind: 'loaded'; readonly name: string; readonly mayAsk: boolean }
  | { readonly kind: 'begun'; readonly name: string }
  | { readonly kind: 'checked'; readonly name: string; readonly problem: string | null }
  | { readonly kind: 'done' };

export interface CheckOptions {
  readonly parameters: unknown;
  readonly setTimer: SetTimer;
  /** How long it may take to be imported, and each check, in milliseconds. */
  readonly timeoutMs: number;
  /** The largest heap of its worker, and how much it may take beside that, in MiB. */
  readonly memoryMb: number;
  readonly bufferMb: number;
  /** Called when it was imported, with its name. */
  readonly onLoaded: (name: string) => void;
  /** The plugins that it may ask; called only if it may ask any. */
  readonly others: () => Promise<CheckInput['others']>;
  /** Called after each check. A check that does not end is the last one. */
  readonly onChecked: (name: string, problem: string | null) => void;
}

/** The plugin cannot be imported. */
export class UnusablePluginError extends Error {
  override name = 'UnusablePluginError';
}

/**
 * Runs the conformance suite over a plugin, in a worker: one that loops, ends its process or takes all memory is stopped,
 * and the check in which it did so is broken.
 *
 * @throws {UnusablePluginError}
 */
export async function checkPlugin(file: string, compiled: Compiled, options: CheckOptions): Promise<void> {
  const { setTimer, timeoutMs, memoryMb, bufferMb } = options;
  const worker = new Worker(await workerEntry('checkWorker'), {
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
  });
  let running: string | null = null;
  let stopTimer = () => {};
  let leave = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      let isOver = false;
      const stop = (problem: string) => {
        if (isOver) return;
        isOver = true;
        if (running === null) reject(new UnusablePluginError(problem));
        else options.onChecked(running, problem);
        resolve();
      };
      const begin = () => {
        stopTimer();
        stopTimer = setTimer(() => stop(`it did not end within ${timeoutMs} ms`), timeoutMs);
      };
      leave = new MemoryWatch(bufferMb, setTimer).enter((limit) =>
        stop(`it used more than ${limit} MiB of memory outside of its JavaScript heap`),
      );
      const hear = async (message: CheckMessage) => {
        if (isOver) return undefined;
        begin();
        switch (message.kind) {
          case 'unusable': {
            const place = locate(message.stack, file, compiled.map);
            return reject(new UnusablePluginError(withPlace(message.problem, place)));
          }
          case 'loaded':
            options.onLoaded(message.name);
            stopTimer();
            worker.postMessage(message.mayAsk ? await options.others() : []);
            return begin();
          case 'begun':
            running = message.name;
            return undefined;
          case 'checked':
            return options.onChecked(message.name, message.problem);
          case 'done':
            isOver = true;
            return resolve();
        }
      };
      worker.on('message', (message: CheckMessage) => void hear(message).catch(reject));
      worker.on('error', (error: unknown) => {
        const isMemory =
          error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        stop(isMemory ? `it used more than ${memoryMb} MiB of memory` : `it left an error behind: ${error}`);
      });
      worker.on('exit', (code) => stop(`it ended its worker, with code ${code}, or never answers`));
      begin();
      const { code } = compiled;
      worker.postMessage({ file, code, parameters: options.parameters, others: [] } satisfies CheckInput);
    });
  } finally {
    stopTimer();
    leave();
    await worker.terminate();
  }
}
