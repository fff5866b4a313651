import { delimiter } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ConfigError } from './command.ts';
import { COMMANDS } from './commands.ts';
import type { MetricsOptions } from './metrics.ts';
import { isSafeUrl } from './safeUrl.ts';
import type { ServerLimits } from './serverLimits.ts';
import { rulesIn, type SignOnConfig } from './signOnConfig.ts';

/** How the service runs. Each flag has an environment variable; a flag wins. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly store: string;
  /** Folders of strategies beside those that come with Concord, each path one or several as in PATH. */
  readonly plugins: readonly string[];
  readonly ownerToken: string | null;
  readonly allowedOrigins: readonly string[];
  readonly logLevel: string;
  /** Who is told what the service does; null: nobody, and nothing is counted. */
  readonly metrics: MetricsOptions | null;
  readonly limits: Omit<ServerLimits, 'documents'>;
  /** The manifest of the only documents that are run; empty: any. */
  readonly trustedDocuments: string;
  /** How this service is one of several; null: it is the only one, or each decides by itself. */
  readonly node: NodeConfig | null;
  /** Whose tokens are taken beside Concord's own; null: nobody's. */
  readonly signOn: SignOnConfig | null;
}

export interface NodeConfig {
  /** Where the other nodes reach this one, and where it listens for them. */
  readonly host: string;
  readonly port: number;
  /** The secret that they share, or the file that it is in. */
  readonly secret: string | { readonly file: string };
}

interface Option {
  readonly env: string;
  readonly placeholder: string;
  readonly fallback: string;
  readonly help: string;
  /** Whether it may be given several times. */
  readonly isList?: boolean;
}

function limit(variable: string, fallback: number, help: string): Option {
  return { env: `CONCORD_${variable}`, placeholder: 'NUMBER', fallback: String(fallback), help };
}

