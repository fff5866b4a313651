import { beforeEach, describe, expect, it, vi } from 'vitest';
import { watchStore } from '../../src/http/watchedStore.ts';
import { SeqTakenError, type Store, StoreFullError, StoreUnavailableError } from '../../src/journal/port.ts';
import { journalContract } from '../journal/contract.ts';
import { Disk, MemoryStore } from '../support/memoryStore.ts';

const nobody = { onTrouble: () => undefined, onRelief: () => undefined };

journalContract('A watched store', async () => {
  const disk = new Disk();
  let store = watchStore(new MemoryStore(disk), nobody);
  return {
    store,
    async reopen() {
      await store.close();
      store = watchStore(new MemoryStore(disk), nobody);
      return store;
    },
    destroy: () => store.close(),
  };
});

describe('A watched store', () => {
  let memory: MemoryStore;
  let store: Store;
  const told = { onTrouble: vi.fn(), onRelief: vi.fn() };

  beforeEach(() => {
    vi.clearAllMocks();
    memory = new MemoryStore();
    store = watchStore(memory, told);
  });

  const commit = { seq: 1, id: 'a', time: 1, events: [1] };
  const failing = (error: Error) => {
    memory.mishaps.push(() => Promise.reject(error));
    return expect(store.append('project', commit)).rejects.toBe(error);
  };

  it('tells once when it gets into trouble, and once when it gets out', async () => {
    const full = new StoreFullError('full');
    await failing(full);
    await failing(full);
    await failing(new StoreUnavailableError('out of reach'));
    expect(told.onTrouble.mock.calls).toEqual([[full]]);
    expect(told.onRelief).not.toHaveBeenCalled();
    await store.append('project', commit);
    await store.append('project', commit);
    expect(told.onRelief).toHaveBeenCalledOnce();
    await failing(full);
    expect(told.onTrouble).toHaveBeenCalledTimes(2);
  });

  it('tells nothing of what is part of the day', async () => {
    await store.append('project', commit);
    await failing(new SeqTakenError('project', 1));
    expect(told.onTrouble).not.toHaveBeenCalled();
  });
});
