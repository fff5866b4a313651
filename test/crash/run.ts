import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@concord/sdk/client';
import type { Project } from '../../src/domain/project.ts';
import { runConcord, type ServiceProcess } from '../http/serviceProcess.ts';
import { until } from '../http/waiting.ts';
import { Dice } from '../simulation/dice.ts';
import { Annotator, queueIn, shownQueue } from './annotator.ts';
import type { Build } from './build.ts';
import { Driver, progressIn, shownProgress } from './driver.ts';
import { Ledger, mustEqual, Violation } from './ledger.ts';
import { FeedReader, followState } from './readers.ts';
import { clientOf, localId, type Scene } from './scene.ts';
import { freePort, Servers } from './servers.ts';
import { Truth } from './truth.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const LABELS = ['cat', 'dog', 'owl'];
const ANNOTATORS = 6;
/** A server is killed after so many acknowledged commands, at most, and so many milliseconds more. */
const LONGEST_LIFE = 50;
const LAST_MS = 12;
/** The share of them that live until a snapshot has been taken, and may be killed while they take the next. */
const LIVE_FOR_SNAPSHOT = 0.2;
/** The share of the servers that are killed while they start, and after how long at most. */
const KILLED_AT_START = 0.12;
const START_MS = 250;
/** Longer than anything takes here on a busy machine. */
const PATIENCE_MS = 60_000;

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly build: Build;
}

/** What a run that went well has seen. */
export interface Report {
  readonly kills: number;
  /** Of them, those of a server that was not ready yet. */
  readonly killedAtStart: number;
  readonly commits: number;
  /** Commands that were acknowledged. */
  readonly acknowledged: number;
  /** Requests that a crash has left without an answer: of them, those that were committed, and that were not. */
  readonly unanswered: { readonly committed: number; readonly lost: number };
  /** States that somebody was shown, and that were compared with the journal. */
  readonly sights: number;
  /** Samples that were announced, and read by each reader of the feed. */
  readonly announced: number;
  readonly snapshots: number;
  readonly seconds: number;
  /** What `concord verify` printed in the end. */
  readonly verified: string;
}

/**
 * Runs the service under load and kills it again and again, on one store; after each kill, what is in the store is held
 * against what was told.
 * @throws {Violation} naming the seed and the kill
 */
export async function crashRun(options: RunOptions): Promise<Report> {
  const folder = await mkdtemp(join(tmpdir(), 'concord-crash-'));
  const run = await CrashRun.begin(folder, options);
  try {
    return await run.go();
  } catch (error) {
    const place = `seed ${options.seed}, kill ${run.kills} of ${options.kills}`;
    throw new Violation(`${place}: ${error}`, { cause: error });
  } finally {
    await run.close();
    await rm(folder, { recursive: true });
  }
}

class CrashRun {
  kills = 0;
  #killedAtStart = 0;
  readonly #options: RunOptions;
  readonly #store: string;
  readonly #dice: Dice;
  readonly #since = performance.now();
  readonly #ledger = new Ledger();
  readonly #servers: Servers;
  #server: ServiceProcess;
  readonly #url: string;
  #isOver = false;
  readonly #readers: Client[] = [];
  /** All who use the service: rejects as soon as one of them has seen what must not be. */
  #everybody: Promise<unknown> = new Promise(() => undefined);