const OPTIONS = {
  host: {
    env: 'CONCORD_HOST',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    help: 'where to listen; 0.0.0.0 for every interface',
  },
  port: {
    env: 'CONCORD_PORT',
    placeholder: 'NUMBER',
    fallback: '4000',
    help: 'TCP port; 0 for any free one',
  },
  store: {
    env: 'CONCORD_STORE',
    placeholder: 'LOCATION',
    fallback: './data',
    help: 'folder of the embedded store, created if missing; or mongodb://…',
  },
  plugins: {
    env: 'CONCORD_PLUGINS',
    placeholder: 'FOLDER',
    fallback: '',
    isList: true,
    help: `folder of strategies, added to those that come with Concord; may come several
times, or hold several, parted by ${delimiter}`,
  },
  'allowed-origins': {
    env: 'CONCORD_ALLOWED_ORIGINS',
    placeholder: 'LIST',
    fallback: '',
    help: 'origins of pages that may use the API, beside its own; comma-separated',
  },
  'node-address': {
    env: 'CONCORD_NODE_ADDRESS',
    placeholder: 'HOST:PORT',
    fallback: '',
    help: 'where the other nodes over the same MongoDB reach this one',
  },
  'cluster-secret-file': {
    env: 'CONCORD_CLUSTER_SECRET_FILE',
    placeholder: 'FILE',
    fallback: '',
    help: 'holds what CONCORD_CLUSTER_SECRET would say',
  },
  metrics: {
    env: 'CONCORD_METRICS',
    placeholder: 'on|off',
    fallback: 'on',
    help: 'Prometheus figures at /metrics, for this machine alone or by a token',
  },
  introspection: {
    env: 'CONCORD_INTROSPECTION',
    placeholder: 'on|off',
    fallback: 'on',
    help: 'whether the schema may be asked for, and GraphiQL is there',
  },
  'trusted-documents': {
    env: 'CONCORD_TRUSTED_DOCUMENTS',
    placeholder: 'FILE',
    fallback: '',
    help: "a manifest of the only documents to run, such as the SDK's",
  },
  'oidc-issuer': {
    env: 'CONCORD_OIDC_ISSUER',
    placeholder: 'URL',
    fallback: '',
    help: 'an OpenID Connect provider whose signed tokens are taken beside our own',
  },
  'oidc-audience': {
    env: 'CONCORD_OIDC_AUDIENCE',
    placeholder: 'TEXT',
    fallback: '',
    help: 'whom its tokens must be for: the "aud" of this service there',
  },
  'oidc-jwks': {
    env: 'CONCORD_OIDC_JWKS',
    placeholder: 'URL',
    fallback: '',
    help: 'its keys; without it, where its discovery document says',
  },
  'oidc-role': {
    env: 'CONCORD_OIDC_ROLE',
    placeholder: 'RULE',
    fallback: '',
    isList: true,
    help: `GROUP=PROJECT:ROLE, such as readers=Mail:annotator; * is everybody who
signs on; may come several times, or hold several, parted by ;`,
  },
  'oidc-person-claim': {
    env: 'CONCORD_OIDC_PERSON_CLAIM',
    placeholder: 'NAME',
    fallback: 'sub',
    help: 'the claim that says who somebody is, for good',
  },
  'oidc-name-claim': {
    env: 'CONCORD_OIDC_NAME_CLAIM',
    placeholder: 'NAME',
    fallback: 'name',
    help: 'the claim that says what they are called',
  },
  'oidc-groups-claim': {
    env: 'CONCORD_OIDC_GROUPS_CLAIM',
    placeholder: 'NAME',
    fallback: 'groups',
    help: 'the claim that lists their groups',
  },
  'oidc-tolerance': {
    env: 'CONCORD_OIDC_TOLERANCE',
    placeholder: 'SECONDS',
    fallback: '5',
    help: "by how much the provider's clock and ours may differ",
  },
  rate: limit('RATE', 1_000, 'operations a second of one token; 0: any number'),
  connections: limit('CONNECTIONS', 0, 'connections of one address; 0: any number'),
  'max-operations': limit('MAX_OPERATIONS', 200, 'operations open on one WebSocket'),
  'max-body': limit('MAX_BODY', 32, 'MiB of a request'),
  'max-tokens': limit('MAX_TOKENS', 4_000, 'lexical tokens of a document'),
  'max-depth': limit('MAX_DEPTH', 20, 'fields in each other'),
  'max-cost': limit('MAX_COST', 100_000, 'cost of an operation; see docs/errors.md'),
  'init-seconds': limit('INIT_SECONDS', 3, 'seconds that a WebSocket may take to show its token'),
  'idle-seconds': limit('IDLE_SECONDS', 65, 'seconds that an idle connection is kept'),
  'log-level': {
    env: 'CONCORD_LOG_LEVEL',
    placeholder: 'LEVEL',
    fallback: 'info',
    help: 'debug, info, warn, error or silent',
  },
} as const satisfies Readonly<Record<string, Option>>;

/** What tokens and the secret of a cluster look like. */
export const SECRET = /^[A-Za-z0-9_-]{32,128}$/;

/** Where what a flag means begins: the longest flag has two spaces behind it. */
const FLAG_WIDTH = 30;

export const HELP = `concord: a GraphQL service for labelling data together, with active learning in the loop.

Usage: concord [options]        (in a checkout: npm start -- [options])
       concord COMMAND --help

Commands:
${[...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(FLAG_WIDTH - 2)}${summary}`).join('\n')}

Options:
${Object.entries<Option>(OPTIONS)
  .map(([name, { env, placeholder, fallback, help }]) => {
    const flag = `  --${name} ${placeholder}`.padEnd(FLAG_WIDTH);
    const shown = fallback === '' ? '' : `default: ${fallback}; `;
    return [`${flag}${help}`, `(${shown}also ${env})`]
      .join('\n')
      .replaceAll('\n', `\n${' '.repeat(FLAG_WIDTH)}`);
  })
  .join('\n')}
  --help, -h                  show this and exit
  --version                   show the version and exit

Environment only:
  CONCORD_OWNER_TOKEN         the first owner's token, 32 to 128 of A-Z a-z 0-9 _ -
                              (default: one is made at the first start and printed once);
                              at a later start it is let in as a further token of the same
                              owner, who can so come back after the first one was lost
  CONCORD_CLUSTER_SECRET      what the nodes over one MongoDB show each other, the same at
                              all of them: 32 to 128 of A-Z a-z 0-9 _ -
  CONCORD_METRICS_TOKEN       who shows it may read /metrics, from anywhere, and nobody else;
                              without it, whoever asks from this machine

