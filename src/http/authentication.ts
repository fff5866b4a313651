import { GraphQLError } from 'graphql';
import { authenticate, isTokenShaped, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';

/** What is wrong with credentials. `MALFORMED` can never become right; `UNKNOWN` may be a token run out. */
export type CredentialsProblem = 'MISSING' | 'MALFORMED' | 'UNKNOWN';

/** Who an `Authorization` value belongs to, or what is wrong with it. */
export async function identify(
  concord: Concord,
  authorization: unknown,
): Promise<{ readonly viewer: Viewer } | { readonly problem: CredentialsProblem }> {
  if (authorization === undefined || authorization === null || authorization === '')
    return { problem: 'MISSING' };
  const text = typeof authorization === 'string' ? authorization : '';
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(text) ?? [];
  if (!isTokenShaped(token)) return { problem: 'MALFORMED' };
  const viewer = await authenticate(concord, token);
  return viewer ? { viewer } : { problem: 'UNKNOWN' };
}

export const CREDENTIALS_PROBLEMS: Readonly<Record<CredentialsProblem, string>> = {
  MISSING: 'This needs a token: send it as "Authorization: Bearer …".',
  MALFORMED: 'The Authorization header is malformed. It reads "Bearer " and a token of 32 to 128 characters.',
  UNKNOWN: 'The token is not known, was revoked, or has run out.',
};

/**
 * Who a request comes from, or null without credentials: the schema itself may be read by anybody.
 * @throws {GraphQLError} UNAUTHENTICATED: there are credentials, and they are no good
 */
export async function authenticateHeader(
  concord: Concord,
  authorization: string | null,
): Promise<Viewer | null> {
  const known = await identify(concord, authorization);
  if ('viewer' in known) return known.viewer;
  if (known.problem === 'MISSING') return null;
  throw new GraphQLError(CREDENTIALS_PROBLEMS[known.problem], {
    extensions: {
      code: 'UNAUTHENTICATED',
      http: { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
    },
  });
}
