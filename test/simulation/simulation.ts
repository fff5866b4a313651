import { isDeepStrictEqual } from 'node:util';
import type { DirectoryEvent } from '../../src/domain/directory.ts';
import { Directory } from '../../src/domain/directory.ts';
import { Project } from '../../src/domain/project.ts';
import { authenticate, tokenHash } from '../../src/service/access.ts';
import { dump } from '../domain/dump.ts';
import { Annotator } from './annotator.ts';
import { Driver } from './driver.ts';
import type { Bug } from './planted.ts';
import { FeedReader, type Reader, StateReader } from './readers.ts';
import { type Story, Violation } from './story.ts';
import { World } from './world.ts';

/** Within which trouble comes, in milliseconds from the beginning. */
const TROUBLE_MS = 25_000;
/** Longer than anything that is under way takes: late messages, graces, patience. */
const AFTERMATH_MS = 12_000;

/** What came of a run. */
export interface Run {
  readonly seed: number;
  /** What was wrong, or null. */
  readonly violation: Error | null;
  readonly story: Story;
  readonly commits: number;
  readonly sights: number;
  /** Samples that somebody was asked once more. */
  readonly repeats: number;
}

/** Runs a seed, with a planted bug or as it is. */
export async function simulate(seed: number, bug: Bug | null = null): Promise<Run> {
  const world = new World(seed, bug);
  const unplant = bug?.plant?.() ?? (() => undefined);
  let violation: Error | null = null;
  try {
    await play(world);
  } catch (error) {
    violation = error instanceof Error ? error : new Error(String(error));
  } finally {
    unplant();
    for (const node of world.nodes) node.die();
  }
  return {
    seed,
    violation,
    story: world.story,
    commits: world.backend.synced(world.projectId).length,
    sights: world.ledger.sights,
    repeats: world.backend
      .synced(world.projectId)
      .flatMap(({ events }) => events as { readonly draw?: string }[])
      .filter(({ draw }) => draw === 'REPEAT').length,
  };
}

/** What went wrong in a run, and how it came to that, for people to read. */
export function explain({ seed, violation, story }: Run): string {
  if (violation === null) return `seed ${seed}: nothing is wrong`;
  const isKnown = violation instanceof Violation;
  const told = process.env['SIM_STORY'] === 'full' ? `${story}` : story.about(isKnown ? violation.about : []);
  return [
    `seed ${seed}: ${isKnown ? violation.message : violation.stack}`,
    '',
    told,
    '',
    `Replay it: SIM_SEED=${seed} SIM_RUNS=1 npx vitest run --project int test/simulation/schedules`,
    'SIM_STORY=full tells the whole story.',
  ].join('\n');
}

async function play(world: World): Promise<void> {
  const { scheduler } = world;
  let readers: Reader<unknown>[] = [];
  await finished(world, 'the run', async () => {
    readers = await live(world);
  });
  await finished(world, 'the verdict', () => judge(world, readers));
  for (const reader of readers) reader.leave();
  await scheduler.run();
  for (const { concord, name } of world.nodes) {
    if (concord.hub.size > 0) throw new Violation(`${name} still has ${concord.hub.size} followers`, [name]);
  }
}

/** Runs something to its end; if nothing is left to happen before that, it is stuck. */
async function finished(world: World, what: string, run: () => Promise<void>): Promise<void> {
  let isDone = false;
  run().then(
    () => {
      isDone = true;
    },
    (error: unknown) => world.scheduler.fail(error),
  );
  await world.scheduler.run();
  if (!isDone) throw new Violation(`${what} is stuck: somebody waits, and nothing will happen any more`);
}

async function live(world: World): Promise<Reader<unknown>[]> {
  const { dice, scheduler, weather, story } = world;
  const people = await world.found(dice.between(2, 3), 1);
  weather.turn();
  story.tell('weather', `${weather}`);
  const actions = dice.between(10, 32);
  const clients = people.annotators.map((person) => new Annotator(world, person.name, person, actions));
  const [ann] = people.annotators;
  // Two programs of one person share one queue.
  if (ann && dice.chance(0.3)) clients.push(new Annotator(world, `${ann.name} 2`, ann, actions));
  const all = [...people.annotators, ...people.readers];
  const driver = new Driver(world, people.owner, all, actions);
  const readers: Reader<unknown>[] = [
    ...people.readers.flatMap((person) => [
      new FeedReader(world, person.name, person),
      new StateReader(world, 'progress', person),
    ]),
    ...people.annotators.map((person, i) => new StateReader(world, i === 0 ? 'queue' : 'agreement', person)),
  ];
  const failing = (error: unknown) => scheduler.fail(error);
  for (const reader of readers) reader.live().catch(failing);
  brew(world);
  await Promise.all([driver, ...clients].map((client) => client.live()));
  story.tell('weather', 'turns fair');
  weather.calm();
  for (const node of world.nodes) if (!node.isUp) node.start();
  await scheduler.pause(AFTERMATH_MS);
  world.isEnding = true;
  await scheduler.pause(AFTERMATH_MS);
  await driver.farewell();
  // Streams that end by that may set off something: what was prefetched goes back after a grace.
  await scheduler.pause(2 * AFTERMATH_MS);
  for (const node of world.nodes) node.rest();
  return readers;
}

