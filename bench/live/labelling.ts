import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@concord/sdk/client';
import { Connection } from '../scale/connection.ts';
import { count, latency, shares } from '../scale/figures.ts';
import { aimed, type Row, told } from '../scale/table.ts';
import { begin, type Labelled, run } from '../scale/tasks.ts';
import { CLASSES } from '../scale/workload.ts';
import { target } from './fanout.ts';
import { openProject } from './project.ts';
import { Subscribers } from './subscribers.ts';

const ANNOTATORS = 100;
const SUBSCRIBERS = 1_000;
/** Each labels a sample in so many milliseconds: a quick one. */
const EVERY_MS = 4_000;
const AGREEMENT = `subscription ($project: ID!) { agreement(project: $project) {
  seq alpha { __typename ... on AgreementFigure { value band n } }
  raw { __typename ... on AgreementFigure { value n } }
} }`;
const CLAIMING = 1_000;
/** A label of each in two seconds: as quick as people are. */
const LABELS_A_SECOND = 500;

/** From a submit that one client sends to the agreement that another is pushed. */
export async function pushRows(seconds: number, tell: (what: string) => void): Promise<Row[]> {
  tell(`${ANNOTATORS} annotators at work, ${count(SUBSCRIBERS)} subscribers`);
  const needed = Math.ceil(((seconds + 10) * 1_000 * ANNOTATORS) / EVERY_MS);
  const opened = await openProject(needed + 1_000, { overlapShare: 1, overlap: 2 });
  const tokens = await opened.annotators(ANNOTATORS);
  const people = tokens.map((token) => {
    const connection = new Connection(opened.url);
    return { client: createClient({ url: opened.url, token, fetch: connection.fetch }), connection };
  });
  const hands = await Promise.all(
    people.map(({ client }) => client.claim({ project: opened.project, hold: 1 })),
  );
  const all = await Subscribers.open({ ...target(opened), count: SUBSCRIBERS, queries: [AGREEMENT] });

  const underWay: { readonly sentAt: number; readonly seq: number }[] = [];
  const early: { readonly at: number; readonly seq: number }[] = [];
  const milliseconds: number[] = [];
  /** Samples that have one answer. */
  const answered = new Set<string>();
  // One of the many is looked at; the last to be connected, which is written to last.
  all.onPush = (text, subscriber) => {
    if (subscriber !== SUBSCRIBERS - 1) return;
    const at = performance.now();
    const { seq } = JSON.parse(String(text)).payload.data.agreement;
    early.push({ at, seq });
    for (let i = underWay.length - 1; i >= 0; i--) {
      const submitted = underWay[i];
      if (submitted === undefined || submitted.seq > seq) continue;
      milliseconds.push(at - submitted.sentAt);
      underWay.splice(i, 1);
    }
  };
  const before = await opened.server.usage();
  const since = performance.now();
  const until = since + seconds * 1_000;
  let labels = 0;
  await Promise.all(
    people.map(async ({ client }, i) => {
      let next = hands[i]?.assignments[0];
      for (let due = since + (i / ANNOTATORS) * EVERY_MS; due < until; due += EVERY_MS) {
        await sleep(Math.max(0, due - performance.now()));
        if (next === undefined) throw new Error('there is nothing left to label');
        const sentAt = performance.now();
        const label = i % 3 === 0 ? 'spam' : 'ham';
        const { assignment, queue } = await client.submit({ assignment: next.id, label, hold: 1 });
        labels++;
        [next] = queue.assignments;
        // The first answer to a sample changes nothing for agreement, the second does.
        const sample = JSON.stringify(assignment.data);
        if (!answered.delete(sample)) {
          answered.add(sample);
          continue;
        }
        const pushed = early.find(({ seq }) => seq >= queue.seq);
        if (pushed) milliseconds.push(pushed.at - sentAt);
        else underWay.push({ sentAt, seq: queue.seq });
      }
    }),
  );
  await sleep(500);
  const { cpu } = await opened.server.usage();
  const took = performance.now() - since;
  all.close();
  for (const { connection } of people) connection.close();
  await opened.close();
  const figures = latency(milliseconds);
  return [
    aimed(
      'label to push: a submit is sent, another client has the new agreement',
      shares(figures),
      { value: figures.p95, most: 50, unit: 'ms at p95' },
      `p50 / p95 / p99 of ${count(milliseconds.length)}; ${count(SUBSCRIBERS)} subscribers, ${ANNOTATORS} annotators who label ${(labels / seconds).toFixed(0)}/s in all; the last of the subscribers is looked at; the server took ${((cpu - before.cpu) / took / 1_000).toFixed(2)} cores`,
    ),
  ];
}

/** Claims of a thousand annotators on one project, alone and with everybody's queue live. */
export async function claimRows(
  seconds: number,
  samples: number,
  tell: (what: string) => void,
): Promise<Row[]> {
  tell(`${count(CLAIMING)} annotators claim from ${count(samples)} samples`);
  const opened = await openProject(samples, {}, CLASSES);
  const tokens = await opened.annotators(CLAIMING);
  const { url, token, project, server } = opened;
  const target = { url, token, project, tokens };
  const measured = async (what: string, work: () => Promise<Labelled>, note: string) => {
    const [before, since] = [await server.usage(), performance.now()];
    const { rate, claim, submit } = await work();
    const { cpu } = await server.usage();
    const cores = (cpu - before.cpu) / (performance.now() - since) / 1_000;
    if (claim === null) throw new Error('nothing was claimed');
    return told(
      what,
      `${count(rate)}/s; claim ${shares(claim)}, submit ${shares(submit)}`,
      `p50 / p95 / p99; ${note}; the server took ${cores.toFixed(2)} cores`,
    );
  };
  const saturated = () => run('saturate', { ...target, seconds, topUp: false });
  const paced = () => run('pace', { ...target, seconds, rate: LABELS_A_SECOND, topUp: false });
  const who = `${count(CLAIMING)} annotators on one project of ${count(samples)} samples`;
  const each = 'each claims, submits, and claims again without a pause, as two requests';
  const pace = `each labels a sample every ${(CLAIMING / LABELS_A_SECOND).toFixed(0)} s`;
  const rows = [await measured(`claims by ${who}`, saturated, each)];
  const following = begin('follow', target);
  await following.output;
  rows.push(
    await measured('the same, each following their live queue over WebSocket', saturated, each),
    await measured(`the same, ${count(LABELS_A_SECOND)} labels/s in all`, paced, pace),
  );
  following.end();
  await opened.close();
  return rows;
}
