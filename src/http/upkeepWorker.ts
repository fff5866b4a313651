/** The thread that does one task of a store's upkeep: an entry point for `node:worker_threads`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '../journal/open.ts';
import { sweepChunks } from '../service/chunkSweep.ts';
import { PROJECT_KIND } from '../service/projectKind.ts';
import { takeSnapshot } from '../service/snapshots.ts';
import type { UpkeepMessage, UpkeepRequest } from './upkeepThread.ts';

if (parentPort === null) throw new Error('http/upkeepWorker is run in a worker thread');
const port = parentPort;
const { location, task }: UpkeepRequest = workerData;
let isStopped = false;
port.once('message', () => {
  isStopped = true;
});

/** Hears whether it is to stop: between two steps, so that the store is left in good order. */
async function pause(): Promise<void> {
  await nextTurn();
  if (isStopped) throw new Error('it was stopped');
}

function say(message: UpkeepMessage): void {
  port.postMessage(message);
}

async function work(): Promise<unknown> {
  const store = await openStore(location, 'JOIN');
  const now = () => Date.now();
  try {
    if (task.kind === 'sweep') return await sweepChunks(store, { now, pause });
    const onUselessSnapshot = (problem: string) => say({ kind: 'useless', problem });
    return await takeSnapshot(store, task.journal, PROJECT_KIND, { now, pause, onUselessSnapshot });
  } finally {
    await store.close();
  }
}

try {
  say({ kind: 'done', result: await work() });
} catch (error) {
  say({ kind: 'failed', problem: error instanceof Error ? error.message : String(error) });
}
// Listening would keep the thread; what it has said is delivered all the same.
port.close();
