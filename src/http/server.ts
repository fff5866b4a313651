import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Concord } from '../service/concord.ts';
import { type LiveSockets, serveWebSockets } from './websocket.ts';
import { createGraphQL, GRAPHQL_PATH } from './yoga.ts';

/** The largest request body, in bytes: a full part of predictions in base64 and some room. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** How often what has run out is let go without anybody asking, in milliseconds. */
const SWEEP_MS = 1_000;
/** How long requests under way may take at shutdown, in milliseconds. */
const SHUTDOWN_MS = 10_000;

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
}

/** Serves the API: GraphQL over HTTP and WebSocket at /graphql, /health and /ready beside it. */
export async function startServer({
  concord,
  logger,
  host,
  port,
  allowedOrigins,
}: ServerOptions): Promise<RunningServer> {
  const graphql = createGraphQL({ concord, logger, allowedOrigins });
  let ready = true;
  const http = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path === '/health') return answer(response, 200, { status: 'ok' });
    if (path === '/ready')
      return answer(response, ready ? 200 : 503, { status: ready ? 'ready' : 'stopping' });
    if (path !== GRAPHQL_PATH) {
      return answer(response, 404, { error: `There is nothing here. The API is at ${GRAPHQL_PATH}.` });
    }
    const refused = bodyProblem(request);
    if (refused !== null) return answer(response.setHeader('connection', 'close'), ...refused);
    void graphql(request, response);
  });
  const sockets = serveWebSockets(http, graphql, { concord, logger, allowedOrigins });
  await listen(http, host, port);
  const sweeping = setInterval(() => {
    concord.sweep().catch((error: unknown) => logger.error({ err: error }, 'sweep failed'));
  }, SWEEP_MS);
  const { address, port: bound, family } = http.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async close() {
      ready = false;
      clearInterval(sweeping);
      await stop(http, sockets, concord);
    },
  };
}

async function stop(http: Server, sockets: LiveSockets, concord: Concord): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve());
  });
  http.closeIdleConnections();
  // Sockets before streams: a client whose stream merely completed would not come back.
  await sockets.drain();
  concord.hub.close();
  const impatient = setTimeout(() => http.closeAllConnections(), SHUTDOWN_MS);
  await closed;
  clearTimeout(impatient);
  await concord.close();
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

/** Why a body is not even read: its size must be known, and bounded. */
function bodyProblem({ headers, method }: IncomingMessage): [number, object] | null {
  if (headers['transfer-encoding'] !== undefined) {
    return [
      411,
      graphqlError('LENGTH_REQUIRED', 'Send a Content-Length: bodies of unknown length are not taken.'),
    ];
  }
  const bytes = Number(headers['content-length'] ?? 0);
  if (method === 'GET' || bytes <= MAX_BODY_BYTES) return null;
  const message = `The request has ${bytes} bytes; the limit is ${MAX_BODY_BYTES}. Send it in smaller parts.`;
  return [413, graphqlError('PAYLOAD_TOO_LARGE', message)];
}

function graphqlError(code: string, message: string): object {
  return { errors: [{ message, extensions: { code } }] };
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
