import type { Need } from '@concord/sdk/strategy';

/** What the strategy host may throw. `strategy` is the one at fault, which may be one that another asked. */
export abstract class StrategyError extends Error {
  abstract readonly code: string;
  readonly strategy: string;

  constructor(strategy: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.strategy = strategy;
  }
}

/** No plugin has that name. */
export class UnknownStrategyError extends StrategyError {
  readonly code = 'unknown-strategy';
  /** The names that there are, in alphabetical order. */
  readonly known: readonly string[];

  constructor(strategy: string, known: readonly string[]) {
    super(
      strategy,
      `there is no strategy ${JSON.stringify(strategy)}; known are ${known.join(', ') || 'none'}`,
    );
    this.known = known;
  }
}

/** The plugin of that name could not be loaded when the host was opened. */
export class BrokenStrategyError extends StrategyError {
  readonly code = 'broken-strategy';
  /** The plugin's file, within the folder. */
  readonly file: string;
  readonly problem: string;

  constructor(strategy: string, file: string, problem: string) {
    super(strategy, `strategy ${strategy} (${file}) is broken: ${problem}`);
    this.file = file;
    this.problem = problem;
  }
}

export interface ParameterIssue {
  /** Where in the parameters: names and indices joined by dots; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** The strategy's schema refused the parameters. */
export class StrategyParametersError extends StrategyError {
  readonly code = 'strategy-parameters';
  /** At least one. */
  readonly issues: readonly ParameterIssue[];

  constructor(strategy: string, issues: readonly ParameterIssue[]) {
    const listed = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    super(strategy, `strategy ${strategy} refuses its parameters: ${listed.join('; ')}`);
    this.issues = issues;
  }
}

/** The strategy needs what the project does not have. */
export class MissingInputError extends StrategyError {
  readonly code = 'missing-input';
  readonly need: Need;

  constructor(strategy: string, need: Need) {
    super(strategy, `strategy ${strategy} needs ${need}, and there are none`);
    this.need = need;
  }
}

/**
 * How a strategy failed:
 * - `threw`: it threw an error;
 * - `invalid-result`: what it returned, or said to the service, breaks the contract;
 * - `timed-out`: it did not end within its time;
 * - `crashed`: it ended its worker, by an error that it left behind or by using up the memory for example.
 */
export type FailureReason = 'threw' | 'invalid-result' | 'timed-out' | 'crashed';

/** The strategy was run and gave no sound selection. Its worker is replaced where it could not go on. */
export class StrategyFailedError extends StrategyError {
  readonly code = 'strategy-failed';
  readonly reason: FailureReason;
  /** What happened, in one line, with the place in the plugin's source where it is known. */
  readonly detail: string;

  constructor(strategy: string, reason: FailureReason, detail: string, options?: ErrorOptions) {
    super(strategy, `strategy ${strategy} failed: ${detail}`, options);
    this.reason = reason;
    this.detail = detail;
  }
}

/** The plugin folder cannot be read. `cause` holds the system's error. */
export class StrategyFolderError extends Error {
  override name = 'StrategyFolderError';
  readonly folder: string;

  constructor(folder: string, cause: unknown) {
    super(`the strategy folder ${folder} cannot be read`, { cause });
    this.folder = folder;
  }
}

/** The host was closed before it could answer. */
export class StrategyHostClosedError extends Error {
  override name = 'StrategyHostClosedError';

  constructor() {
    super('the strategy host is closed');
  }
}
