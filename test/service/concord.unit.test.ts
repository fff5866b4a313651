import { beforeEach, describe, expect, it } from 'vitest';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { StoreFullError } from '../../src/journal/port.ts';
import { authenticate } from '../../src/service/access.ts';
import { addMember, admitOwner, createProject } from '../../src/service/members.ts';
import { claim } from '../../src/service/queue.ts';
import { revokeTokens } from '../../src/service/tokens.ts';
import { openWorld, type World } from './world.ts';

const LONE = 'half a pair: \ud83d';

describe('Concord', () => {
  let at: World;

  beforeEach(async () => {
    at = await openWorld({ assignmentMinutes: 1 });
  });

  const newProject = (change: object) => {
    const given = {
      name: 'Other',
      labels: ['a', 'b'],
      scale: NOMINAL,
      guidelines: '',
      policy: {},
      seed: 1,
      ...change,
    };
    return createProject(at.concord, at.owner.viewer, { ...given, preset: 'ACTIVE_LEARNING' });
  };

  describe('takes only what it can keep', () => {
    it.each([
      ['a label', { labels: ['a', LONE] }, 'labels.1'],
      [
        'a key of parameters',
        { policy: { strategy: { parameters: { [LONE]: 1 } } } },
        `policy.strategy.parameters.${LONE}`,
      ],
      [
        'a key __proto__',
        { policy: { strategy: { parameters: JSON.parse('{"__proto__":1}') } } },
        'policy.strategy.parameters',
      ],
      ['a name', { name: LONE }, 'name'],
    ])('refuses %s', async (_, change, field) => {
      await expect(newProject(change)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: { field },
      });
    });

    it('refuses a member’s name', async () => {
      const member = { name: LONE, kind: 'PERSON', role: 'VIEWER', tokenDays: null } as const;
      await expect(addMember(at.concord, at.owner, member)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: { field: 'name' },
      });
    });

    it('takes whole pairs', async () => {
      await expect(newProject({ name: '😀', labels: ['😀', '😐'] })).resolves.toBeDefined();
    });

    it('has forgotten a project that was refused', async () => {
      await newProject({ labels: [] }).catch(() => undefined);
      await at.concord.sweep();
      expect(await at.store.journals()).toHaveLength(2);
    });
  });

  describe('its owner', () => {
    it('is let in with a token that was made, which is shown once', async () => {
      const token = await admitOwner(at.concord, null);
      expect(token).toBeNull();
    });

    it('keeps the first token when another one is given later', async () => {
      const later = 'later'.padEnd(40, '_');
      expect(await admitOwner(at.concord, later)).toBeNull();
      const viewer = await authenticate(at.concord, later);
      expect(viewer?.member).toBe(at.owner.viewer.member);
      expect(await authenticate(at.concord, 'owner'.padEnd(40, '_'))).toMatchObject({
        member: viewer?.member,
      });
    });

    it('comes back in with the token given at the start, after all of theirs were revoked', async () => {
      await revokeTokens(at.concord, at.owner, at.owner.viewer.member);
      expect(await authenticate(at.concord, 'owner'.padEnd(40, '_'))).toBeNull();
      await admitOwner(at.concord, 'owner'.padEnd(40, '_'));
      expect(await authenticate(at.concord, 'owner'.padEnd(40, '_'))).not.toBeNull();
    });
  });

  describe('sweeps', () => {
    it('lets go what has run out, though nobody asks', async () => {
      const anna = await at.member('ANNOTATOR');
      await at.importSamples(3);
      await at.openRound(3);
      await claim(at.concord, anna, 2);
      const before = at.store.landed.length;
      await at.concord.sweep();
      expect(at.store.landed).toHaveLength(before);
      await at.world.pass(60_000);
      await at.concord.sweep();
      expect(await at.owner.live.read((project) => project.held.size)).toBe(0);
    });

    it('goes on to other projects where one cannot be swept', async () => {
      const anna = await at.member('ANNOTATOR');
      const broken = at.concord.project('broken');
      await at.store.append('broken', {
        seq: 1,
        id: 'x',
        time: 1,
        events: [{ type: 'undone', assignment: 'x' }],
      });
      await broken.read(() => undefined).catch(() => undefined);
      await at.importSamples(3);
      await at.openRound(3);
      await claim(at.concord, anna, 1);
      await at.world.pass(60_000);
      at.store.mishaps.push(() => Promise.reject(new StoreFullError('full')));
      await expect(at.concord.sweep()).rejects.toThrow(AggregateError);
      await expect(at.concord.sweep()).rejects.toThrow(AggregateError);
      expect(await at.owner.live.read((project) => project.held.size)).toBe(0);
    });
  });

  it('closes once, however often it is asked', async () => {
    await Promise.all([at.concord.close(), at.concord.close()]);
    await at.concord.close();
  });
});
