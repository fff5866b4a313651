import { Disk, MemoryStore } from '../support/memoryStore.ts';
import { journalContract } from './contract.ts';
import { leaseContract } from './leaseContract.ts';

// What the tests of the service take for a store must be one.
journalContract('The store in memory', async () => {
  const disk = new Disk();
  let store = new MemoryStore(disk);
  return {
    store,
    async reopen() {
      await store.close();
      store = new MemoryStore(disk);
      return store;
    },
    destroy: () => store.close(),
  };
});

leaseContract('The store in memory', async () => {
  const store = new MemoryStore();
  return { leases: store.leases, destroy: () => store.close() };
});
