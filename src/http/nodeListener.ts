import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeValue, encodeValue } from '../journal/codec.ts';
import type { StoredValue } from '../journal/port.ts';
import { whoShows } from './sharedSecret.ts';

/** Where nodes ask each other. */
export const NODE_PATH = '/node';
/** What nodes send: values as the journal has them. */
export const MESSAGE_TYPE = 'application/msgpack';
/** The largest message, in bytes: the largest commit, four times over. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** How long a request may take to come in, in milliseconds. */
const REQUEST_MS = 20_000;
/** How long a connection is kept that asks nothing, in milliseconds. */
const KEEP_ALIVE_MS = 65_000;
/** The most connections: many more than the nodes there could be have need of. */
const MAX_CONNECTIONS = 4_096;

/** The door for other nodes. */
export interface NodeListener {
  /** Where it listens, as HOST:PORT. */
  readonly address: string;
  /** Lets requests in. Until then they are told to come again. */
  open(receive: (message: StoredValue) => Promise<StoredValue>): void;
  close(): Promise<void>;
}

/**
 * Listens for other nodes, at a door of its own, so that no balancer leads there. Whoever does not show the secret that
 * nodes share is not listened to; it is not encrypted, so the network between nodes must be nobody else's.
 */
export async function listenForNodes(
  { host, port }: { readonly host: string; readonly port: number },
  secret: string,
): Promise<NodeListener> {
  const showsSecret = whoShows(secret);
  let receive: ((message: StoredValue) => Promise<StoredValue>) | null = null;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!showsSecret(request.headers)) return end(response, 401);
    if (request.method !== 'POST' || request.url !== NODE_PATH) return end(response, 404);
    const bytes = Number(request.headers['content-length']);
    if (!Number.isInteger(bytes)) return end(response, 411);
    if (bytes > MAX_MESSAGE_BYTES) return end(response, 413);
    if (receive === null) return end(response, 503);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    let message: StoredValue;
    try {
      message = decodeValue(Buffer.concat(parts));
    } catch {
      return end(response, 400);
    }
    const answer = encodeValue(await receive(message)).slice();
    response.writeHead(200, { 'content-type': MESSAGE_TYPE, 'content-length': answer.length });
    response.end(answer);
  }

  const http = createServer({ requestTimeout: REQUEST_MS, noDelay: true }, (request, response) => {
    serve(request, response).catch(() => {
      // It broke off, or sent what is no message of ours.
      if (response.headersSent) response.destroy();
      else end(response, 400);
    });
  });
  http.keepAliveTimeout = KEEP_ALIVE_MS;
  http.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = http.address() as AddressInfo;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
    open(by) {
      receive = by;
    },
    close() {
      return new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };
}

/** Refuses without reading on. */
function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { connection: 'close', 'content-length': 0 });
  response.end();
}