  private constructor(options: RunOptions, folder: string, dice: Dice, port: number) {
    this.#options = options;
    this.#store = join(folder, 'store');
    this.#dice = dice;
    this.#url = `http://127.0.0.1:${port}/graphql`;
    this.#servers = new Servers({
      build: options.build,
      store: this.#store,
      port,
      ownerToken: OWNER,
    });
    this.#server = this.#servers.start();
  }

  static async begin(folder: string, options: RunOptions): Promise<CrashRun> {
    const dice = new Dice(options.seed);
    return new CrashRun(options, folder, dice, await freePort(dice.fork('port')));
  }

  async go(): Promise<Report> {
    await this.#server.untilReady();
    const { people, feeds, states, truth } = await this.#settleIn();
    const working = Promise.all(people.map((person) => person.live()));
    this.#everybody = Promise.all([working, ...feeds.map((feed) => feed.live()), ...states]);
    // Whoever waits meanwhile hears of it.
    this.#everybody.catch(() => undefined);
    const check = async () => {
      await truth.follow(this.#ledger);
      for (const feed of feeds) feed.check(truth.announced);
    };

    while (this.kills < this.#options.kills) {
      await this.#orTrouble(this.#life());
      await this.#kill();
      await check();
      this.#server = this.#servers.start();
    }
    // The last one ends in good order, and the one after it only lets everybody read what was announced.
    await this.#orTrouble(this.#work());
    this.#isOver = true;
    await this.#orTrouble(working);
    await this.#end();
    await check();
    this.#server = this.#servers.start();
    const isRead = () => feeds.every(({ received }) => received >= truth.announced.length);
    await this.#orTrouble(until('everything that was announced has been read', isRead, PATIENCE_MS));
    await this.#end();
    await check();
    await truth.checkFromZero();

    const { acknowledged, unanswered, sights } = this.#ledger;
    return {
      kills: this.kills,
      killedAtStart: this.#killedAtStart,
      commits: truth.project.seq,
      acknowledged,
      unanswered,
      sights,
      announced: truth.announced.length,
      snapshots: truth.snapshots,
      seconds: (performance.now() - this.#since) / 1_000,
      verified: await this.#verify(),
    };
  }

  /** Sends everybody home, and ends every process that is left. */
  async close(): Promise<void> {
    this.#isOver = true;
    for (const client of this.#readers) client.close();
    await this.#server.kill();
    await this.#servers.close();
  }

  /** A project, and who works in it. */
  async #settleIn() {
    const owner = this.#reader(OWNER);
    const { id: project } = await owner.createProject({
      name: 'Crashed',
      labels: LABELS,
      seed: this.#options.seed,
      policy: {
        overlapShare: 0.3,
        // Nobody is to lose anything because the server was away, or the machine was busy.
        assignmentMinutes: 1_440,
        graceSeconds: 86_400,
        workSessionMinutes: 0,
        withoutRound: 'WAIT',
      },
    });
    const [url, ledger] = [this.#url, this.#ledger];
    const scene: Scene = { url, ledger, project, labels: LABELS, isOver: () => this.#isOver };
    const people: { live(): Promise<void> }[] = [new Driver(scene, this.#dice.fork('driver'), OWNER)];
    const states: Promise<void>[] = [];
    for (let i = 0; i < ANNOTATORS; i++) {
      const name = `annotator ${i}`;
      const { member, token } = await owner.addMember({ project, name, role: 'ANNOTATOR' });
      const person = { member: localId(member.id, 'Member'), token };
      people.push(new Annotator(scene, this.#dice.fork(name), person));
      if (i > 0) continue;
      const queues = this.#reader(token).watchQueue({ project });
      const look = (truth: Project) => queueIn(truth, person.member);
      states.push(followState('a queue that was pushed', queues, ledger, { shown: shownQueue, look }));
    }
    const [shown, look] = [shownProgress, progressIn];
    states.push(
      followState('the progress that was pushed', owner.watchProgress({ project }), ledger, { shown, look }),
    );
    const feeds = [
      new FeedReader(owner, project, null),
      new FeedReader(owner, project, this.#dice.fork('reader')),
    ];
    return { people, feeds, states, truth: new Truth(this.#store, localId(project, 'Project')) };
  }

  /** A client that reads until the very end. */
  #reader(token: string): Client {
    const client = clientOf({ url: this.#url, isOver: () => false }, token);
    this.#readers.push(client);
    return client;
  }

  /** Resolves when the server is to be killed: at some moment under load, or while it starts. */
  async #life(): Promise<void> {
    if (this.#dice.chance(KILLED_AT_START)) await pause(this.#dice.between(0, START_MS));
    else await this.#work();
  }

  /** Resolves when the server has done some work. By the clock, a slow machine would see none done. */
  async #work(): Promise<void> {
    await this.#server.untilReady();
    const enough = this.#ledger.acknowledged + this.#dice.between(1, LONGEST_LIFE);
    const isEnough = () => this.#ledger.acknowledged >= enough;
    await until('the server has done some work', isEnough, PATIENCE_MS);
    if (this.#dice.chance(LIVE_FOR_SNAPSHOT)) {
      const isTaken = () => this.#server.log.includes('"snapshot taken"');
      await until('a snapshot has been taken', isTaken, PATIENCE_MS);
    }
    await pause(this.#dice.between(0, LAST_MS));
  }

  async #kill(): Promise<void> {
    if (this.#server.log === '') this.#killedAtStart++;
    this.kills++;
    await this.#server.kill();
    mustEqual('what the log warns of', this.#server.warnings, []);
  }

  async #end(): Promise<void> {
    await this.#server.untilReady();
    const { code } = await this.#server.end();
    mustEqual('how a server ended, and what its log warns of', [code, this.#server.warnings], [0, []]);
  }

  async #verify(): Promise<string> {
    const { cli } = this.#options.build;
    const { code, out, errors } = await runConcord({ cli, args: ['verify', '--store', this.#store] });
    if (code !== 0) throw new Violation(`verify: ${out}${errors}`);
    return out;
  }

  /** The outcome of something, unless somebody has seen before what must not be. */
  #orTrouble<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#everybody.then(() => work)]);
  }
}
