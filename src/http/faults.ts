import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { Refusal } from '../domain/refusals.ts';
import { ServiceStoppingError } from '../service/stopping.ts';
import { asRefusal } from '../service/trouble.ts';

/** The longest message, in characters, that may repeat what was sent. */
const MAX_MESSAGE = 500;

/**
 * What clients are told of errors: refusals, and what is wrong with a request, as they are; faults (bugs, damage)
 * by a number only, under which the log has them.
 */
export class Faults {
  readonly #logger: Logger;
  #count = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Faults since the service began. */
  get count(): number {
    return this.#count;
  }

  /** An error as it may be shown. */
  publicError(error: unknown): GraphQLError {
    const cause = asRefusal(rootOf(error));
    if (cause instanceof GraphQLError) return cause;
    if (cause instanceof Refusal) {
      const { code, message, details } = cause;
      return located(error, message, { ...details, code });
    }
    if (cause instanceof ServiceStoppingError) {
      return located(error, cause.message, { code: 'RESTARTING', http: { status: 503 } });
    }
    const fault = this.report(cause, 'fault');
    return located(error, `Something went wrong on our side. The log has it as ${fault}.`, {
      code: 'INTERNAL_SERVER_ERROR',
      fault,
      http: { status: 500 },
    });
  }

  /** Logs and counts a fault. The answer is its number in the log. */
  report(error: unknown, message: string): string {
    const fault = randomUUID();
    this.#count++;
    this.#logger.error({ err: error, fault }, message);
    return fault;
  }
}

/**
 * What lies below the errors that graphql-js has wrapped it in: an error of a resolver or a store, or the
 * GraphQLError itself where a client is to blame.
 */
function rootOf(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error;
  // Before execution there is no path: a value that no scalar takes is the client's mistake.
  if (error.path === undefined) return withoutEcho(error);
  let root: unknown = error;
  while (root instanceof GraphQLError && root.originalError) root = root.originalError;
  return root instanceof GraphQLError ? error : root;
}

/** graphql-js repeats a bad value in full, however large: what is wrong with it says enough. */
function withoutEcho(error: GraphQLError): GraphQLError {
  const { originalError, message, extensions } = error;
  return originalError && message.length > MAX_MESSAGE
    ? located(error, originalError.message, extensions)
    : error;
}

/** An error at the place in the request where another came up. */
function located(at: unknown, message: string, extensions: Record<string, unknown>): GraphQLError {
  if (!(at instanceof GraphQLError)) return new GraphQLError(message, { extensions });
  const { nodes, source, positions, path } = at;
  return new GraphQLError(message, {
    extensions,
    ...(nodes && { nodes }),
    ...(source && { source }),
    ...(positions && { positions }),
    ...(path && { path }),
  });
}

/** An error as it is sent, without what is meant for HTTP. */
export function shown(error: GraphQLError): GraphQLFormattedError {
  const formatted = error.toJSON();
  if (formatted.extensions?.['http'] === undefined) return formatted;
  const { http: _, ...extensions } = formatted.extensions;
  return { ...formatted, extensions };
}
