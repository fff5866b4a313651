import type { ServerResponse } from 'node:http';

/** How long an answer may lie unread, in milliseconds; streams have a sign of life every 12 seconds. */
const UNREAD_MS = 20_000;

/** Cuts an answer off when nothing of it is read for a while: what is unread takes memory. */
export function destroyUnread(response: ServerResponse, unreadMs = UNREAD_MS): void {
  const watch = () => response.setTimeout(unreadMs, () => response.destroy());
  // A stream's signs of life must be read too. What is still worked at is waited for.
  if (response.req.headers.accept?.includes('text/event-stream')) watch();
  else response.once('prefinish', watch);
}
