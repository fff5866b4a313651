import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type FeedItem, prioritizedSource } from '../../src/service/feed.ts';
import { grantRole } from '../../src/service/members.ts';
import { readAs } from '../../src/service/source.ts';
import { settle } from '../support/stillWorld.ts';
import { openWorld, type World } from './world.ts';

type Feed = AsyncIterableIterator<FeedItem>;

describe('the feed of newly prioritized samples', () => {
  let at: World;

  beforeEach(async () => {
    at = await openWorld();
    await at.importSamples(600);
  });

  const open = (after: string | null = null) =>
    readAs(at.concord, at.owner, prioritizedSource(at.concord, at.owner), after);

  /** What there is to read at once: round and rank of each sample. */
  async function available(feed: Feed) {
    const read: string[] = [];
    let cursor: string | null = null;
    let reset: string | null = null;
    for (;;) {
      const next = feed.next();
      const silence = settle().then(() => null);
      const result = await Promise.race([next, silence]);
      if (result === null || result.done) break;
      const item = result.value;
      cursor = item.cursor;
      if (item.kind === 'reset') reset = item.reason;
      else read.push(...item.samples.map(({ rank }) => `${item.round}/${rank}`));
    }
    await feed.return?.();
    return { read, cursor, reset };
  }

  const ranks = (round: number, count: number, from = 0) =>
    Array.from({ length: count - from }, (_, i) => `${round}/${from + i}`);

  async function rounds(...sizes: number[]) {
    for (const [i, size] of sizes.entries()) {
      const { number } = await at.openRound(size);
      if (i < sizes.length - 1) await at.closeRound(number);
    }
  }

  it('begins with the open round', async () => {
    await rounds(10, 120);
    expect((await available(await open())).read).toEqual(ranks(2, 120));
  });

  it('gives at most fifty at a time', async () => {
    await rounds(120);
    const feed = await open();
    const sizes: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { value } = await feed.next();
      if (value.kind === 'samples') sizes.push(value.samples.length);
    }
    expect(sizes).toEqual([50, 50, 20]);
  });

  it('waits for the next round when there is none', async () => {
    const feed = await open();
    const next = feed.next();
    await rounds(3);
    const { value } = await next;
    expect(value).toMatchObject({ kind: 'samples', round: 1 });
    expect(value.samples.map(({ rank }: { rank: number }) => rank)).toEqual([0, 1, 2]);
  });

  it('misses no round that opens between its beginning and its first value', async () => {
    const feed = await open();
    await rounds(2, 2);
    expect((await available(feed)).read).toEqual([...ranks(1, 2), ...ranks(2, 2)]);
  });

  it('tells of each sample its key, its payload and its score', async () => {
    await rounds(1);
    const { value } = await (await open()).next();
    const [sample] = value.samples;
    expect(sample).toMatchObject({ rank: 0, sample: 0, key: '0-0', draw: 'UNCERTAIN', score: 1 });
    expect(await at.concord.payloads.read(sample.payload)).toEqual({ n: 0 });
  });

  it('gives everything once and in order, wherever its reader leaves and comes back', async () => {
    await rounds(70, 1, 55, 130);
    const everything = [...ranks(1, 70), ...ranks(2, 1), ...ranks(3, 55), ...ranks(4, 130)];
    const beginning = Buffer.from(`${at.project}/1/0`).toString('base64url');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 8 }), async (visits) => {
        const read: string[] = [];
        let cursor = beginning;
        for (const items of visits) {
          const feed = await open(cursor);
          for (let i = 0; i < items && read.length < everything.length; i++) {
            const { value } = await feed.next();
            read.push(...value.samples.map(({ rank }: { rank: number }) => `${value.round}/${rank}`));
            cursor = value.cursor;
          }
          await feed.return?.();
        }
        read.push(...(await available(await open(cursor))).read);
        expect(read).toEqual(everything);
      }),
      { numRuns: 30 },
    );
    expect(at.concord.hub.size).toBe(0);
  });

  it('resumes at any place', async () => {
    await rounds(3, 2);
    const all = [...ranks(1, 3), ...ranks(2, 2)];
    const places = [...all, '2/2'];
    for (const [i, place] of places.entries()) {
      const cursor = Buffer.from(`${at.project}/${place}`).toString('base64url');
      expect((await available(await open(cursor))).read).toEqual(all.slice(i));
    }
  });

  it('goes on behind its cursor with what comes later', async () => {
    await rounds(2);
    const { cursor } = await available(await open());
    const feed = await open(cursor);
    const next = feed.next();
    await at.closeRound(1);
    await at.openRound(1);
    expect((await next).value).toMatchObject({ round: 2 });
  });

  it.each([
    ['a later round than there is', '4/0'],
    ['more samples than the round has', '1/3'],
    ['samples of a round to come', '2/1'],
  ])('is reset where the journal has lost its end: the cursor speaks of %s', async (_, place) => {
    await rounds(2);
    const { reset, read, cursor } = await available(
      await open(Buffer.from(`${at.project}/${place}`).toString('base64url')),
    );
    expect(reset).toBe('the journal ends before this cursor');
    expect(read).toEqual(ranks(1, 2));
    expect((await available(await open(cursor))).read).toEqual([]);
  });

  it('is reset where the cursor is too old', async () => {
    await rounds(...Array.from({ length: 102 }, () => 1));
    const cursor = (round: number) => Buffer.from(`${at.project}/${round}/0`).toString('base64url');
    expect(await available(await open(cursor(2)))).toMatchObject({
      reset: 'only the newest 100 rounds can be resumed',
      read: ['102/0'],
    });
    expect((await available(await open(cursor(3)))).read).toHaveLength(100);
  });

  it.each([
    ['nonsense', '!'],
    ['nothing', ''],
    ['another text', Buffer.from('a/b').toString('base64url')],
    ['round 0', 'round 0'],
  ])('refuses %s for a cursor', async (_, text) => {
    const cursor = text === 'round 0' ? Buffer.from(`${at.project}/0/0`).toString('base64url') : text;
    await expect(open(cursor)).rejects.toMatchObject({ code: 'BAD_CURSOR' });
    expect(at.concord.hub.size).toBe(0);
  });

  it('refuses a cursor of another project', async () => {
    const cursor = Buffer.from('another/1/0').toString('base64url');
    await expect(open(cursor)).rejects.toMatchObject({ code: 'BAD_CURSOR' });
  });

  it('ends when its reader’s role changes', async () => {
    const driver = await at.member('DRIVER');
    const feed = await readAs(at.concord, driver, prioritizedSource(at.concord, driver));
    const next = feed.next();
    await grantRole(at.concord, at.owner, { member: driver.viewer.member, role: 'VIEWER' });
    expect(await next).toEqual({ done: true, value: undefined });
    expect(at.concord.hub.size).toBe(0);
  });
});
