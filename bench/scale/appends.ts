import { join } from 'node:path';
import { count, shares } from './figures.ts';
import { type Row, told } from './table.ts';
import { run } from './tasks.ts';

const MANY = 1_000;

/** Appends to a store by itself: one journal, and many at once. */
export async function appendRows(folder: string): Promise<Row[]> {
  const sync = await run('sync', { folder, writes: 500 });
  const yardstick = `writing 4 KiB and syncing: ${count(sync.rate)}/s, ${shares(sync.latency)}`;
  const rows = await rowsFor('embedded store', join(folder, 'appends'), yardstick);
  const server = process.env['CONCORD_TEST_MONGODB'];
  if (server === undefined) return rows;
  return [...rows, ...(await rowsFor('MongoDB', server, 'over the wire, majority write concern'))];
}

async function rowsFor(name: string, location: string, yardstick: string): Promise<Row[]> {
  const one = await run('append', { location, journals: 1, appends: 1_000 });
  const many = await run('append', { location, journals: MANY, appends: 30_000 });
  return [
    told(`${name}: appends to one journal`, `${count(one.rate)}/s, ${shares(one.latency)}`, yardstick),
    told(
      `${name}: appends to ${count(MANY)} journals at once`,
      `${count(many.rate)}/s, ${shares(many.latency)}`,
      'each journal one after the other; p50 / p95 / p99',
    ),
  ];
}
