import { randomUUID } from 'node:crypto';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { GraphQLError } from 'graphql';
import { createYoga } from 'graphql-yoga';
import type { Logger } from 'pino';
import { Refusal } from '../domain/refusals.ts';
import type { Context } from '../graphql/builder.ts';
import { schema } from '../graphql/schema.ts';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { asRefusal } from '../service/journalHost.ts';
import { authenticateHeader } from './authentication.ts';

export const GRAPHQL_PATH = '/graphql';

/** What a WebSocket connection hands to the context: it was authenticated when it began. */
export interface SocketContext {
  readonly viewer: Viewer;
}

export interface YogaOptions {
  readonly concord: Concord;
  readonly logger: Logger;
  readonly allowedOrigins: readonly string[];
}

const FIRST_QUERY = `# Welcome to Concord. Send your token as a header (below): {"Authorization": "Bearer …"}
query Projects {
  projects { edges { node { id name myRole labels progress { samples labelled answers } } } }
}
`;

/** GraphQL over HTTP, and the parsing, validating and executing that the WebSocket side shares. */
export function createGraphQL({ concord, logger, allowedOrigins }: YogaOptions) {
  return createYoga<Partial<SocketContext>, Context>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    renderGraphiQL,
    graphiql: { title: 'Concord', defaultQuery: FIRST_QUERY },
    cors: { origin: [...allowedOrigins], credentials: false, methods: ['GET', 'POST'] },
    logging: false,
    context: async ({ request, viewer }) => ({
      concord,
      viewer: viewer ?? (await authenticateHeader(concord, request.headers.get('authorization'))),
    }),
    maskedErrors: { maskError: (error) => publicError(error, logger) },
  });
}

/**
 * What a client is told of an error: refusals and what is wrong with a request as they are, faults by a number
 * under which the log has them.
 */
function publicError(error: unknown, logger: Logger): Error {
  const cause = asRefusal(error instanceof GraphQLError ? (error.originalError ?? error) : error);
  if (cause instanceof GraphQLError) return cause === error ? cause : located(error, cause);
  if (cause instanceof Refusal) {
    const { code, message, details } = cause;
    return located(error, new GraphQLError(message, { extensions: { code, ...details } }));
  }
  const fault = randomUUID();
  logger.error({ err: cause, fault }, 'fault');
  return located(
    error,
    new GraphQLError(`Something went wrong on our side. The log has it as ${fault}.`, {
      extensions: { code: 'INTERNAL_SERVER_ERROR', fault, http: { status: 500 } },
    }),
  );
}

/** The same error at the place in the request where it came up. */
function located(at: unknown, { message, extensions }: GraphQLError): GraphQLError {
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
