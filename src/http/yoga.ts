import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/builder.ts';
import { schema } from '../graphql/schema.ts';
import { isLive, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Answers, HeldAnswer } from './answers.ts';
import type { Authentication } from './authentication.ts';
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
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

export interface YogaOptions {
  readonly concord: Concord;
  readonly authentication: Authentication;
  readonly faults: Faults;
  readonly operations: Operations;
  readonly answers: Answers;
  readonly allowedOrigins: readonly string[];
  /** Whether browsers are given GraphiQL. */
  readonly hasPage: boolean;
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

/** What GraphiQL's page may do: run its own scripts, by their hashes, and speak to this server. */
function pagePolicy(page: string): string {
  const hashes = [...page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    "style-src 'unsafe-inline'",
    "img-src 'self' data:",
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** Has event streams of those whose token is dead broken off, not completed: they are to come back with another. */
function breakingOff(concord: Concord): Plugin<Partial<Context & HttpContext>> {
  return {
    onSubscribe: () => ({
      onSubscribeResult({ args, result, setResult }) {
        const { viewer, res } = args.contextValue;
        // Over a WebSocket there is no response: its connection is closed.
        if (!viewer || !res || !isAsyncIterable(result)) return;
        const stream = result[Symbol.asyncIterator]();
        const watched: typeof result = {
          async next() {
            const step = await stream.next();
            if (step.done && !(await isLive(concord, viewer))) res.destroy();
            return step;
          },
          return: async () => (await stream.return?.()) ?? { done: true, value: undefined },
          [Symbol.asyncIterator]: () => watched,
        };
        setResult(watched);
      },
    }),
  };
}

/** GraphQL over HTTP, and the parsing, validating and executing that the WebSocket side shares. */
export function createGraphQL({
  concord,
  authentication,
  faults,
  operations,
  answers,
  allowedOrigins,
  hasPage,
}: YogaOptions) {
  let policy = "default-src 'none'";
  return createYoga<Partial<SocketContext & HttpContext>, Context & { readonly answer: HeldAnswer }>({
    schema,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    // The page is megabytes of text: it is loaded when somebody first looks at it.
    renderGraphiQL: async (options) => {
      const page = (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(options);
      policy = pagePolicy(page);
      return page;
    },
    graphiql: hasPage && { title: 'Concord', defaultQuery: FIRST_QUERY },
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
    plugins: [
      boundedBy(operations),
      breakingOff(concord),
      {
        onResponse({ response }) {
          if (response.headers.get('content-type')?.startsWith('text/html'))
            response.headers.set('content-security-policy', policy);
        },
      },
    ],
    parserAndValidationCache: false,
    context: async ({ request, viewer: known, res }) => {
      const viewer = known ?? (await authentication.ofHeader(request.headers.get('authorization')));
      const answer = answers.begin(viewer);
      res?.once('close', () => answer.end());
      if (res?.closed !== false) answer.end();
      return { concord, viewer, answer };
    },
    maskedErrors: { maskError: (error) => faults.publicError(error) },
  });
}
