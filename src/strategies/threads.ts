import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { MemoryWatch } from './memoryWatch.ts';
import type {
  CallName,
  Calls,
  HostMessage,
  ScoreTask,
  WorkerData,
  WorkerError,
  WorkerPlugin,
  WorkerRequest,
} from './protocol.ts';
import { type Answer, InvalidReplyError, readAnswer, readHelp, readReady } from './replies.ts';
import type { Best } from './split.ts';
import { thrown } from './text.ts';
import { turn } from './turn.ts';

/** Calls `fn` once, `ms` milliseconds from now, unless the returned function is called first. */
export type SetTimer = (fn: () => void, ms: number) => () => void;

export interface ThreadOptions {
  /** The worker's entry point: its URL, or a `data:` URL with its text. */
  readonly entry: URL;
  readonly setTimer: SetTimer;
  /** The largest JavaScript heap of a thread, in MiB. */
  readonly memoryMb: number;
}

export interface CallLimits {
  readonly timeoutMs: number;
  /** Aborting rejects with the signal's reason. A call under way ends with its thread. */
  readonly signal?: AbortSignal | undefined;
}

/** What a worker answered instead of a value. */
export class ThreadRefusal extends Error {
  override name = 'ThreadRefusal';
  readonly error: WorkerError;

  constructor(error: WorkerError) {
    super(error.code);
    this.error = error;
  }
}

export type LossReason = 'timed-out' | 'crashed' | 'invalid-result';

/** The thread ended, or was ended, before it answered. */
export class ThreadLost extends Error {
  override name = 'ThreadLost';
  readonly reason: LossReason;
  /** Of the error that ended it; empty if there was none. */
  readonly strayStack: string;
  /** Whether it had served other calls before: then one of those may have left behind what ended it. */
  wasUsed = false;

  constructor(reason: LossReason, message: string, strayStack = '') {
    super(message);
    this.reason = reason;
    this.strayStack = strayStack;
  }
}

/** Has other threads score shares of a pool; never rejects. */
type OnHelp = (task: ScoreTask) => Promise<HostMessage['parts']>;

/** How long a thread may still run after it was told that nobody wants its answer. */
const GRACE_MS = 100;

/** Those of the threads that live. */
const seats = new Set<number>();

/** The smallest that is free: memory has room for a few. */
function takeSeat(): number {
  let seat = 0;
  while (seats.has(seat)) seat++;
  seats.add(seat);
  return seat;
}

