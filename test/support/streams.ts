import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Reply, Service, Variables } from './service.ts';

/** What a subscription pushes: an execution result each. */
export type Push = Pick<Reply, 'data' | 'errors'>;

export interface Reader {
  /** The next push; null at the end of the stream. Rejects when none comes in time. */
  next(timeoutMs?: number): Promise<Push | null>;
  /** Everything until nothing has come for `quietMs`, or the stream ends. */
  drain(quietMs?: number): Promise<readonly Push[]>;
  close(): Promise<void>;
}

/** A subscription (or any operation) over graphql-transport-ws. */
export function overWebSocket(
  { url }: Pick<Service, 'url'>,
  token: string,
  query: string,
  variables: Variables = {},
): Reader {
  const client: Client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
  const pushes = new Pushes(() => client.dispose());
  client.subscribe(
    { query, variables: { ...variables } },
    {
      next: (result) => pushes.add(result as Push),
      // A list is an answer (errors before the stream began), anything else a broken connection.
      error: (error) => {
        if (Array.isArray(error)) {
          pushes.add({ data: undefined, errors: error });
          pushes.end();
        } else pushes.end(error);
      },
      complete: () => pushes.end(),
    },
  );
  return pushes;
}

/** A subscription over server-sent events. */
export function overEvents(
  { url }: Pick<Service, 'url'>,
  token: string | null,
  query: string,
  variables: Variables = {},
): Reader {
  const abort = new AbortController();
  const pushes = new Pushes(() => abort.abort());
  const read = async () => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      signal: abort.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      pushes.add((await response.json()) as Push);
      return;
    }
    let text = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const data = /^data: ?(.*)$/m.exec(event)?.[1];
        if (/^event: ?next$/m.test(event) && data) pushes.add(JSON.parse(data));
      }
    }
  };
  read().then(
    () => pushes.end(),
    (error: unknown) => pushes.end(abort.signal.aborted ? undefined : error),
  );
  return pushes;
}

class Pushes implements Reader {
  readonly #pushes: Push[] = [];
  readonly #stop: () => unknown;
  #ended: { readonly error: unknown } | null = null;
  #wake: () => void = () => undefined;

  constructor(stop: () => unknown) {
    this.#stop = stop;
  }

  add({ data, errors = [] }: Partial<Push>): void {
    this.#pushes.push({ data, errors });
    this.#wake();
  }

  end(error?: unknown): void {
    this.#ended ??= { error };
    this.#wake();
  }

  async next(timeoutMs = 5_000): Promise<Push | null> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const push = this.#pushes.shift();
      if (push) return push;
      if (this.#ended?.error) throw this.#ended.error;
      if (this.#ended) return null;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no push within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async drain(quietMs = 150): Promise<readonly Push[]> {
    const all: Push[] = [];
    for (;;) {
      const push = await this.next(quietMs).catch((error: unknown) => {
        if (this.#ended?.error) throw error;
        return null;
      });
      if (push === null) return all;
      all.push(push);
    }
  }

  async close(): Promise<void> {
    await this.#stop();
  }
}
