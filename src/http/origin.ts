import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a WebSocket may be opened from where its page comes: programs send no Origin; a browser's page must
 * come from this server or from an origin that was allowed. (CORS does not cover WebSockets.)
 */
export function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}
