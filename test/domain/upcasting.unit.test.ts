import { describe, expect, it } from 'vitest';
import { UnknownEventError } from '../../src/domain/events.ts';
import { currentDirectoryEvent, currentProjectEvent, upcaster } from '../../src/domain/upcasting.ts';

describe('an event of an earlier form', () => {
  const current = upcaster<object>({
    renamed: [
      ({ name, ...event }) => ({ ...event, title: name }),
      ({ title, ...event }) => ({ ...event, titles: [title] }),
    ],
  });

  it('is brought up step by step, from whichever form it has', () => {
    const newest = { type: 'renamed', version: 3, titles: ['a'], by: 'ann' };
    expect(current({ type: 'renamed', name: 'a', by: 'ann' })).toEqual(newest);
    expect(current({ type: 'renamed', version: 2, title: 'a', by: 'ann' })).toEqual(newest);
    expect(current(newest)).toBe(newest);
  });

  it('is not changed in place: who has read it may hold it', () => {
    const kept = Object.freeze({ type: 'renamed', name: 'a' });
    expect(current(kept)).toEqual({ type: 'renamed', version: 3, titles: ['a'] });
    expect(kept).toEqual({ type: 'renamed', name: 'a' });
  });

  it('is refused if it has a form that this release does not know', () => {
    for (const event of [
      { type: 'renamed', version: 4 },
      { type: 'renamed', version: 0 },
      { type: 'renamed', version: 'x' },
      { type: 'never changed', version: 2 },
    ]) {
      expect(() => current(event)).toThrow(UnknownEventError);
    }
    // Whether a type is known is for the fold to say, which knows them all.
    expect(current({ type: 'constructor' })).toEqual({ type: 'constructor' });
  });

  it('is that of a token of release 0.1, which had no scope', () => {
    const kept = { type: 'tokenIssued', token: 't', member: 'm', hash: 'h', expires: null };
    expect(currentDirectoryEvent(kept)).toEqual({
      ...kept,
      version: 2,
      scope: { project: null, role: null },
    });
    expect(() => currentProjectEvent({ type: 'granted', version: 2 })).toThrow(UnknownEventError);
  });
});