The API is at http://ADDRESS:PORT/graphql, over HTTP and WebSocket, with GraphiQL in a browser;
/health and /ready answer 200 when the process is up, and when it takes requests.
`;

const UNSAFE = 'is no https: URL (http: is taken on this machine alone)';
const isSafeOrEmpty = (text: string) => text === '' || isSafeUrl(text);

const secret = z.string().regex(SECRET, 'is not 32 to 128 of A-Z a-z 0-9 _ -');

const Settings = z.object({
  host: z.string().min(1, 'is empty'),
  port: z
    .string()
    .regex(/^\d{1,5}$/, 'is not a whole number from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65_535, 'is above 65535'),
  store: z.string().min(1, 'is empty'),
  plugins: z.union([z.string(), z.array(z.string())]).transform((paths) => [paths].flat()),
  'allowed-origins': z
    .string()
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    )
    .refine(
      (origins) => origins.every(isOrigin),
      'has what is no origin, such as https://example.org: without a path, or * for every page',
    ),
  metrics: z.enum(['on', 'off'], 'is neither on nor off'),
  introspection: z.enum(['on', 'off'], 'is neither on nor off'),
  'trusted-documents': z.string(),
  'oidc-issuer': z.string().refine(isSafeOrEmpty, UNSAFE),
  'oidc-audience': z.string(),
  'oidc-jwks': z.string().refine(isSafeOrEmpty, UNSAFE),
  'oidc-role': z
    .union([z.string(), z.array(z.string())])
    .transform((texts) =>
      [texts]
        .flat()
        .flatMap((text) => text.split(';'))
        .map((text) => text.trim())
        .filter(Boolean),
    )
    .refine(
      (texts) => rulesIn(texts) !== null,
      'is no GROUP=PROJECT:ROLE with a role of driver, annotator or viewer, such as readers=Mail:annotator',
    ),
  'oidc-person-claim': z.string().min(1, 'is empty'),
  'oidc-name-claim': z.string().min(1, 'is empty'),
  'oidc-groups-claim': z.string().min(1, 'is empty'),
  'oidc-tolerance': wholeNumber(0, 300),
  rate: wholeNumber(0, 1_000_000),
  connections: wholeNumber(0, 1_000_000),
  'max-operations': wholeNumber(1, 100_000),
  'max-body': wholeNumber(1, 64),
  'max-tokens': wholeNumber(100, 100_000),
  'max-depth': wholeNumber(3, 100),
  'max-cost': wholeNumber(100, 10_000_000),
  'init-seconds': wholeNumber(1, 600),
  'idle-seconds': wholeNumber(1, 3_600),
  metricsToken: secret.nullable(),
  'log-level': z.enum(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'is none of debug, info, warn, error, silent',
  ),
  'node-address': z
    .string()
    .transform((text) => (text === '' ? null : addressOf(text)))
    .refine(
      (address) => address === null || address.port <= 65_535,
      'is no HOST:PORT, such as 10.0.0.5:4001',
    ),
  'cluster-secret-file': z.string(),
  ownerToken: secret.nullable(),
  clusterSecret: secret.nullable(),
});

/** What is none has a port that there is not. */
function addressOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? '', port: Number(port ?? Number.POSITIVE_INFINITY) };
}

function wholeNumber(from: number, to: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, `is not a whole number from ${from} to ${to}`)
    .transform(Number)
    .refine((number) => number >= from && number <= to, `is not from ${from} to ${to}`);
}

function isOrigin(text: string): boolean {
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text);
}

/**
 * Reads the configuration.
 * @returns what to do: show help or the version, or run
 * @throws {ConfigError} naming the flag or variable that is wrong
 */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): 'help' | 'version' | Config {
  const values = parse(args);
  if (values['help']) return 'help';
  if (values['version']) return 'version';
  const given: Record<string, unknown> = {
    ownerToken: env['CONCORD_OWNER_TOKEN'] || null,
    clusterSecret: env['CONCORD_CLUSTER_SECRET'] || null,
    metricsToken: env['CONCORD_METRICS_TOKEN'] || null,
  };
  const sources: Record<string, string> = {
    ownerToken: 'CONCORD_OWNER_TOKEN',
    clusterSecret: 'CONCORD_CLUSTER_SECRET',
    metricsToken: 'CONCORD_METRICS_TOKEN',
  };
  for (const [name, option] of Object.entries<Option>(OPTIONS)) {
    const flag = values[name];
    given[name] = flag ?? (env[option.env] || option.fallback);
    sources[name] = flag === undefined && env[option.env] ? option.env : `--${name}`;
  }
  const settings = Settings.safeParse(given);
  if (!settings.success) {
    const problems = settings.error.issues.map(
      ({ path, message }) => `${sources[String(path[0])]} ${message}`,
    );
    throw new ConfigError(`${problems.join('; ')}. See --help.`);
  }
  const { data } = settings;
  return {
    host: data.host,
    port: data.port,
    store: data.store,
    plugins: data.plugins.filter(Boolean),
    ownerToken: data.ownerToken,
    allowedOrigins: data['allowed-origins'],
    logLevel: data['log-level'],
    metrics: data.metrics === 'on' ? { token: data.metricsToken } : null,
    trustedDocuments: data['trusted-documents'],
    limits: {
      rate: data.rate,
      connections: data.connections,
      operations: data['max-operations'],
      bodyMiB: data['max-body'],
      tokens: data['max-tokens'],
      depth: data['max-depth'],
      cost: data['max-cost'],
      introspection: data.introspection === 'on',
      initSeconds: data['init-seconds'],
      idleSeconds: data['idle-seconds'],
    },
    node: nodeOf(data),
    signOn: signOnOf(data),
  };
}

function signOnOf(data: z.infer<typeof Settings>): SignOnConfig | null {
  const issuer = data['oidc-issuer'];
  const audience = data['oidc-audience'];
  const roles = rulesIn(data['oidc-role']) ?? [];
  const wrong = (problem: string) => new ConfigError(`${problem}. See --help.`);
  if (issuer === '') {
    if (audience === '' && data['oidc-jwks'] === '' && roles.length === 0) return null;
    throw wrong('sign-on is set up without --oidc-issuer, which says whose tokens are taken');
  }
  if (audience === '')
    throw wrong('--oidc-issuer needs --oidc-audience: or tokens for every other service would be taken');
  if (roles.length === 0)
    throw wrong('--oidc-issuer needs an --oidc-role: without one nobody who signs on may do anything');
  return {
    issuer,
    audience,
    jwks: data['oidc-jwks'] || null,
    roles,
    claims: {
      person: data['oidc-person-claim'],
      name: data['oidc-name-claim'],
      groups: data['oidc-groups-claim'],
    },
    toleranceSeconds: data['oidc-tolerance'],
  };
}

function nodeOf({
  store,
  clusterSecret,
  'node-address': address,
  'cluster-secret-file': file,
}: z.infer<typeof Settings>): NodeConfig | null {
  const wrong = (problem: string) => new ConfigError(`${problem}. See --help.`);
  if (clusterSecret !== null && file !== '')
    throw wrong('CONCORD_CLUSTER_SECRET and --cluster-secret-file are both given: one of them is to hold');
  if (address === null) {
    if (clusterSecret === null && file === '') return null;
    throw wrong('a cluster secret is given, and no --node-address at which the other nodes reach this one');
  }
  if (!/^mongodb(\+srv)?:\/\//.test(store))
    throw wrong(
      `--node-address is for several nodes over one MongoDB; the folder ${store} takes one service`,
    );
  if (clusterSecret === null && file === '')
    throw wrong(
      '--node-address needs a secret that the nodes share: CONCORD_CLUSTER_SECRET or --cluster-secret-file',
    );
  return { ...address, secret: clusterSecret ?? { file } };
}

function parse(args: readonly string[]): Record<string, string | boolean | (string | boolean)[] | undefined> {
  const text = Object.fromEntries(
    Object.entries<Option>(OPTIONS).map(([name, { isList = false }]) => [
      name,
      { type: 'string' as const, multiple: isList },
    ]),
  );
  try {
    const options = { ...text, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}. See --help.`);
  }
}
