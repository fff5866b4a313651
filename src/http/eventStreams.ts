import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GraphQLError, OperationTypeNode } from 'graphql';
import { Refusal } from '../domain/refusals.ts';
import { isLive, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Authentication } from './authentication.ts';
import { EventLine } from './eventLine.ts';
import { type Faults, shown } from './faults.ts';
import { Frame } from './frame.ts';
import type { GroupReader } from './groupReader.ts';
import type { Groups, Subscribed } from './groups.ts';
import { kindOf, type Operations } from './operations.ts';
import { isListed } from './origin.ts';
import { type Deliveries, Outbox } from './outbox.ts';
import { giveBack, isPlainJson, type Params, paramsIn, paramsOfUrl, readBody } from './params.ts';

/** How often a sign of life is sent, in milliseconds: proxies cut connections that are silent for a minute or so. */
const BEAT_MS = 12_000;
/** How long a browser waits before it comes back to a stream that broke off, in milliseconds. */
const RETRY_MS = 1_000;

export interface EventStreamsOptions {
  readonly concord: Concord;
  readonly authentication: Authentication;
  readonly operations: Operations;
  readonly groups: Groups;
  readonly deliveries: Deliveries;
  readonly faults: Faults;
  readonly allowedOrigins: readonly string[];
  /** How often a sign of life is sent, in milliseconds; default: {@link BEAT_MS}. */
  readonly beatMs?: number | undefined;
}

/**
 * Subscriptions as server-sent events, for those who cannot open a WebSocket: one on each answer ("distinct connections"
 * of graphql-sse's protocol), in the same groups as those over WebSockets, at the same price. What is not shared is
 * Yoga's, which speaks the same.
 */
export class EventStreams {
  readonly #options: EventStreamsOptions;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  /**
   * Answers a request, if it subscribes to what can be shared; resolves when the stream has begun.
   * @returns whether it was; if not, nothing was done, and its body can be read again
   */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (!asksForEvents(request)) return false;
    const body = request.method === 'POST' ? await readBody(request) : Buffer.alloc(0);
    // Who has gone away gets no answer.
    if (body === null) return true;
    const params = request.method === 'POST' ? paramsIn(body) : paramsOfUrl(request.url ?? '');
    if (params !== null && (await this.#join(request, response, params))) return true;
    if (request.method === 'POST') giveBack(request, body);
    return false;
  }

  /** Whether it could be shared. */
  async #join(request: IncomingMessage, response: ServerResponse, params: Params): Promise<boolean> {
    const { authentication, operations, groups, deliveries, faults } = this.#options;
    const { query, operationName = null, variables = null } = params;
    const { document, errors } = operations.prepare(query);
    if (document === null || errors.length > 0) return false;
    if (kindOf(document, operationName) !== OperationTypeNode.SUBSCRIPTION) return false;
    const known = await authentication.identify(request.headers.authorization);
    if (!('viewer' in known)) return false;
    try {
      operations.cost(document, operationName, variables);
      operations.admit(known.viewer, request);
    } catch {
      return false;
    }
    const subscribed: Subscribed = { document, query, operationName, variables };
    const outbox = new Outbox(new EventLine(response), deliveries);
    const lastRead = request.headers['last-event-id'];
    const place = { id: '', lastRead: typeof lastRead === 'string' && lastRead !== '' ? lastRead : null };
    let reader: GroupReader | null;
    try {
      reader = await groups.join(subscribed, known.viewer, outbox, place);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#begin(request, response);
      fail(response, faults.publicError(error));
      complete(response);
      return true;
    }
    if (reader === null) return false;
    void this.#stream(request, response, { reader, viewer: known.viewer });
    return true;
  }

  #begin({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    if (origin !== undefined && isListed(origin, this.#options.allowedOrigins)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('vary', 'Origin');
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // No proxy may keep it, rewrite it, or hold it back until there is more.
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    // Some browsers take an answer for begun only when something has come.
    response.write(`retry: ${RETRY_MS}\n:\n\n`);
  }

  async #stream(
    request: IncomingMessage,
    response: ServerResponse,
    { reader, viewer }: { readonly reader: GroupReader; readonly viewer: Viewer },
  ): Promise<void> {
    const { concord, faults, beatMs = BEAT_MS } = this.#options;
    response.once('close', () => reader.end());
    if (response.closed) reader.end();
    else this.#begin(request, response);
    // Who does not read needs no sign of life, and is cut off in time.
    const beating = setInterval(() => {
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, beatMs);
    try {
      await reader.next();
    } catch (error) {
      fail(response, faults.publicError(error));
    } finally {
      clearInterval(beating);
    }
    // Whose token is dead must not take that for the end of what they asked for: they come back with another.
    const isOver = await isLive(concord, viewer).catch(() => false);
    if (isOver) complete(response);
    else response.destroy();
  }
}

function asksForEvents({ method, headers }: IncomingMessage): boolean {
  if (headers.accept?.split(/[;,]/, 1)[0] !== 'text/event-stream') return false;
  return method === 'GET' || (method === 'POST' && isPlainJson(headers));
}

function fail(response: ServerResponse, error: GraphQLError): void {
  if (!response.destroyed) response.write(new Frame({ errors: [shown(error)] }).event);
}

function complete(response: ServerResponse): void {
  if (!response.destroyed) response.end('event: complete\ndata:\n\n');
}
