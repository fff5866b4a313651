/** The database of a connection string that names none. */
export const DEFAULT_DATABASE = 'concord';

/** Scheme, hosts and database. Whatever could belong to a user or a password, escaped or not, is skipped. */
const CONNECTION_STRING = /^(mongodb(?:\+srv)?:\/\/)(?:.*@)?([^/?]*)(?:\/([^?]*))?/s;

/** Whether a store's location is MongoDB's. */
export function isMongoAddress(location: string): boolean {
  return CONNECTION_STRING.test(location);
}

/** A connection string as it may be shown and logged: without user, password and options. */
export function shownAddress(url: string): string {
  const [, scheme = '', hosts = '', database = ''] = CONNECTION_STRING.exec(url) ?? [];
  return `${scheme}${hosts}/${database || DEFAULT_DATABASE}`;
}

export function namesDatabase(url: string): boolean {
  return Boolean(CONNECTION_STRING.exec(url)?.[3]);
}

/** The options that a connection string gives, by their names in lower case. */
export function givenOptions(url: string): ReadonlySet<string> {
  const [, query = ''] = url.split('?');
  return new Set([...new URLSearchParams(query).keys()].map((name) => name.toLowerCase()));
}