/** One worker thread. It answers one call at a time, and is of no use after it was lost. */
export class Thread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ending = new Int32Array(new SharedArrayBuffer(4));
  readonly #setTimer: SetTimer;
  #hear: (message: unknown) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #onHelp: OnHelp = async () => [];
  #lost: { readonly error: unknown } | null = null;
  #calls = 0;

  private constructor({ entry, setTimer, memoryMb }: ThreadOptions, plugins: readonly WorkerPlugin[]) {
    this.#setTimer = setTimer;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const seat = takeSeat();
    this.#worker = new Worker(entry, {
      workerData: { port: port2, plugins, ending: this.#ending, seat } satisfies WorkerData,
      transferList: [port2],
      // Plugins see neither the service's secrets nor the flags that it was started with.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    const lose = (reason: LossReason, message: string, stack?: string) =>
      this.#end(new ThreadLost(reason, message, stack));
    port1.on('message', (message) => {
      const asked = readHelp(this.#calls, message);
      if (asked === undefined) return this.#hear(message);
      void this.#onHelp(asked.task).then((parts) => {
        const told: HostMessage = { kind: 'helped', ask: asked.ask, parts };
        if (this.alive) this.#port.postMessage(told);
      });
    });
    port1.on('messageerror', () => lose('invalid-result', 'a message from its worker cannot be read'));
    this.#worker.on('message', () => lose('invalid-result', 'it posted a message to the service'));
    this.#worker.on('messageerror', () => lose('invalid-result', 'it posted a message to the service'));
    // Only now does it write to memory no more.
    this.#worker.on('exit', () => seats.delete(seat));
    this.#worker.on('exit', (code) => lose('crashed', `its worker exited with code ${code}`));
    this.#worker.on('error', (error: unknown) => {
      if (isOutOfMemory(error)) lose('crashed', `it used more than ${memoryMb} MiB of memory`);
      else lose('crashed', thrown(error), error instanceof Error ? String(error.stack) : '');
    });
  }

  /** Starts a thread, and waits until it listens, so that no call's time runs meanwhile. */
  static async start(options: ThreadOptions, plugins: readonly WorkerPlugin[]): Promise<Thread> {
    const thread = new Thread(options, plugins);
    readReady(await thread.#next());
    return thread;
  }

  get alive(): boolean {
    return this.#lost === null;
  }

  /** @throws {ThreadRefusal | ThreadLost} or the signal's reason */
  async call<Name extends CallName>(
    call: Name,
    input: Calls[Name]['input'],
    { timeoutMs, signal }: CallLimits,
    onHelp: OnHelp = async () => [],
  ): Promise<Calls[Name]['output']> {
    signal?.throwIfAborted();
    const id = ++this.#calls;
    this.#port.postMessage({ id, call, input } as WorkerRequest);
    this.#onHelp = onHelp;
    const answered = this.#next();
    const stopTimer = this.#setTimer(
      () => this.#end(new ThreadLost('timed-out', `it did not end within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const abort = () => this.#end(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const message = await answered;
      // What the worker has said and done before on other ports is heard first.
      await turn();
      if (this.#lost !== null) throw this.#lost.error;
      const answer = this.#read(call, id, input, message);
      if ('error' in answer) throw new ThreadRefusal(answer.error);
      return answer.value;
    } catch (error) {
      if (error instanceof ThreadLost) error.wasUsed ||= id > 1;
      throw error;
    } finally {
      stopTimer();
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Waits a while for what a call may have left behind.
   * @throws {ThreadLost} the thread was lost meanwhile
   */
  async linger(ms: number): Promise<void> {
    const lost = this.#next();
    const over = new Promise<void>((resolve) => {
      this.#setTimer(resolve, ms);
    });
    await Promise.race([lost, over]);
  }

  /** Ends it, as one that is of no use any more. */
  lose(error: ThreadLost): void {
    this.#end(error);
  }

  async terminate(error: Error): Promise<void> {
    this.#end(error);
    await this.#worker.terminate();
  }

  #read<Name extends CallName>(
    call: Name,
    id: number,
    input: Calls[Name]['input'],
    message: unknown,
  ): Answer<Name> {
    try {
      return readAnswer(call, id, input, message);
    } catch (error) {
      const lost =
        error instanceof InvalidReplyError ? new ThreadLost('invalid-result', error.message) : error;
      this.#end(lost);
      throw lost;
    }
  }

  #next(): Promise<unknown> {
    if (this.#lost !== null) return Promise.reject(this.#lost.error);
    return new Promise((resolve, reject) => {
      this.#hear = resolve;
      this.#fail = reject;
    });
  }

  #end(error: unknown): void {
    if (this.#lost !== null) return;
    this.#lost = { error };
    Atomics.store(this.#ending, 0, 1);
    this.#fail(error);
    this.#port.close();
    // Who is asked to end, and has done nothing wrong yet, may let go what it holds.
    const isAsked = !(error instanceof ThreadLost) || error.reason === 'timed-out';
    if (isAsked) this.#setTimer(() => void this.#worker.terminate(), GRACE_MS);
    else void this.#worker.terminate();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

/** Whom a thread serves: a plugin's file, among the plugins of one reading of the folder. */
export interface Owner {
  readonly plugins: readonly WorkerPlugin[];
  readonly file: string;
}

interface Job {
  /** Whom the thread must serve that runs it. */
  readonly owner: Owner;
  /** Whether that must be a thread that has served nobody yet. */
  readonly fresh: boolean;
  readonly run: (thread: Thread) => Promise<void>;
  readonly drop: (error: unknown) => void;
}

interface Owned {
  readonly owner: Owner;
  readonly thread: Thread;
  /** Nobody has wanted it since the idle threads were looked through last. */
  isUnwanted: boolean;
}

/** Threads that were idle for so long are ended, or twice as long: a large pool leaves as much in each. */
const IDLE_MS = 10_000;

/**
 * A fixed number of threads, started when they are needed and replaced when they are lost. First come, first
 * served.
 *
 * Each thread serves one owner for as long as it lives, so that nobody finds what somebody else has left in it.
 */
export class ThreadPool {
  readonly #size: number;
  readonly #options: ThreadOptions;
  readonly #memory: MemoryWatch;
  #idle: Owned[] = [];
  #stopLooking: (() => void) | null = null;
  readonly #running = new Set<Thread>();
  readonly #starting = new Set<Job>();
  readonly #jobs: Job[] = [];
  #closed: Error | null = null;

  constructor(size: number, options: ThreadOptions, memory: MemoryWatch) {
    this.#size = size;
    this.#options = options;
    this.#memory = memory;
  }

  /** As {@link Thread.call}, on the next free thread; the time limit begins when the call does. */
  call<Name extends CallName>(
    { owner, fresh }: Pick<Job, 'owner' | 'fresh'>,
    call: Name,
    input: Calls[Name]['input'],
    limits: CallLimits,
  ): Promise<Calls[Name]['output']> {
    return new Promise((resolve, reject) => {
      const { signal } = limits;
      if (this.#closed !== null) return reject(this.#closed);
      if (signal?.aborted) return reject(signal.reason);

      const leave = () => {
        const place = this.#jobs.indexOf(job);
        if (place >= 0) this.#jobs.splice(place, 1);
        reject(signal?.reason);
      };
      const job: Job = {
        owner,
        fresh,
        run: async (thread) => {
          signal?.removeEventListener('abort', leave);
          // Aborted while its thread was started for it: the thread does for the next.
          if (signal?.aborted) return;
          const ended = new AbortController();
          // Who is to depend on nothing that was before is not helped by those who were.
          const onHelp: OnHelp = async (task) =>
            fresh ? [] : this.#helpWith(owner, task, { ...limits, signal: ended.signal });
          await this.#watched(thread, () => thread.call(call, input, limits, onHelp)).then(resolve, reject);
          // Nobody wants what others still score for it.
          ended.abort();
        },
        drop: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#jobs.push(job);
      this.#serve();
    });
  }

  /** Ends the threads that nobody uses just now: they have loaded what is not wanted any more. */
  dismissIdle(): void {
    for (const { thread } of this.#idle.splice(0)) {
      void thread.terminate(new Error('the plugins have changed'));
    }
  }

  /**
   * Has the threads that would be idle score shares. Only those that have served the same owner before: a new one would
   * be ready when the work is done, so it is started for the next time.
   */
  async #helpWith(owner: Owner, task: ScoreTask, limits: CallLimits): Promise<(Best | null)[]> {
    if (this.#jobs.length > 0) return [];
    const helpers = this.#idle.filter((one) => one.thread.alive && isSame(one.owner, owner));
    this.#idle = this.#idle.filter((one) => !helpers.includes(one));
    if (helpers.length === 0) this.#startAhead(owner);
    return Promise.all(
      helpers.map(async ({ thread }) => {
        let best: Best | null = null;
        await this.#run(owner, thread, async () => {
          best = await this.#watched(thread, () => thread.call('score', task, limits)).catch(() => null);
        });
        return best;
      }),
    );
  }

  #startAhead(owner: Owner): void {
    const job: Job = { owner, fresh: true, run: async () => {}, drop: () => {} };
    const busy = this.#idle.length + this.#running.size + this.#starting.size;
    if (busy < this.#size) void this.#startFor(job);
  }

  #watched<T>(thread: Thread, call: () => Promise<T>): Promise<T> {
    return watched(this.#memory, thread, call);
  }

  /** Ends all threads; what waits or runs is rejected with the error. */
  async close(error: Error): Promise<void> {
    this.#closed = error;
    this.#stopLooking?.();
    for (const job of [...this.#jobs.splice(0), ...this.#starting]) job.drop(error);
    const idle = this.#idle.splice(0).map(({ thread }) => thread);
    await Promise.all([...idle, ...this.#running].map((thread) => thread.terminate(error)));
  }

  #serve(): void {
    // A thread can be lost while idle, by an error that a plugin left behind.
    this.#idle = this.#idle.filter(({ thread }) => thread.alive);
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      const { owner, fresh } = job;
      const own = fresh ? undefined : this.#idle.find((one) => isSame(one.owner, owner));
      if (own !== undefined) {
        this.#idle.splice(this.#idle.indexOf(own), 1);
        void this.#run(job.owner, own.thread, job.run);
      } else {
        if (this.#idle.length + this.#running.size + this.#starting.size >= this.#size) {
          const longest = this.#idle.shift();
          if (longest === undefined) return;
          void longest.thread.terminate(new Error('another strategy needs its place'));
        }
        void this.#startFor(job);
      }
      this.#jobs.shift();
    }
  }

  async #startFor(job: Job): Promise<void> {
    this.#starting.add(job);
    try {
      const thread = await Thread.start(this.#options, job.owner.plugins);
      this.#starting.delete(job);
      if (this.#closed === null) return await this.#run(job.owner, thread, job.run);
      await thread.terminate(this.#closed);
    } catch (error) {
      this.#starting.delete(job);
      job.drop(error);
      this.#serve();
    }
  }

  async #run(owner: Owner, thread: Thread, work: (thread: Thread) => Promise<void>): Promise<void> {
    this.#running.add(thread);
    await work(thread);
    this.#running.delete(thread);
    if (this.#closed !== null) void thread.terminate(this.#closed);
    else if (thread.alive) {
      this.#idle.push({ owner, thread, isUnwanted: false });
      this.#lookThroughLater();
    }
    this.#serve();
  }

  #lookThroughLater(): void {
    if (this.#stopLooking !== null || this.#idle.length === 0) return;
    this.#stopLooking = this.#options.setTimer(() => {
      this.#stopLooking = null;
      for (const { thread } of this.#idle.filter(({ isUnwanted }) => isUnwanted)) {
        void thread.terminate(new Error('nobody has wanted it for long'));
      }
      this.#idle = this.#idle.filter(({ isUnwanted }) => !isUnwanted);
      for (const one of this.#idle) one.isUnwanted = true;
      this.#lookThroughLater();
    }, IDLE_MS);
  }
}

/** Runs a call that ends when it takes up too much memory. */
export async function watched<T>(memory: MemoryWatch, thread: Thread, call: () => Promise<T>): Promise<T> {
  const leave = memory.enter((limitMb, isAlone) => {
    const message = `it used more than ${limitMb} MiB of memory outside of its JavaScript heap`;
    const lost = new ThreadLost('crashed', message);
    // With others under way it may have been another's doing: then it is run again.
    lost.wasUsed = !isAlone;
    thread.lose(lost);
  });
  try {
    return await call();
  } finally {
    leave();
  }
}

function isSame(one: Owner, other: Owner): boolean {
  return one.plugins === other.plugins && one.file === other.file;
}
