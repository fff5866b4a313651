import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type FormattedExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, handleProtocols, makeServer, type Server as Protocol } from 'graphql-ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Context } from '../graphql/builder.ts';
import { schema } from '../graphql/schema.ts';
import { isGood, isLive, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Answers, HeldAnswer } from './answers.ts';
import type { Authentication, CredentialsProblem } from './authentication.ts';
import { type Faults, shown } from './faults.ts';
import type { GroupReader } from './groupReader.ts';
import type { Groups } from './groups.ts';
import type { Metrics } from './metrics.ts';
import type { Operations } from './operations.ts';
import { isAllowedOrigin } from './origin.ts';
import { type Deliveries, Outbox } from './outbox.ts';
import type { ServerLimits } from './serverLimits.ts';
import { type Connection, DROPPED, speak } from './socket.ts';
import { SocketLine } from './socketLine.ts';
import { GRAPHQL_PATH, type GraphQLHandler } from './yoga.ts';

/** The largest message that a client may send, in bytes. Bulk goes over HTTP, where memory is shared out. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
/** 1012 "service restart": the reference client comes back by itself. */
const SERVICE_RESTART = 1012;
/** 1013 "try again later": the reference client does. */
const TRY_AGAIN_LATER = 1013;
/** Clients that are told to come back do so at once: a few at a time, then. */
export const DRAIN_BATCH = 200;
export const DRAIN_PAUSE_MS = 20;
/** How long clients may take to close their side, in milliseconds. */
const DRAIN_MS = 2_000;
/** How often tokens that run out are looked for, in milliseconds. */
const EXPIRY_CHECK_MS = 500;

export interface LiveSockets {
  /** How many are open. */
  readonly size: number;
  /** Lets nobody in any more, tells every client to come back, in batches, and waits until they are gone. */
  drain(): Promise<void>;
}

export interface SocketOptions {
  readonly concord: Concord;
  readonly authentication: Authentication;
  readonly operations: Operations;
  readonly answers: Answers;
  readonly faults: Faults;
  readonly allowedOrigins: readonly string[];
  readonly limits: ServerLimits;
  readonly metrics: Metrics | null;
  /** The groups of subscribers whose streams are shared. */
  readonly groups: Groups;
  readonly deliveries: Deliveries;
}

/**
 * Subscriptions (and any operation) over graphql-transport-ws on the path of the HTTP endpoint. A connection is
 * authenticated at its beginning by `connectionParams.authorization`, and closed within a second after its
 * token was revoked or has run out.
 */
