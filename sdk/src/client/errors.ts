/**
 * What the SDK throws. Every error is a `ConcordError`; its `code` tells the kinds apart where classes do not
 * reach (over a worker's boundary, in logs).
 *
 * - {@link RefusalError}: the service said no and changed nothing. Each refusal of the schema has a class of its
 *   own with the details, generated beside the operations.
 * - {@link UnauthenticatedError}: the token is no good.
 * - {@link NetworkError}: no answer came.
 * - {@link ServiceError}: the service answered that it failed, or that it did not understand.
 */
export abstract class ConcordError extends Error {
  abstract readonly code: string;
}

/** An expected refusal. Nothing was changed. The message says what is wrong and what to do, for people to read. */
export abstract class RefusalError extends ConcordError {}

/** The details that a refusal's class has beside code and message. */
export type DetailsOf<E extends RefusalError> = Omit<E, keyof RefusalError>;

/** A refusal that is newer than this version of the SDK: it has a code, and no class. */
export class UnknownRefusalError extends RefusalError {
  override readonly name = 'UnknownRefusalError';
  override readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** The token is missing, malformed, unknown, revoked or has run out. */
export class UnauthenticatedError extends ConcordError {
  override readonly name = 'UnauthenticatedError';
  override readonly code = 'UNAUTHENTICATED';
}

/** No answer came from the service: it could not be reached, or went away, or took too long. */
export class NetworkError extends ConcordError {
  override readonly name = 'NetworkError';
  override readonly code = 'NETWORK';
  /**
   * Whether the same call again is safe: repeating it changes nothing more, or it never reached the service.
   * Such calls were repeated already, as often as the client's `retry` says. Otherwise the outcome is unknown:
   * look before you repeat it.
   */
  readonly retryable: boolean;

  constructor(message: string, { retryable, cause }: { retryable: boolean; cause?: unknown }) {
    super(message, { cause });
    this.retryable = retryable;
  }
}

/** An error as GraphQL has it in its answers. */
export interface GraphQLErrorLike {
  readonly message: string;
  readonly path?: readonly (string | number)[] | undefined;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The service failed (code `INTERNAL_SERVER_ERROR`; the message has a number under which its log tells more), or
 * what answered does not understand the SDK: it is no Concord service, or one of another version.
 */
export class ServiceError extends ConcordError {
  override readonly name = 'ServiceError';
  override readonly code: string;
  /** What GraphQL answered; empty where something else did. */
  readonly errors: readonly GraphQLErrorLike[];

  constructor(
    message: string,
    { code, errors = [], cause }: { code: string; errors?: readonly GraphQLErrorLike[]; cause?: unknown },
  ) {
    super(message, { cause });
    this.code = code;
    this.errors = errors;
  }
}
