import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { decodeValue, encodeValue } from '../../src/journal/codec.ts';
import { access, authenticate, isLive, type ProjectAccess, type Viewer } from '../../src/service/access.ts';
import { Concord } from '../../src/service/concord.ts';
import { type Link, UnreachedError } from '../../src/service/forwarding.ts';
import { importPart } from '../../src/service/importing.ts';
import { addMember, admitOwner, createProject, grantRole, memberName } from '../../src/service/members.ts';
import { LEASE_MS } from '../../src/service/nodes.ts';
import { claim, currentQueue, submit } from '../../src/service/queue.ts';
import { openRound } from '../../src/service/rounds.ts';
import { signOn } from '../../src/service/signOn.ts';
import type { StrategyHost } from '../../src/strategies/host.ts';
import { Disk, MemoryStore } from '../support/memoryStore.ts';
import { StillWorld } from '../support/stillWorld.ts';
import { inOrder } from './world.ts';

const OWNER = 'owner'.padEnd(40, '_');

/** What may befall a message, instead of arriving and being answered. */
type Mishap = 'REQUEST_LOST' | 'ANSWER_LOST' | 'UNREACHED' | 'DEATH';

/** Nodes over one disk, in a world that stands still. */
class Cluster {
  readonly world = new StillWorld();
  readonly disk = new Disk();
  readonly nodes = new Map<string, Concord>();
  /** Befall the next messages, one each. */
  readonly mishaps: Mishap[] = [];
  /** Nobody is reached at all. */
  isCut = false;
  sent = 0;

  start(name: string): Concord {
    const link: Link = {
      send: async (address, message) => {
        this.sent++;
        const mishap = this.isCut ? 'UNREACHED' : this.mishaps.shift();
        const cluster = this.nodes.get(address)?.cluster;
        if (mishap === 'UNREACHED' || !cluster) throw new UnreachedError(`${address} is not there`);
        if (mishap === 'REQUEST_LOST') throw new Error('no answer');
        // As it comes over the network: values of their own.
        const answer = await cluster.receive(decodeValue(encodeValue(message).slice()));
        if (mishap === 'DEATH') await this.kill(address);
        if (mishap === 'ANSWER_LOST' || mishap === 'DEATH') throw new Error('no answer');
        return decodeValue(encodeValue(answer).slice());
      },
    };
    const store = new MemoryStore(this.disk);
    const options = { link, address: name };
    const concord = new Concord(store, inOrder as StrategyHost, this.world, null, undefined, options);
    this.nodes.set(name, concord);
    return concord;
  }

  /** It gives no sign of life any more, and answers nobody. */
  async kill(name: string): Promise<void> {
    await this.nodes.get(name)?.store.close();
    this.nodes.delete(name);
  }

  /** Lets time pass until something has come to its end. */
  async during<T>(something: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    something.then(over, over);
    for (let i = 0; i < 200 && !isOver; i++) await this.world.pass(100);
    return something;
  }
}

