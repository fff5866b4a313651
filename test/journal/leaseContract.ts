import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LeaseTable } from '../../src/journal/port.ts';

const ADA = { node: 'ada', address: 'ada:1' };
const BOB = { node: 'bob', address: 'bob:1' };

/** What a store of several nodes owes them. Each such adapter runs it whole. */
export function leaseContract(
  name: string,
  open: () => Promise<{ readonly leases: LeaseTable | undefined; destroy(): Promise<void> }>,
): void {
  describe(`${name} keeps leases as the port demands`, () => {
    let leases: LeaseTable;
    let destroy: () => Promise<void>;

    beforeEach(async () => {
      const opened = await open();
      if (opened.leases === undefined) throw new Error('it has no leases');
      ({ leases } = opened);
      destroy = () => opened.destroy();
    });
    afterEach(() => destroy());

    it('gives a lease that is not there, and one that is, to one of those who try', async () => {
      expect(await leases.get('journal', 'p')).toBeUndefined();
      for (const turn of [0, 1]) {
        const tries = [ADA, BOB, ADA, BOB].map((holder) => leases.swap('journal', 'p', turn, holder));
        expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
        expect(await leases.get('journal', 'p')).toMatchObject({ name: 'p', turn: turn + 1 });
      }
    });

    it('writes nothing at another turn', async () => {
      await leases.swap('journal', 'p', 0, ADA);
      for (const turn of [0, 2, 7]) expect(await leases.swap('journal', 'p', turn, BOB)).toBe(false);
      expect(await leases.get('journal', 'p')).toEqual({ name: 'p', turn: 1, ...ADA });
      await leases.remove('journal', 'p', 2);
      expect(await leases.get('journal', 'p')).toBeDefined();
      await leases.remove('journal', 'p', 1);
      expect(await leases.get('journal', 'p')).toBeUndefined();
      // Removing what is not there is no error.
      await leases.remove('journal', 'p', 1);
    });

    it('lists those of one kind, whatever they are called', async () => {
      const names = ['a/b', 'a', '0', '%', 'é', 'zz'];
      for (const name of names) await leases.swap('node', name, 0, ADA);
      await leases.swap('journal', 'other', 0, BOB);
      expect((await leases.all('node')).map(({ name }) => name).sort()).toEqual([...names].sort());
      expect(await leases.all('journal')).toEqual([{ name: 'other', turn: 1, ...BOB }]);
    });
  });
}
