import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Follower, Hub } from '../../src/service/hub.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

describe('Hub', () => {
  let hub: Hub;
  let world: StillWorld;

  beforeEach(() => {
    world = new StillWorld();
    hub = new Hub(world);
  });

  /** Whether a follower hears something, without waiting for it. */
  async function hears(follower: Follower): Promise<boolean | 'nothing'> {
    const silence = settle().then(() => 'nothing' as const);
    return Promise.race([follower.changed(), silence]);
  }

  it('wakes those who follow a topic, and nobody else', async () => {
    const one = hub.follow(['a', 'b']);
    const other = hub.follow(['c']);
    hub.wake('b');
    expect(await hears(one)).toBe(true);
    expect(await hears(other)).toBe('nothing');
  });

  it('remembers that it rang while nobody listened, but not how often', async () => {
    const follower = hub.follow(['a']);
    for (let i = 0; i < 3; i++) hub.wake('a');
    expect(await hears(follower)).toBe(true);
    expect(await hears(follower)).toBe('nothing');
  });

  it('rings for every one who waits at one bell', async () => {
    const follower = hub.follow(['a']);
    const both = Promise.all([follower.changed(), follower.changed()]);
    hub.wake('a');
    expect(await both).toEqual([true, true]);
  });

  it('loses no ring that comes while the one before is being heard', async () => {
    const follower = hub.follow(['a']);
    const first = follower.changed();
    hub.wake('a');
    await first;
    hub.wake('a');
    expect(await hears(follower)).toBe(true);
  });

  it('wakes at the latest when its time has come', async () => {
    const mortal = hub.follow(['a'], { until: 1_000 });
    const immortal = hub.follow(['a']);
    hub.tick(999);
    expect(await hears(mortal)).toBe('nothing');
    hub.tick(1_000);
    expect(await hears(mortal)).toBe(true);
    expect(await hears(immortal)).toBe('nothing');
  });

  it('wakes who follows for one member only at what concerns them, and when their time has come', async () => {
    const interest = { member: 'ann', since: 7, due: 1_000 };
    const follower = hub.follow(['a', 'b'], { interest });
    hub.wake('a', (member, since) => member === 'ann' && since < 7);
    expect(await hears(follower)).toBe('nothing');
    hub.wake('a', (member, since) => member === 'ann' && since < 8);
    expect(await hears(follower)).toBe(true);
    hub.wake('b');
    expect(await hears(follower)).toBe(true);
    hub.tick(999);
    expect(await hears(follower)).toBe('nothing');
    hub.tick(1_000);
    expect(await hears(follower)).toBe(true);
    interest.due = Number.POSITIVE_INFINITY;
    hub.tick(2_000);
    expect(await hears(follower)).toBe('nothing');
  });

  describe('with many who each look by themselves', () => {
    const MANY = 120;

    function many() {
      const woken: number[] = [];
      const followers = Array.from({ length: MANY }, (_, i) => {
        const follower = hub.follow(['a'], { inTurn: true });
        void follower.changed().then((isOpen) => isOpen && woken.push(i));
        return follower;
      });
      return { followers, woken };
    }

    it('wakes a few in each turn of the event loop, and every one once', async () => {
      const { woken } = many();
      hub.wake('a');
      const turns: number[] = [];
      for (let before = -1; before < woken.length; await world.pass(0)) {
        before = woken.length;
        await settle();
        turns.push(woken.length - before);
      }
      expect(Math.max(...turns)).toBeLessThanOrEqual(51);
      expect(new Set(woken).size).toBe(MANY);
      expect(woken).toHaveLength(MANY);
      expect(world.timers).toBe(0);
    });

    it('lets nobody wait in turn who looks for many', async () => {
      many();
      const group = hub.follow(['a']);
      hub.wake('a');
      expect(await hears(group)).toBe(true);
    });

    it('counts a ring for who waits for their turn already', () => {
      many();
      hub.wake('a');
      const { coalesced } = hub;
      hub.wake('a');
      expect(hub.coalesced - coalesced).toBe(MANY);
    });

    it('forgets those who leave before their turn, and has no timer left when it closes', async () => {
      const { followers, woken } = many();
      hub.wake('a');
      await settle();
      const before = woken.length;
      for (const follower of followers) follower.close();
      await world.pass(0);
      expect(woken).toHaveLength(before);
      hub.wake('a');
      hub.close();
      expect(world.timers).toBe(0);
    });
  });

  it('forgets those who leave, and says so once', () => {
    const onEnd = vi.fn();
    const follower = hub.follow(['a', 'b'], { onEnd });
    hub.follow(['a']);
    expect(hub.size).toBe(2);
    follower.close();
    follower.close();
    expect(hub.size).toBe(1);
    expect(onEnd).toHaveBeenCalledOnce();
    hub.wake('a');
  });

  it('ends everybody when it closes, also those who come too late', async () => {
    const waiting = hub.follow(['a']).changed();
    hub.close();
    expect(await waiting).toBe(false);
    const onEnd = vi.fn();
    expect(await hub.follow(['a'], { onEnd }).changed()).toBe(false);
    expect(onEnd).toHaveBeenCalledOnce();
    expect(hub.size).toBe(0);
  });

  it('says that it is closed rather than that something happened', async () => {
    const follower = hub.follow(['a']);
    hub.wake('a');
    follower.close();
    expect(await follower.changed()).toBe(false);
  });
});
