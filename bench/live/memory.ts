import { setTimeout as sleep } from 'node:timers/promises';
import { count, median } from '../scale/figures.ts';
import { type Row, told } from '../scale/table.ts';
import { progressDocument } from './document.ts';
import { target } from './fanout.ts';
import { openProject } from './project.ts';
import { Subscribers } from './subscribers.ts';

/** Above some 19,000 most systems let a process open no more files; clients and server are one each. */
const IDLE = [5_000, 10_000, 18_000] as const;
const IDLE_SECONDS = 5;
const CHANGES = 12;
const SOAKING = 2_000;
const STALLED = SOAKING / 100;
const MIB = 1024 * 1024;

/** What subscribers take who are only there, and one change to all of them. */
export async function idleRows(tell: (what: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  for (const subscribers of IDLE) rows.push(await idleRow(subscribers, tell));
  return rows;
}

async function idleRow(subscribers: number, tell: (what: string) => void): Promise<Row> {
  tell(`${count(subscribers)} idle subscribers`);
  const opened = await openProject(100);
  const options = { ...target(opened), count: 200 };
  const queries = [progressDocument(1_024)];
  (await Subscribers.open({ ...options, queries })).close();
  await sleep(500);
  const before = await opened.server.usage({ collect: true });
  const all = await Subscribers.open({ ...options, count: subscribers, queries });
  await sleep(500);
  const after = await opened.server.usage({ collect: true });
  const since = performance.now();
  const { cpu } = await opened.server.usage();
  await sleep(IDLE_SECONDS * 1_000);
  const cores = ((await opened.server.usage()).cpu - cpu) / (performance.now() - since) / 1_000;
  const lasts: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const received = all.reached(all.pushes + subscribers);
    const sentAt = performance.now();
    await opened.change();
    await received;
    lasts.push(performance.now() - sentAt);
  }
  all.close();
  await opened.close();
  const each = (bytes: number) => `${(bytes / subscribers / 1024).toFixed(1)} KiB`;
  return told(
    `${count(subscribers)} idle subscribers`,
    `${each(after.heap - before.heap)} of heap each`,
    `${each(after.resident - before.resident)} resident, the process ${(after.resident / MIB).toFixed(0)} MiB; its connection and its document of 1,024 bytes are in it; the server took ${cores.toFixed(2)} cores for nothing but them; a change to the last of them ${median(lasts).toFixed(0)} ms, the longest ${Math.max(...lasts).toFixed(0)} ms, of ${CHANGES}`,
  );
}

const CHANGES_A_SECOND = 20;
/** Turns after which those who do not read are new ones: the service has cut the old ones off, who answered no ping. */
const STALLED_TURNS = 400;

/** Subscribers of whom some do not read, and who come and go, for as long as is wanted. */
export async function soakRow(seconds: number, tell: (what: string) => void): Promise<Row> {
  tell(`soaking for ${seconds} s`);
  const opened = await openProject(1_000 + seconds * CHANGES_A_SECOND);
  const all = await Subscribers.open({
    ...target(opened),
    count: SOAKING,
    queries: [progressDocument(1_024)],
  });
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
