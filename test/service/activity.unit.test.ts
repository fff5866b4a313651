import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ActivityItem, activitySource } from '../../src/service/activity.ts';
import { grantRole } from '../../src/service/members.ts';
import { claim, submit } from '../../src/service/queue.ts';
import { readAs } from '../../src/service/source.ts';
import { settle } from '../support/stillWorld.ts';
import { openWorld, type World } from './world.ts';

/** Commits in one push. */
const BATCH = 50;

describe('the feed of activity', () => {
  let at: World;

  beforeEach(async () => {
    at = await openWorld();
  });

  const open = (after: string | null = null) =>
    readAs(at.concord, at.owner, activitySource(at.concord, at.owner), after);

  /** The next push, if there is one at once. */
  async function next(feed: AsyncIterableIterator<ActivityItem>): Promise<ActivityItem | null> {
    let found: ActivityItem | null = null;
    void feed.next().then(({ value }) => {
      found = value ?? null;
    });
    for (let turn = 0; turn < 5 && found === null; turn++) await settle();
    return found;
  }
  const told = (item: ActivityItem) =>
    item.kind === 'reset' ? [item.reason] : item.events.map(({ kind }) => kind);

  /** Everything there is to read at once behind a cursor. */
  async function all(after: string | null = null) {
    const feed = await open(after);
    const kinds: string[] = [];
    let cursor = after;
    for (let item = await next(feed); item !== null; item = await next(feed)) {
      kinds.push(...told(item));
      cursor = item.cursor;
    }
    await feed.return?.();
    return { kinds, cursor };
  }

  it('tells what was decided and what followed, by whom, and not what annotators do', async () => {
    await at.importSamples(3);
    const anna = await at.member('ANNOTATOR');
    await at.openRound(1);
    const [assignment] = (await claim(at.concord, anna, 1)).held;
    const answer = { assignment: assignment?.id ?? '', label: 'spam', milliseconds: null, hold: null };
    await submit(at.concord, anna, answer);
    await at.openRound(1);
    await at.closeRound(2);
    await at.owner.live.execute('changePolicy', { by: 'dora', change: { paused: true } }, () => undefined);
    await grantRole(at.concord, at.owner, { member: anna.viewer.member, role: null });
    const item = await next(await open());
    const by = at.owner.viewer.member;
    expect(item).toMatchObject({
      events: [
        { kind: 'projectCreated', by },
        { kind: 'samplesImported', by, samples: 3, part: 0 },
        { kind: 'roundOpened', by, round: 1, size: 1 },
        { kind: 'roundClosed', by: null, round: 1, reason: 'SETTLED', withdrawn: 0 },
        { kind: 'roundOpened', by, round: 2, size: 1 },
        { kind: 'roundClosed', by, round: 2, reason: 'WITHDRAWN', withdrawn: 1 },
        { kind: 'policyChanged', by: 'dora', policy: { paused: true } },
        { kind: 'roleChanged', by, member: anna.viewer.member, role: 'ANNOTATOR' },
        { kind: 'roleChanged', by, member: anna.viewer.member, role: null },
      ],
    });
  });

  it('waits for what comes, in either journal', async () => {
    const { cursor } = await all();
    const feed = await open(cursor);
    const first = feed.next();
    await at.importSamples(1);
    expect(told((await first).value)).toEqual(['samplesImported']);
    const second = feed.next();
    await at.member('VIEWER');
    expect(told((await second).value)).toEqual(['roleChanged']);
  });

  it('puts what both journals have in the order of time', async () => {
    const { cursor } = await all();
    await at.world.pass(1_000);
    await at.member('VIEWER');
    await at.world.pass(1_000);
    await at.importSamples(1);
    await at.world.pass(1_000);
    await at.member('VIEWER');
    expect((await all(cursor)).kinds).toEqual(['roleChanged', 'samplesImported', 'roleChanged']);
  });

  it('begins with what happened last, and forgets nothing that lies behind a cursor', async () => {
    const { cursor } = await all();
    const parts = 2 * BATCH + 10;
    for (let part = 0; part < parts; part++) await at.importSamples(1, part);
    expect((await all()).kinds).toHaveLength(BATCH);
    expect((await all(cursor)).kinds).toHaveLength(parts);
    const feed = await open(cursor);
    const sizes = [];
    for (let i = 0; i < 3; i++) sizes.push(told((await feed.next()).value).length);
    expect(sizes).toEqual([BATCH, BATCH, 10]);
  });

  it('gives everybody every event once and in order, wherever they are cut off', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('import', 'member', 'policy', 'work', 'cut'), { maxLength: 30 }),
        async (steps) => {
          at = await openWorld();
          let { cursor } = await all();
          const read: string[] = [];
          const happened: string[] = [];
          let part = 0;
          for (const step of [...steps, 'cut']) {
            if (step === 'import') {
              await at.importSamples(1, part++);
              happened.push('samplesImported');
            } else if (step === 'member') {
              await at.member('VIEWER');
              happened.push('roleChanged');
            } else if (step === 'policy') {
              const change = { roundSize: happened.length + 1 };
              await at.owner.live.execute('changePolicy', { by: 'dora', change }, () => undefined);
              happened.push('policyChanged');
            } else if (step === 'work') {
              await at.owner.live.execute('claim', { by: 'anna', hold: 1 }, () => undefined);
            } else {
              const seen = await all(cursor);
              read.push(...seen.kinds);
              cursor = seen.cursor;
            }
            await at.world.pass(1);
          }
          expect(read).toEqual(happened);
        },
      ),
      { numRuns: Number(process.env['FC_NUM_RUNS'] ?? 30) },
    );
  });

  it('is the same after a restart from a snapshot or the journal', async () => {
    await at.importSamples(1);
    await at.member('VIEWER');
    const { kinds, cursor } = await all();
    at.concord.forget(at.owner.live);
    const live = at.concord.project(at.project);
    const feed = await readAs(
      at.concord,
      { ...at.owner, live },
      activitySource(at.concord, { live, role: 'OWNER' }),
    );
    const item = await next(feed);
    expect(item && told(item)).toEqual(kinds);
    expect(item?.cursor).toBe(cursor);
  });

  it('says so when a journal ends before the cursor, and goes on from there', async () => {
    const { live } = at.owner;
    const ahead = Buffer.from(`${live.id}/1000000/0`).toString('base64url');
    const { kinds, cursor } = await all(ahead);
    expect(kinds).toEqual(['the journal ends before this cursor']);
    await at.importSamples(1);
    expect((await all(cursor)).kinds).toEqual(['samplesImported']);
  });

  it.each([
    ['nonsense', 'it is malformed'],
    [Buffer.from('other/1/1').toString('base64url'), 'it belongs to another project'],
  ])('refuses the cursor %s', async (cursor, problem) => {
    await expect(open(cursor)).rejects.toMatchObject({ code: 'BAD_CURSOR', details: { problem } });
  });
});
