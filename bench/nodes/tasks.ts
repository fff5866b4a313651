import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Latency } from '../scale/figures.ts';

/** An annotator, and the node that they are connected to. */
export interface Person {
  readonly url: string;
  readonly token: string;
  readonly project: string;
}

/** What the load generator, a process of its own, is given to do, and what it answers. */
export interface Tasks {
  /** Everybody labels as fast as answers come. */
  saturate: {
    input: { readonly people: readonly Person[]; readonly warmUp: number; readonly seconds: number };
    output: Labelled;
  };
  /** Everybody labels at a fixed pace, and each project is followed at some nodes. */
  push: {
    input: {
      readonly people: readonly Person[];
      /** Who follows the progress of a project, with the owner's token. */
      readonly watchers: readonly Person[];
      readonly warmUp: number;
      readonly seconds: number;
      /** Labels a second, of all together. */
      readonly rate: number;
    };
    output: Labelled & {
      /** From when a submit was sent until a watcher had what it came to: of each submit and watcher. */
      readonly push: Latency;
    };
  };
  /** Everybody claims, again and again, while a node is killed. */
  takeOver: {
    input: { readonly people: readonly Person[]; readonly pid: number };
    output: {
      /** Until the first command after the kill was answered, of each project, in milliseconds. */
      readonly milliseconds: readonly number[];
      /** Commands that were refused with STORE_UNAVAILABLE meanwhile. */
      readonly refused: number;
    };
  };
}

export interface Labelled {
  /** Answers a second. */
  readonly rate: number;
  readonly submit: Latency;
}

export type TaskName = keyof Tasks;

/** What comes from the load generator: the measured time begins, and is over. */
export type Report = 'begun' | { readonly output: unknown };

/**
 * Has a task done in a process of its own.
 * @param onBegun called when the measured time begins, behind the warm-up
 */
export async function run<T extends TaskName>(
  task: T,
  input: Tasks[T]['input'],
  onBegun: () => void = () => undefined,
): Promise<Tasks[T]['output']> {
  const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)), { serialization: 'advanced' });
  try {
    return await new Promise((resolve, reject) => {
      child.on('message', (report: Report) => {
        if (report === 'begun') onBegun();
        else resolve(report.output as Tasks[T]['output']);
      });
      child.once('exit', (code) => reject(new Error(`the load for '${task}' ended with code ${code}`)));
      child.send({ task, input });
    });
  } finally {
    child.kill();
  }
}
