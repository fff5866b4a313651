import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Gives whether a request shows a secret, as a bearer token. How long that takes says nothing of how much was right. */
export function whoShows(secret: string): (headers: IncomingHttpHeaders) => boolean {
  const expected = digest(`Bearer ${secret}`);
  return ({ authorization = '' }) => timingSafeEqual(digest(authorization), expected);
}

/** Of one length, whatever the text. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
