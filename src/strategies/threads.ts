import { Worker } from 'node:worker_threads';
import type { CallName, Calls, WorkerData, WorkerError, WorkerMessage, WorkerRequest } from './protocol.ts';

/** Calls `fn` once, `ms` milliseconds from now, unless the returned function is called first. */
export type SetTimer = (fn: () => void, ms: number) => () => void;

export interface ThreadOptions {
  /** The worker's entry point: its URL, or a `data:` URL with its text. */
  readonly entry: URL;
  readonly data: WorkerData;
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

/** The thread ended, or was ended, before it answered. */
export class ThreadLost extends Error {
  override name = 'ThreadLost';
  readonly reason: 'timed-out' | 'crashed';

  constructor(reason: 'timed-out' | 'crashed', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** One worker thread. It answers one call at a time, and is of no use after it was lost. */
class Thread {
  readonly #worker: Worker;
  readonly #setTimer: SetTimer;
  #answer: (message: WorkerMessage) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #alive = true;

  private constructor({ entry, data, setTimer, memoryMb }: ThreadOptions) {
    this.#setTimer = setTimer;
    this.#worker = new Worker(entry, {
      workerData: data,
      // Plugins see neither the service's secrets nor the flags that it was started with.
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    this.#worker.on('message', (message: WorkerMessage) => this.#answer(message));
    this.#worker.on('messageerror', (error) => this.#end(new ThreadLost('crashed', error.message)));
    this.#worker.on('error', (error) => this.#end(new ThreadLost('crashed', firstLine(error))));
    this.#worker.on('exit', (code) =>
      this.#end(new ThreadLost('crashed', `its worker exited with code ${code}`)),
    );
  }

  /** Starts a thread, and waits until it listens, so that no call's time runs meanwhile. */
  static async start(options: ThreadOptions): Promise<Thread> {
    const thread = new Thread(options);
    await thread.#next();
    return thread;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** @throws {ThreadRefusal | ThreadLost} or the signal's reason */
  async call<Name extends CallName>(
    call: Name,
    input: Calls[Name]['input'],
    { timeoutMs, signal }: CallLimits,
  ): Promise<Calls[Name]['output']> {
    signal?.throwIfAborted();
    this.#worker.postMessage({ call, input } as WorkerRequest);
    const answered = this.#next();
    const stopTimer = this.#setTimer(
      () => this.#end(new ThreadLost('timed-out', `it did not end within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const abort = () => this.#end(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const message = await answered;
      if (message.kind === 'error') throw new ThreadRefusal(message.error);
      if (message.kind === 'ready') throw new Error('a worker is ready once');
      return message.value as Calls[Name]['output'];
    } finally {
      stopTimer();
      signal?.removeEventListener('abort', abort);
    }
  }

  async terminate(error: Error): Promise<void> {
    this.#end(error);
    await this.#worker.terminate();
  }

  #next(): Promise<WorkerMessage> {
    return new Promise((resolve, reject) => {
      this.#answer = resolve;
      this.#fail = reject;
    });
  }

  #end(error: unknown): void {
    this.#alive = false;
    this.#fail(error);
    void this.#worker.terminate();
  }
}

/** The first of what an uncaught error says; a value that is no error can be thrown too. */
function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
}

interface Job {
  readonly run: (thread: Thread) => Promise<void>;
  readonly drop: (error: unknown) => void;
}

/** A fixed number of threads, started when they are needed and replaced when they are lost. First come, first served. */
export class ThreadPool {
  readonly #size: number;
  readonly #start: () => Promise<Thread>;
  readonly #idle: Thread[] = [];
  readonly #running = new Set<Thread>();
  readonly #jobs: Job[] = [];
  #starting = 0;
  #closed: Error | null = null;

  constructor(size: number, options: ThreadOptions) {
    this.#size = size;
    this.#start = () => Thread.start(options);
  }

  /** As {@link Thread.call}, on the next free thread; the time limit begins when the call does. */
  call<Name extends CallName>(
    call: Name,
    input: Calls[Name]['input'],
    limits: CallLimits,
  ): Promise<Calls[Name]['output']> {
    return new Promise((resolve, reject) => {
      const { signal } = limits;
      if (this.#closed !== null) return reject(this.#closed);
      if (signal?.aborted) return reject(signal.reason);

      const leave = () => {
        this.#jobs.splice(this.#jobs.indexOf(job), 1);
        reject(signal?.reason);
      };
      const job: Job = {
        run: (thread) => {
          signal?.removeEventListener('abort', leave);
          return thread.call(call, input, limits).then(resolve, reject);
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

  /** Ends all threads; what waits or runs is rejected with the error. */
  async close(error: Error): Promise<void> {
    this.#closed = error;
    for (const job of this.#jobs.splice(0)) job.drop(error);
    await Promise.all([...this.#idle.splice(0), ...this.#running].map((thread) => thread.terminate(error)));
  }

  #serve(): void {
    while (this.#jobs.length > 0 && this.#idle.length > 0) {
      const thread = this.#idle.pop();
      // A thread can be lost while idle, by an error that a plugin left behind.
      const job = thread?.alive ? this.#jobs.shift() : undefined;
      if (job !== undefined && thread !== undefined) void this.#run(job, thread);
    }
    const threads = this.#idle.length + this.#running.size + this.#starting;
    if (this.#jobs.length > this.#starting && threads < this.#size) void this.#add();
  }

  async #run(job: Job, thread: Thread): Promise<void> {
    this.#running.add(thread);
    await job.run(thread);
    this.#running.delete(thread);
    this.#release(thread);
  }

  async #add(): Promise<void> {
    this.#starting++;
    try {
      const thread = await this.#start();
      this.#starting--;
      this.#release(thread);
    } catch (error) {
      this.#starting--;
      this.#jobs.shift()?.drop(error);
      this.#serve();
    }
  }

  #release(thread: Thread): void {
    if (this.#closed !== null) void thread.terminate(this.#closed);
    else if (thread.alive) this.#idle.push(thread);
    this.#serve();
  }
}
