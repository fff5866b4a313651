import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Identity } from '../service/signOn.ts';
import { isSafeUrl } from './safeUrl.ts';

/** Signatures that a public key checks. With others, whoever may check could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** How long the provider may take to answer, in milliseconds. */
const ANSWER_MS = 5_000;
/** Keys are asked for anew at a token of an unknown key, but only so long after the last time, in milliseconds. */
const COOLDOWN_MS = 30_000;
/** For how long keys are used that were not asked for again, in milliseconds: what the provider withdraws is trusted no longer. */
const KEYS_KEPT_MS = 600_000;
/** The longest name of a person at the provider: OpenID Connect allows 255. */
const MAX_PERSON = 255;
/** More groups than anybody has. */
const MAX_GROUPS = 1_000;

export interface IdentityProviderOptions {
  /** What the tokens say in `iss`, and where the discovery document is. */
  readonly issuer: string;
  /** What the tokens say in `aud`, alone or among others. */
  readonly audience: string;
  /** Where its keys are; null: where the discovery document says. */
  readonly jwks: string | null;
  /** The claims that say who somebody is for good, what they are called, and in which groups they are. */
  readonly claims: { readonly person: string; readonly name: string; readonly groups: string };
  /** By how much its clock and ours may differ, in seconds. */
  readonly toleranceSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default: {@link COOLDOWN_MS}. */
  readonly cooldownMs?: number | undefined;
}

/** The provider cannot be asked, or gives nothing of use: nobody can tell whether a token is good. */
export class ProviderUnavailableError extends Error {
  override name = 'ProviderUnavailableError';
}

/** A token is no good. The message says why, without anything of the token. */
export class TokenRefusedError extends Error {
  override name = 'TokenRefusedError';
}

/**
 * An OpenID Connect provider whose signed tokens are taken. jose does the cryptography, keeps the keys, and asks for them
 * anew when they are old or a token names one that is not among them: we would not write that better.
 */
export class IdentityProvider {
  readonly #options: IdentityProviderOptions;
  #keys: Promise<JWTVerifyGetKey> | null = null;

  constructor(options: IdentityProviderOptions) {
    this.#options = options;
  }

  /**
   * Who a token is of.
   * @throws {TokenRefusedError}
   * @throws {ProviderUnavailableError}
   */
  async verify(token: string): Promise<Identity> {
    const { issuer, audience, toleranceSeconds, now } = this.#options;
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, (header, jws) => this.#keyOf(header, jws), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: toleranceSeconds,
        currentDate: new Date(now()),
        requiredClaims: ['exp', 'iss', 'aud'],
      }));
    } catch (error) {
      if (error instanceof ProviderUnavailableError) throw error;
      // Not the error itself, nor as a cause: some hold the claims.
      throw new TokenRefusedError((error as Error).message);
    }
    return this.#identityIn(payload);
  }

  #identityIn(payload: JWTPayload): Identity {
    const { issuer, claims, toleranceSeconds } = this.#options;
    const person = payload[claims.person];
    if (typeof person !== 'string' || person === '' || person.length > MAX_PERSON)
      throw new TokenRefusedError(`the claim ${claims.person} names nobody`);
    const name = payload[claims.name];
    const groups = [payload[claims.groups] ?? []].flat().slice(0, MAX_GROUPS);
    return {
      issuer,
      person,
      name: typeof name === 'string' ? name : null,
      groups: groups.filter((group) => typeof group === 'string'),
      ends: ((payload.exp ?? 0) + toleranceSeconds) * 1_000,
    };
  }

  async #keyOf(...[header, jws]: Parameters<JWTVerifyGetKey>) {
    this.#keys ??= this.#findKeys();
    const finding = this.#keys;
    let keys: JWTVerifyGetKey;
    try {
      keys = await finding;
    } catch (error) {
      if (this.#keys === finding) this.#keys = null;
      throw error;
    }
    try {
      return await keys(header, jws);
    } catch (error) {
      const isOfToken =
        error instanceof errors.JWKSNoMatchingKey ||
        error instanceof errors.JWKSMultipleMatchingKeys ||
        error instanceof errors.JOSENotSupported;
      if (isOfToken) throw error;
      throw new ProviderUnavailableError(`its keys cannot be had: ${reasonOf(error)}`);
    }
  }

  async #findKeys(): Promise<JWTVerifyGetKey> {
    const { jwks, cooldownMs = COOLDOWN_MS } = this.#options;
    const url = new URL(jwks ?? (await this.#discover()));
    return createRemoteJWKSet(url, {
      timeoutDuration: ANSWER_MS,
      cooldownDuration: cooldownMs,
      cacheMaxAge: KEYS_KEPT_MS,
    });
  }

  /** Where the discovery document says that the keys are. OpenID Connect Discovery 1.0, section 4. */
  async #discover(): Promise<string> {
    const { issuer } = this.#options;
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    let document: { readonly issuer?: unknown; readonly jwks_uri?: unknown };
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      document = (await response.json()) as typeof document;
    } catch (error) {
      throw new ProviderUnavailableError(`${url} cannot be had: ${reasonOf(error)}`);
    }
    if (document?.issuer !== issuer)
      throw new ProviderUnavailableError(`${url} is of another issuer: give --oidc-issuer as it has it`);
    const { jwks_uri: keys } = document;
    if (typeof keys !== 'string' || !isSafeUrl(keys))
      throw new ProviderUnavailableError(`${url} names no jwks_uri of https:`);
    return keys;
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}
