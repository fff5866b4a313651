import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addMember,
  createProject,
  isRefused,
  must,
  mutate,
  type Person,
  type Refused,
} from '../support/project.ts';
import { type Service, startService } from '../support/service.ts';
import { overEvents, overWebSocket, type Reader } from '../support/streams.ts';

const MINUTE = 60_000;
const NEW = '... on NewToken { token id member { id } }';
const TOKEN = '... on AccessToken { id label expires }';

let service: Service;
let project: string;
let other: string;
let owner: Person;
let ann: Person;

beforeAll(async () => {
  service = await startService();
  project = await createProject(service);
  other = await createProject(service, { name: 'Other' });
  owner = await addMember(service, project, 'OWNER');
  ann = await addMember(service, project, 'ANNOTATOR', { name: 'Ann' });
});
afterAll(() => service?.close());

interface New {
  readonly token: string;
  readonly id: string;
}

const issue = (who: string, input: object = {}, member = ann.id) =>
  must<New>(service, who, 'issueToken', { project, member, ...input }, NEW);

async function refusal(who: string | null, name: string, input: object): Promise<Refused> {
  const answer = await mutate(service, who, name, { ...input });
  if (!isRefused(answer)) throw new Error(`${name} was not refused`);
  return answer;
}

/** Whether a token lets somebody in. */
async function isGood(token: string): Promise<boolean> {
  return (await service.ask(token, '{ viewer { id } }')).status === 200;
}

async function roleWith(token: string, id = project): Promise<string | null> {
  const { project: seen } = await service.query<{ project: { myRole: string } | null }>(
    token,
    'query ($id: ID!) { project(id: $id) { myRole } }',
    { id },
  );
  return seen?.myRole ?? null;
}

interface Listed {
  readonly id: string;
  readonly label: string;
  readonly lastUse: string | null;
  readonly member: { readonly id: string };
}

async function listed(token: string, field: 'own' | 'project'): Promise<readonly Listed[] | null> {
  const tokens = 'tokens { edges { node { id label lastUse member { id } } } }';
  const answer = await service.query<
    Record<string, { edges: { node: Listed }[] } & { tokens: { edges: { node: Listed }[] } | null }>
  >(
    token,
    field === 'own'
      ? `{ own: ${tokens} }`
      : 'query ($id: ID!) { own: project(id: $id) { '.concat(tokens, ' } }'),
    { id: project },
  );
  const found = field === 'own' ? answer['own'] : answer['own']?.tokens;
  return found?.edges.map(({ node }) => node) ?? null;
}

/** What everybody in a role reads together, and what each has for themselves. */
const STREAMS = ['progress', 'queue'].map(
  (state) => `subscription ($project: ID!) { ${state}(project: $project) { answers } }`,
);

/** Streams that an annotator's token has begun, over WebSocket and as server-sent events. */
async function following(token: string): Promise<readonly Reader[]> {
  const streams = [overWebSocket, overEvents].flatMap((over) =>
    STREAMS.map((query) => over(service, token, query, { project })),
  );
  for (const stream of streams) expect((await stream.next())?.errors).toEqual([]);
  return streams;
}

/** Waits until streams are broken off, so that a client comes back with another token: they are not complete. */
async function brokenOff(streams: readonly Reader[]): Promise<void> {
  for (const stream of streams) {
    const error = await stream.next().catch((error: unknown) => error);
    // A socket is closed with its code; that a response was broken off, `fetch` tells by a TypeError.
    if (!(error instanceof TypeError)) expect(error).toMatchObject({ code: 4403 });
  }
}

