import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProjectAccess } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import { grantRole } from '../../src/service/members.ts';
import { claim, submit } from '../../src/service/queue.ts';
import { agreementSource, progressSource, queueStream, stateStream } from '../../src/service/states.ts';
import { revokeTokens } from '../../src/service/tokens.ts';
import { openWorld, type World } from './world.ts';

/** Longer than any of these states rests. */
const PAUSE_MS = 20;
const DAY_MS = 86_400_000;

const agreementStream = (concord: Concord, access: ProjectAccess) =>
  stateStream(concord, access, agreementSource(access));
const progressStream = (concord: Concord, access: ProjectAccess) =>
  stateStream(concord, access, progressSource(access));

describe('states', () => {
  let at: World;

  beforeEach(async () => {
    at = await openWorld({ overlap: 2, overlapShare: 1, graceSeconds: 30 });
    await at.importSamples(10);
    await at.openRound(5);
  });

  /** What comes next, letting the pause between two pushes pass. */
  async function next<T>(stream: AsyncIterableIterator<T>): Promise<IteratorResult<T>> {
    const next = stream.next();
    await at.world.pass(PAUSE_MS);
    return next;
  }

  it('tell of progress as it is made, and stand at a commit', async () => {
    const anna = await at.member('ANNOTATOR');
    const stream = progressStream(at.concord, at.owner);
    const first = await stream.next();
    expect(first.value).toMatchObject({ samples: 10, answers: 0, round: { settled: 0, total: 5 } });
    const { held } = await claim(at.concord, anna, 1);
    await submit(at.concord, anna, {
      assignment: held[0]?.id ?? '',
      label: 'spam',
      milliseconds: null,
      hold: null,
    });
    const second = await next(stream);
    expect(second.value).toMatchObject({ answers: 1, labelled: 1 });
    expect(second.value.seq).toBeGreaterThan(first.value.seq);
  });

  it('are taken once a commit, however many look', async () => {
    const taking = vi.spyOn(at.owner.live.agreement, 'of');
    const streams = Array.from({ length: 5 }, () => agreementStream(at.concord, at.owner));
    const views = await Promise.all(streams.map(async (stream) => (await stream.next()).value));
    expect(taking).toHaveBeenCalledTimes(5);
    expect(new Set(views).size).toBe(1);
  });

  it('rest four times as long as they take to work out, and are not worked out meanwhile', async () => {
    const { agreement } = at.owner.live;
    const stream = agreementStream(at.concord, at.owner);
    await stream.next();
    agreement.tookMs = 10;
    const looking = vi.spyOn(agreement, 'of');
    const pending = stream.next();
    await at.importSamples(1, 1);
    await at.world.pass(39);
    expect(looking).not.toHaveBeenCalled();
    await at.world.pass(1);
    expect(looking).toHaveBeenCalledOnce();
    await stream.return?.();
    await pending;
  });

  it('say nothing of commits that do not change them', async () => {
    const stream = agreementStream(at.concord, at.owner);
    await stream.next();
    const pending = stream.next();
    await at.importSamples(1, 1);
    await at.world.pass(PAUSE_MS);
    await stream.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
  });

  it('show agreement as soon as two have labelled the same', async () => {
    const people = [await at.member('ANNOTATOR'), await at.member('ANNOTATOR')];
    const stream = agreementStream(at.concord, at.owner);
    expect((await stream.next()).value.pairs).toEqual([]);
    for (const person of people) {
      for (let i = 0; i < 5; i++) {
        const { held } = await claim(at.concord, person, 1);
        const answer = {
          assignment: held[0]?.id ?? '',
          label: i === 0 ? 'spam' : 'ham',
          milliseconds: null,
          hold: null,
        };
        await submit(at.concord, person, answer);
      }
    }
    expect((await next(stream)).value).toMatchObject({
      alpha: { value: 1 },
      pairCount: 1,
      pairs: [{ kappa: { value: 1 } }],
    });
  });

  it('of a queue are looked at when its owner, or everybody, is concerned', async () => {
    const [anna, bob] = [await at.member('ANNOTATOR'), await at.member('ANNOTATOR')];
    await claim(at.concord, anna, 1);
    const stream = queueStream(at.concord, anna);
    await stream.next();
    const looking = vi.spyOn(at.owner.live, 'read');
    const pending = stream.next();
    await claim(at.concord, bob, 2);
    await at.world.pass(PAUSE_MS);
    expect(looking).not.toHaveBeenCalled();
    await claim(at.concord, anna, 2);
    await at.world.pass(PAUSE_MS);
    expect((await pending).value.held).toHaveLength(2);
    const then = stream.next();
    await at.owner.live.execute('changePolicy', { by: 'owner', change: { paused: true } }, () => undefined);
    await at.world.pass(PAUSE_MS);
    expect((await then).value.empty).toEqual({ reason: 'PAUSED' });
  });

  it('of a queue are not looked at as time passes, until others have taken all its work', async () => {
    const [anna, bob] = [await at.member('ANNOTATOR'), await at.member('ANNOTATOR')];
    const stream = queueStream(at.concord, anna);
    await stream.next();
    const looking = vi.spyOn(at.owner.live, 'read');
    const pending = stream.next();
    await claim(at.concord, bob, 4);
    await at.world.pass(PAUSE_MS);
    looking.mockClear();
    await at.concord.sweep();
    const bySweeping = looking.mock.calls.length;
    await at.concord.sweep();
    // Nothing has happened since the first: nobody is asked for.
    expect(looking.mock.calls.length).toBeLessThan(2 * bySweeping);
    for (const member of [bob, await at.member('ANNOTATOR'), await at.member('ANNOTATOR')])
      await claim(at.concord, member, 5);
    await at.concord.sweep();
    await at.world.pass(PAUSE_MS);
    expect((await pending).value).toMatchObject({ held: [], empty: { reason: 'ALL_HELD' } });
  });

  it('of a queue count a work session down by the minute, and tell when it ends and the break does', async () => {
    const anna = await at.member('ANNOTATOR');
    const change = { assignmentMinutes: 60 };
    await at.owner.live.execute('changePolicy', { by: 'owner', change }, () => undefined);
    const { held } = await claim(at.concord, anna, 2);
    const answer = { assignment: held[0]?.id ?? '', label: 'spam', milliseconds: null, hold: null };
    const stream = queueStream(at.concord, anna);
    const minutes = async (count: number) => {
      const pushed = stream.next();
      await at.world.pass(60_000 * count);
      await at.concord.sweep();
      await at.world.pass(PAUSE_MS);
      const { workSession, empty } = (await pushed).value;
      return [workSession.state, Math.ceil(workSession.millisecondsLeft / 60_000), empty?.reason];
    };
    expect((await stream.next()).value).toMatchObject({
      workSession: { state: 'RUNNING', millisecondsLeft: 30 * 60_000, answers: 0 },
      skips: 0,
    });
    const answered = stream.next();
    await submit(at.concord, anna, answer);
    await at.world.pass(PAUSE_MS);
    expect((await answered).value.workSession.answers).toBe(1);
    expect(await minutes(1)).toEqual(['RUNNING', 29, undefined]);
    expect(await minutes(29)).toEqual(['BREAK', 5, 'WORK_SESSION_OVER']);
    expect(await minutes(5)).toEqual(['OVER', 0, undefined]);
    await stream.return?.();
  });

  it('of a queue count the answers of a work session from its beginning', async () => {
    const anna = await at.member('ANNOTATOR');
    const answer = async () => {
      const { held } = await claim(at.concord, anna, 1);
      const submitted = { assignment: held[0]?.id ?? '', label: 'spam', milliseconds: null, hold: null };
      return (await submit(at.concord, anna, submitted)).queue;
    };
    await answer();
    expect((await answer()).workSession).toMatchObject({ state: 'RUNNING', answers: 2 });
    await at.world.pass(35 * 60_000);
    expect(await answer()).toMatchObject({ answers: 3, workSession: { state: 'RUNNING', answers: 1 } });
  });

  describe('end', () => {
    it.each(['role', 'membership', 'tokens'] as const)('when %s are taken away', async (what) => {
      const anna = await at.member('ANNOTATOR');
      const stream = queueStream(at.concord, anna);
      await stream.next();
      const pending = stream.next();
      const { member } = anna.viewer;
      if (what === 'tokens') await revokeTokens(at.concord, at.owner, member);
      else await grantRole(at.concord, at.owner, { member, role: what === 'role' ? 'VIEWER' : null });
      await at.world.pass(PAUSE_MS);
      expect(await pending).toEqual({ done: true, value: undefined });
      expect(at.concord.hub.size).toBe(0);
    });

    it('when the token runs out, at the next sweep, though nothing else happens', async () => {
      const anna = await at.member('ANNOTATOR', { tokenDays: 1 });
      const stream = queueStream(at.concord, anna);
      await stream.next();
      const pending = stream.next();
      await at.world.pass(DAY_MS);
      await at.concord.sweep();
      await at.world.pass(PAUSE_MS);
      expect(await pending).toEqual({ done: true, value: undefined });
    });

    it('with the service', async () => {
      const stream = progressStream(at.concord, at.owner);
      await stream.next();
      const pending = stream.next();
      await at.concord.close();
      expect(await pending).toEqual({ done: true, value: undefined });
    });
  });

  describe('attendance', () => {
    it('gives back what was prefetched, a grace period after the last connection has ended', async () => {
      const anna = await at.member('ANNOTATOR');
      await claim(at.concord, anna, 3);
      const streams = [queueStream(at.concord, anna), queueStream(at.concord, anna)];
      for (const stream of streams) await stream.next();
      await streams[0]?.return?.();
      await at.world.pass(60_000);
      expect(await held(anna)).toBe(3);
      await streams[1]?.return?.();
      await at.world.pass(29_000);
      expect(await held(anna)).toBe(3);
      await at.world.pass(1_000);
      expect(await held(anna)).toBe(1);
    });

    it('keeps it for who comes back in time, however often they come and go', async () => {
      const anna = await at.member('ANNOTATOR');
      await claim(at.concord, anna, 3);
      for (let i = 0; i < 3; i++) {
        // Left twice in a turn: the first leaving has not looked at the policy yet.
        await queueStream(at.concord, anna).return?.();
        await queueStream(at.concord, anna).return?.();
        await at.world.pass(20_000);
      }
      const stream = queueStream(at.concord, anna);
      await stream.next();
      await at.world.pass(100_000);
      expect(await held(anna)).toBe(3);
      expect(at.world.timers).toBe(0);
    });

    it('has no timer left when the service has closed, even of who left with it', async () => {
      const anna = await at.member('ANNOTATOR');
      const bob = await at.member('ANNOTATOR');
      await queueStream(at.concord, bob).return?.();
      await queueStream(at.concord, anna).next();
      await at.concord.close();
      await at.world.pass(0);
      expect(at.world.timers).toBe(0);
    });

    const held = ({ live, viewer }: typeof at.owner) =>
      live.read((project) => project.annotator(viewer.member)?.held.length);
  });
});
