import { Agent, type IncomingMessage, request } from 'node:http';
import { decodeValue, encodeValue } from '../journal/codec.ts';
import type { StoredValue } from '../journal/port.ts';
import { type Link, UnreachedError } from '../service/forwarding.ts';
import { MAX_MESSAGE_BYTES, MESSAGE_TYPE, NODE_PATH } from './nodeListener.ts';

/** How long a node may take to accept a connection, in milliseconds. */
const CONNECT_MS = 1_000;
/** How long an answer may take, in milliseconds: a slow store has its time; a dead node is noticed sooner by its lease. */
const ANSWER_MS = 20_000;
/** Connections to each node. */
const MAX_SOCKETS = 64;

/** By these, a request has not left this machine. */
const UNREACHED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * The way to other nodes: requests of Node's own HTTP client, over connections that are kept. It serves here better than
 * `fetch`, which takes three times as long for so small a request and does not tell whether it was ever sent.
 */
export class NodeLink implements Link {
  readonly #secret: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, noDelay: true });

  constructor(secret: string) {
    this.#secret = secret;
  }

  send(address: string, message: StoredValue, signal: AbortSignal): Promise<StoredValue> {
    const body = Buffer.from(encodeValue(message));
    return new Promise((resolve, reject) => {
      let isSent = false;
      const asked = request(`http://${address}${NODE_PATH}`, {
        agent: this.#agent,
        method: 'POST',
        signal,
        timeout: ANSWER_MS,
        headers: {
          authorization: `Bearer ${this.#secret}`,
          'content-type': MESSAGE_TYPE,
          'content-length': body.length,
        },
      });
      asked.once('socket', (socket) => {
        if (!socket.connecting) {
          isSent = true;
          return;
        }
        const impatient = setTimeout(() => asked.destroy(new Error('no connection in time')), CONNECT_MS);
        socket.once('connect', () => {
          isSent = true;
        });
        socket.once('close', () => clearTimeout(impatient));
        socket.once('connect', () => clearTimeout(impatient));
      });
      asked.once('timeout', () => asked.destroy(new Error('no answer in time')));
      asked.once('error', (error: NodeJS.ErrnoException) => {
        const isUnreached = !isSent || UNREACHED.has(error.code ?? '');
        reject(isUnreached ? new UnreachedError(error.message, { cause: error }) : error);
      });
      asked.once('response', (response) => answerOf(response).then(resolve, reject));
      asked.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function answerOf(response: IncomingMessage): Promise<StoredValue> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_MESSAGE_BYTES) throw new Error('the answer is too large');
    parts.push(part);
  }
  switch (response.statusCode) {
    case 200:
      return decodeValue(Buffer.concat(parts));
    case 401:
      throw new UnreachedError('it has another cluster secret');
    case 503:
      throw new UnreachedError('it is not ready');
    default:
      throw new Error(`it answers HTTP ${response.statusCode}`);
  }
}
