import { describe, expect, it } from 'vitest';
import { MemoryWatch } from '../../src/strategies/memoryWatch.ts';

const MIB = 1024 * 1024;

/** A watch over memory and time that the test moves. */
function watched(limitMb: number) {
  let memory = 0;
  const timers = new Set<() => void>();
  const setTimer = (fn: () => void) => {
    timers.add(fn);
    return () => timers.delete(fn);
  };
  const watch = new MemoryWatch(limitMb, setTimer, () => memory * MIB);
  const ended: string[] = [];
  return {
    ended,
    timers,
    enter: (name: string) =>
      watch.enter((limit, isAlone) => ended.push(`${name} above ${limit}${isAlone ? '' : ', or another'}`)),
    passes(mb: number) {
      memory = mb;
      for (const fn of [...timers]) {
        timers.delete(fn);
        fn();
      }
    },
  };
}

describe('memory is watched while calls run', () => {
  it('and a call that takes more than the limit since it began is ended, once', () => {
    const { ended, enter, passes } = watched(100);
    passes(500);
    enter('one');
    passes(600);
    expect(ended).toEqual([]);
    passes(601);
    passes(900);
    expect(ended).toEqual(['one above 100']);
  });

  it('and of several the newest that is above it first', () => {
    const { ended, enter, passes } = watched(100);
    enter('old');
    passes(50);
    enter('new');
    passes(120);
    expect(ended).toEqual(['old above 100, or another']);
    enter('newer');
    passes(300);
    expect(ended.slice(1)).toEqual(['newer above 100, or another']);
    passes(300);
    expect(ended.slice(2)).toEqual(['new above 100']);
  });

  it('and nobody looks when none runs', () => {
    const { timers, enter, ended, passes } = watched(100);
    const leave = enter('one');
    const leaveToo = enter('two');
    expect(timers.size).toBe(1);
    leave();
    expect(timers.size).toBe(1);
    leaveToo();
    expect(timers.size).toBe(0);
    passes(1_000);
    expect(ended).toEqual([]);
  });
});