describe('a token', () => {
  it('is listed with its label and its last use, and never with its secret', async () => {
    const made = await issue(owner.token, { label: 'laptop', tokenDays: 1 });
    const before = (await listed(owner.token, 'project'))?.find(({ id }) => id === made.id);
    expect(before).toMatchObject({ label: 'laptop', lastUse: null });
    expect(await isGood(made.token)).toBe(true);
    const all = await listed(owner.token, 'project');
    expect(all?.find(({ id }) => id === made.id)?.lastUse).not.toBeNull();
    expect(JSON.stringify(all)).not.toContain(made.token);
    expect((await listed(made.token, 'own'))?.map(({ id }) => id)).toContain(made.id);
    // Annotators do not see who else has tokens, and nobody but they those of the service's owner.
    expect(await listed(ann.token, 'project')).toBeNull();
    const { viewer } = await service.query<{ viewer: { id: string } }>(
      service.ownerToken,
      '{ viewer { id } }',
    );
    expect(all?.map(({ member }) => member.id)).not.toContain(viewer.id);
  });

  it('that is confined opens no more than it says, and hands out no more', async () => {
    const elsewhere = await addMember(service, other, 'OWNER');
    await must(service, service.ownerToken, 'setRole', { project, member: elsewhere.id, role: 'OWNER' });
    const scoped = await issue(service.ownerToken, { onlyThisProject: true, role: 'DRIVER' }, elsewhere.id);
    expect(await roleWith(elsewhere.token, other)).toBe('OWNER');
    expect([await roleWith(scoped.token), await roleWith(scoped.token, other)]).toEqual(['DRIVER', null]);
    const here = await issue(elsewhere.token, { onlyThisProject: true }, elsewhere.id);
    expect(await listed(here.token, 'own')).toHaveLength(1);
    const wider = { project, member: ann.id };
    expect(await refusal(here.token, 'issueToken', wider)).toMatchObject({
      code: 'INVALID_INPUT',
      field: 'onlyThisProject',
    });
    await issue(here.token, { onlyThisProject: true });
    // The service's owner, with such a token, is no owner of the service.
    const { member: id } = await service
      .query<{ viewer: { id: string } }>(service.ownerToken, '{ viewer { id } }')
      .then(({ viewer }) => ({ member: viewer.id }));
    const confined = await issue(service.ownerToken, { onlyThisProject: true }, id);
    expect(await refusal(confined.token, 'createProject', { name: 'No', labels: ['a', 'b'] })).toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  it('is revoked by whose it is or by an owner, and by nobody else', async () => {
    const [one, two] = [await issue(owner.token), await issue(owner.token)];
    const ben = await addMember(service, project, 'ANNOTATOR');
    expect(await refusal(ben.token, 'revokeToken', { token: one.id })).toMatchObject({
      code: 'NOT_FOUND',
      what: 'token',
    });
    await must(service, ann.token, 'revokeToken', { token: one.id }, TOKEN);
    await must(service, owner.token, 'revokeToken', { token: two.id }, TOKEN);
    expect([await isGood(one.token), await isGood(two.token), await isGood(ann.token)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(await refusal(ann.token, 'revokeToken', { token: one.id })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('can be made to end sooner by whose it is, and later only by owners', async () => {
    const made = await issue(owner.token, { tokenDays: 1 });
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    expect(await refusal(ann.token, 'expireToken', { token: made.id, expires: null })).toMatchObject({
      code: 'FORBIDDEN',
    });
    await must(service, owner.token, 'expireToken', { token: made.id, expires: null }, TOKEN);
    await must(service, ann.token, 'expireToken', { token: made.id, expires: at(-1) }, TOKEN);
    expect(await isGood(made.token)).toBe(false);
  });

  it('that is rotated overlaps with the new one, which opens the same and lasts no longer', async () => {
    const made = await issue(owner.token, { tokenDays: 2, label: 'ci', role: 'VIEWER' });
    const next = await must<New>(service, made.token, 'rotateToken', { overlapMinutes: 5 }, NEW);
    expect([await isGood(made.token), await roleWith(next.token)]).toEqual([true, 'VIEWER']);
    expect((await listed(owner.token, 'project'))?.find(({ id }) => id === next.id)?.label).toBe('ci');
    expect(await refusal(next.token, 'rotateToken', { tokenDays: 9 })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await refusal(next.token, 'rotateToken', { overlapMinutes: 10_081 })).toMatchObject({
      code: 'INVALID_INPUT',
    });
    service.advance(6 * MINUTE);
    expect([await isGood(made.token), await isGood(next.token)]).toEqual([false, true]);
    service.advance(2 * 24 * 60 * MINUTE);
    expect(await isGood(next.token)).toBe(false);
  });

  describe('that ends ends its live streams within a second,', () => {
    it.each(['revokeToken', 'expireToken', 'rotateToken'])('by %s', async (how) => {
      const made = await issue(owner.token);
      const streams = await following(made.token);
      const input = {
        revokeToken: {},
        expireToken: { expires: new Date(0).toISOString() },
        rotateToken: { overlapMinutes: 0 },
      }[how];
      const since = performance.now();
      await must(service, how === 'rotateToken' ? made.token : owner.token, how, {
        token: made.id,
        ...input,
      });
      await brokenOff(streams);
      expect(performance.now() - since).toBeLessThan(1_000);
    });

    it('by running out, though nothing else happens', async () => {
      const made = await issue(owner.token, { tokenDays: 1 });
      const streams = await following(made.token);
      service.advance(24 * 60 * MINUTE);
      const since = performance.now();
      await brokenOff(streams);
      expect(performance.now() - since).toBeLessThan(1_000);
    });
  });
});

describe('an invitation', () => {
  const invite = (input: object = {}, who = owner.token) =>
    must<{ invitationCode: string; invitation: { id: string } }>(
      service,
      who,
      'invite',
      { project, label: 'for Cy', ...input },
      '... on NewInvitation { invitationCode invitation { id } }',
    );

  it('lets somebody in whom nobody knows, once', async () => {
    const { invitationCode } = await invite({ tokenDays: 3 });
    const made = await must<New>(service, null, 'acceptInvitation', { invitationCode, name: 'Cy' }, NEW);
    expect(await roleWith(made.token)).toBe('ANNOTATOR');
    expect(await refusal(null, 'acceptInvitation', { invitationCode, name: 'Dee' })).toMatchObject({
      code: 'INVITATION_CLOSED',
      invitationState: 'ACCEPTED',
    });
    const { project: seen } = await service.query<{ project: unknown }>(
      owner.token,
      'query ($id: ID!) { project(id: $id) { invitations { edges { node { state label member { name } } } } } }',
      { id: project },
    );
    expect(seen).toMatchObject({
      invitations: { edges: [{ node: { state: 'ACCEPTED', label: 'for Cy', member: { name: 'Cy' } } }] },
    });
    expect(JSON.stringify(seen)).not.toContain(invitationCode);
    const streams = await following(made.token);
    service.advance(3 * 24 * 60 * MINUTE);
    expect(await isGood(made.token)).toBe(false);
    await brokenOff(streams);
  });

  it('is accepted by one of many who try together', async () => {
    const { invitationCode } = await invite();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        mutate(service, null, 'acceptInvitation', { invitationCode, name: `Racer ${i}` }, NEW),
      ),
    );
    expect(answers.filter((answer) => !isRefused(answer))).toHaveLength(1);
  });

  it('that has run out, was taken back or is made up lets nobody in', async () => {
    const [late, back] = [await invite({ days: 1 }), await invite()];
    await must(
      service,
      owner.token,
      'withdrawInvitation',
      { project, invitation: back.invitation.id },
      '... on Invitation { id }',
    );
    service.advance(24 * 60 * MINUTE);
    const states = [];
    for (const { invitationCode } of [late, back]) {
      states.push(
        (await refusal(null, 'acceptInvitation', { invitationCode, name: 'No' }))['invitationState'],
      );
    }
    expect(states).toEqual(['EXPIRED', 'WITHDRAWN']);
    for (const invitationCode of [`cci_${'A'.repeat(43)}`, late.invitation.id, ann.token, '']) {
      expect(await refusal(null, 'acceptInvitation', { invitationCode, name: 'No' })).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
  });

  it('is for owners to make, and not for owners', async () => {
    expect(await refusal(ann.token, 'invite', { project })).toMatchObject({ code: 'FORBIDDEN' });
    for (const wrong of [
      { role: 'OWNER' },
      { days: 0 },
      { days: 91 },
      { tokenDays: -1 },
      { label: 'x'.repeat(201) },
    ]) {
      expect(await refusal(owner.token, 'invite', { project, ...wrong })).toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
  });
});
