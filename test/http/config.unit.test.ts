import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/http/command.ts';
import { HELP, readConfig } from '../../src/http/config.ts';

const TOKEN = 'A-z_0'.padEnd(32, '9');
const DEFAULTS = {
  host: '127.0.0.1',
  port: 4000,
  store: './data',
  plugins: [],
  ownerToken: null,
  allowedOrigins: [],
  logLevel: 'info',
  metrics: { token: null },
  trustedDocuments: '',
  limits: {
    rate: 1_000,
    connections: 0,
    operations: 200,
    bodyMiB: 32,
    tokens: 4_000,
    depth: 20,
    cost: 100_000,
    introspection: true,
    initSeconds: 3,
    idleSeconds: 65,
  },
  node: null,
  signOn: null,
};

const { limits: LIMITS } = DEFAULTS;

const read = (args: readonly string[], env: Record<string, string> = {}) => readConfig(args, env);

describe('the configuration', () => {
  it('has defaults', () => {
    expect(read([])).toEqual(DEFAULTS);
  });

  it('takes several folders of strategies', () => {
    expect(read(['--plugins', './mine', '--plugins=./team'])).toEqual({
      ...DEFAULTS,
      plugins: ['./mine', './team'],
    });
  });

  it.each([
    ['--host', 'CONCORD_HOST', '0.0.0.0', { host: '0.0.0.0' }],
    ['--port', 'CONCORD_PORT', '0', { port: 0 }],
    ['--port', 'CONCORD_PORT', '65535', { port: 65_535 }],
    ['--store', 'CONCORD_STORE', '/var/concord', { store: '/var/concord' }],
    ['--plugins', 'CONCORD_PLUGINS', './mine', { plugins: ['./mine'] }],
    ['--log-level', 'CONCORD_LOG_LEVEL', 'silent', { logLevel: 'silent' }],
    [
      '--allowed-origins',
      'CONCORD_ALLOWED_ORIGINS',
      'https://a.example, http://localhost:3000,',
      { allowedOrigins: ['https://a.example', 'http://localhost:3000'] },
    ],
    ['--allowed-origins', 'CONCORD_ALLOWED_ORIGINS', '*', { allowedOrigins: ['*'] }],
    ['--metrics', 'CONCORD_METRICS', 'off', { metrics: null }],
    ['--trusted-documents', 'CONCORD_TRUSTED_DOCUMENTS', 'm.json', { trustedDocuments: 'm.json' }],
    ['--introspection', 'CONCORD_INTROSPECTION', 'off', { limits: { ...LIMITS, introspection: false } }],
    ['--rate', 'CONCORD_RATE', '7', { limits: { ...LIMITS, rate: 7 } }],
    ['--connections', 'CONCORD_CONNECTIONS', '7', { limits: { ...LIMITS, connections: 7 } }],
    ['--max-operations', 'CONCORD_MAX_OPERATIONS', '7', { limits: { ...LIMITS, operations: 7 } }],
    ['--max-body', 'CONCORD_MAX_BODY', '7', { limits: { ...LIMITS, bodyMiB: 7 } }],
    ['--max-tokens', 'CONCORD_MAX_TOKENS', '700', { limits: { ...LIMITS, tokens: 700 } }],
    ['--max-depth', 'CONCORD_MAX_DEPTH', '7', { limits: { ...LIMITS, depth: 7 } }],
    ['--max-cost', 'CONCORD_MAX_COST', '700', { limits: { ...LIMITS, cost: 700 } }],
    ['--init-seconds', 'CONCORD_INIT_SECONDS', '7', { limits: { ...LIMITS, initSeconds: 7 } }],
    ['--idle-seconds', 'CONCORD_IDLE_SECONDS', '7', { limits: { ...LIMITS, idleSeconds: 7 } }],
  ])('takes %s and %s: %s', (flag, variable, value, setting) => {
    expect(read([flag, value])).toEqual({ ...DEFAULTS, ...setting });
    expect(read([`${flag}=${value}`])).toEqual({ ...DEFAULTS, ...setting });
    expect(read([], { [variable]: value })).toEqual({ ...DEFAULTS, ...setting });
  });

  describe('of sign-on by an identity provider', () => {
    const given = ['--oidc-issuer', 'https://id.example/realm', '--oidc-audience', 'concord'];
    const rule = ['--oidc-role', 'readers=Mail:annotator'];
    const MAIL = { group: 'readers', project: 'Mail', role: 'ANNOTATOR' };

    it('takes an issuer, an audience, and rules of groups and roles', () => {
      expect(read([])).toMatchObject({ signOn: null });
      expect(
        read([...given, ...rule, '--oidc-role', 'CN=leads,OU=x=a=b:DRIVER; *=Birds:viewer']),
      ).toMatchObject({
        signOn: {
          issuer: 'https://id.example/realm',
          audience: 'concord',
          jwks: null,
          claims: { person: 'sub', name: 'name', groups: 'groups' },
          toleranceSeconds: 5,
          roles: [
            MAIL,
            { group: 'CN=leads,OU=x=a', project: 'b', role: 'DRIVER' },
            { group: '*', project: 'Birds', role: 'VIEWER' },
          ],
        },
      });
      const env = {
        CONCORD_OIDC_ISSUER: 'http://localhost:1',
        CONCORD_OIDC_AUDIENCE: 'a',
        CONCORD_OIDC_JWKS: 'https://id.example/keys',
        CONCORD_OIDC_ROLE: 'readers=Mail:annotator',
        CONCORD_OIDC_PERSON_CLAIM: 'oid',
        CONCORD_OIDC_NAME_CLAIM: 'n',
        CONCORD_OIDC_GROUPS_CLAIM: 'roles',
        CONCORD_OIDC_TOLERANCE: '0',
      };
      expect(read([], env)).toMatchObject({
        signOn: {
          issuer: 'http://localhost:1',
          audience: 'a',
          jwks: 'https://id.example/keys',
          claims: { person: 'oid', name: 'n', groups: 'roles' },
          toleranceSeconds: 0,
          roles: [MAIL],
        },
      });
    });

    it.each([
      ['no audience', ['--oidc-issuer', 'https://id.example', ...rule], 'needs --oidc-audience'],
      ['no rule', given, 'needs an --oidc-role'],
      ['no issuer', rule, 'without --oidc-issuer'],
      [
        'an issuer that anybody could be',
        ['--oidc-issuer', 'http://id.example'],
        '--oidc-issuer is no https: URL',
      ],
      [
        'keys that anybody could give',
        ['--oidc-jwks', 'http://id.example/k'],
        '--oidc-jwks is no https: URL',
      ],
      ['a rule that is none', ['--oidc-role', 'readers=Mail'], '--oidc-role is no GROUP=PROJECT:ROLE'],
      [
        'a rule that makes owners',
        ['--oidc-role', 'readers=Mail:owner'],
        '--oidc-role is no GROUP=PROJECT:ROLE',
      ],
      ['too great a tolerance', ['--oidc-tolerance', '301'], '--oidc-tolerance is not from 0 to 300'],
    ])('refuses %s', (_, args, message) => {
      expect(() => read(args)).toThrow(message);
    });
  });

  describe('of a node among others', () => {
    const mongodb = ['--store', 'mongodb://db/concord'];
    const secret = { CONCORD_CLUSTER_SECRET: TOKEN };

    it.each([
      ['10.0.0.5:4001', { host: '10.0.0.5', port: 4_001 }],
      ['node-1:0', { host: 'node-1', port: 0 }],
      ['[fd00::1]:4001', { host: 'fd00::1', port: 4_001 }],
    ])('takes an address and a secret: %s', (address, at) => {
      const given = [...mongodb, '--node-address', address];
      expect(read(given, secret)).toMatchObject({ node: { ...at, secret: TOKEN } });
      const fromFile = read([...given, '--cluster-secret-file', '/run/secret']);
      expect(fromFile).toMatchObject({ node: { ...at, secret: { file: '/run/secret' } } });
    });

    it.each(['4001', 'node-1', 'http://node-1:4001', 'node-1:65536', 'fd00::1:4001', 'a b:1', ':1'])(
      'refuses the address %j, and says what one is',
      (address) => {
        expect(() => read([...mongodb, '--node-address', address], secret)).toThrow(
          '--node-address is no HOST:PORT, such as 10.0.0.5:4001',
        );
      },
    );

    it.each([
      ['an address without a secret', [...mongodb, '--node-address', 'a:1'], {}, 'needs a secret'],
      ['a secret without an address', mongodb, secret, 'no --node-address'],
      ['a folder as the store', ['--node-address', 'a:1'], secret, './data takes one service'],
      [
        'two secrets',
        [...mongodb, '--node-address', 'a:1', '--cluster-secret-file', 'f'],
        secret,
        'both given',
      ],
      ['a short secret', mongodb, { CONCORD_CLUSTER_SECRET: 'short' }, 'CONCORD_CLUSTER_SECRET is not 32'],
    ])('refuses %s', (_, args, env, problem) => {
      expect(() => read(args, env)).toThrow(problem);
    });
  });

  it('prefers a flag, and takes an empty variable for none', () => {
    expect(read(['--port', '1'], { CONCORD_PORT: '2' })).toMatchObject({ port: 1 });
    expect(read([], { CONCORD_PORT: '', CONCORD_HOST: '' })).toEqual(DEFAULTS);
  });

  it('takes the owner’s token from the environment only', () => {
    expect(read([], { CONCORD_OWNER_TOKEN: TOKEN })).toMatchObject({ ownerToken: TOKEN });
    expect(() => read(['--owner-token', TOKEN])).toThrow(ConfigError);
  });

  it.each([
    ['--port', 'CONCORD_PORT', 'http'],
    ['--port', 'CONCORD_PORT', '65536'],
    ['--port', 'CONCORD_PORT', '-1'],
    ['--port', 'CONCORD_PORT', '1.5'],
    ['--port', 'CONCORD_PORT', '1e3'],
    ['--port', 'CONCORD_PORT', ' '],
    ['--log-level', 'CONCORD_LOG_LEVEL', 'loud'],
    ['--rate', 'CONCORD_RATE', '-1'],
    ['--max-depth', 'CONCORD_MAX_DEPTH', '2'],
    ['--introspection', 'CONCORD_INTROSPECTION', 'maybe'],
    ['--allowed-origins', 'CONCORD_ALLOWED_ORIGINS', 'example.org'],
    ['--allowed-origins', 'CONCORD_ALLOWED_ORIGINS', 'https://a.example/path'],
  ])('refuses %s or %s: %j, by the name under which it was given', (flag, variable, value) => {
    expect(() => read([`${flag}=${value}`])).toThrow(ConfigError);
    expect(() => read([`${flag}=${value}`])).toThrow(`${flag} `);
    expect(() => read([], { [variable]: value })).toThrow(`${variable} `);
  });

  it.each(['short', 'x'.repeat(129), 'with a space'.padEnd(40, 'x'), '\n'.padStart(40, 'x')])(
    'refuses an owner’s token %j, without repeating it',
    (token) => {
      const error = errorOf(() => read([], { CONCORD_OWNER_TOKEN: token }));
      expect(error.message).toContain('CONCORD_OWNER_TOKEN');
      expect(error.message).not.toContain(token);
    },
  );

  it.each([[['--host=']], [['--port=']], [['--store=']]])('refuses the empty %s', (args) => {
    expect(() => read(args)).toThrow(ConfigError);
  });

  it.each([[['--nothing']], [['serve']], [['--port']], [['--help=1']]])('refuses %s', (args) => {
    expect(errorOf(() => read(args)).message).toContain('--help');
  });

  it('tells of everything that is wrong at once', () => {
    const { message } = errorOf(() => read(['--port', 'x'], { CONCORD_LOG_LEVEL: 'loud' }));
    expect(message).toContain('--port');
    expect(message).toContain('CONCORD_LOG_LEVEL');
  });

  it('shows help and the version, whatever else is wrong', () => {
    for (const flag of ['--help', '-h']) expect(read([flag, '--port', 'x'])).toBe('help');
    expect(read(['--version'], { CONCORD_PORT: 'x' })).toBe('version');
  });

  it('explains every flag and variable in its help', () => {
    for (const word of ['--host', '--port', '--store', '--plugins', '--allowed-origins', '--log-level']) {
      expect(HELP).toContain(word);
    }
    const variables = ['HOST', 'PORT', 'STORE', 'PLUGINS', 'ALLOWED_ORIGINS', 'LOG_LEVEL', 'OWNER_TOKEN'];
    for (const name of variables) expect(HELP).toContain(`CONCORD_${name}`);
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    // What a flag means stands apart from it, however long it is.
    for (const [, gap] of HELP.matchAll(/^ {2}--\S+(?: \S+)?( *)\S/gm)) expect(gap).toMatch(/^ {2,}$/);
  });
});

function errorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error;
  }
  throw new Error('it was taken');
}
