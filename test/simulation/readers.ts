import { isDeepStrictEqual } from 'node:util';
import { announcedAt, announcedCount } from '../../src/domain/announced.ts';
import type { Project } from '../../src/domain/project.ts';
import { Refusal } from '../../src/domain/refusals.ts';
import { NONE } from '../../src/domain/sampleTable.ts';
import type { ProjectAccess } from '../../src/service/access.ts';
import type { Concord } from '../../src/service/concord.ts';
import { type FeedItem, prioritizedSource } from '../../src/service/feed.ts';
import { readAs } from '../../src/service/source.ts';
import { agreementSource, progressSource, queueStream, stateStream } from '../../src/service/states.ts';
import { agreementView, progressView, type QueueView } from '../../src/service/views.ts';
import { queueOf, withoutClock } from './annotator.ts';
import type { Dice } from './dice.ts';
import { Unauthenticated } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { Violation } from './story.ts';
import type { Person, World } from './world.ts';

/** What ends a connection. */
const BROKEN = Symbol('broken');

/** Somebody who follows a stream, and comes back, to whatever node, whenever its connection breaks. */
export abstract class Reader<T> {
  readonly name: string;
  readonly person: Person;
  protected readonly world: World;
  protected readonly dice: Dice;
  #leave: () => void = () => undefined;
  #hasLeft = false;
  isConnected = false;

  constructor(world: World, name: string, person: Person) {
    this.world = world;
    this.name = name;
    this.person = person;
    this.dice = world.dice.fork(name);
  }

  /** Follows until {@link leave}. */
  async live(): Promise<void> {
    const { world, dice } = this;
    while (!this.#hasLeft) {
      await world.scheduler.pause(dice.between(20, 1_200));
      const node = dice.pick(world.nodes);
      if (!this.#hasLeft && node.isUp) await this.#connect(node);
      // In the end, whoever has no token that is good would come back for ever.
      if (world.isEnding && !this.isConnected && !(await this.#isLetIn())) return;
    }
  }

  leave(): void {
    this.#hasLeft = true;
    this.#leave();
  }

  protected abstract open(concord: Concord, access: ProjectAccess): Promise<AsyncIterableIterator<T>>;
  /** The node gives it just now. */
  protected abstract given(item: T): void;
  /** It has reached the reader. */
  protected abstract receive(item: T): void;
  /** Whether all that should have come has come, given the project in the end. @throws {Violation} */
  abstract check(project: Project, isLetIn: boolean): void;

  async #isLetIn(): Promise<boolean> {
    const node = this.world.nodes.find(({ isUp }) => isUp);
    if (node === undefined) return true;
    return this.world.enter(node.concord, this.person).then(
      () => true,
      () => false,
    );
  }

  async #connect(node: SimulatedNode): Promise<void> {
    const { world, dice } = this;
    const { life, concord } = node;
    let isBroken = false;
    let breaks: () => void = () => undefined;
    const broken = new Promise<typeof BROKEN>((resolve) => {
      breaks = () => {
        isBroken = true;
        resolve(BROKEN);
      };
    });
    this.#leave = breaks;
    const forget = life.onEnd(breaks);
    const lasts = world.weather.streamLasts(dice);
    const stop = Number.isFinite(lasts) ? world.scheduler.after(lasts, breaks) : () => undefined;
    let stream: AsyncIterableIterator<T> | null = null;
    try {
      const opening = world.enter(concord, this.person).then((access) => this.open(concord, access));
      const opened = await Promise.race([opening, broken]);
      if (opened === BROKEN) {
        // The node opens it all the same, and must notice that nobody reads.
        opening.then((late) => late.return?.()).catch(() => undefined);
        return;
      }
      world.story.tell(this.name, `reads from ${node.name}`);
      this.isConnected = true;
      stream = opened;
      while (!isBroken) {
        const step = await Promise.race([stream.next(), broken]);
        if (step === BROKEN || step.done) break;
        this.given(step.value);
        await Promise.race([world.scheduler.pause(world.weather.networkDelay(dice)), broken]);
        if (!isBroken) this.receive(step.value);
      }
    } catch (error) {
      if (!isToBeExpected(error)) throw error;
    } finally {
      if (this.isConnected) world.story.tell(this.name, `is cut off from ${node.name}`);
      this.isConnected = false;
      stop();
      forget();
      if (!life.isOver) await stream?.return?.();
    }
  }
}

/** Whoever may not read, or not now, comes back later. */
function isToBeExpected(error: unknown): boolean {
  if (!(error instanceof Refusal)) return error instanceof Unauthenticated;
  // A token that is revoked between being looked at and being used opens nothing any more.
  return error.code === 'NOT_FOUND' || error.code === 'STORE_UNAVAILABLE' || error.code === 'STORE_FULL';
}

interface Announced {
  readonly round: number;
  readonly rank: number;
  /** Null for gold. */
  readonly key: string | null;
}

/** Follows the newly prioritized samples: each must come once, in order, however often the connection breaks. */
export class FeedReader extends Reader<FeedItem> {
  readonly #received: Announced[] = [];
  #cursor: string | null = null;

