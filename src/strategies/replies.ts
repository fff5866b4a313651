import { type FullSelection, MAX_REASONS, NEEDS, type Need } from '@concord/sdk/strategy';
import type { FailureReason, ParameterIssue } from './errors.ts';
import { copyJsonObject } from './json.ts';
import { isIn } from './pool.ts';
import type { CallName, Calls, WorkerError, WorkerMessage } from './protocol.ts';
import { isLine } from './selection.ts';

/**
 * What a worker says, checked. The host's own code answers there, but a plugin runs beside it and can reach what
 * it likes; what it says in our name must at least be what a strategy could have answered.
 */

/** The worker said what is no answer to the call. */
export class InvalidReplyError extends Error {
  override name = 'InvalidReplyError';
}

export type Answer<Name extends CallName> =
  | { readonly value: Calls[Name]['output'] }
  | { readonly error: WorkerError };

/** @throws {InvalidReplyError} */
export function readAnswer<Name extends CallName>(
  call: Name,
  id: number,
  input: Calls[Name]['input'],
  message: unknown,
): Answer<Name> {
  try {
    const reply = record(message);
    insist(reply['id'] === id);
    if (reply['kind'] === 'error') return { error: readError(reply['error']) };
    insist(reply['kind'] === 'value');
    return { value: READ[call](record(reply['value']), input) };
  } catch (error) {
    throw new InvalidReplyError('a message from its worker is no answer of the host', { cause: error });
  }
}

/** @throws {InvalidReplyError} */
export function readReady(message: unknown): void {
  insist(record(message)['kind'] === ('ready' satisfies WorkerMessage['kind']));
}

/** What the worker asks of other threads while it answers a call; undefined: it asks nothing. */
export function readHelp(id: number, message: unknown): Extract<WorkerMessage, { kind: 'help' }> | undefined {
  const isHelp =
    typeof message === 'object' && message !== null && 'kind' in message && message.kind === 'help';
  return isHelp && 'id' in message && message.id === id && 'task' in message
    ? (message as Extract<WorkerMessage, { kind: 'help' }>)
    : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const READ: {
  readonly [Name in CallName]: (value: Fields, input: Calls[Name]['input']) => Calls[Name]['output'];
} = {
  describe: ({ name, description, needs }) => ({
    name: text(name, 64),
    description: text(description, 200),
    needs: list(needs, need),
  }),
  score: ({ ordinals, scores }, { pool, count }) => {
    insist(ordinals instanceof Uint32Array && ordinals.length <= count);
    insist(scores instanceof Float64Array && scores.length === ordinals.length);
    insist(ordinals.every((ordinal) => isIn(pool.ordinals, ordinal)));
    insist([ordinals, scores].every(({ buffer }) => buffer instanceof ArrayBuffer));
    return { ordinals, scores };
  },
  check: ({ parameters, needs }) => ({
    parameters: copyJsonObject(parameters),
    needs: list(needs, need),
  }),
  select: ({ selection, parameters, asked, states }, { pool, count, files }) => ({
    selection: readSelection(record(selection), pool.ordinals, count),
    parameters: copyJsonObject(parameters),
    asked: list(asked, (name) => {
      insist(typeof name === 'string' && files.has(name));
      return name;
    }),
    states: Object.fromEntries(
      Object.entries(record(states)).map(([name, state]) => {
        insist(files.has(name));
        return [name, copyJsonObject(state)];
      }),
    ),
  }),
};

function readSelection(
  { ordinals, scores, normalised, random, inclusionProbability, reasons }: Fields,
  pool: Uint32Array,
  count: number,
): FullSelection {
  insist(ordinals instanceof Uint32Array && ordinals.length <= count);
  const { length } = ordinals;
  insist(ordinals.every((ordinal) => isIn(pool, ordinal)));
  const sorted = ordinals.slice().sort();
  insist(sorted.every((ordinal, i) => i === 0 || ordinal !== sorted[i - 1]));

  insist(scores instanceof Float64Array && scores.length === length);
  insist(scores.every((score) => Number.isNaN(score) || (score >= 0 && score < Number.POSITIVE_INFINITY)));
  insist(normalised instanceof Float64Array && normalised.length === length);
  insist(normalised.every((score) => score >= 0 && score <= 1));
  insist(random instanceof Uint8Array && random.length === length);
  insist(random.every((flag) => flag === 0 || flag === 1));
  if (inclusionProbability !== null) {
    insist(typeof inclusionProbability === 'number' && inclusionProbability > 0 && inclusionProbability <= 1);
  }
  insist((inclusionProbability !== null) === random.includes(1));
  // On memory that a plugin shares with its worker, they could change after they were checked.
  insist([ordinals, scores, normalised, random].every(({ buffer }) => buffer instanceof ArrayBuffer));
  return {
    ordinals,
    scores,
    normalised,
    random,
    inclusionProbability,
    reasons: readReasons(reasons, length),
  };
}

function readReasons(reasons: unknown, length: number): FullSelection['reasons'] {
  if (reasons === null) return null;
  insist(Array.isArray(reasons) && reasons.length === length);
  insist(reasons.every((reason) => reason === null || (typeof reason === 'string' && isLine(reason))));
  const characters = [...new Set(reasons)].reduce((sum, reason) => sum + (reason?.length ?? 0), 0);
  insist(characters <= MAX_REASONS);
  return reasons;
}

const REASONS: readonly FailureReason[] = ['threw', 'invalid-result', 'timed-out', 'crashed'];

function readError(value: unknown): WorkerError {
  const { code, strategy, issues, need: missing, reason, detail, stack, message } = record(value);
  switch (code) {
    case 'unknown-strategy':
      return { code, strategy: text(strategy) };
    case 'strategy-parameters':
      insist(Array.isArray(issues) && issues.length > 0);
      return { code, strategy: text(strategy), issues: list(issues, readIssue) };
    case 'missing-input':
      return { code, strategy: text(strategy), need: need(missing) };
    case 'strategy-failed': {
      const known = REASONS.find((one) => one === reason);
      insist(known !== undefined);
      return {
        code,
        strategy: text(strategy),
        reason: known,
        detail: text(detail),
        stack: text(stack, MAX_STACK),
      };
    }
    case 'invalid-pool':
      return { code, message: text(message) };
    default:
      return fail();
  }
}

/** The longest stack trace that a worker sends. */
export const MAX_STACK = 20_000;

function readIssue(value: unknown): ParameterIssue {
  const { path, message } = record(value);
  return { path: text(path), message: text(message) };
}

function need(value: unknown): Need {
  return NEEDS.find((need) => need === value) ?? fail();
}

function text(value: unknown, most = 1_000): string {
  insist(typeof value === 'string' && value.length <= most);
  return value;
}

function list<T>(value: unknown, read: (item: unknown) => T): readonly T[] {
  insist(Array.isArray(value) && value.length <= 1_000);
  return value.map(read);
}

function record(value: unknown): Fields {
  insist(typeof value === 'object' && value !== null);
  return value as Fields;
}

function insist(condition: boolean): asserts condition {
  if (!condition) fail();
}

function fail(): never {
  throw new InvalidReplyError('a message from its worker is no answer of the host');
}
