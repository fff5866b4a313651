import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Latency } from './figures.ts';

/** What a client process is given to do, and what it answers. */
export interface Tasks {
  import: {
    input: Target & { readonly importId: string; readonly from: number; readonly to: number };
    output: { readonly milliseconds: number };
  };
  publish: {
    input: Target & { readonly rows: number };
    output: { readonly milliseconds: number };
  };
  /** Everybody labels as fast as answers come. */
  saturate: {
    input: Target & {
      readonly tokens: readonly string[];
      readonly seconds: number;
      /** Whether a submit claims the next sample in the same step, or a claim of its own does. */
      readonly topUp: boolean;
    };
    output: Labelled;
  };
  /** Everybody labels at a fixed pace; latency counts from when a submit was due. */
  pace: {
    input: Target & {
      readonly tokens: readonly string[];
      readonly seconds: number;
      /** Submits a second, of all together. */
      readonly rate: number;
      /** As in `saturate`. */
      readonly topUp: boolean;
    };
    output: Labelled;
  };
  /** Everybody follows their queue over a WebSocket, until the process is ended. */
  follow: {
    input: Target & { readonly tokens: readonly string[] };
    output: { readonly following: number };
  };
  /** Requests of the size of a submit against a bare HTTP server. */
  bareHttp: {
    input: { readonly connections: number; readonly seconds: number };
    output: { readonly rate: number };
  };
  append: {
    input: { readonly location: string; readonly journals: number; readonly appends: number };
    output: { readonly rate: number; readonly latency: Latency };
  };
  /** Small synced writes to a file, one after the other. */
  sync: {
    input: { readonly folder: string; readonly writes: number };
    output: { readonly rate: number; readonly latency: Latency };
  };
}

export interface Target {
  readonly url: string;
  readonly token: string;
  readonly project: string;
}

export interface Labelled {
  /** Answers a second. */
  readonly rate: number;
  readonly submit: Latency;
  /** Null where submits claimed. */
  readonly claim: Latency | null;
}

export type TaskName = keyof Tasks;

/** A task under way in a process of its own. */
export interface Running<Output> {
  readonly output: Promise<Output>;
  end(): void;
}

/** Begins a task in a client process, so that no client shares an event loop with another, or with the server. */
export function begin<T extends TaskName>(task: T, input: Tasks[T]['input']): Running<Tasks[T]['output']> {
  const child = fork(fileURLToPath(new URL('./client.js', import.meta.url)), { serialization: 'advanced' });
  const output = new Promise<Tasks[T]['output']>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Tasks[T]['output']));
    child.once('exit', (code) => reject(new Error(`the client for '${task}' ended with code ${code}`)));
  });
  child.send({ task, input });
  return { output, end: () => child.kill() };
}

export async function run<T extends TaskName>(
  task: T,
  input: Tasks[T]['input'],
): Promise<Tasks[T]['output']> {
  const running = begin(task, input);
  try {
    return await running.output;
  } finally {
    running.end();
  }
}
