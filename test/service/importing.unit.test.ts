import { describe, expect, it } from 'vitest';
import { settle } from '../support/stillWorld.ts';
import { openWorld } from './world.ts';

describe('the parts of an import', () => {
  it('are numbered in their order, whichever comes first', async () => {
    const at = await openWorld();
    const second = at.importSamples(3, 1);
    await settle();
    const first = at.importSamples(2, 0);
    expect(await Promise.all([first, second])).toEqual([
      { first: 0, count: 2 },
      { first: 2, count: 3 },
    ]);
    expect(at.concord.hub.size).toBe(0);
    expect(at.world.timers).toBe(0);
  });

  it('wait for the one before only so long, and leave nothing behind', async () => {
    const at = await openWorld();
    const second = at.importSamples(3, 1);
    second.catch(() => undefined);
    await at.world.pass(1_999);
    expect(at.concord.hub.size).toBe(1);
    await at.world.pass(1);
    await expect(second).rejects.toMatchObject({
      code: 'PART_OUT_OF_ORDER',
      details: { part: 1, missing: 0 },
    });
    expect(at.concord.hub.size).toBe(0);
    expect(await at.importSamples(1, 0)).toEqual({ first: 0, count: 1 });
  });
});
