import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../src/journal/open.ts';
import type { Store } from '../../src/journal/port.ts';
import { latency } from './figures.ts';
import type { Tasks } from './tasks.ts';

/** A commit of one answer, as the service appends it. */
const EVENTS = [
  { type: 'submitted', assignment: 'v0Zk3bq8S0m0xkX4kY1WgA', label: 3, milliseconds: 1_234, counted: true },
];

export const storeTasks = {
  /** Each journal gets its commits one after the other, as the service appends them; all journals at once. */
  async append({ location, journals, appends }: Tasks['append']['input']) {
    const store = await openStore(location);
    const run = Date.now().toString(36);
    const each = Math.ceil(appends / journals);
    const work = (part: string, commits: number, times: number[]) =>
      Promise.all(
        Array.from({ length: journals }, (_, i) => fill(store, `bench-${run}-${part}-${i}`, commits, times)),
      );
    await work('warm', Math.ceil(each / 10), []);
    const times: number[] = [];
    const since = performance.now();
    await work('run', each, times);
    const seconds = (performance.now() - since) / 1_000;
    await store.close();
    return { rate: times.length / seconds, latency: latency(times) };
  },

  async sync({ folder, writes }: Tasks['sync']['input']) {
    const file = await open(join(folder, 'yardstick'), 'w');
    const block = Buffer.alloc(4096, 1);
    const times: number[] = [];
    for (let i = 0; i < writes; i++) {
      const since = performance.now();
      await file.write(block, 0, block.length, i * block.length);
      await file.datasync();
      times.push(performance.now() - since);
    }
    await file.close();
    return { rate: 1_000 / (times.reduce((sum, time) => sum + time, 0) / writes), latency: latency(times) };
  },
};

async function fill(store: Store, journal: string, commits: number, times: number[]): Promise<void> {
  for (let seq = 1; seq <= commits; seq++) {
    const since = performance.now();
    await store.append(journal, { seq, id: `${journal}-${seq}`, time: Date.now(), events: EVENTS });
    times.push(performance.now() - since);
  }
}