describe('a cluster', () => {
  let at: Cluster;
  let ada: Concord;
  let bob: Concord;
  let project: string;

  async function enter(concord: Concord, token = OWNER): Promise<ProjectAccess> {
    const viewer = await authenticate(concord, token);
    if (viewer === null) throw new Error('not let in');
    return access(concord, viewer, project);
  }

  const openRoundAt = async (concord: Concord, size: number) =>
    openRound(
      concord,
      await enter(concord),
      { size, strategy: 'first', parameters: {}, seed: 1, deadline: null },
      new AbortController().signal,
    );

  /** An annotator, as each node lets them in. */
  async function annotator() {
    const owner = await enter(ada);
    const given = { name: 'Ann', kind: 'PERSON', role: 'ANNOTATOR', tokenDays: null } as const;
    const { secret: token } = await addMember(ada, owner, given);
    await bob.directory.follow();
    return { atAda: await enter(ada, token), atBob: await enter(bob, token) };
  }

  const importAt = async (concord: Concord, count: number, importId = 'first') =>
    importPart(concord, await enter(concord), {
      importId,
      part: 0,
      samples: Array.from({ length: count }, (_, i) => ({ key: `${importId}-${i}`, data: i })),
    });

  const commits = () => at.disk.commits.get(project)?.length;

  beforeEach(async () => {
    at = new Cluster();
    ada = at.start('ada');
    await admitOwner(ada, OWNER);
    const viewer = await authenticate(ada, OWNER);
    if (viewer === null) throw new Error('the owner is not let in');
    const { id } = await createProject(ada, viewer, {
      name: 'Project',
      labels: ['spam', 'ham'],
      scale: NOMINAL,
      guidelines: '',
      preset: 'ACTIVE_LEARNING',
      policy: {},
      seed: 1,
    });
    project = id;
    bob = at.start('bob');
    await at.world.pass(1_000);
  });

  it('has the node that holds the lease decide, and shows who asked what came of it', async () => {
    expect(await importAt(bob, 5)).toEqual({ first: 0, count: 5 });
    const people = await annotator();
    expect(await openRoundAt(bob, 3)).toMatchObject({ number: 1, size: 3 });

    const queue = await claim(bob, people.atBob, 2);
    expect(queue.held.map(({ state }) => state)).toEqual(['HELD', 'HELD']);
    const assignment = queue.held[0]?.id ?? '';
    const answer = { assignment, label: 'ham', milliseconds: null, hold: 2 };
    const answered = await submit(bob, people.atBob, answer);
    expect(answered.assignment).toMatchObject({ state: 'SUBMITTED', label: 'ham' });
    expect(answered.queue.held).toHaveLength(2);

    expect(ada.cluster?.counts).toMatchObject({ received: 4, forwarded: 0 });
    expect(bob.cluster?.counts).toMatchObject({ received: 0, forwarded: 4 });
    // Ada's own go nowhere.
    const { sent } = at;
    await claim(ada, people.atAda, 2);
    expect(at.sent).toBe(sent);
  });

  it('sends together what waits for the same node, and what dies with it elsewhere', async () => {
    const people = await annotator();
    await importAt(ada, 9);
    await openRoundAt(ada, 9);
    await claim(bob, people.atBob, 1);
    const { sent } = at;
    const claims = () => Promise.all([2, 3, 4, 5, 6].map((hold) => claim(bob, people.atBob, hold)));
    // Each is shown what there was at its commit, or later.
    for (const [i, { held }] of (await claims()).entries()) expect(held.length).toBeGreaterThanOrEqual(i + 2);
    // Two messages may be under way; the others wait and share the third.
    expect(at.sent).toBe(sent + 3);
    at.mishaps.push('DEATH');
    const again = await at.during(claims());
    expect(again.map(({ held }) => held.length)).toEqual([6, 6, 6, 6, 6]);
    expect(at.disk.leases.get(`journal\0${project}`)?.address).toBe('bob');
  });

  it('is told with an answer what it came to, and need not read it', async () => {
    const people = await annotator();
    await importAt(ada, 5);
    await openRoundAt(ada, 5);
    await bob.project(project).read(() => undefined);
    const read = vi.spyOn(bob.store, 'read');
    const { held } = await claim(bob, people.atBob, 2);
    expect(held).toHaveLength(2);
    const renewed = await Promise.all([claim(bob, people.atBob, 3), claim(bob, people.atBob, 4)]);
    expect(renewed.map(({ held }) => held.length)).toContain(4);
    expect(read.mock.calls.filter(([journal]) => journal === project)).toEqual([]);
  });

  it('reads it where the answer that would have told was lost', async () => {
    const people = await annotator();
    await importAt(ada, 5);
    await openRoundAt(ada, 5);
    await bob.project(project).read(() => undefined);
    at.mishaps.push('ANSWER_LOST');
    expect((await at.during(claim(bob, people.atBob, 2))).held).toHaveLength(2);
    expect((await claim(bob, people.atBob, 3)).held).toHaveLength(3);
  });

  it('passes refusals on as they are', async () => {
    const people = await annotator();
    const answer = { assignment: 'none', label: 'ham', milliseconds: null, hold: null };
    await expect(submit(bob, people.atBob, answer)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { what: 'assignment' },
      message: 'There is no such assignment, or it is not yours to see.',
    });
  });

  it('does once what was asked again because an answer was lost', async () => {
    const before = commits() ?? 0;
    at.mishaps.push('ANSWER_LOST', 'REQUEST_LOST', 'ANSWER_LOST');
    const change = { by: 'owner', change: { overlap: 3 } };
    const policy = bob.project(project).execute('changePolicy', change, ({ policy }) => policy.overlap);
    expect(await at.during(policy)).toBe(3);
    expect(commits()).toBe(before + 1);
  });

  it('hands over at once when a node leaves', async () => {
    await importAt(ada, 5);
    await ada.close();
    at.nodes.delete('ada');
    const since = at.world.now();
    expect(await at.during(importAt(bob, 5, 'second'))).toEqual({ first: 5, count: 5 });
    expect(at.world.now() - since).toBeLessThan(500);
    expect(at.disk.leases.get(`journal\0${project}`)?.address).toBe('bob');
  });

  it('hands over when a node is dead, to who waits for it, and nothing acknowledged is lost', async () => {
    const people = await annotator();
    await importAt(ada, 5);
    await openRoundAt(ada, 5);
    const held = await claim(ada, people.atAda, 2);
    await at.kill('ada');
    const since = at.world.now();
    const queue = await at.during(claim(bob, people.atBob, 2));
    expect(queue.held).toHaveLength(2);
    expect(queue.held.map(({ id }) => id)).toEqual(held.held.map(({ id }) => id));
    expect(at.world.now() - since).toBeLessThan(LEASE_MS + 2_500);
  });

  it('leaves it open what became of a command whose node died over it, if it cannot be given twice', async () => {
    at.mishaps.push('DEATH');
    const change = { by: 'owner', change: { overlap: 3 } };
    const policy = bob.project(project).execute('changePolicy', change, ({ policy }) => policy.overlap);
    await expect(at.during(policy)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    // What became of it can be seen.
    expect(await bob.project(project).read(({ policy }) => policy.overlap)).toBe(3);
  });

  it('does not decide again what a node may have decided that cannot be reached since', async () => {
    const before = commits() ?? 0;
    at.mishaps.push('ANSWER_LOST', ...Array<Mishap>(100).fill('UNREACHED'));
    const change = { by: 'owner', change: { overlap: 3 } };
    const policy = bob.project(project).execute('changePolicy', change, ({ policy }) => policy.overlap);
    await expect(at.during(policy)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(commits()).toBe(before + 1);
  });

  it('gives a command again whose node died over it, if that changes nothing', async () => {
    await bob.cluster?.leases.holderOf(project);
    at.mishaps.push('DEATH');
    expect(await at.during(importAt(bob, 2))).toEqual({ first: 0, count: 2 });
    expect(await bob.project(project).read(({ samples }) => samples.size)).toBe(2);
  });

  it('decides by the fence alone while a node is alive and cannot be reached, and says so', async () => {
    at.isCut = true;
    const imported = await at.during(importAt(bob, 2));
    expect(imported).toEqual({ first: 0, count: 2 });
    expect(bob.cluster?.counts).toMatchObject({ unleased: 1, forwarded: 0 });
    // Ada knows nothing of that commit: she is overtaken, looks again, and decides on what there is now.
    expect(await at.during(importAt(ada, 2, 'second'))).toEqual({ first: 2, count: 2 });
    expect(at.disk.leases.get(`journal\0${project}`)?.address).toBe('ada');
    at.isCut = false;
    await at.world.pass(5_000);
    await importAt(bob, 2, 'third');
    expect(bob.cluster?.counts).toMatchObject({ unleased: 1, forwarded: 1 });
  });

  it('has the directory decided by one node as well', async () => {
    const people = await annotator();
    const member = people.atBob.viewer.member;
    await grantRole(bob, await enter(bob), { member, role: 'DRIVER' });
    expect(bob.cluster?.counts.forwarded).toBe(1);
    expect((await access(bob, people.atBob.viewer, project)).role).toBe('DRIVER');
  });

  it('knows who signs on at any node, makes one member of them, and ends their sign-on at every node', async () => {
    const identity = {
      issuer: 'https://id.example',
      person: 'ann',
      name: 'Ann',
      groups: ['readers'],
      ends: at.world.now() + 600_000,
    };
    const rules = [{ group: 'readers', project, role: 'ANNOTATOR' }] as const;
    const both = Promise.all([signOn(bob, identity, rules), signOn(ada, identity, rules)]);
    const [atBob, atAda] = await at.during(both);
    expect(atBob).toEqual(atAda);
    const viewer = atBob as Viewer;
    expect((await access(bob, viewer, project)).role).toBe('ANNOTATOR');
    expect(await memberName(ada, viewer.member)).toBe('Ann');
    await importAt(ada, 3);
    await openRoundAt(ada, 3);
    // At the node that does not decide.
    const { held } = await at.during(claim(bob, await access(bob, viewer, project), 2));
    expect(held).toHaveLength(2);
    await at.during(signOn(bob, { ...identity, groups: [] }, rules));
    await at.world.pass(1_000);
    await expect(access(ada, viewer, project)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await at.during(bob.direct('revokeToken', { token: viewer.token }, () => undefined));
    expect(await at.during(signOn(ada, identity, rules))).toBe('UNKNOWN');
    expect(await isLive(ada, viewer)).toBe(false);
  });

  it('outlives a store that is away for 30 seconds: it refuses commands, and goes on as it was', async () => {
    const people = await annotator();
    await importAt(ada, 5);
    await openRoundAt(ada, 5);
    const { held } = await claim(bob, people.atBob, 2);
    const turns = () =>
      [...at.disk.leases].filter(([key]) => key.startsWith('journal')).map(([, { turn }]) => turn);
    const before = turns();

    at.disk.isAway = true;
    await at.world.pass(29_000);
    for (const [node, { viewer }] of [
      [ada, people.atAda],
      [bob, people.atBob],
    ] as const) {
      const tried = node.project(project).execute('claim', { by: viewer.member, hold: 3 }, () => undefined);
      await expect(at.during(tried)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      // What is known is shown: nothing was decided that would have to be taken back.
      expect(await authenticate(node, OWNER)).not.toBeNull();
    }
    expect((await currentQueue(bob, people.atBob)).held).toEqual(held);
    expect((await currentQueue(ada, people.atAda)).held).toEqual(held);

    at.disk.isAway = false;
    await at.world.pass(2_000);
    const answer = { assignment: held[0]?.id ?? '', label: 'ham', milliseconds: null, hold: 2 };
    expect((await submit(bob, people.atBob, answer)).queue.answers).toBe(1);
    expect((await claim(ada, people.atAda, 3)).held).toHaveLength(3);
    // Nobody was taken for dead for what nobody could see.
    expect(turns()).toEqual(before);
  });

  describe('knows at each node who is at any of them', () => {
    const states = (concord: Concord) => concord.attendance.of(project).map(({ state }) => state);

    it('as much as they are anywhere, until they have left everywhere', async () => {
      const people = await annotator();
      const leaveBob = bob.attendance.enter(people.atBob.live, people.atBob.viewer.member);
      await at.world.pass(1_000);
      expect(states(ada)).toEqual(['ACTIVE']);
      const leaveAda = ada.attendance.enter(people.atAda.live, people.atAda.viewer.member);
      leaveBob();
      await at.world.pass(1_000);
      expect([states(ada), states(bob)]).toEqual([['ACTIVE'], ['ACTIVE']]);
      leaveAda();
      await at.world.pass(1_000);
      expect([states(ada), states(bob)]).toEqual([['AWAY'], ['AWAY']]);
      await at.world.pass(120_000);
      expect([states(ada), states(bob)]).toEqual([[], []]);
    });

    it('and takes nothing back from who has gone on at another node', async () => {
      const people = await annotator();
      await importAt(ada, 5);
      await openRoundAt(ada, 5);
      const leave = ada.attendance.enter(people.atAda.live, people.atAda.viewer.member);
      await claim(ada, people.atAda, 3);
      leave();
      bob.attendance.enter(people.atBob.live, people.atBob.viewer.member);
      await at.world.pass(120_000);
      expect((await currentQueue(ada, people.atAda)).held).toHaveLength(3);
    });

    it('and who is at work, whichever node their commands come to', async () => {
      const people = await annotator();
      bob.attendance.enter(people.atBob.live, people.atBob.viewer.member);
      await at.world.pass(119_000);
      ada.attendance.acted(people.atAda.live, people.atAda.viewer.member);
      await at.world.pass(2_000);
      bob.attendance.tick(at.world.now());
      expect(states(bob)).toEqual(['ACTIVE']);
    });

    it('but for those at a node that is dead', async () => {
      const people = await annotator();
      bob.attendance.enter(people.atBob.live, people.atBob.viewer.member);
      await at.world.pass(1_000);
      await at.kill('bob');
      await at.world.pass(LEASE_MS + 2_000);
      expect(states(ada)).toEqual([]);
    });

    it('although a message is lost, and at a node that comes later', async () => {
      const people = await annotator();
      at.mishaps.push('REQUEST_LOST');
      bob.attendance.enter(people.atBob.live, people.atBob.viewer.member);
      await at.world.pass(3_000);
      const cy = at.start('cy');
      await at.world.pass(3_000);
      expect([states(ada), states(cy)]).toEqual([['ACTIVE'], ['ACTIVE']]);
    });
  });

  it('takes nothing from a node that stands still past its lease but what it decides anew', async () => {
    const people = await annotator();
    await importAt(ada, 5);
    await openRoundAt(ada, 5);
    const held = await claim(ada, people.atAda, 1);
    const assignment = held.held[0]?.id ?? '';
    // Ada's signs of life stop; she still believes that she holds the project.
    const name = [...at.disk.leases].find(
      ([key, lease]) => key.startsWith('node\0') && lease.address === 'ada',
    );
    at.disk.leases.delete(name?.[0] ?? '');
    await bob.cluster?.nodes.beat();
    const answer = { assignment, milliseconds: null, hold: null };
    await submit(bob, people.atBob, { ...answer, label: 'ham' });
    expect(bob.cluster?.counts).toMatchObject({ forwarded: 0 });
    await at.world.pass(1_000);
    await expect(submit(ada, people.atAda, { ...answer, label: 'spam' })).rejects.toMatchObject({
      code: 'ALREADY_ANSWERED',
    });
  });
});
