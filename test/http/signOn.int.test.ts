import { exportSPKI, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { globalId } from '../../src/graphql/ids.ts';
import {
  IdentityProvider,
  ProviderUnavailableError,
  TokenRefusedError,
} from '../../src/http/identityProvider.ts';
import { SignOn, SignOnError } from '../../src/http/signOn.ts';
import { rulesIn } from '../../src/http/signOnConfig.ts';
import { authenticate, type Viewer } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import { createProject } from '../../src/service/members.ts';
import { mutate } from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents, overWebSocket } from '../support/streams.ts';
import { Issuer } from './issuer.ts';
import { RawSocket } from './rawSocket.ts';

const CLAIMS = { person: 'sub', name: 'name', groups: 'groups' };
const SIGNED_ON = 'subscription ($project: ID!) { progress(project: $project) { seq } }';

function optionsOf({ url }: Issuer) {
  return { issuer: url, audience: 'concord', jwks: null, claims: CLAIMS, toleranceSeconds: 5 };
}

describe('an identity provider', () => {
  let issuer: Issuer;
  let provider: IdentityProvider;
  const now = () => Math.floor(Date.now() / 1_000);
  beforeEach(async () => {
    issuer = await Issuer.start();
    provider = new IdentityProvider({ ...optionsOf(issuer), now: Date.now });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await issuer.close();
  });
  const keysAsked = () => issuer.asked.filter((path) => path === '/keys').length;

  it('says who somebody is, what they are called and in which groups; it is asked for its keys once', async () => {
    const exp = now() + 300;
    const token = await issuer.token('ann', { name: 'Ann', groups: ['readers', 7], exp });
    expect(await provider.verify(token)).toEqual({
      issuer: issuer.url,
      person: 'ann',
      name: 'Ann',
      groups: ['readers'],
      ends: (exp + 5) * 1_000,
    });
    expect(
      await provider.verify(await issuer.token('bob', { aud: ['x', 'concord'], groups: 'leads' })),
    ).toMatchObject({
      person: 'bob',
      name: null,
      groups: ['leads'],
    });
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it.each<[string, JWTPayload]>([
    ['for another service', { aud: 'elsewhere' }],
    ['for nobody in particular', { aud: undefined as never }],
    ['of another issuer', { iss: 'https://elsewhere.example' }],
    ['run out, beyond the tolerance', { exp: now() - 6 }],
    ['without an end', { exp: undefined as never }],
    ['not good yet, beyond the tolerance', { nbf: now() + 60 }],
    ['that names nobody', { sub: '' }],
    ['that names nobody by a text', { sub: 7 as never }],
    ['that names somebody at too great a length', { sub: 'a'.repeat(256) }],
  ])('refuses a token %s', async (_, claims) => {
    await expect(provider.verify(await issuer.token('ann', claims))).rejects.toThrow(TokenRefusedError);
  });

  it('takes what ran out or begins within the tolerance', async () => {
    for (const claims of [{ exp: now() - 2 }, { nbf: now() + 3 }])
      expect((await provider.verify(await issuer.token('ann', claims))).person).toBe('ann');
  });

  it('refuses what is not signed, or signed with its public key as if that were a secret, and asks for no keys', async () => {
    const claims = { iss: issuer.url, aud: 'concord', sub: 'ann', exp: now() + 300 };
    const none = new UnsecuredJWT(claims).encode();
    const publicKey = (await importJWK(issuer.shown('first'))) as CryptoKey;
    const confused = [
      new TextEncoder().encode(await exportSPKI(publicKey)),
      new TextEncoder().encode(JSON.stringify(issuer.shown('first'))),
    ];
    const forged = confused.map((secret) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(secret),
    );
    for (const token of [none, ...(await Promise.all(forged))])
      await expect(provider.verify(token)).rejects.toThrow(TokenRefusedError);
    expect(issuer.asked).toEqual([]);
  });

  it('refuses a token that was changed, or signed by another under the name of a key', async () => {
    const [head, body = '', signature] = (await issuer.token('ann')).split('.');
    const claims = { ...JSON.parse(String(Buffer.from(body, 'base64url'))), sub: 'bob' };
    const changed = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    const other = await Issuer.start();
    const foreign = await other.token('ann', { iss: issuer.url });
    await other.close();
    for (const token of [changed, foreign])
      await expect(provider.verify(token)).rejects.toThrow(TokenRefusedError);
  });

  it('is asked for its keys again at one that is not known, but not again and again', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await provider.verify(await issuer.token('ann'));
    await issuer.addKey('second', 'RS256');
    const next = await issuer.token('ann', {}, { kid: 'second', alg: 'RS256' });
    for (let i = 0; i < 5; i++) await expect(provider.verify(next)).rejects.toThrow(TokenRefusedError);
    expect(keysAsked()).toBe(1);
    vi.advanceTimersByTime(31_000);
    expect((await provider.verify(next)).person).toBe('ann');
    expect(keysAsked()).toBe(2);
  });

  it('trusts a key no longer than ten minutes after it was withdrawn', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const lasting = await issuer.token('ann', { exp: now() + 3_600 });
    await provider.verify(lasting);
    await issuer.addKey('second');
    issuer.removeKey('first');
    vi.advanceTimersByTime(601_000);
    await expect(provider.verify(lasting)).rejects.toThrow(TokenRefusedError);
  });

  it('lets nobody in while it cannot be asked, and does when it can', async () => {
    const token = await issuer.token('ann');
    issuer.isDown = true;
    await expect(provider.verify(token)).rejects.toThrow(ProviderUnavailableError);
    issuer.isDown = false;
    expect((await provider.verify(token)).person).toBe('ann');

    const withKeys = new IdentityProvider({
      ...optionsOf(issuer),
      jwks: `${issuer.url}/keys`,
      now: Date.now,
    });
    issuer.isDown = true;
    await expect(withKeys.verify(token)).rejects.toThrow(/keys cannot be had/);
    issuer.isDown = false;
    expect((await withKeys.verify(token)).person).toBe('ann');
  });

  it('is not believed when its discovery document is of another', async () => {
    issuer.calledOtherwise = 'https://elsewhere.example';
    await expect(provider.verify(await issuer.token('ann'))).rejects.toThrow(/another issuer/);
  });
});