  protected async open(concord: Concord, access: ProjectAccess) {
    const feed = await readAs(concord, access, prioritizedSource(concord, access), this.#cursor);
    return this.world.bug?.feed?.(feed) ?? feed;
  }

  protected given(item: FeedItem): void {
    if (item.kind === 'reset') throw new Violation(`${this.name} was sent back: ${item.reason}`, [this.name]);
  }

  protected receive(item: FeedItem): void {
    if (item.kind === 'reset') return;
    this.#cursor = item.cursor;
    for (const { rank, key } of item.samples) {
      const last = this.#received.at(-1);
      const next = { round: item.round, rank, key };
      this.world.story.tell(this.name, `is given ${printed(next)}`);
      const follows = next.rank === 0 ? !last || next.round > last.round : isBehind(last, next);
      this.#received.push(next);
      if (!follows) {
        throw new Violation(`${this.name} was given ${printed(next)} after ${printed(last)}`, [this.name]);
      }
    }
  }

  check(project: Project, isLetIn: boolean): void {
    const from = this.#received[0]?.round;
    if (from === undefined) return;
    const expected: Announced[] = [];
    for (const round of project.rounds.slice(from - 1)) {
      for (let rank = 0; rank < announcedCount(round); rank++) {
        const { sample } = announcedAt(round, rank);
        const key = sample === NONE ? null : project.samples.keys.keyAt(sample);
        expected.push({ round: round.number, rank, key });
      }
    }
    const due = isLetIn ? expected : expected.slice(0, this.#received.length);
    const wrong = due.findIndex((item, i) => !isDeepStrictEqual(item, this.#received[i]));
    if (wrong < 0 && this.#received.length === due.length) return;
    const [is, should] = [this.#received[wrong], due[wrong]].map(printed);
    throw new Violation(`${this.name} was given ${is} where ${should} was announced`, [this.name]);
  }
}

function isBehind(last: Announced | undefined, next: Announced): boolean {
  return last !== undefined && last.round === next.round && last.rank + 1 === next.rank;
}

function printed(item: Announced | undefined): string {
  return item === undefined ? 'nothing' : `rank ${item.rank} of round ${item.round} (${item.key})`;
}

/** The states there are, and what each shows of a project. */
const STATES = {
  progress: {
    open: (concord: Concord, access: ProjectAccess) => stateStream(concord, access, progressSource(access)),
    look: (project: Project, _member: string) => progressView(project),
  },
  agreement: {
    open: (concord: Concord, access: ProjectAccess) => stateStream(concord, access, agreementSource(access)),
    look: (project: Project, _member: string) => agreementView(project),
  },
  queue: {
    open: queueStream,
    look: (project: Project, member: string) => queueOf(project, member),
  },
} as const;

export type StateName = keyof typeof STATES;

/** Follows a state: whatever came between, it must end at the newest. */
export class StateReader extends Reader<{ readonly seq: number }> {
  readonly #state: StateName;
  #last: { readonly seq: number } | null = null;
  #seq = 0;

  constructor(world: World, state: StateName, person: Person) {
    super(world, `${person.name}'s ${state}`, person);
    this.#state = state;
  }

  protected async open(concord: Concord, access: ProjectAccess) {
    this.#seq = 0;
    return STATES[this.#state].open(concord, access);
  }

  protected given(state: { readonly seq: number }): void {
    if (state.seq < this.#seq)
      throw new Violation(`${this.name} goes back to commit ${state.seq}`, [this.name]);
    this.#seq = state.seq;
    const { look } = STATES[this.#state];
    const { member } = this.person;
    this.world.ledger.saw({
      seq: state.seq,
      atEnd: true,
      seen: ofJournal(state),
      look: (project) => look(project, member),
      what: this.name,
      about: [this.name],
    });
  }

  protected receive(state: { readonly seq: number }): void {
    this.world.story.tell(this.name, `stands at commit ${state.seq}`);
    this.#last = state;
  }

  check(project: Project, isLetIn: boolean): void {
    if (!isLetIn) return;
    const newest = STATES[this.#state].look(project, this.person.member);
    const last = this.#last && { ...ofJournal(this.#last), seq: project.seq };
    if (!isDeepStrictEqual(last, newest)) {
      throw new Violation(`${this.name} ends at commit ${this.#last?.seq}, and it has changed since`, [
        this.name,
      ]);
    }
  }
}

/** A state as far as it depends on the journal alone. */
function ofJournal(state: { readonly seq: number }) {
  return 'held' in state ? withoutClock(state as QueueView) : state;
}
