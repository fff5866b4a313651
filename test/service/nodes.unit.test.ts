import { beforeEach, describe, expect, it } from 'vitest';
import type { LeaseTable } from '../../src/journal/port.ts';
import { Leases } from '../../src/service/leases.ts';
import { BEAT_MS, LEASE_MS, Nodes } from '../../src/service/nodes.ts';
import { MemoryStore } from '../support/memoryStore.ts';
import { StillWorld, settle } from '../support/stillWorld.ts';

/** Leases of which every call fails while `isAway`. */
function mortal(table: LeaseTable) {
  const state = { isAway: false };
  const asked = async <T>(what: () => Promise<T>): Promise<T> => {
    if (state.isAway) throw new Error('the store is away');
    return what();
  };
  const leases: LeaseTable = {
    get: (...given) => asked(() => table.get(...given)),
    all: (...given) => asked(() => table.all(...given)),
    swap: (...given) => asked(() => table.swap(...given)),
    remove: (...given) => asked(() => table.remove(...given)),
  };
  return { leases, state };
}

describe('nodes', () => {
  let world: StillWorld;
  let store: MemoryStore;
  const gone: string[] = [];

  beforeEach(() => {
    world = new StillWorld();
    store = new MemoryStore();
    gone.length = 0;
  });

  const node = (name: string, { address = `${name}:1`, table = store.leases } = {}) =>
    new Nodes(table, world, { node: name, address }, { onGone: (lost) => gone.push(`${name} lost ${lost}`) });

  it('see each other for as long as each gives signs of life', async () => {
    const [ada, bob] = [node('ada'), node('bob')];
    await world.pass(10 * LEASE_MS);
    expect([ada.isSure, ada.isAlive('bob'), bob.isAlive('ada')]).toEqual([true, true, true]);
    expect(ada.others).toEqual([{ node: 'bob', address: 'bob:1' }]);
    expect(gone).toEqual([]);
  });

  it('hear at once of one that leaves, and of one that dies within its lease and two beats', async () => {
    const [ada, bob] = [node('ada'), node('bob')];
    const { leases, state } = mortal(store.leases);
    node('cy', { table: leases });
    await world.pass(2 * BEAT_MS);
    await bob.close();
    await world.pass(BEAT_MS);
    expect([ada.isAlive('bob'), ada.isAlive('cy')]).toEqual([false, true]);

    state.isAway = true;
    await world.pass(LEASE_MS - BEAT_MS);
    expect(ada.isAlive('cy')).toBe(true);
    await world.pass(3 * BEAT_MS);
    expect(ada.isAlive('cy')).toBe(false);
    expect(gone).toEqual(['ada lost bob', 'cy lost bob', 'ada lost cy']);
  });

  it('doubt themselves before the others may take them for dead', async () => {
    const { leases, state } = mortal(store.leases);
    const [ada, bob] = [node('ada', { table: leases }), node('bob')];
    await world.pass(BEAT_MS);
    state.isAway = true;
    while (ada.isSure) {
      expect(bob.isAlive('ada')).toBe(true);
      await world.pass(50);
    }
    expect(bob.isAlive('ada')).toBe(true);
    state.isAway = false;
    await world.pass(BEAT_MS);
    expect([ada.isSure, bob.isAlive('ada')]).toEqual([true, true]);
  });

  it('take nobody for dead for what they could not see while the store was away', async () => {
    const { leases, state } = mortal(store.leases);
    const [ada, bob] = [node('ada', { table: leases }), node('bob', { table: leases })];
    await world.pass(BEAT_MS);
    state.isAway = true;
    await world.pass(10 * LEASE_MS);
    state.isAway = false;
    await world.pass(BEAT_MS);
    expect([ada.isAlive('bob'), bob.isAlive('ada')]).toEqual([true, true]);
    expect(gone).toEqual([]);
  });

  it('know that whoever listened where they listen now is no more', async () => {
    const { leases, state } = mortal(store.leases);
    node('ada', { table: leases });
    await settle();
    state.isAway = true;
    const again = node('ada again', { address: 'ada:1' });
    await settle();
    expect(await again.find('ada')).toBe(false);
  });

  describe('hold leases', () => {
    const taken: string[] = [];
    const leasesOf = (nodes: Nodes, table = store.leases) =>
      new Leases(table, nodes, async (journal) => void taken.push(`${nodes.self.node} takes ${journal}`));

    beforeEach(() => {
      taken.length = 0;
    });

    it('of a journal one at a time, however many ask at once', async () => {
      const all = ['ada', 'bob', 'cy'].map((name) => leasesOf(node(name)));
      await world.pass(BEAT_MS);
      const holders = await Promise.all(all.flatMap((one) => [one.holderOf('p'), one.holderOf('p')]));
      expect(new Set(holders.map((holder) => holder.node)).size).toBe(1);
      expect(taken).toHaveLength(1);
    });

    it('until they leave, and after a death no longer than their lease and two beats', async () => {
      const nodes = [node('ada'), node('bob')] as const;
      const { leases, state } = mortal(store.leases);
      const cy = leasesOf(node('cy', { table: leases }), leases);
      const [ada, bob] = [leasesOf(nodes[0]), leasesOf(nodes[1])];
      await world.pass(BEAT_MS);
      expect((await ada.holderOf('p')).node).toBe('ada');
      expect((await bob.holderOf('p')).node).toBe('ada');
      await nodes[0].close();
      await world.pass(BEAT_MS);
      expect((await bob.holderOf('p')).node).toBe('bob');

      expect((await cy.holderOf('q')).node).toBe('cy');
      state.isAway = true;
      await world.pass(BEAT_MS);
      expect((await bob.holderOf('q')).node).toBe('cy');
      await world.pass(LEASE_MS + 2 * BEAT_MS);
      expect((await bob.holderOf('q')).node).toBe('bob');
      expect(taken).toEqual(['ada takes p', 'bob takes p', 'cy takes q', 'bob takes q']);

      // Back again, cy looks before it decides.
      state.isAway = false;
      expect((await cy.holderOf('q')).node).toBe('bob');
    });

    it('and do not rely on them while they are not sure of themselves', async () => {
      const { leases, state } = mortal(store.leases);
      const ada = leasesOf(node('ada', { table: leases }), leases);
      await world.pass(BEAT_MS);
      await ada.holderOf('p');
      state.isAway = true;
      await world.pass(LEASE_MS);
      await expect(ada.holderOf('p')).rejects.toThrow('the store is away');
    });
  });
});