export function serveWebSockets(
  http: Server,
  graphql: GraphQLHandler,
  { allowedOrigins, deliveries, ...options }: SocketOptions,
): LiveSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (protocols) => handleProtocols(protocols),
  });
  const viewers = new Map<WebSocket, Viewer>();
  const { concord, faults } = options;
  const protocol = speakGraphQL(graphql, { ...options, viewers });
  let isDraining = false;

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refused =
      request.url?.split('?', 1)[0] !== GRAPHQL_PATH
        ? '404 Not Found'
        : !isAllowedOrigin(request.headers, allowedOrigins)
          ? '403 Forbidden'
          : isDraining
            ? '503 Service Unavailable'
            : null;
    if (refused !== null) {
      socket.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    server.handleUpgrade(request, socket, head, (client) => {
      client.once(DROPPED, () => options.metrics?.dropped());
      speak(
        protocol,
        {
          socket: client,
          request,
          outbox: new Outbox(new SocketLine(client, socket), deliveries),
          answers: new Map(),
        },
        faults,
      );
    });
  });

  const closeDeadTokens = () => {
    if (viewers.size === 0) return;
    concord.directory
      .read((directory) => {
        const now = concord.environment.now();
        for (const [socket, viewer] of viewers) if (!isGood(directory, viewer, now)) forbid(socket);
      })
      .catch((error: unknown) => faults.report(error, 'tokens could not be checked'));
  };
  const stopListening = concord.directory.onChange(closeDeadTokens);
  const expiryCheck = setInterval(closeDeadTokens, EXPIRY_CHECK_MS);

  return {
    get size() {
      return server.clients.size;
    },
    async drain() {
      isDraining = true;
      stopListening();
      clearInterval(expiryCheck);
      const clients = [...server.clients];
      for (let first = 0; first < clients.length; first += DRAIN_BATCH) {
        if (first > 0) await pause(DRAIN_PAUSE_MS);
        for (const client of clients.slice(first, first + DRAIN_BATCH))
          client.close(SERVICE_RESTART, 'Restarting');
      }
      const deadline = Date.now() + DRAIN_MS;
      while (server.clients.size > 0 && Date.now() < deadline) await pause(DRAIN_PAUSE_MS);
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}

/** The reference client comes back after 4403, with fresh parameters; it gives up after 4401. */
function forbid(socket: WebSocket): void {
  socket.close(CloseCode.Forbidden, 'Forbidden');
}

/** How a connection is closed whose credentials are no good. */
const CLOSES: Readonly<Record<CredentialsProblem, readonly [code: number, reason: string]>> = {
  MISSING: [CloseCode.Unauthorized, 'Unauthorized'],
  MALFORMED: [CloseCode.Unauthorized, 'Unauthorized'],
  UNKNOWN: [CloseCode.Forbidden, 'Forbidden'],
  NO_ROLE: [CloseCode.Forbidden, 'Forbidden'],
  UNCHECKABLE: [TRY_AGAIN_LATER, 'Sign-on unavailable'],
};

interface SocketOperation extends Context {
  readonly answer: HeldAnswer;
}

/** An operation that is read with others. */
interface SharedOperation {
  readonly reader: GroupReader;
}

/** The protocol: who may connect, and how an operation is run, which is as over HTTP. */
function speakGraphQL(
  graphql: GraphQLHandler,
  {
    concord,
    authentication,
    operations,
    answers,
    faults,
    groups,
    viewers,
    limits,
  }: Omit<SocketOptions, 'allowedOrigins' | 'deliveries'> & {
    readonly viewers: Map<WebSocket, Viewer>;
  },
): Protocol<Connection> {
  // By the payload of the message that asked: it is the same at the end.
  const begun = new WeakMap<object, HeldAnswer>();
  const end = ({ answers: underWay }: Connection, id: string, payload: object) => {
    const answer = begun.get(payload);
    if (!answer) return;
    answer.end();
    underWay.delete(id);
  };
  return makeServer<Record<string, unknown> | undefined, Connection>({
    connectionInitWaitTimeout: limits.initSeconds * 1_000,
    onConnect: async ({ connectionParams, extra }) => {
      const known = await authentication.identify(
        connectionParams?.['authorization'] ?? connectionParams?.['Authorization'],
      );
      if ('problem' in known) {
        extra.socket.close(...CLOSES[known.problem]);
        return false;
      }
      extra.viewer = known.viewer;
      // It may be gone by now, and its end is told once only.
      if (extra.socket.readyState === extra.socket.OPEN) viewers.set(extra.socket, known.viewer);
      return true;
    },
    onClose: ({ extra }) => {
      viewers.delete(extra.socket);
      for (const answer of extra.answers.values()) answer.end();
    },
    onSubscribe: async ({ extra: { viewer, outbox, answers: underWay }, subscriptions }, id, payload) => {
      // Whatever is thrown here would close the socket and end all of the client's subscriptions.
      try {
        if (viewer === undefined) throw new Error('an operation before its connection was acknowledged');
        if (Object.keys(subscriptions).length > limits.operations) {
          const message = `A connection may have ${limits.operations} operations open at a time.`;
          return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
        }
        const { document, errors } = operations.prepare(payload.query);
        if (document === null || errors.length > 0) return errors.map((error) => faults.publicError(error));
        const { query, operationName = null, variables = null } = payload;
        operations.cost(document, operationName, variables);
        operations.admit(viewer);
        const subscribed = { document, query, operationName, variables };
        const reader = await groups.join(subscribed, viewer, outbox, { id });
        if (reader !== null) {
          const contextValue: SharedOperation = { reader };
          return { schema, document, operationName, contextValue };
        }
        const answer = answers.begin(viewer);
        begun.set(payload, answer);
        underWay.set(id, answer);
        const contextValue: SocketOperation = { concord, viewer, answer };
        return { schema, document, operationName, variableValues: variables, contextValue };
      } catch (error) {
        return [faults.publicError(error)];
      }
    },
    execute: ({ document, operationName, variableValues, contextValue }) => {
      const { viewer, answer } = contextValue as SocketOperation;
      return operations.execute(document, { operationName, variables: variableValues, viewer, answer });
    },
    subscribe: (args) => {
      const { reader } = args.contextValue as Partial<SharedOperation>;
      return reader ?? graphql.getEnveloped().subscribe(args);
    },
    onNext: (_context, _id, _payload, _args, { errors, ...result }) =>
      errors && ({ ...result, errors: errors.map(shown) } as FormattedExecutionResult),
    onError: ({ extra }, id, payload, errors) => {
      end(extra, id, payload);
      return errors.map(shown);
    },
    // A stream ends when its viewer's access does. If the token is dead, the client must not take that for the
    // end of what it asked for: it is told to come back with another.
    onComplete: async ({ extra }, id, payload) => {
      end(extra, id, payload);
      const { socket, viewer } = extra;
      if (viewer && !(await isLive(concord, viewer))) forbid(socket);
    },
  });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
