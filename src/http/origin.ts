import type { IncomingHttpHeaders } from 'node:http';

/** Whether an operator has allowed pages of an origin to use the API. */
export function isListed(origin: string, allowed: readonly string[]): boolean {
  return allowed.includes('*') || allowed.includes(origin);
}

/**
 * Whether a WebSocket may be opened from where its page comes: programs send no Origin; a browser's page must
 * come from this server or from an origin that was allowed. (CORS does not cover WebSockets.)
 */
export function isAllowedOrigin({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || isListed(origin, allowed)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
