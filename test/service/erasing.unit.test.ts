import { beforeEach, describe, expect, it } from 'vitest';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { access, authenticate, type ProjectAccess, type Viewer } from '../../src/service/access.ts';
import { Concord } from '../../src/service/concord.ts';
import { copyProject } from '../../src/service/copying.ts';
import { ERASURES, erasePayloads, erasePerson } from '../../src/service/erasing.ts';
import { importPart } from '../../src/service/importing.ts';
import { acceptInvitation, invitationsInto, invite } from '../../src/service/invitations.ts';
import { addMember, grantRole, memberName } from '../../src/service/members.ts';
import { PayloadReader } from '../../src/service/payloads.ts';
import { issueToken, revokeToken } from '../../src/service/tokens.ts';
import { verifyProject } from '../../src/service/verifying.ts';
import type { StrategyHost } from '../../src/strategies/host.ts';
import { type Disk, MemoryStore } from '../support/memoryStore.ts';
import { inOrder, openWorld, type World } from './world.ts';

const REASON = 'OBJECTION';

let world: World;

beforeEach(async () => {
  world = await openWorld();
});

const erase = (viewer: Viewer, member: string) =>
  erasePerson(world.concord, viewer, { member, reason: REASON });

async function person(name: string, label: string): Promise<ProjectAccess> {
  const added = await addMember(world.concord, world.owner, {
    name,
    kind: 'PERSON',
    role: 'ANNOTATOR',
    tokenDays: null,
    label,
  });
  const viewer = await authenticate(world.concord, added.secret);
  if (viewer === null) throw new Error(`${name} is not let in`);
  return access(world.concord, viewer, world.project);
}

/** All that the store holds, as text: commits, chunks and documents. */
async function everything(store: MemoryStore): Promise<string> {
  return store
    .everything()
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .join('\n');
}

/** Whether a person of the world is gone: the names and labels below are all that was written of them. */
async function expectGone(store = world.store): Promise<void> {
  expect(await everything(store)).not.toMatch(/Ann|laptop|telephone|for A/);
  expect(await store.documents(ERASURES)).toEqual([]);
}

