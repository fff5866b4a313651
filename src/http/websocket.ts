import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, GraphQLError } from 'graphql';
import { CloseCode } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { identify } from './authentication.ts';
import { isAllowedOrigin } from './origin.ts';
import { type createGraphQL, GRAPHQL_PATH } from './yoga.ts';

/** The largest message that a client may send, in bytes. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** 1012 "service restart": the reference client comes back by itself. */
const SERVICE_RESTART = 1012;
/** Clients that are told to come back at once do so at once: a few at a time, then. */
const DRAIN_BATCH = 200;
const DRAIN_PAUSE_MS = 20;
/** How often tokens that run out are looked for, in milliseconds. */
const EXPIRY_CHECK_MS = 500;

/** What is known of a connection beside graphql-ws's own. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  viewer: Viewer;
}

export interface LiveSockets {
  /** Tells every client to come back, in batches, and waits until they are gone. */
  drain(): Promise<void>;
  readonly size: number;
}

/**
 * Subscriptions (and any operation) over graphql-transport-ws on the path of the HTTP endpoint. A connection is
 * authenticated at its beginning by `connectionParams.authorization`, and closed within a second after its
 * token was revoked or has run out.
 */
export function serveWebSockets(
  http: Server,
  graphql: ReturnType<typeof createGraphQL>,
  {
    concord,
    logger,
    allowedOrigins,
  }: { readonly concord: Concord; readonly logger: Logger; readonly allowedOrigins: readonly string[] },
): LiveSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const tokens = new Map<WebSocket, string>();

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const refused =
      pathname !== GRAPHQL_PATH
        ? '404 Not Found'
        : isAllowedOrigin(request.headers, allowedOrigins)
          ? null
          : '403 Forbidden';
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request));
  });

  const protocol = useServer<Record<string, unknown> | undefined, SocketExtra>(
    {
      onConnect: async ({ connectionParams, extra }) => {
        const known = await identify(concord, connectionParams?.['authorization']);
        if ('problem' in known) {
          // The reference client comes back after 4403, with fresh parameters, and gives up after 4401.
          if (known.problem === 'UNKNOWN') extra.socket.close(CloseCode.Forbidden, 'Forbidden');
          else extra.socket.close(CloseCode.Unauthorized, 'Unauthorized');
          return false;
        }
        extra.viewer = known.viewer;
        tokens.set(extra.socket, known.viewer.token);
        return true;
      },
      onClose: ({ extra }) => {
        tokens.delete(extra.socket);
      },
      onSubscribe: async ({ extra }, _id, payload) => {
        const { viewer } = extra;
        const enveloped = graphql.getEnveloped({
          ...(viewer && { viewer }),
          request: undefined as never,
          params: payload,
        });
        try {
          const document = enveloped.parse(payload.query);
          const errors = enveloped.validate(enveloped.schema, document);
          if (errors.length > 0) return errors;
          const args: ExecutionArgs & { rootValue: typeof enveloped } = {
            schema: enveloped.schema,
            document,
            operationName: payload.operationName ?? null,
            variableValues: payload.variables ?? null,
            contextValue: await enveloped.contextFactory(),
            // graphql-ws hands the arguments on to `execute` and `subscribe` below.
            rootValue: enveloped,
          };
          return args;
        } catch (error) {
          // Thrown here, it would close the socket and end all of the client's subscriptions.
          if (error instanceof GraphQLError) return [error];
          logger.error({ err: error }, 'fault while subscribing');
          return [
            new GraphQLError('Something went wrong on our side.', {
              extensions: { code: 'INTERNAL_SERVER_ERROR' },
            }),
          ];
        }
      },
      execute: (args) => rootOf(args).execute(args),
      subscribe: (args) => rootOf(args).subscribe(args),
    },
    server,
  );

  const closeDeadTokens = () => {
    if (tokens.size === 0) return;
    void concord.directory
      .read((directory) => {
        for (const [socket, token] of tokens) {
          if (!directory.isLive(token, concord.environment.now()))
            socket.close(CloseCode.Forbidden, 'Forbidden');
        }
      })
      .catch((error: unknown) => logger.error({ err: error }, 'tokens could not be checked'));
  };
  const stopListening = concord.directory.onCommit(closeDeadTokens);
  const expiryCheck = setInterval(closeDeadTokens, EXPIRY_CHECK_MS);

  return {
    get size() {
      return server.clients.size;
    },
    async drain() {
      stopListening();
      clearInterval(expiryCheck);
      const clients = [...server.clients];
      for (let first = 0; first < clients.length; first += DRAIN_BATCH) {
        for (const client of clients.slice(first, first + DRAIN_BATCH))
          client.close(SERVICE_RESTART, 'Restarting');
        await new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS));
      }
      const deadline = Date.now() + 2_000;
      while (server.clients.size > 0 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS));
      }
      for (const client of server.clients) client.terminate();
      await protocol.dispose();
    },
  };
}

type Enveloped = ReturnType<ReturnType<typeof createGraphQL>['getEnveloped']>;

function rootOf(args: ExecutionArgs): Enveloped {
  return args.rootValue as Enveloped;
}
