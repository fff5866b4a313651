import { GraphQLError } from 'graphql';
import { authenticate, isTokenShaped, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { SignOn } from './signOn.ts';

/**
 * What is wrong with credentials. `MISSING`, `MALFORMED` can never become right; `UNKNOWN` may be a token run out; with
 * `NO_ROLE`, whoever an identity provider vouches for has nothing to do here; `UNCHECKABLE` may be right: try again.
 */
export type CredentialsProblem = 'MISSING' | 'MALFORMED' | 'UNKNOWN' | 'NO_ROLE' | 'UNCHECKABLE';

/** Who somebody is, or what is wrong with what they show. */
export type Identified = { readonly viewer: Viewer } | { readonly problem: CredentialsProblem };

/** Three parts of base64url: a signed JSON Web Token. No token of ours has a dot. */
const SIGNED = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
/** The longest such token, in characters: as much as Node takes of headers. */
const MAX_SIGNED = 16_384;

/** Tells who shows a token: one of ours, or one that an identity provider has signed. */
export class Authentication {
  readonly #concord: Concord;
  readonly #signOn: SignOn | null;

  /** @param signOn null: only tokens of ours are taken */
  constructor(concord: Concord, signOn: SignOn | null) {
    this.#concord = concord;
    this.#signOn = signOn;
  }

  /** Who an `Authorization` value belongs to, or what is wrong with it. */
  async identify(authorization: unknown): Promise<Identified> {
    if (authorization === undefined || authorization === null || authorization === '')
      return { problem: 'MISSING' };
    const text = typeof authorization === 'string' ? authorization : '';
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(text) ?? [];
    if (this.#signOn !== null && token.length <= MAX_SIGNED && SIGNED.test(token))
      return this.#signOn.identify(token);
    if (!isTokenShaped(token)) return { problem: 'MALFORMED' };
    const viewer = await authenticate(this.#concord, token);
    return viewer ? { viewer } : { problem: 'UNKNOWN' };
  }

  /**
   * Who a request comes from, or null without credentials: the schema itself may be read by anybody.
   * @throws {GraphQLError} UNAUTHENTICATED: there are credentials, and they are no good; SIGN_ON_UNAVAILABLE: nobody can tell
   */
  async ofHeader(authorization: string | null): Promise<Viewer | null> {
    const known = await this.identify(authorization);
    if ('viewer' in known) return known.viewer;
    if (known.problem === 'MISSING') return null;
    const { message, code, status, headers } = credentialsError(known.problem);
    throw new GraphQLError(message, { extensions: { code, http: { status, headers } } });
  }
}

const MESSAGES: Readonly<Record<CredentialsProblem, string>> = {
  MISSING: 'This needs a token: send it as "Authorization: Bearer …".',
  MALFORMED:
    'The Authorization header is malformed. It reads "Bearer " and a token of 32 to 128 characters, or one of the identity provider if the service has one.',
  UNKNOWN: 'The token is not known, was revoked, or has run out.',
  NO_ROLE: 'You have signed on, and have no role in any project: ask an owner, or whoever gives out groups.',
  UNCHECKABLE: 'Your sign-on cannot be checked just now. Come back in some seconds with the same token.',
};

/** What is said over HTTP of credentials that are no good. */
export function credentialsError(problem: CredentialsProblem): {
  readonly status: number;
  readonly code: 'UNAUTHENTICATED' | 'SIGN_ON_UNAVAILABLE';
  readonly headers: Readonly<Record<string, string>>;
  readonly message: string;
} {
  const message = MESSAGES[problem];
  if (problem === 'UNCHECKABLE')
    return { status: 503, code: 'SIGN_ON_UNAVAILABLE', headers: { 'retry-after': '5' }, message };
  const challenge = problem === 'MISSING' ? 'Bearer' : 'Bearer error="invalid_token"';
  return { status: 401, code: 'UNAUTHENTICATED', headers: { 'www-authenticate': challenge }, message };
}
