import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Directory } from '../domain/directory.ts';
import { globalId } from '../graphql/ids.ts';
import { tokenHash } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { type Identity, type RoleRule, signedOn, signOn } from '../service/signOn.ts';
import { asRefusal } from '../service/trouble.ts';
import type { Identified } from './authentication.ts';
import { IdentityProvider, ProviderUnavailableError, TokenRefusedError } from './identityProvider.ts';
import type { SignOnConfig } from './signOnConfig.ts';

/** Tokens that are known to be good; who is forgotten is checked again. */
const KEPT = 10_000;

/** A rule names a project that there is not. */
export class SignOnError extends Error {
  override name = 'SignOnError';
}

/** Tells who shows a token that an identity provider has signed. Each is checked, and its groups are seen to, once a node. */
export class SignOn {
  readonly #concord: Concord;
  readonly #provider: Pick<IdentityProvider, 'verify'>;
  readonly #rules: readonly RoleRule[];
  readonly #logger: Logger;
  /** By the hash of the token: the token itself is not held. */
  readonly #known = new LRUCache<string, Promise<Known>>({ max: KEPT });
  /** What was last said in the log; empty: all is well. */
  #trouble = '';

  constructor(
    concord: Concord,
    provider: Pick<IdentityProvider, 'verify'>,
    rules: readonly RoleRule[],
    logger: Logger,
  ) {
    this.#concord = concord;
    this.#provider = provider;
    this.#rules = rules;
    this.#logger = logger;
  }

  /** As the configuration says. @throws {SignOnError} */
  static async open({ roles, ...options }: SignOnConfig, concord: Concord, logger: Logger): Promise<SignOn> {
    const provider = new IdentityProvider({ ...options, now: () => concord.environment.now() });
    const rules = await concord.directory.read((directory) =>
      roles.map((rule) => ({ ...rule, project: projectNamed(directory, rule.project) })),
    );
    return new SignOn(concord, provider, rules, logger);
  }

  async identify(token: string): Promise<Identified> {
    const key = tokenHash(token);
    let checking = this.#known.get(key);
    if (checking === undefined) {
      checking = this.#check(token);
      this.#known.set(key, checking);
    }
    let known: Known;
    try {
      known = await checking;
    } catch (error) {
      this.#known.delete(key);
      return { problem: this.#problemOf(error) };
    }
    if (known === 'NO_ROLE') this.#known.delete(key);
    if (known === 'NO_ROLE') return { problem: 'NO_ROLE' };
    const viewer = await signedOn(this.#concord, known);
    return viewer === null ? { problem: 'UNKNOWN' } : { viewer };
  }

  async #check(token: string): Promise<Known> {
    const identity = await this.#provider.verify(token);
    if (this.#trouble !== '') {
      this.#trouble = '';
      this.#logger.info('sign-ons can be checked again');
    }
    const entered = await signOn(this.#concord, identity, this.#rules);
    return entered === 'NO_ROLE' ? entered : identity;
  }

  #problemOf(error: unknown): 'UNKNOWN' | 'UNCHECKABLE' {
    if (error instanceof TokenRefusedError) {
      this.#logger.debug({ problem: error.message }, 'a token of the identity provider was refused');
      return 'UNKNOWN';
    }
    const refusal = asRefusal(error) as { readonly code?: string };
    const isTrouble =
      error instanceof ProviderUnavailableError || refusal.code?.startsWith('STORE_') === true;
    if (!isTrouble) throw error;
    const { message } = error as Error;
    // What stays broken is said once, not at every request.
    if (message !== this.#trouble) this.#logger.warn({ problem: message }, 'sign-ons cannot be checked');
    this.#trouble = message;
    return 'UNCHECKABLE';
  }
}

type Known = Identity | 'NO_ROLE';

function projectNamed(directory: Directory, text: string): string {
  const found = [...directory.projects.values()].filter(
    ({ id, name }) => globalId('Project', id) === text || name === text,
  );
  const [project] = found;
  if (project === undefined)
    throw new SignOnError(`--oidc-role names the project '${text}', and there is none of this name or id`);
  if (found.length > 1)
    throw new SignOnError(`--oidc-role names '${text}', as several projects are called: give the id instead`);
  return project.id;
}
