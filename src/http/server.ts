import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Concord } from '../service/concord.ts';
import { Answers } from './answers.ts';
import { Authentication, credentialsError } from './authentication.ts';
import { ByteBudget } from './byteBudget.ts';
import { DirectRequests } from './direct.ts';
import { EventStreams } from './eventStreams.ts';
import { Faults } from './faults.ts';
import { Groups } from './groups.ts';
import type { Metrics } from './metrics.ts';
import { Operations } from './operations.ts';
import { Deliveries } from './outbox.ts';
import { Addresses, DEFAULT_SERVER_LIMITS, type ServerLimits } from './serverLimits.ts';
import type { SignOn } from './signOn.ts';
import { destroyUnread } from './unread.ts';
import { DRAIN_BATCH, DRAIN_PAUSE_MS, type LiveSockets, pause, serveWebSockets } from './websocket.ts';
import { createGraphQL, GRAPHQL_PATH } from './yoga.ts';

/** A larger body is read only from somebody who has shown a good token, and when there is room for it. */
export const SMALL_BODY_BYTES = 64 * 1024;
/** Larger bodies that are in memory at a time, in bytes; parsed, each takes several times its size. */
const BODIES_BYTES = 64 * 1024 * 1024;
/** How long a client may go on sending what was refused, so that it gets to read the answer, in milliseconds. */
const LINGER_MS = 5_000;
/** How often what has run out is let go without anybody asking, in milliseconds. */
const SWEEP_MS = 1_000;
/** How often tokens that have run out are looked for, in milliseconds: apart, for a sweep may take its time. */
const EXPIRY_CHECK_MS = 500;
/** How long requests under way may take at shutdown, in milliseconds: less than a container is given. */
const SHUTDOWN_MS = 5_000;
/** How long, of that, strategies may go on choosing: then there is time left to say that they were given up. */
const CHOOSING_MS = 2_000;
/** How often, meanwhile, connections that have become idle are closed, in milliseconds. */
const IDLE_CHECK_MS = 50;

/** On every answer: nobody frames it, guesses at its type, or is told where somebody came from. */
const SECURITY_HEADERS = [
  ['x-content-type-options', 'nosniff'],
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-site'],
] as const;
/** The types of a body that a form can have. */
const SIMPLE = /^\s*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)\b/i;
const TOO_MANY_CONNECTIONS =
  'HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n';

export interface RunningServer {
  /** Where it listens, such as `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Ends it cleanly: no new requests, those under way are answered, clients are told to come back. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly concord: Concord;
  readonly logger: Logger;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Origins of pages, beside this server's own, that may use the API. */
  readonly allowedOrigins: readonly string[];
  readonly limits?: Partial<ServerLimits>;
  /** Counts what the service does; null: nothing is counted. */
  readonly metrics?: Metrics | null;
  /** Whose tokens are taken beside Concord's own; null: nobody's. */
  readonly signOn?: SignOn | null;
  /** How often an operation is interpreted before it is compiled; for tests of both ways. */
  readonly compileAfter?: number | undefined;
  /** How often an event stream gets a sign of life, in milliseconds; for tests. */
  readonly beatMs?: number | undefined;
}

