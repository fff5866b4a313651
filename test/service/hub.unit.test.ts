import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Follower, Hub } from '../../src/service/hub.ts';
import { settle } from '../support/stillWorld.ts';

describe('Hub', () => {
  let hub: Hub;

  beforeEach(() => {
    hub = new Hub();
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

  it('wakes who follows for one member only at what concerns them, and at every tick', async () => {
    const follower = hub.follow(['a', 'b'], { interest: { member: 'ann', since: 7 } });
    hub.wake('a', (member, since) => member === 'ann' && since < 7);
    expect(await hears(follower)).toBe('nothing');
    hub.wake('a', (member, since) => member === 'ann' && since < 8);
    expect(await hears(follower)).toBe(true);
    hub.wake('b');
    expect(await hears(follower)).toBe(true);
    hub.tick(0);
    expect(await hears(follower)).toBe(true);
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
