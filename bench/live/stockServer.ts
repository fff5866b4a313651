import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';
import { serveCommands } from './process.ts';

/** The yardstick: Yoga and graphql-ws put together as Yoga's documentation does it, and one topic. */
interface Progress {
  readonly seq: number;
  readonly samples: number;
  readonly labelled: number;
  readonly answers: number;
}

const topics = createPubSub<{ progress: [Progress] }>();
const schema = createSchema({
  typeDefs: /* GraphQL */ `
    type Query {
      nothing: Int
    }
    type Progress {
      seq: Int!
      samples: Int!
      labelled: Int!
      answers: Int!
    }
    type Subscription {
      progress(project: ID!): Progress!
    }
  `,
  resolvers: {
    Subscription: {
      progress: {
        subscribe: () => topics.subscribe('progress'),
        resolve: (progress: Progress) => progress,
      },
    },
  },
});

const yoga = createYoga({ schema, logging: false });
const http = createServer(yoga);
const server = new WebSocketServer({ server: http, path: yoga.graphqlEndpoint });

type Enveloped = ReturnType<typeof yoga.getEnveloped>;

useServer(
  {
    execute: (args) => (args as ExecutionArgs & { rootValue: Enveloped }).rootValue.execute(args),
    subscribe: (args) => (args as ExecutionArgs & { rootValue: Enveloped }).rootValue.subscribe(args),
    onSubscribe: async (context, _id, payload) => {
      const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
        ...context,
        req: context.extra.request,
        socket: context.extra.socket,
        params: payload,
      });
      const args = {
        schema,
        operationName: payload.operationName,
        document: parse(payload.query),
        variableValues: payload.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe },
      };
      const errors = validate(args.schema, args.document);
      return errors.length > 0 ? errors : args;
    },
  },
  server,
);

let seq = 100;
async function broadcast(): Promise<void> {
  seq++;
  topics.publish('progress', { seq, samples: 20_000, labelled: seq, answers: seq });
}

http.listen(0, '127.0.0.1', () => {
  const close = async () => {
    for (const client of server.clients) client.terminate();
    http.close();
  };
  serveCommands(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { broadcast, close });
});