/** Serves the API: GraphQL over HTTP and WebSocket at /graphql, /health and /ready beside it. */
export async function startServer({
  concord,
  logger,
  host,
  port,
  allowedOrigins,
  limits: given = {},
  metrics = null,
  signOn = null,
  compileAfter,
  beatMs,
}: ServerOptions): Promise<RunningServer> {
  const faults = new Faults(logger);
  const limits = { ...DEFAULT_SERVER_LIMITS, ...given };
  const onLimited = () => metrics?.limited('rate');
  const authentication = new Authentication(concord, signOn);
  const operations = new Operations(concord, faults, { compileAfter, limits, onLimited });
  const answers = new Answers(concord);
  const graphql = createGraphQL({
    concord,
    authentication,
    faults,
    operations,
    answers,
    allowedOrigins,
    hasPage: limits.introspection && limits.documents === null,
  });
  const direct = new DirectRequests(authentication, operations, answers);
  const groups = new Groups({ concord, answers, faults });
  const deliveries = new Deliveries();
  const live = {
    concord,
    authentication,
    operations,
    answers,
    faults,
    allowedOrigins,
    groups,
    deliveries,
    limits,
    metrics,
  };
  const events = new EventStreams({ ...live, beatMs });
  const bodies = new ByteBudget(BODIES_BYTES);
  const open = new Set<ServerResponse>();
  let closing: Promise<void> | null = null;

  const http = createServer((request, response) => {
    if (closing) response.setHeader('connection', 'close');
    for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
    const path = request.url?.split('?', 1)[0];
    if (path === '/health') return answer(response, 200, { status: 'ok', faults: faults.count });
    if (path === '/ready')
      return answer(response, closing ? 503 : 200, { status: closing ? 'stopping' : 'ready' });
    if (path === '/metrics' && metrics !== null) {
      tell(metrics, request, response);
      return;
    }
    if (path !== GRAPHQL_PATH) {
      return answer(response, 404, { error: `There is nothing here. The API is at ${GRAPHQL_PATH}.` });
    }
    if (closing) {
      response.setHeader('retry-after', '1');
      return refuse(
        request,
        response,
        503,
        'RESTARTING',
        'The service is restarting. Come back in a moment.',
      );
    }
    open.add(response);
    destroyUnread(response);
    response.once('close', () => open.delete(response));
    serve(request, response).catch((error: unknown) => {
      faults.report(error, 'fault in a request');
      response.destroy();
    });
  });

  /** Hands a request to GraphQL, once its body is known to be bounded and there is room for it. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What a page elsewhere can have a browser send without asking first: nobody who means it sends these.
    if (request.method === 'POST' && SIMPLE.test(request.headers['content-type'] ?? '')) {
      const message = 'Send the operation as application/json: forms and plain text are not taken.';
      return refuse(request, response, 415, 'BAD_REQUEST', message);
    }
    if (request.headers['transfer-encoding'] !== undefined) {
      const message = 'Send a Content-Length: bodies of unknown length are not taken.';
      return refuse(request, response, 411, 'LENGTH_REQUIRED', message);
    }
    const bytes = Number(request.headers['content-length'] ?? 0);
    const most = limits.bodyMiB * 1024 * 1024;
    if (bytes > most) {
      const message = `The request has ${bytes} bytes; the limit is ${most}. Send it in smaller parts.`;
      return refuse(request, response, 413, 'PAYLOAD_TOO_LARGE', message);
    }
    if (bytes > SMALL_BODY_BYTES) {
      const known = await authentication.identify(request.headers.authorization);
      if ('problem' in known) {
        const { status, headers, code, message } = credentialsError(known.problem);
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        return refuse(request, response, status, code, message);
      }
      await new Promise<void>((enter) => {
        response.once('close', bodies.take(bytes, enter));
      });
    }
    if (await direct.answer(request, response)) return;
    if (await events.answer(request, response)) return;
    await graphql(request, response);
  }

  http.keepAliveTimeout = limits.idleSeconds * 1_000;
  const addresses = new Addresses(limits.connections);
  http.on('connection', (socket) => {
    const leave = addresses.enter(socket.remoteAddress ?? '');
    if (leave !== null) return socket.once('close', leave);
    metrics?.limited('connections');
    socket.on('error', () => undefined);
    return socket.end(TOO_MANY_CONNECTIONS);
  });
  await listen(http, host, port);
  http.on('error', (error) => faults.report(error, 'the server cannot take connections'));
  const sockets = serveWebSockets(http, graphql, live);
  metrics?.watch({ concord, faults, connections: () => sockets.size, groups: () => groups.size });
  const stopSweeping = sweepNowAndThen(concord, faults);
  const { address, port: bound, family } = http.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    close() {
      closing ??= stop(http, { sockets, open, concord, stopSweeping });
      return closing;
    },
  };
}

/** Answers with the figures whoever may see them. */
function tell(metrics: Metrics, request: IncomingMessage, response: ServerResponse): void {
  if (!metrics.isAllowed(request)) {
    const error =
      'These figures are for this machine, or for who shows CONCORD_METRICS_TOKEN: see docs/operations.md.';
    answer(response, 403, { error });
    return;
  }
  metrics.text().then(
    (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
    () => response.destroy(),
  );
}

async function stop(
  http: Server,
  {
    sockets,
    open,
    concord,
    stopSweeping,
  }: {
    readonly sockets: LiveSockets;
    readonly open: Iterable<ServerResponse>;
    readonly concord: Concord;
    readonly stopSweeping: () => void;
  },
): Promise<void> {
  stopSweeping();
  const givingUp = setTimeout(() => concord.giveUp(), CHOOSING_MS);
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve());
  });
  // Clients before streams: one whose stream was completed would take that for its end, and not come back.
  await sockets.drain();
  const streams = [...open].filter(isEventStream);
  for (let first = 0; first < streams.length; first += DRAIN_BATCH) {
    if (first > 0) await pause(DRAIN_PAUSE_MS);
    for (const stream of streams.slice(first, first + DRAIN_BATCH)) stream.destroy();
  }
  concord.hub.close();
  const idle = setInterval(() => http.closeIdleConnections(), IDLE_CHECK_MS);
  const impatient = setTimeout(() => http.closeAllConnections(), SHUTDOWN_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(impatient);
  clearTimeout(givingUp);
  await concord.close();
}

function isEventStream({ req, headersSent }: ServerResponse): boolean {
  return headersSent && req.headers.accept?.includes('text/event-stream') === true;
}

/** The answer ends it. */
function sweepNowAndThen(concord: Concord, faults: Faults): () => void {
  let isSweeping = false;
  let lastProblem = '';
  const expiring = setInterval(() => {
    // What keeps it from that keeps the sweep too, which tells.
    concord.endExpired().catch(() => undefined);
  }, EXPIRY_CHECK_MS);
  const sweeping = setInterval(() => {
    if (isSweeping) return;
    isSweeping = true;
    concord
      .sweep()
      .then(() => {
        lastProblem = '';
      })
      .catch((error: unknown) => {
        const problem = String(error instanceof AggregateError ? error.errors : error);
        // What stays broken is said once, not every second.
        if (problem !== lastProblem) faults.report(error, 'sweep failed');
        lastProblem = problem;
      })
      .finally(() => {
        isSweeping = false;
      });
  }, SWEEP_MS);
  return () => {
    clearInterval(expiring);
    clearInterval(sweeping);
  };
}

function listen(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

/**
 * Answers a request whose body is not read. What still comes of it is thrown away for a while: were the
 * connection closed at once, the client would see it break, and never the answer.
 */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  answer(response, status, { errors: [{ message, extensions: { code } }] });
  if (request.complete) return;
  const impatient = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(impatient));
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
