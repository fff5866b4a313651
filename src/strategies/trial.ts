import { availableParallelism } from 'node:os';
import type { Compiled } from './compile.ts';
import { locate, withPlace } from './locate.ts';
import type { MemoryWatch } from './memoryWatch.ts';
import type { Calls } from './protocol.ts';
import {
  type CallLimits,
  Thread,
  ThreadLost,
  type ThreadOptions,
  ThreadRefusal,
  watched,
} from './threads.ts';

/** How a plugin describes itself, or why it cannot be used. */
export type Trial = (Calls['describe']['output'] & { readonly problem: null }) | { readonly problem: string };

interface Candidate {
  readonly file: string;
  readonly compiled: Compiled;
}

/** How long a plugin that was imported must go without an error before it is called good. */
const TRIAL_MS = 10;

/**
 * Imports plugins, to see whether they can be used; the answers are in the order of the plugins.
 *
 * First all of them in one worker, as most folders are in order and workers cost time. If anything goes wrong there, or one
 * changes what all in a thread share, nothing that was seen there counts: each is tried again in a worker of its own,
 * where it can break nothing but itself.
 */
export async function tryPlugins(
  plugins: readonly Candidate[],
  options: ThreadOptions & { readonly memory: MemoryWatch },
  loading: CallLimits,
): Promise<Trial[]> {
  const [only] = plugins;
  if (only !== undefined && plugins.length === 1) return [await tryAlone(only, options, loading)];
  const together = await tryIn(plugins, options, loading);
  if (!(together instanceof Failure)) return together;
  return eachOf(plugins, availableParallelism(), (plugin) => tryAlone(plugin, options, loading));
}

async function tryAlone(
  plugin: Candidate,
  options: ThreadOptions & { readonly memory: MemoryWatch },
  loading: CallLimits,
): Promise<Trial> {
  const alone = await tryIn([plugin], options, loading);
  return alone instanceof Failure ? { problem: alone.of(plugin) } : (alone[0] as Trial);
}

/** What went wrong in a worker. */
class Failure {
  readonly #text: string;
  readonly #stack: string;

  constructor(text: string, stack: string) {
    this.#text = text;
    this.#stack = stack;
  }

  of({ file, compiled }: Candidate): string {
    return withPlace(this.#text, locate(this.#stack, file, compiled.map));
  }
}

async function tryIn(
  plugins: readonly Candidate[],
  options: ThreadOptions & { readonly memory: MemoryWatch },
  loading: CallLimits,
): Promise<Trial[] | Failure> {
  if (plugins.length === 0) return [];
  const thread = await Thread.start(options, []);
  const describe = async () => {
    const trials: Trial[] = [];
    for (const { file, compiled } of plugins) {
      const input = { file, code: compiled.code, isShared: plugins.length > 1 };
      const described = await watched(options.memory, thread, () => thread.call('describe', input, loading));
      trials.push({ ...described, problem: null });
    }
    return trials;
  };
  try {
    await describe();
    await thread.linger(TRIAL_MS);
    // Asked again, for on a busy machine the worker may not have had a turn meanwhile.
    return await describe();
  } catch (error) {
    if (error instanceof ThreadLost) return new Failure(error.message, error.strayStack);
    if (error instanceof ThreadRefusal && error.error.code === 'strategy-failed') {
      return new Failure(error.error.detail, error.error.stack);
    }
    throw error;
  } finally {
    // Nothing is wanted of it any more; nobody need wait for its end.
    thread.terminate(new Error('the plugins are described')).catch(() => {});
  }
}

/** Does the same for each item, for at most so many at a time; the answers are in the order of the items. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [i, item] of left) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
