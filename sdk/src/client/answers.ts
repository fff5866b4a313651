import {
  type ConcordError,
  type GraphQLErrorLike,
  type RefusalError,
  ServiceError,
  UnauthenticatedError,
  UnknownRefusalError,
} from './errors.ts';
import { DETAIL_PREFIX, REFUSALS } from './generated/refusals.ts';
import type { Operation } from './operation.ts';

/** What GraphQL answers to an operation. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLErrorLike[] | undefined;
}

/** Whether something that came over the wire is an answer. */
export function isAnswer(value: unknown): value is Answer {
  return isObject(value) && ('data' in value || Array.isArray(value['errors']));
}

/**
 * What an operation's function gives: the value at the end of its path, null where the path breaks off.
 * @throws {ConcordError} the answer is a refusal or has errors
 */
export function resultOf<T>({ path, kind }: Operation, { data, errors }: Answer): T {
  if (errors !== undefined && errors.length > 0) throw errorOf(errors);
  let value = data;
  for (const field of path) value = isObject(value) ? (value[field] ?? null) : null;
  if (kind === 'mutation' && isObject(value) && typeof value['code'] === 'string') {
    throw refusalIn(value, value['code']);
  }
  return value as T;
}

/** The error that top-level errors of an answer come to; the first one counts. */
export function errorOf(errors: readonly GraphQLErrorLike[]): ConcordError {
  const [first] = errors;
  const message = first?.message ?? 'The service answered with an error that says nothing.';
  const { code, ...details } = first?.extensions ?? {};
  if (code === 'UNAUTHENTICATED') return new UnauthenticatedError(message);
  // Queries and subscriptions have no union to refuse in: their refusals are errors with the same code and details.
  const refusal = typeof code === 'string' ? refusalOf(code, message, details) : null;
  return (
    refusal ?? new ServiceError(message, { code: typeof code === 'string' ? code : 'BAD_REQUEST', errors })
  );
}

function refusalIn(value: Readonly<Record<string, unknown>>, code: string): RefusalError {
  const details: Record<string, unknown> = {};
  for (const [name, detail] of Object.entries(value)) {
    if (name.startsWith(DETAIL_PREFIX)) details[name.slice(DETAIL_PREFIX.length)] = detail;
  }
  const message = String(value['message']);
  return refusalOf(code, message, details) ?? new UnknownRefusalError(message, code);
}

type RefusalClass = new (message: string, details: object) => RefusalError;

/** The error of a code's class; null if there is none, or a detail is missing that the class promises. */
function refusalOf(
  code: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
): RefusalError | null {
  if (!isRefusalCode(code)) return null;
  const { type, details: names } = REFUSALS[code];
  if (!names.every((name) => name in details)) return null;
  return new (type as RefusalClass)(message, details);
}

/** Whether something is the code of a refusal that this version of the SDK knows. */
export function isRefusalCode(code: unknown): code is keyof typeof REFUSALS {
  return typeof code === 'string' && Object.hasOwn(REFUSALS, code);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
