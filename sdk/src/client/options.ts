import { DEFAULT_RETRY, type RetryPolicy } from './retry.ts';
import type { WebSocketConstructor } from './webSocket.ts';

/** A bearer token, or what gives one: asked anew for every call and connection, so that it may change. */
export type Token = string | (() => string | Promise<string>);

export interface ClientOptions {
  /** The GraphQL endpoint, such as `https://labels.example.org/graphql`. Its WebSocket is at the same place. */
  readonly url: string;
  /** Null: nobody yet, who can only accept an invitation. */
  readonly token: Token | null;
  /** Sends calls. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Opens the connection of streams. Default: the global `WebSocket`; where there is none (Node 20), `ws`. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** How often and when what failed on its way is tried again. */
  readonly retry?: Partial<RetryPolicy> | undefined;
  /**
   * How long an attempt of a call may take, in milliseconds. Default: 90,000, for a strategy may run for 60,000 before
   * the service ends it and says so.
   */
  readonly timeoutMs?: number | undefined;
}

/** Options, checked and complete. */
export interface Settings {
  readonly url: string;
  readonly webSocketUrl: string;
  readonly authorization: () => Promise<string>;
  /** Whether a fresh token may be had by asking again. */
  readonly isTokenRenewable: boolean;
  readonly fetch: typeof globalThis.fetch;
  readonly webSocket: WebSocketConstructor | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
}

/** @throws {TypeError} an option cannot be used; the message says which */
export function settingsOf({
  url,
  token,
  fetch = (...request) => globalThis.fetch(...request),
  webSocket,
  retry = {},
  timeoutMs = 90_000,
}: ClientOptions): Settings {
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    throw new TypeError(
      `url is the GraphQL endpoint, such as http://127.0.0.1:4000/graphql, and not '${url}'`,
    );
  }
  if (token !== null && typeof token !== 'function' && (typeof token !== 'string' || token === '')) {
    throw new TypeError('token is a bearer token, or a function that gives one');
  }
  return {
    url,
    webSocketUrl: url.replace(/^http/, 'ws'),
    authorization: async () =>
      token === null ? '' : `Bearer ${typeof token === 'function' ? await token() : token}`,
    isTokenRenewable: typeof token === 'function',
    fetch,
    webSocket,
    retry: { ...DEFAULT_RETRY, ...retry },
    timeoutMs,
  };
}
