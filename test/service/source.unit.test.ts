import { beforeEach, describe, expect, it } from 'vitest';
import { Hub } from '../../src/service/hub.ts';
import { readSource, stateSource } from '../../src/service/source.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

const PAUSE_MS = 20;

describe('a stream of a state', () => {
  let hub: Hub;
  let world: StillWorld;
  let state: { value: number };
  let mayRead: boolean;
  let looks: number;

  beforeEach(() => {
    world = new StillWorld();
    hub = new Hub(world);
    state = { value: 1 };
    looks = 0;
    mayRead = true;
  });

  function stream() {
    return readSource(world, hub.follow(['a']), {
      source: stateSource({
        look: async () => {
          looks++;
          return { ...state };
        },
        same: (a, b) => a.value === b.value,
        pauseMs: PAUSE_MS,
      }),
      start: 0,
      mayRead: async () => mayRead,
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
    const states = readSource(world, hub.follow(['a']), {
      source: stateSource({
        look: async () => {
          const seen = { value: looks++ };
          if (looks === 1) hub.wake('a');
          return seen;
        },
        same: (a, b) => a.value === b.value,
        pauseMs: PAUSE_MS,
      }),
      start: 0,
      mayRead: async () => mayRead,
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

  it('gives at once what comes when the last push is some time ago', async () => {
    const states = stream();
    await states.next();
    await world.pass(PAUSE_MS);
    const next = states.next();
    change(2);
    await settle();
    expect(looks).toBe(2);
    expect((await next).value).toEqual({ value: 2 });
    expect(world.timers).toBe(0);
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
    mayRead = false;
    hub.wake('a');
    const next = states.next();
    await world.pass(PAUSE_MS);
    expect(await next).toEqual({ done: true, value: undefined });
    expect(hub.size).toBe(0);
  });

  it('fails as its look fails, and is gone', async () => {
    const states = readSource(world, hub.follow(['a']), {
      source: stateSource({
        look: () => Promise.reject(new Error('no look')),
        same: () => false,
        pauseMs: PAUSE_MS,
      }),
      start: 0,
      mayRead: async () => mayRead,
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
    const states = readSource(world, hub.follow(['a']), {
      source: stateSource({
        look: () =>
          new Promise<{ value: number }>((resolve) => {
            seen = () => resolve({ value: 1 });
          }),
        same: () => false,
        pauseMs: PAUSE_MS,
      }),
      start: 0,
      mayRead: async () => mayRead,
    });
    const pending = states.next();
    await settle();
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
