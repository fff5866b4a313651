import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectDriver } from '@concord/sdk/driver';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import { globalId } from '../../src/graphql/ids.ts';
import { realEnvironment } from '../../src/http/environment.ts';
import { openStore } from '../../src/journal/open.ts';
import type { Store } from '../../src/journal/port.ts';
import { access, authenticate, type ProjectAccess } from '../../src/service/access.ts';
import { Concord } from '../../src/service/concord.ts';
import { importPart } from '../../src/service/importing.ts';
import { addMember, admitOwner, createProject } from '../../src/service/members.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { claim, submit } from '../../src/service/queue.ts';
import { MANIFESTS } from '../../src/service/snapshotFormat.ts';
import { takeSnapshot } from '../../src/service/snapshots.ts';
import { openStrategyHost } from '../../src/strategies/host.ts';
import { timed } from './driving.ts';
import { count, median, seconds } from './figures.ts';
import { Server } from './server.ts';
import { type Row, told } from './table.ts';
import { CLASSES, samples } from './workload.ts';

const PEOPLE = 100;
const HELD = 20;
const PART = 10_000;

/**
 * How long a project in which every sample is answered takes to be ready after a restart, from its snapshot and from
 * its first commit. It is made by the service itself, but without a network in between.
 */
export async function annotatedRows(folder: string, size: number, repeats: number): Promise<Row[]> {
  await mkdir(folder);
  const path = join(folder, 'store');
  const owner = randomBytes(32).toString('base64url');
  const project = await annotate(folder, path, owner, size);
  // Restarts take snapshots of their own as soon as they find none: each of these begins without.
  const without: number[] = [];
  for (let i = 0; i < repeats; i++) {
    await withStore(path, (store) => store.deleteDocument(MANIFESTS, project));
    without.push(await restart(path, owner, project));
  }
  await withStore(path, async (store) => {
    const { now } = realEnvironment;
    const pause = async () => {};
    await takeSnapshot(store, project, PROJECT_KIND, { now, pause, onUselessSnapshot: () => {} });
  });
  const from: number[] = [];
  for (let i = 0; i < repeats; i++) from.push(await restart(path, owner, project));
  return [
    told(
      `ready with ${count(size)} samples and ${count(size)} answers, from a snapshot`,
      seconds(median(from)),
      `median of ${repeats}: ${from.map(seconds).join(', ')}`,
    ),
    told(
      'the same, without a snapshot',
      seconds(median(without)),
      `median of ${repeats}: ${without.map(seconds).join(', ')}`,
    ),
  ];
}

async function restart(path: string, owner: string, id: string): Promise<number> {
  let server: Server | null = null;
  const project = globalId('Project', id);
  const time = await timed(async () => {
    server = await Server.start(path, owner, null);
    const driver = connectDriver({ url: server.url, token: owner });
    await (await driver.project(project)).progress();
  });
  await (server as Server | null)?.stop();
  return time;
}

async function withStore(path: string, work: (store: Store) => Promise<unknown>): Promise<void> {
  const store = await openStore(path);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** Makes a project in which every sample has one answer. */
async function annotate(folder: string, path: string, owner: string, size: number): Promise<string> {
  const plugins = join(folder, 'plugins');
  await mkdir(plugins);
  const strategies = await openStrategyHost({ folder: plugins, environment: realEnvironment });
  const concord = new Concord(await openStore(path), strategies, realEnvironment);
  await admitOwner(concord, owner);
  const { id } = await createProject(concord, await viewerOf(concord, owner), {
    name: 'answered',
    labels: CLASSES,
    scale: NOMINAL,
    guidelines: '',
    preset: 'ACTIVE_LEARNING',
    policy: { overlapShare: 0, withoutRound: 'POOL', workSession: { minutes: 0, breakMinutes: 0 } },
    seed: 1,
  });
  const enter = async (token: string) => access(concord, await viewerOf(concord, token), id);
  const own = await enter(owner);
  for (let part = 0; part * PART < size; part++) {
    const some = [...samples(part * PART, Math.min(size, (part + 1) * PART))];
    await importPart(concord, own, { importId: 'bench', part, samples: some });
  }
  const people: ProjectAccess[] = [];
  for (let i = 0; i < PEOPLE; i++) {
    const added = await addMember(concord, own, {
      name: `annotator ${i}`,
      kind: 'PERSON',
      role: 'ANNOTATOR',
      tokenDays: null,
      label: '',
    });
    people.push(await enter(added.secret));
  }
  await Promise.all(people.map((person) => work(concord, person)));
  await concord.close();
  return id;
}

async function work(concord: Concord, person: ProjectAccess): Promise<void> {
  for (;;) {
    const { held } = await claim(concord, person, HELD);
    if (held.length === 0) return;
    await Promise.all(
      held.map(({ id }, i) =>
        submit(concord, person, {
          assignment: id,
          label: CLASSES[i % CLASSES.length] ?? '',
          milliseconds: 1_000,
          hold: null,
        }),
      ),
    );
  }
}

async function viewerOf(concord: Concord, token: string) {
  const viewer = await authenticate(concord, token);
  if (viewer === null) throw new Error('a token is not known');
  return viewer;
}
