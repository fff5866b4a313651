import { setTimeout as sleep } from 'node:timers/promises';
import { count } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { progressDocument } from './document.ts';
import { target } from './fanout.ts';
import { openProject } from './project.ts';
import { Subscribers } from './subscribers.ts';

const IDLE = 5_000;
const SOAKING = 2_000;
const STALLED = SOAKING / 100;
const MIB = 1024 * 1024;

/** What a subscriber takes who is only there. */
export async function idleRow(tell: (what: string) => void): Promise<Row> {
  tell(`${count(IDLE)} idle subscribers`);
  const opened = await openProject(10);
  const options = target(opened, 200);
  const queries = [progressDocument(1_024)];
  (await Subscribers.open({ ...options, queries })).close();
  await sleep(500);
  const before = await opened.server.usage({ collect: true });
  const all = await Subscribers.open({ ...options, count: IDLE, queries });
  await sleep(500);
  const after = await opened.server.usage({ collect: true });
  all.close();
  await opened.close();
  const each = (bytes: number) => `${(bytes / IDLE / 1024).toFixed(1)} KiB`;
  return told(
    'an idle subscriber',
    `${each(after.heap - before.heap)} of heap`,
    `${each(after.resident - before.resident)} resident; its connection and its document of 1,024 bytes are in it; ${count(IDLE)} subscribers`,
  );
}

const CHANGES_A_SECOND = 20;
/** Turns after which those who do not read are new ones: the service has cut the old ones off, who answered no ping. */
const STALLED_TURNS = 400;

/** Subscribers of whom some do not read, and who come and go, for as long as is wanted. */
export async function soakRow(seconds: number, tell: (what: string) => void): Promise<Row> {
  tell(`soaking for ${seconds} s`);
  const opened = await openProject(1_000 + seconds * CHANGES_A_SECOND);
  const all = await Subscribers.open({ ...target(opened, SOAKING), queries: [progressDocument(1_024)] });
  await sleep(500);
  const before = await opened.server.usage({ collect: true });
  const stalled = Array.from({ length: STALLED }, (_, i) => i * 100);
  all.stall(stalled);
  const until = performance.now() + seconds * 1_000;
  const [pushes, since] = [all.pushes, performance.now()];
  const during: number[] = [];
  let [turns, replaced] = [0, 0];
  while (performance.now() < until) {
    await opened.change();
    await sleep(1_000 / CHANGES_A_SECOND);
    if (turns > 0 && turns % STALLED_TURNS === 0) {
      for (const index of stalled) await all.replace(index);
      all.stall(stalled);
    }
    if (turns++ % 5 === 0) {
      const index = Math.floor(Math.random() * SOAKING);
      if (index % 100 > 0) {
        await all.replace(index);
        replaced++;
      }
    }
    if (turns % Math.ceil(seconds * 2) === 0)
      during.push((await opened.server.usage({ collect: true })).heap);
  }
  const rate = (all.pushes - pushes) / ((performance.now() - since) / 1_000);
  const end = await opened.server.usage({ collect: true });
  all.close();
  await sleep(1_000);
  const after = await opened.server.usage({ collect: true });
  await opened.close();
  const mib = (bytes: number) => (bytes / MIB).toFixed(1);
  return told(
    `a soak of ${seconds} s: ${count(SOAKING)} subscribers, ${STALLED} of whom do not read, ${count(replaced)} cut and replaced`,
    `heap ${mib(before.heap)} → ${mib(end.heap)} MiB`,
    `meanwhile ${during.map(mib).join(', ')}; when all have gone ${mib(after.heap)}; resident ${mib(before.resident)} → ${mib(end.resident)} → ${mib(after.resident)} MiB; ${count(rate)} deliveries/s`,
  );
}