describe('a person', () => {
  it('is gone from the store with all that was said of them, and cannot come in', async () => {
    const { concord, owner } = world;
    const ann = await person('Ann', "Ann's laptop");
    const { member } = ann.viewer;
    const phone = await issueToken(concord, owner, { member, tokenDays: null, label: 'telephone' });
    const second = await issueToken(concord, owner, { member, tokenDays: null, label: 'telephone 2' });
    await revokeToken(concord, owner.viewer, phone.id);
    expect(await everything(world.store)).toContain('telephone 2');
    expect(await everything(world.store)).not.toMatch(/telephone\b(?! 2)/);

    const { erased } = await erase(owner.viewer, member);
    expect(erased).toMatchObject({ by: owner.viewer.member, reason: REASON, projects: [world.project] });
    await expectGone();
    expect(await memberName(concord, member)).toBeNull();
    expect(await authenticate(concord, second.secret)).toBeNull();
    await expect(access(concord, ann.viewer, world.project)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('who came in by an invitation is gone from it, and those of theirs let nobody in', async () => {
    const { concord, owner } = world;
    const given = { role: 'DRIVER', days: 7, tokenDays: null } as const;
    const { code } = await invite(concord, owner, { ...given, label: 'for Ann' });
    const { member } = await acceptInvitation(concord, { code, name: 'Ann' });
    await grantRole(concord, owner, { member, role: 'OWNER' });
    const { secret } = await issueToken(concord, owner, { member, tokenDays: null });
    const viewer = await authenticate(concord, secret);
    if (viewer === null) throw new Error('Ann is not let in');
    const own = await access(concord, viewer, world.project);
    const { code: open } = await invite(concord, own, { ...given, label: 'for Bo' });
    await erase(owner.viewer, member);
    await expectGone();
    const name = 'Bo';
    await expect(acceptInvitation(concord, { code: open, name })).rejects.toMatchObject({
      code: 'INVITATION_CLOSED',
    });
    expect(await invitationsInto(concord, owner)).toMatchObject([{ member }, { isWithdrawn: true }]);
    // What was said of somebody else is not this person's.
    expect(await everything(world.store)).toContain('for Bo');
  });

  it('is erased once: the first erasure stands', async () => {
    const { viewer } = await person('Ann', '');
    const first = await erase(world.owner.viewer, viewer.member);
    await world.world.pass(1_000);
    expect(await erase(world.owner.viewer, viewer.member)).toEqual(first);
    await expectGone();
  });

  it('who is the last owner of a project stays until somebody else owns it', async () => {
    const { concord, owner } = world;
    const ann = await person('Ann', '');
    const { member } = ann.viewer;
    await grantRole(concord, owner, { member, role: 'OWNER' });
    await concord.direct(
      'grantRole',
      { project: world.project, member: owner.viewer.member, role: null, by: member },
      () => undefined,
    );
    await expect(erase(owner.viewer, member)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { field: 'member', problem: expect.stringContaining("'Project'") },
    });
    expect(await memberName(concord, member)).toBe('Ann');
    expect(await world.store.documents(ERASURES)).toEqual([]);
    await grantRole(concord, owner, { member: owner.viewer.member, role: 'OWNER' });
    await erase(owner.viewer, member);
    await expectGone();
  });

  it('is for the owners of all their projects to erase, and nobody else is told whether they are there', async () => {
    const ann = await person('Ann', '');
    const bo = await person('Bo', '');
    for (const { viewer } of [ann, bo]) {
      await expect(erase(viewer, ann.viewer.member)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(erase(viewer, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await grantRole(world.concord, world.owner, { member: bo.viewer.member, role: 'OWNER' });
    const ownerOfService = world.owner.viewer.member;
    await expect(erase(bo.viewer, ownerOfService)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await erase(bo.viewer, ann.viewer.member);
    await erase(bo.viewer, ann.viewer.member);
    await expectGone();
  });

  it('takes no token and no role any more', async () => {
    const { concord, owner } = world;
    const { viewer } = await person('Ann', '');
    const { member } = viewer;
    await erase(owner.viewer, member);
    await expect(grantRole(concord, owner, { member, role: 'VIEWER' })).rejects.toMatchObject({
      code: 'ERASED',
    });
    const token = { token: 't', member, hash: 'h', expires: null, scope: { project: null, role: null } };
    await expect(concord.direct('issueToken', token, () => undefined)).rejects.toMatchObject({
      code: 'ERASED',
    });
  });
});

describe('an erasure that is cut short', () => {
  /** A service over the same disk, started anew. */
  const restarted = (disk: Disk) => {
    const store = new MemoryStore(disk);
    return { store, concord: new Concord(store, inOrder as StrategyHost, world.world) };
  };

  it('between its event and the deletion is finished by the next start', async () => {
    const { viewer } = await person('Ann', "Ann's laptop");
    const { store } = world;
    store.deleteDocument = () => Promise.reject(new Error('the power is gone'));
    await expect(erase(world.owner.viewer, viewer.member)).rejects.toThrow('the power is gone');
    expect(await everything(store)).toContain('Ann');
    const next = restarted(store.disk);
    await next.concord.sweep();
    await expectGone(next.store);
  });

  it('before its event was none: nothing is lost, and what was begun is forgotten', async () => {
    const { viewer } = await person('Ann', '');
    const { store } = world;
    store.mishaps.push(() => Promise.reject(new Error('the power is gone')));
    await expect(erase(world.owner.viewer, viewer.member)).rejects.toThrow('the power is gone');
    const next = restarted(store.disk);
    await next.concord.sweep();
    // It may be under way at another node.
    expect(await store.documents(ERASURES)).toHaveLength(1);
    await world.world.pass(4_000_000);
    await next.concord.sweep();
    expect(await memberName(next.concord, viewer.member)).toBe('Ann');
    expect(await store.documents(ERASURES)).toEqual([]);
  });
});

describe('samples', () => {
  const TEXT = 'a text that nobody else has';
  const secret = (n: number) => ({ key: `k${n}`, data: { text: `${TEXT} (${n})` } });

  beforeEach(async () => {
    world = await openWorld({ withoutRound: 'POOL', overlap: 1, overlapShare: 0 });
    const samples = [0, 1, 2].map(secret);
    await importPart(world.concord, world.owner, { importId: 'texts', part: 0, samples });
  });

  const eraseSamples = (...samples: number[]) =>
    erasePayloads(world.concord, world.owner, { samples, reason: REASON });
  const payload = async (sample: number, { concord }: { concord: Concord } = world) =>
    concord.payloads.read(
      await concord.project(world.project).read(({ samples }) => samples.payload(sample)),
    );
  const texts = async (store = world.store) =>
    [0, 1, 2].filter((n) =>
      store.everything().some((bytes) => Buffer.from(bytes).includes(`${TEXT} (${n})`)),
    );

  it('are gone from the store, and those beside them in their block are not', async () => {
    expect(await texts()).toEqual([0, 1, 2]);
    expect(await eraseSamples(1)).toBe(1);
    expect(await texts()).toEqual([0, 2]);
    expect(await Promise.all([0, 1, 2].map((n) => payload(n)))).toEqual([
      secret(0).data,
      null,
      secret(2).data,
    ]);
    expect(await eraseSamples(1, 2)).toBe(1);
    expect(await texts()).toEqual([0]);
    expect(await eraseSamples(1, 2)).toBe(0);
    expect(await world.store.documents(ERASURES)).toEqual([]);
    expect(await chunkCount(world.store)).toBe(1);
  });

  it('are erased by two at once, and neither leaves what the other takes out', async () => {
    expect(await Promise.all([eraseSamples(0), eraseSamples(1), eraseSamples(1, 2)])).toEqual([1, 1, 1]);
    expect(await texts()).toEqual([]);
    expect(await chunkCount(world.store)).toBe(1);
    expect(await world.store.documents(ERASURES)).toEqual([]);
  });

  it('are read by who was told of their block before', async () => {
    const place = await world.owner.live.read(({ samples }) => samples.payload(2));
    await eraseSamples(1);
    expect(await world.concord.payloads.read(place)).toEqual(secret(2).data);
  });

  it('do not come back when their import is sent again', async () => {
    await eraseSamples(1);
    const samples = [0, 1, 2].map(secret);
    await importPart(world.concord, world.owner, { importId: 'texts', part: 0, samples });
    expect(await texts()).toEqual([0, 2]);
  });

  it('are copied without what they held, and leave an earlier copy', async () => {
    const to = new MemoryStore();
    const options = {
      now: () => world.world.now(),
      newId: () => 'x',
      pause: async () => undefined,
      onProgress: () => undefined,
    };
    await copyProject(world.store, to, world.project, options);
    expect(await texts(to)).toEqual([0, 1, 2]);
    await eraseSamples(1);
    await copyProject(world.store, to, world.project, options);
    expect(await texts(to)).toEqual([0, 2]);
    const { problems } = await verifyProject(to, world.project, options);
    expect(problems).toEqual([]);
  });

  it('are erased to the end by the next start, wherever a crash cuts it short', async () => {
    const { store } = world;
    const broken = async () => {
      throw new Error('the power is gone');
    };
    store.deleteChunks = broken;
    store.deleteDocument = broken;
    await expect(eraseSamples(1)).rejects.toThrow('the power is gone');
    expect(await texts()).toEqual([0, 1, 2]);
    const next = new MemoryStore(store.disk);
    const concord = new Concord(next, inOrder as StrategyHost, world.world);
    expect(await payload(1, { concord })).toBeNull();
    await concord.sweep();
    expect(await texts(next)).toEqual([0, 2]);
    expect(await next.documents(ERASURES)).toEqual([]);
  });

  it('of which the event was never written stay, and what was made for it is swept', async () => {
    const { store } = world;
    store.mishaps.push(() => Promise.reject(new Error('the power is gone')));
    await expect(eraseSamples(1)).rejects.toThrow('the power is gone');
    expect(await payload(1)).toEqual(secret(1).data);
    expect(await chunkCount(store)).toBe(1);
  });

  it('are gone at another node, which has told people of their block', async () => {
    const other = new Concord(new MemoryStore(world.store.disk), inOrder as StrategyHost, world.world);
    const place = await other.project(world.project).read(({ samples }) => samples.payload(2));
    expect(await payload(1, { concord: other })).toEqual(secret(1).data);
    await eraseSamples(1);
    const fresh = new PayloadReader(new MemoryStore(world.store.disk));
    await expect(fresh.read(place)).rejects.toThrow('missing');
    await other.project(world.project).host.follow();
    // The block that it had kept in memory is gone with it.
    expect(await payload(1, { concord: other })).toBeNull();
    expect(await other.payloads.read(place)).toEqual(secret(2).data);
  });

  it('whose equal block another project has, by what release 0.1 stored, leave it to that one', async () => {
    const block = await unsalted(world.store, world.owner.live.id);
    const other = await world.concord.project('other');
    await other.execute('createProject', CREATED, () => undefined);
    await other.execute(
      'importSamples',
      { by: 'b', importId: 'same', part: 0, keys: ['x', 'y'], blocks: [{ chunk: block, count: 2 }] },
      () => undefined,
    );
    expect(await eraseSamples(3, 4)).toBe(2);
    expect(await world.store.getChunk(block)).toBeDefined();
    expect(await payload(3)).toBeNull();
    const owner = { ...world.owner, live: other };
    await erasePayloads(world.concord, owner, { samples: [0, 1], reason: REASON });
    expect(await world.store.getChunk(block)).toBeUndefined();
  });
});

const CREATED = {
  by: 'b',
  labels: ['spam', 'ham'],
  scale: NOMINAL,
  guidelines: '',
  preset: 'ACTIVE_LEARNING',
  policy: {},
  seed: 1,
} as const;

/** A block as release 0.1 has stored it, imported into a project: two payloads and nothing behind them. */
async function unsalted(store: MemoryStore, project: string): Promise<string> {
  const block = Buffer.concat([Buffer.from(Uint32Array.of(2, 16, 17, 18).buffer), Buffer.from('12')]);
  const chunk = await store.putChunk(block, 0);
  const input = { by: 'b', importId: 'old', part: 0, keys: ['x', 'y'], blocks: [{ chunk, count: 2 }] };
  await world.concord.project(project).execute('importSamples', input, () => undefined);
  return chunk;
}

async function chunkCount(store: MemoryStore): Promise<number> {
  let count = 0;
  for await (const _ of store.chunks()) count++;
  return count;
}
