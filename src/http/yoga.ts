import type { ServerResponse } from 'node:http';
import { createYoga } from 'graphql-yoga';
import type { Context } from '../graphql/builder.ts';
import { schema } from '../graphql/schema.ts';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Answers, HeldAnswer } from './answers.ts';
import { authenticateHeader } from './authentication.ts';
import { boundedBy } from './boundedYoga.ts';
import type { Faults } from './faults.ts';
import type { Operations } from './operations.ts';
import { isListed } from './origin.ts';

export const GRAPHQL_PATH = '/graphql';

/** What a WebSocket connection hands to the context: it was authenticated when it began. */
export interface SocketContext {
  readonly viewer: Viewer;
}

/** What an HTTP request hands to it. */
interface HttpContext {
  readonly res: ServerResponse;
}

export interface YogaOptions {
  readonly concord: Concord;
  readonly faults: Faults;
  readonly operations: Operations;
  readonly answers: Answers;
  readonly allowedOrigins: readonly string[];
}

export type GraphQLHandler = ReturnType<typeof createGraphQL>;

const FIRST_QUERY = `# Welcome to Concord.
# Send your token as a header (below):
#   {"Authorization": "Bearer …"}
query Projects {
  projects {
    edges {
      node {
        id
        name
        myRole
        labels
        progress {
          samples
          labelled
          answers
        }
      }
    }
  }
}
`;

/** GraphQL over HTTP, and the parsing, validating and executing that the WebSocket side shares. */
export function createGraphQL({ concord, faults, operations, answers, allowedOrigins }: YogaOptions) {
  return createYoga<Partial<SocketContext & HttpContext>, Context & { readonly answer: HeldAnswer }>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // The page is megabytes of text: it is loaded when somebody first looks at it.
    renderGraphiQL: async (options) =>
      (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options),
    graphiql: { title: 'Concord', defaultQuery: FIRST_QUERY },
    // Not a list for Yoga to match: an empty one would allow every page.
    cors: (request) => {
      const origin = request.headers.get('origin');
      return origin !== null && isListed(origin, allowedOrigins)
        ? { origin: [origin], credentials: false, methods: ['GET', 'POST'] }
        : false;
    },
    logging: false,
    // The server has seen to that, before anything was read.
    maxRequestBodySize: false,
    multipart: false,
    // Both are seen to by `operations`.
    plugins: [boundedBy(operations)],
    parserAndValidationCache: false,
    context: async ({ request, viewer: known, res }) => {
      const viewer = known ?? (await authenticateHeader(concord, request.headers.get('authorization')));
      const answer = answers.begin(viewer);
      res?.once('close', () => answer.end());
      if (res?.closed !== false) answer.end();
      return { concord, viewer, answer };
    },
    maskedErrors: { maskError: (error) => faults.publicError(error) },
  });
}
