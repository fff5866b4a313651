/** What the SDK needs of a WebSocket class: the browser's, Node's own, or the one of the `ws` package. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[]) => WebSocketLike;

export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** The platform's WebSocket; `ws` where there is none, as in Node 20. */
export async function platformWebSocket(): Promise<WebSocketConstructor> {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  return WebSocket ?? (await import('ws')).default;
}
