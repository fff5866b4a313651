import type { MessagePort } from 'node:worker_threads';
import type { FullSelection, Need } from '@concord/sdk/strategy';
import type { FailureReason, ParameterIssue } from './errors.ts';
import type { JsonObject } from './json.ts';
import type { SamplePool } from './pool.ts';
import type { Best, Cursor } from './split.ts';

/**
 * What the host and its workers say to each other. All of it passes structured cloning; arrays on shared
 * memory are shared, not copied. A worker answers one call at a time.
 *
 * It is said on a port of its own, which plugins do not see: a worker's `parentPort` is theirs as much as ours.
 */

/** A compiled plugin, by whose file both sides name it. */
export interface WorkerPlugin {
  readonly file: string;
  readonly code: string;
}

/** Given to a worker when it starts. It imports a plugin when it is first asked for. */
export interface WorkerData {
  readonly port: MessagePort;
  /** On shared memory: its first number is 1 once nobody wants an answer any more, and the thread will be ended. */
  readonly ending: Int32Array;
  readonly plugins: readonly WorkerPlugin[];
  /** The thread's own, for as long as it lives: where it works in memory that it shares with others. */
  readonly seat: number;
}

/** The plugin file of each strategy that is in order. */
export type StrategyFiles = ReadonlyMap<string, string>;

export interface Calls {
  describe: {
    input: WorkerPlugin & {
      /** Whether others are tried in the same worker: then it must not change what all in a thread share. */
      readonly isShared: boolean;
    };
    output: { readonly name: string; readonly description: string; readonly needs: readonly Need[] };
  };
  check: {
    input: {
      readonly files: StrategyFiles;
      readonly strategy: string;
      readonly parameters: unknown;
      readonly available: readonly Need[];
    };
    output: {
      readonly parameters: JsonObject;
      /** What it and all that it may ask need. */
      readonly needs: readonly Need[];
    };
  };
  select: {
    input: {
      readonly files: StrategyFiles;
      readonly strategy: string;
      readonly parameters: unknown;
      readonly seed: number;
      readonly count: number;
      readonly pool: SamplePool;
      /** What strategies have kept in earlier rounds, by their names. */
      readonly states: Readonly<Record<string, JsonObject>>;
    };
    output: {
      readonly selection: FullSelection;
      readonly parameters: JsonObject;
      /** The strategies that it may have asked, in alphabetical order. */
      readonly asked: readonly string[];
      /** What they keep for the next round, by their names. */
      readonly states: Readonly<Record<string, JsonObject>>;
    };
  };
  /** Helps another thread with its selection. */
  score: { input: ScoreTask; output: Best };
}

/** What a thread scores of a pool, in shares: see `split.ts`. */
export interface ScoreTask {
  readonly files: StrategyFiles;
  /** One that scores. */
  readonly strategy: string;
  readonly parameters: unknown;
  /** The round's. */
  readonly seed: number;
  readonly count: number;
  readonly pool: SamplePool;
  readonly cursor: Cursor;
}

export type CallName = keyof Calls;
export type WorkerRequest = {
  [Name in CallName]: { readonly id: number; readonly call: Name; readonly input: Calls[Name]['input'] };
}[CallName];

/** An error as it crosses from a worker. */
export type WorkerError =
  | { readonly code: 'unknown-strategy'; readonly strategy: string }
  | {
      readonly code: 'strategy-parameters';
      readonly strategy: string;
      readonly issues: readonly ParameterIssue[];
    }
  | { readonly code: 'missing-input'; readonly strategy: string; readonly need: Need }
  | {
      readonly code: 'strategy-failed';
      readonly strategy: string;
      readonly reason: FailureReason;
      readonly detail: string;
      /** Of what the plugin threw; empty if it threw no error. */
      readonly stack: string;
    }
  | { readonly code: 'invalid-pool'; readonly message: string };

/** A worker's first message is `ready`; each later one answers the call of that id. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'value'; readonly id: number; readonly value: Calls[CallName]['output'] }
  | { readonly kind: 'error'; readonly id: number; readonly error: WorkerError }
  /** While it answers a call: other threads may help to score. It is told what came of that by {@link HostMessage}. */
  | { readonly kind: 'help'; readonly id: number; readonly ask: number; readonly task: ScoreTask };

/** What the host says beside its calls. Null is a thread that came to nothing; `parts` is empty if there was none. */
export interface HostMessage {
  readonly kind: 'helped';
  /** As in what it answers. */
  readonly ask: number;
  readonly parts: readonly (Best | null)[];
}