/** Draws when the greater troubles come. */
function brew(world: World): void {
  const { scheduler, weather, backend, story } = world;
  const dice = world.dice.fork('trouble');
  const now = (count: number, trouble: () => void) => {
    for (let i = dice.between(0, count); i > 0; i--) {
      scheduler.after(dice.between(0, TROUBLE_MS), () => {
        if (!weather.isCalm) trouble();
      });
    }
  };
  now(weather.rates.deaths, () => {
    const node = dice.pick(world.nodes);
    node.die();
    scheduler.after(dice.between(20, 6_000), () => {
      if (!node.isUp) node.start();
    });
  });
  now(weather.rates.stalls, () => dice.pick(world.nodes).stall(dice.between(100, 6_000)));
  now(weather.rates.clockJumps, () => dice.pick(world.nodes).setClock(dice.between(-20_000, 20_000)));
  now(weather.rates.leasesStolen, () => {
    const stolen = dice.pick([...backend.leases.keys(), '']);
    const lease = backend.leases.get(stolen);
    if (lease === undefined) return;
    const thief = dice.pick([...backend.leases.values()]);
    const isLost = dice.chance(0.5);
    story.tell(
      'store',
      isLost ? `the lease of ${stolen} is lost` : `gives the lease of ${stolen} to another`,
    );
    if (isLost) backend.leases.delete(stolen);
    else
      backend.leases.set(stolen, {
        ...lease,
        node: thief.node,
        address: thief.address,
        turn: lease.turn + 1,
      });
  });
  now(weather.rates.storeFailures, () => {
    story.tell('store', 'power fails');
    backend.fail();
  });
  now(weather.rates.storeFull, () => {
    story.tell('store', 'is full');
    backend.isFull = true;
    scheduler.after(dice.between(100, 3_000), () => {
      backend.isFull = false;
    });
  });
}

/** Compares what everybody was told, and what every node has, with a fold of the journals from zero. */
async function judge(world: World, readers: readonly Reader<unknown>[]): Promise<void> {
  const { backend, projectId, ledger } = world;
  const project = new Project();
  const chunks = (id: string) => {
    const bytes = backend.chunks.get(id);
    if (bytes === undefined) throw new Violation(`chunk ${id} is not in the store`);
    return bytes;
  };
  ledger.settle(project, backend.synced(projectId), chunks);
  const directory = new Directory();
  for (const { seq, time, events } of backend.synced('directory')) {
    for (const event of events) directory.fold(event as unknown as DirectoryEvent, seq, time);
  }
  const expected = dump(project);
  for (const node of world.nodes) {
    const { concord, name } = node;
    const own = await concord.project(projectId).read(dump);
    if (!isDeepStrictEqual(own, expected)) {
      throw new Violation(
        `${name}'s projection differs from a fold from zero: ${difference(own, expected)}`,
        [name],
      );
    }
    if ((await concord.directory.read(({ seq }) => seq)) !== directory.seq)
      throw new Violation(`${name}'s directory is not at the end`, [name]);
    for (const token of world.tokens) {
      const isLetIn = (await authenticate(concord, token)) !== null;
      if (isLetIn !== (directory.token(tokenHash(token), 0) !== undefined))
        throw new Violation(`${name} ${isLetIn ? 'lets a revoked token in' : 'does not let a token in'}`, [
          name,
        ]);
    }
  }
  for (const reader of readers) {
    const isLetIn = directory.token(tokenHash(reader.person.token), 0) !== undefined;
    if (reader.isConnected !== isLetIn)
      throw new Violation(`${reader.name} is ${isLetIn ? 'not ' : ''}connected`, [reader.name]);
    reader.check(project, isLetIn);
  }
}

/** Where two values part. */
function difference(a: unknown, b: unknown, path = ''): string {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return Object.is(a, b) ? '' : `${path} is ${String(a)}, not ${String(b)}`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(Reflect.get(a, key), Reflect.get(b, key), `${path}.${key}`);
    if (found !== '') return found;
  }
  return '';
}
