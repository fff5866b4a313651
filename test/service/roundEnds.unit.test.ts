import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyChange } from '../../src/domain/policy.ts';
import type { ProjectAccess } from '../../src/service/access.ts';
import { grantRole } from '../../src/service/members.ts';
import { claim, handle, skip, submit } from '../../src/service/queue.ts';
import { queueStream } from '../../src/service/states.ts';
import { revokeTokens } from '../../src/service/tokens.ts';
import { openWorld } from './world.ts';

const MINUTE = 60_000;
/** Two labels a sample, two skips to give it up. */
const TWICE: PolicyChange = {
  overlap: 2,
  overlapShare: 1,
  skipLimit: 2,
  assignmentMinutes: 10,
  graceSeconds: 60,
  workSession: { minutes: 0 },
};

/** Each way in which a round ends, and none in which it does not. */
describe('a round', () => {
  async function open({
    policy = {} as PolicyChange,
    people = 2,
    size = 3,
    deadline = null as number | null,
  } = {}) {
    const at = await openWorld({ ...TWICE, ...policy });
    await at.importSamples(size);
    const annotators = [];
    for (let i = 0; i < people; i++) annotators.push(await at.member('ANNOTATOR'));
    await at.openRound(size, deadline === null ? null : at.world.now() + deadline);
    const hold = (who: ProjectAccess, count = 1) => claim(at.concord, who, count);
    const next = async (who: ProjectAccess) => (await hold(who)).held[0]?.id;
    const answer = (who: ProjectAccess, assignment: string) =>
      submit(at.concord, who, { assignment, label: 'spam', milliseconds: null, hold: null });
    return {
      ...at,
      annotators: annotators as [ProjectAccess, ProjectAccess],
      hold,
      next,
      answer,
      /** Does the same with all that somebody is given. */
      async all(who: ProjectAccess, act: (assignment: string) => Promise<unknown>) {
        for (let id = await next(who); id !== undefined; id = await next(who)) await act(id);
      },
      /** What has become of it, once time has passed and what has run out was swept. */
      async after(ms: number) {
        await at.world.pass(ms);
        await at.concord.sweep();
        return at.owner.live.read(({ rounds: [round] }) => round?.closed ?? 'OPEN');
      },
    };
  }

  it('settles when everything is answered', async () => {
    const at = await open();
    for (const who of at.annotators) await at.all(who, (id) => at.answer(who, id));
    expect(await at.after(0)).toMatchObject({ reason: 'SETTLED', withdrawn: 0 });
  });

  it('settles when everybody skips', async () => {
    const at = await open();
    for (const who of at.annotators) await at.all(who, (id) => skip(at.concord, who, id, ''));
    expect(await at.after(0)).toMatchObject({ reason: 'SETTLED', withdrawn: 0 });
  });

  it('ends at its deadline, whatever is in whose hands', async () => {
    const at = await open({ deadline: MINUTE });
    await at.hold(at.annotators[0], 2);
    expect(await at.after(MINUTE - 1)).toBe('OPEN');
    expect(await at.after(1)).toMatchObject({ reason: 'DEADLINE', withdrawn: 3 });
  });

  it('ends when a driver closes it', async () => {
    const at = await open();
    await at.closeRound(1);
    expect(await at.after(0)).toMatchObject({ reason: 'WITHDRAWN', withdrawn: 3 });
  });

  describe('is exhausted', () => {
    it('when an overlap asks for more people than there are', async () => {
      const at = await open({ people: 1 });
      const [anna] = at.annotators;
      await at.all(anna, (id) => at.answer(anna, id));
      expect(await at.after(0)).toMatchObject({ reason: 'EXHAUSTED', withdrawn: 3 });
      // The answers stand.
      expect(await at.owner.live.read(({ labelled }) => labelled)).toBe(3);
    });

    it('when more skips are asked for than there are people', async () => {
      const at = await open({ people: 1 });
      const [anna] = at.annotators;
      await at.all(anna, (id) => skip(at.concord, anna, id, ''));
      expect(await at.after(0)).toMatchObject({ reason: 'EXHAUSTED', withdrawn: 3 });
    });

    it.each(['role', 'tokens'] as const)('when those who could go on have lost their %s', async (what) => {
      const at = await open();
      const [anna, ben] = at.annotators;
      await at.all(anna, (id) => at.answer(anna, id));
      expect(await at.after(0)).toBe('OPEN');
      const { member } = ben.viewer;
      if (what === 'role') await grantRole(at.concord, at.owner, { member, role: 'VIEWER' });
      else await revokeTokens(at.concord, at.owner, member);
      expect(await at.after(0)).toMatchObject({ reason: 'EXHAUSTED', withdrawn: 3 });
    });

    it('only when nothing of it is in anybody’s hands', async () => {
      const at = await open();
      const [anna, ben] = at.annotators;
      const { held } = await at.hold(ben, 1);
      await at.all(anna, (id) => at.answer(anna, id));
      await grantRole(at.concord, at.owner, { member: ben.viewer.member, role: null });
      expect(held).toHaveLength(1);
      expect(await at.after(10 * MINUTE - 1)).toBe('OPEN');
      expect(await at.after(1)).toMatchObject({ reason: 'EXHAUSTED', withdrawn: 3 });
    });

    it('never while nobody is there who could label: they may yet come', async () => {
      const at = await open({ people: 0 });
      expect(await at.after(0)).toBe('OPEN');
    });
  });

  describe('goes on without those who have gone away:', () => {
    it('what they had prefetched comes back after the grace period, the rest when its time has passed', async () => {
      const at = await open({ policy: { overlap: 1 }, size: 3 });
      const [anna, ben] = at.annotators;
      const stream = queueStream(at.concord, anna);
      await at.hold(anna, 3);
      await stream.return?.();
      await at.after(MINUTE);
      expect((await at.hold(ben, 3)).held).toHaveLength(2);
      await at.all(ben, (id) => at.answer(ben, id));
      expect((await at.hold(ben)).empty).toMatchObject({ reason: 'ALL_HELD' });
      await at.after(10 * MINUTE);
      await at.all(ben, (id) => at.answer(ben, id));
      expect(await at.after(0)).toMatchObject({ reason: 'SETTLED' });
    });

    it('who lets the same sample run out twice has skipped it', async () => {
      const at = await open({ people: 1, size: 1, policy: { skipLimit: 1 } });
      const [anna] = at.annotators;
      await at.hold(anna);
      expect(await at.after(10 * MINUTE)).toBe('OPEN');
      await at.hold(anna);
      expect(await at.after(10 * MINUTE)).toMatchObject({ reason: 'SETTLED' });
    });
  });

  it('is over when everybody is told that there is nothing for them, whatever they did', async () => {
    const step = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      act: fc.constantFrom('answer', 'skip', 'release', 'undo', 'hold', 'wait', 'leave'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, people, overlap, skipLimit) => {
          const at = await open({ people, policy: { overlap, skipLimit }, size: 4 });
          const there = new Set(at.annotators);
          const answered = new Map<ProjectAccess, string>();
          for (const { who, act } of steps) {
            const person = at.annotators[who % people] as ProjectAccess;
            if (!there.has(person)) continue;
            const id = await at.next(person);
            if (act === 'wait') await at.after(11 * MINUTE);
            else if (act === 'hold') await at.hold(person, 3);
            else if (act === 'leave' && there.size > 1) {
              there.delete(person);
              await grantRole(at.concord, at.owner, { member: person.viewer.member, role: null });
            } else if (act === 'undo') {
              const last = answered.get(person);
              if (last !== undefined) await handle(at.concord, person, 'undo', last).catch(() => undefined);
            } else if (id !== undefined && act === 'answer') {
              await at.answer(person, id);
              answered.set(person, id);
            } else if (id !== undefined && act === 'skip') await skip(at.concord, person, id, '');
            else if (id !== undefined && act === 'release') await handle(at.concord, person, 'release', id);
          }
          // Who is still there answers what they are given, and comes back when others' time has run out.
          for (let turn = 0; turn < 3; turn++) {
            for (const person of there) await at.all(person, (id) => at.answer(person, id));
            await at.after(11 * MINUTE);
          }
          expect(await at.after(0)).not.toBe('OPEN');
        },
      ),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 40) },
    );
  });
});
