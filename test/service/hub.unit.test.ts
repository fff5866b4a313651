import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Follower, Hub, stateStream } from '../../src/service/hub.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

const PAUSE_MS = 20;

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
    hub.wakeOverdue(999);
    expect(await hears(mortal)).toBe('nothing');
    hub.wakeOverdue(1_000);
    expect(await hears(mortal)).toBe(true);
    expect(await hears(immortal)).toBe('nothing');
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

  describe('a stream of a state', () => {
    let world: StillWorld;
    let state: { value: number } | undefined;
    let looks: number;

    beforeEach(() => {
      world = new StillWorld();
      state = { value: 1 };
      looks = 0;
    });

    function stream() {
      return stateStream(world, hub.follow(['a']), {
        look: async () => {
          looks++;
          return state && { ...state };
        },
        same: (a, b) => a.value === b.value,
        pauseMs: PAUSE_MS,
      });
    }

    function change(value: number) {
      state = { value };
      hub.wake('a');
    }

    it('begins with the state as it is', async () => {
      expect(await stream().next()).toEqual({ done: false, value: { value: 1 } });
    });

    it('loses nothing that happens before its first value is asked for', async () => {
      const states = stream();
      change(2);
      expect((await states.next()).value).toEqual({ value: 2 });
    });

    it('loses nothing that happens while it looks', async () => {
      const states = stateStream(world, hub.follow(['a']), {
        look: async () => {
          const seen = { value: looks++ };
          if (looks === 1) hub.wake('a');
          return seen;
        },
        same: (a, b) => a.value === b.value,
        pauseMs: PAUSE_MS,
      });
      expect((await states.next()).value).toEqual({ value: 0 });
      const second = states.next();
      await world.pass(PAUSE_MS);
      expect((await second).value).toEqual({ value: 1 });
    });

    it('gives the newest of what came in quick succession', async () => {
      const states = stream();
      await states.next();
      change(2);
      const next = states.next();
      await world.pass(PAUSE_MS / 2);
      change(3);
      await world.pass(PAUSE_MS / 2);
      expect((await next).value).toEqual({ value: 3 });
      expect(looks).toBe(2);
    });

    it('says nothing of what looks the same', async () => {
      const states = stream();
      await states.next();
      const next = states.next();
      change(1);
      await world.pass(PAUSE_MS);
      expect(looks).toBe(2);
      change(2);
      await world.pass(PAUSE_MS);
      expect((await next).value).toEqual({ value: 2 });
    });

    it('ends when there is nothing to be seen any more', async () => {
      const states = stream();
      await states.next();
      state = undefined;
      hub.wake('a');
      const next = states.next();
      await world.pass(PAUSE_MS);
      expect(await next).toEqual({ done: true, value: undefined });
      expect(hub.size).toBe(0);
    });

    it('fails as its look fails, and is gone', async () => {
      const states = stateStream(world, hub.follow(['a']), {
        look: () => Promise.reject(new Error('no look')),
        same: () => false,
        pauseMs: PAUSE_MS,
      });
      await expect(states.next()).rejects.toThrow('no look');
      expect(hub.size).toBe(0);
      expect(await states.next()).toEqual({ done: true, value: undefined });
    });

    it.each([
      ['before the first value', 0],
      ['while it waits', 1],
    ])('lets its reader go at once, %s', async (_, values) => {
      const states = stream();
      for (let i = 0; i < values; i++) await states.next();
      const pending = values === 0 ? null : states.next();
      expect(await states.return?.()).toEqual({ done: true, value: undefined });
      if (pending) expect(await pending).toEqual({ done: true, value: undefined });
      expect(await states.next()).toEqual({ done: true, value: undefined });
      expect(hub.size).toBe(0);
      expect(looks).toBe(values);
    });

    it.each(['return', 'hub'])('ends at once in the pause (%s), and leaves no timer', async (how) => {
      const states = stream();
      await states.next();
      const pending = states.next();
      change(2);
      await settle();
      expect(world.timers).toBe(1);
      if (how === 'return') await states.return?.();
      else hub.close();
      expect(await pending).toEqual({ done: true, value: undefined });
      expect(world.timers).toBe(0);
      expect(looks).toBe(1);
    });

    it('gives no value that it saw before it was closed', async () => {
      let seen: () => void = () => undefined;
      const states = stateStream(world, hub.follow(['a']), {
        look: () =>
          new Promise<{ value: number }>((resolve) => {
            seen = () => resolve({ value: 1 });
          }),
        same: () => false,
        pauseMs: PAUSE_MS,
      });
      const pending = states.next();
      hub.close();
      seen();
      expect(await pending).toEqual({ done: true, value: undefined });
    });

    it('can be told of an error', async () => {
      const states = stream();
      await expect(states.throw?.(new Error('mine'))).rejects.toThrow('mine');
      expect(hub.size).toBe(0);
    });
  });
});