describe('sign-on', () => {
  let issuer: Issuer;
  let service: Service;
  let project: string;
  /** Another project, which no rule names. */
  let other: string;
  /** Every token that was shown. */
  const shown: string[] = [];

  beforeAll(async () => {
    issuer = await Issuer.start();
    const signOn = async (concord: Concord, logger: Parameters<typeof SignOn.open>[2]) => {
      const owner = (await authenticate(concord, 'owner_'.padEnd(40, '0'))) as Viewer;
      const rest = {
        labels: ['a', 'b'],
        scale: NOMINAL,
        guidelines: '',
        preset: 'QUALITY',
        policy: {},
        seed: 1,
      } as const;
      project = globalId('Project', (await createProject(concord, owner, { name: 'Mail', ...rest })).id);
      other = globalId('Project', (await createProject(concord, owner, { name: 'Birds', ...rest })).id);
      const roles = rulesIn(['readers=Mail:annotator', `leads=${project}:driver`]) ?? [];
      await expect(
        SignOn.open({ ...optionsOf(issuer), roles: rulesIn(['x=Fish:viewer']) ?? [] }, concord, logger),
      ).rejects.toThrow(SignOnError);
      return SignOn.open({ ...optionsOf(issuer), roles }, concord, logger);
    };
    service = await startService({ signOn });
    issuer.now = () => service.concord.environment.now();
  });
  afterAll(async () => {
    await service.close();
    await issuer.close();
  });

  async function token(
    sub: string,
    claims: Parameters<Issuer['token']>[1] = { groups: ['readers'] },
    key?: { readonly kid: string },
  ) {
    const made = await issuer.token(sub, { name: sub.toUpperCase(), ...claims }, key);
    shown.push(made);
    return made;
  }
  const ROLES = '{ viewer { id name } projects { edges { node { name myRole } } } }';
  async function seen(shows: string) {
    const { viewer, projects } = await service.query<{
      viewer: { id: string; name: string };
      projects: { edges: { node: { name: string; myRole: string } }[] };
    }>(shows, ROLES);
    return { ...viewer, roles: projects.edges.map(({ node }) => `${node.name}: ${node.myRole}`) };
  }
  const members = async () =>
    (await service.concord.directory.read((directory) => directory.members.size)) as number;

  it('makes a member of who is new, once, in the roles of their groups; these follow every new token', async () => {
    const before = await members();
    const first = await token('ann');
    const [ann] = await Promise.all([seen(first), seen(first), seen(await token('ann'))]);
    expect(ann).toMatchObject({ name: 'ANN', roles: ['Mail: ANNOTATOR'] });
    expect(await members()).toBe(before + 1);
    expect(await seen(await token('ann', { groups: ['readers', 'leads'], name: 'Ann A.' }))).toEqual({
      id: ann.id,
      name: 'Ann A.',
      roles: ['Mail: DRIVER'],
    });
    const { status, errors } = await service.ask(await token('ann', { groups: [] }), ROLES);
    expect([status, errors[0]?.message]).toEqual([401, expect.stringContaining('no role in any project')]);
  });

  it('leaves owners, and what no rule names, as they are', async () => {
    const bob = await seen(await token('bob'));
    for (const [where, role] of [
      [project, 'OWNER'],
      [other, 'VIEWER'],
    ])
      await mutate(service, service.ownerToken, 'setRole', { project: where, member: bob.id, role });
    expect((await seen(await token('bob', { groups: [] }))).roles.sort()).toEqual([
      'Birds: VIEWER',
      'Mail: OWNER',
    ]);
  });

  it('enters nobody who has no role', async () => {
    const before = await members();
    const { errors } = await service.ask(await token('eve', { groups: ['others'] }), '{ viewer { id } }');
    expect(errors[0]?.extensions?.['code']).toBe('UNAUTHENTICATED');
    expect(await members()).toBe(before);
  });

  it('ends streams over WebSocket and server-sent events within a second after its token', async () => {
    const cy = await token('cy');
    const socket = await RawSocket.connect(service.url, cy);
    socket.subscribe('1', SIGNED_ON, { project });
    await socket.hear('next');
    const events = overEvents(service, cy, SIGNED_ON, { project });
    expect((await events.next())?.errors).toEqual([]);
    service.advance(306_000);
    expect((await socket.closed).code).toBe(4403);
    // It breaks off, so that whoever reads comes back with another token.
    await expect(events.next()).rejects.toThrow(/terminated|closed/);
    expect((await service.ask(cy, '{ viewer { id } }')).status).toBe(401);
    expect((await seen(await token('cy'))).roles).toEqual(['Mail: ANNOTATOR']);
  });

  it('is listed among tokens without a secret, and stays away once it is revoked', async () => {
    const dan = await token('dan');
    const { id } = await seen(dan);
    const rotated = await mutate(service, dan, 'rotateToken', {}, '... on NewToken { token }');
    expect(rotated).toMatchObject({ code: 'INVALID_INPUT', field: 'token' });
    const list = '{ tokens { edges { node { id label expires } } } }';
    const { tokens } = await service.query<{ tokens: { edges: { node: { id: string } }[] } }>(dan, list);
    const [{ node } = { node: null }] = tokens.edges;
    expect(node).toEqual({ id: expect.any(String), label: 'sign-on', expires: null });
    expect(tokens.edges).toHaveLength(1);
    const stream = overWebSocket(service, dan, SIGNED_ON, { project });
    await stream.next();
    await mutate(service, service.ownerToken, 'revokeToken', { token: node?.id });
    await expect(stream.next()).rejects.toMatchObject({ code: 4403 });
    for (const again of [dan, await token('dan')]) expect((await service.ask(again, ROLES)).status).toBe(401);
    const fresh = await mutate<{ token: string }>(
      service,
      service.ownerToken,
      'issueToken',
      { project, member: id },
      '... on NewToken { token }',
    );
    expect((await seen((fresh as { token: string }).token)).id).toBe(id);
  });

  it('says over every door that it cannot be checked while the provider is away, and when to come again', async () => {
    const known = await token('flo');
    await seen(known);
    issuer.isDown = true;
    issuer.removeKey('first');
    await issuer.addKey('away');
    // The keys are too old to be trusted unasked.
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.advanceTimersByTime(700_000);
    const fresh = await token('gus', { groups: ['readers'] }, { kid: 'away' });
    try {
      const { status, headers, errors } = await service.ask(fresh, '{ viewer { id } }');
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
      expect(errors[0]?.extensions).toEqual({ code: 'SIGN_ON_UNAVAILABLE' });
      const large = await service.ask(fresh, '{ viewer { id } }', { padding: 'x'.repeat(100_000) });
      expect([large.status, large.errors[0]?.extensions?.['code']]).toEqual([503, 'SIGN_ON_UNAVAILABLE']);
      const socket = await RawSocket.open(service.url);
      socket.say({ type: 'connection_init', payload: { authorization: `Bearer ${fresh}` } });
      expect((await socket.closed).code).toBe(1013);
      const events = await overEvents(service, fresh, SIGNED_ON, { project }).next();
      expect(events?.errors[0]?.extensions).toEqual({ code: 'SIGN_ON_UNAVAILABLE' });
      issuer.isDown = false;
      expect((await seen(fresh)).roles).toEqual(['Mail: ANNOTATOR']);
    } finally {
      vi.useRealTimers();
    }
    const said = service.log.filter(({ level, msg }) => level >= 30 && msg.includes('sign-ons'));
    expect(said.map(({ msg }) => msg)).toEqual([
      'sign-ons cannot be checked',
      'sign-ons can be checked again',
    ]);
  });

  it('puts no token and no claim into the log', () => {
    const text = JSON.stringify(service.log);
    expect(shown.length).toBeGreaterThan(10);
    for (const one of shown) for (const part of one.split('.').slice(1)) expect(text).not.toContain(part);
    expect(text).not.toContain('readers');
  });
});
