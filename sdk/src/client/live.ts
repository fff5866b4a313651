import { createClient, type Client as GraphQLWS } from 'graphql-ws/client';
import { errorOf } from './answers.ts';
import { type ConcordError, NetworkError, ServiceError, UnauthenticatedError } from './errors.ts';
import type { CallOptions, Operation } from './operation.ts';
import type { Settings } from './options.ts';
import { delayAfter, pause } from './retry.ts';
import { Stream } from './stream.ts';
import { platformWebSocket } from './webSocket.ts';

/** With these codes the service closes on who it does not know: never, and not with this token. */
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;

/** How often in a row a fresh token may be refused before it is taken for a final word. */
const TOKEN_ATTEMPTS = 3;

/** A connection that is silent for so long is asked whether it lives, and has so long to answer; milliseconds. */
const PING_MS = 15_000;
const PONG_MS = 10_000;
const ACKNOWLEDGE_MS = 10_000;

/**
 * How the connection of streams is: `OPEN`; `CONNECTING`, also again and again while the service is away; or `CLOSED`,
 * as when no stream needs it, or it was lost just now.
 */
export type ConnectionState = 'CLOSED' | 'CONNECTING' | 'OPEN';

/**
 * The one WebSocket that all streams of a client share: opened with the first, closed with the last, opened
 * again with backoff when it is lost. It is the reference client of graphql-transport-ws, whose fatal close codes
 * end the streams, and whose others (1001, 1012, 1013, 4403 and lost connections among them) do not.
 */
export class LiveConnection {
  readonly #listeners = new Set<() => void>();
  #state: ConnectionState = 'CLOSED';
  readonly #settings: Settings;
  readonly #streams = new Set<{ end(): void }>();
  readonly #closing = new AbortController();
  #client: Promise<GraphQLWS> | null = null;
  /** How often in a row the token was refused. */
  #refusals = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Calls back whenever the state has changed. The answer ends it. */
  onState(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A stream that begins when it is iterated, each time anew, and ends when the reader leaves it. */
  stream<T>(operation: Operation, variables: object, { signal }: CallOptions = {}): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const stream = new Stream<T>({
          operation,
          variables,
          signal,
          retry: this.#settings.retry,
          connect: () => {
            this.#client ??= this.#connect();
            return this.#client;
          },
          errorFor: (failure) => this.#errorFor(failure),
          onEnd: () => this.#streams.delete(stream),
        });
        if (this.#closing.signal.aborted) stream.end();
        else {
          this.#streams.add(stream);
          stream.begin();
        }
        return stream;
      },
    };
  }

  /** Ends every stream and closes the socket. */
  close(): void {
    this.#closing.abort();
    for (const stream of [...this.#streams]) stream.end();
    // A connection that never came about has nothing to dispose of.
    this.#client?.then((client) => client.dispose()).catch(() => {});
  }

  async #connect(): Promise<GraphQLWS> {
    const { webSocketUrl, authorization, webSocket, retry, isTokenRenewable } = this.#settings;
    let pongTimer: ReturnType<typeof setTimeout> | undefined;
    const client: GraphQLWS = createClient({
      url: webSocketUrl,
      webSocketImpl: webSocket ?? (await platformWebSocket()),
      connectionParams: async () => ({ authorization: await authorization() }),
      connectionAckWaitTimeout: ACKNOWLEDGE_MS,
      keepAlive: PING_MS,
      retryAttempts: Number.POSITIVE_INFINITY,
      retryWait: (retries) => pause(delayAfter(retries + 1, retry), this.#closing.signal),
      // A plain error is our own, from the token's function or an unreadable message: the next attempt has it too.
      shouldRetry: (failure) =>
        (!(failure instanceof Error) || isCloseEvent(failure)) &&
        this.#refusals < (isTokenRenewable ? TOKEN_ATTEMPTS : 2),
      on: {
        connecting: () => this.#become('CONNECTING'),
        connected: () => {
          this.#become('OPEN');
          this.#refusals = 0;
        },
        closed: (event) => {
          this.#become('CLOSED');
          clearTimeout(pongTimer);
          if (isCloseEvent(event) && event.code === FORBIDDEN) this.#refusals++;
        },
        ping: (received) => {
          if (received) return;
          clearTimeout(pongTimer);
          pongTimer = setTimeout(() => client.terminate(), PONG_MS);
        },
        pong: (received) => {
          if (received) clearTimeout(pongTimer);
        },
      },
    });
    return client;
  }

  #become(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** What a reader is told of a failure that ends a stream: GraphQL errors, a fatal close, or an error. */
  #errorFor(failure: unknown): ConcordError | Error {
    if (Array.isArray(failure)) return errorOf(failure);
    if (isCloseEvent(failure)) {
      const { code, reason } = failure;
      if (code === UNAUTHORIZED || code === FORBIDDEN) {
        return new UnauthenticatedError('The token is missing, malformed, unknown, revoked or has run out.');
      }
      return new ServiceError(`The service closed the connection with ${code} ${reason}`, {
        code: `CLOSED_${code}`,
      });
    }
    if (failure instanceof Error) return failure;
    return new NetworkError(`${this.#settings.webSocketUrl} could not be reached`, {
      retryable: true,
      cause: failure,
    });
  }
}

function isCloseEvent(value: unknown): value is { readonly code: number; readonly reason: string } {
  return typeof value === 'object' && value !== null && 'code' in value && 'reason' in value;
}
