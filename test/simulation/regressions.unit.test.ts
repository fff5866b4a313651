import { describe, expect, it } from 'vitest';
import { StoreFullError, StoreUnavailableError } from '../../src/journal/port.ts';
import { openWorld } from '../service/world.ts';

/** What the simulation has found in the service, each told once more by itself. */
describe('found by the simulation', () => {
  it('never says that nothing was kept when an earlier try may have landed', async () => {
    const { store, world, owner } = await openWorld();
    store.mishaps.push(
      (land) => {
        land();
        throw new StoreUnavailableError('the answer is lost');
      },
      () => {
        throw new StoreFullError('no space for a second copy');
      },
    );
    const { live, viewer } = owner;
    const change = { by: viewer.member, change: { paused: true } };
    const changed = live.execute('changePolicy', change, () => undefined).catch((error: unknown) => error);
    await world.pass(1_000);
    expect(await changed).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await live.read(({ policy }) => policy.paused)).toBe(true);
  });
});
