import { beforeEach, describe, expect, it } from 'vitest';
import type { ProjectAccess } from '../../src/service/access.ts';
import { IDLE_MS } from '../../src/service/attendance.ts';
import { claim, skip } from '../../src/service/queue.ts';
import { readAs } from '../../src/service/source.ts';
import { presenceSource, queueStream } from '../../src/service/states.ts';
import { openWorld, type World } from './world.ts';

const PAUSE_MS = 250;
const GRACE_MS = 30_000;

describe('who is in a project', () => {
  let at: World;
  let anna: ProjectAccess;

  beforeEach(async () => {
    at = await openWorld({ graceSeconds: GRACE_MS / 1_000 });
    await at.importSamples(10);
    await at.openRound(5);
    anna = await at.member('ANNOTATOR');
  });

  const states = () => at.concord.attendance.of(at.project).map(({ state }) => state);
  async function pass(ms: number) {
    await at.world.pass(ms);
    await at.concord.sweep();
    await at.world.pass(0);
  }

  it('is whoever follows their queue, once for all their connections', async () => {
    expect(states()).toEqual([]);
    const [first, second] = [queueStream(at.concord, anna), queueStream(at.concord, anna)];
    expect(at.concord.attendance.of(at.project)).toEqual([
      { member: anna.viewer.member, state: 'ACTIVE', since: at.world.now() },
    ]);
    await first.return?.();
    expect(states()).toEqual(['ACTIVE']);
    await second.return?.();
    expect(states()).toEqual(['AWAY']);
  });

  it('is idle after two minutes without a command, and active at the next; a claim is none', async () => {
    queueStream(at.concord, anna);
    const { held } = await claim(at.concord, anna, 2);
    await pass(IDLE_MS - 1);
    expect(states()).toEqual(['ACTIVE']);
    await pass(1);
    expect(states()).toEqual(['IDLE']);
    await claim(at.concord, anna, 3);
    expect(states()).toEqual(['IDLE']);
    await skip(at.concord, anna, held[0]?.id ?? '', '');
    expect(states()).toEqual(['ACTIVE']);
    await pass(IDLE_MS - 1);
    expect(states()).toEqual(['ACTIVE']);
  });

  it('is away for the grace period, and then forgotten', async () => {
    await queueStream(at.concord, anna).return?.();
    await pass(GRACE_MS - 1);
    expect(states()).toEqual(['AWAY']);
    const back = queueStream(at.concord, anna);
    expect(states()).toEqual(['ACTIVE']);
    await back.return?.();
    await pass(GRACE_MS);
    expect(states()).toEqual([]);
    expect(at.world.timers).toBe(0);
  });

  it('does not count who only gives commands', async () => {
    const { held } = await claim(at.concord, anna, 1);
    await skip(at.concord, anna, held[0]?.id ?? '', '');
    expect(states()).toEqual([]);
  });

  it('is pushed, at most four times a second, and not at all by what the journal tells', async () => {
    const stream = await readAs(at.concord, at.owner, presenceSource(at.concord, at.owner));
    expect((await stream.next()).value).toEqual([]);
    const second = stream.next();
    let isPushed = false;
    void second.then(() => {
      isPushed = true;
    });
    await at.importSamples(1, 1);
    await at.world.pass(PAUSE_MS);
    expect(isPushed).toBe(false);
    const bob = await at.member('ANNOTATOR');
    await at.world.pass(PAUSE_MS);
    queueStream(at.concord, bob);
    expect((await second).value).toHaveLength(1);
    const third = stream.next();
    for (let i = 0; i < 5; i++) queueStream(at.concord, await at.member('ANNOTATOR'));
    await at.world.pass(PAUSE_MS);
    expect((await third).value).toHaveLength(6);
    await stream.return?.();
  });
});
