import type { Moment } from '../domain/decision.ts';
import { Refusal, refuse } from '../domain/refusals.ts';
import type { Commit, Store, StoredValue } from '../journal/port.ts';
import { SeqTakenError, StoreError, StoreUnavailableError, ValueTooLargeError } from '../journal/port.ts';
import { appendCommit } from './appending.ts';
import { delay, type Environment, newId } from './environment.ts';
import {
  DamagedJournalError,
  eventsOf,
  type FoldableCommit,
  foldableTail,
  foldWhole,
  type JournalKind,
  JournalTooNewError,
  loadProjection,
  type Projection,
} from './folding.ts';
import { RecentCommits } from './recentCommits.ts';
import { asRefusal, STORE_PATIENCE_MS } from './trouble.ts';

type Chunks = ReadonlyMap<string, Uint8Array>;

interface Job<P, E> {
  readonly decide: (projection: P, moment: Moment) => Generator<E, () => void, void>;
  readonly chunks: Chunks;
  readonly reject: (error: unknown) => void;
  /** It may fill a commit by itself, so it shares none. */
  alone: boolean;
  /** How often another node was faster. */
  conflicts: number;
  /** The caller wants to be told when another node was faster. */
  readonly isOnce: boolean;
}

/** A job whose events stand in the projection, and what is to be done once they are synced. */
interface Decided<P, E> {
  readonly job: Job<P, E>;
  readonly answer: () => void;
}

interface Read<P> {
  readonly run: (projection: P) => void;
  readonly reject: (error: unknown) => void;
}

/** Commands that may share one commit. */
const MAX_JOBS_PER_COMMIT = 500;
/** No command is added to a commit that has so many events; most have a hundred bytes or two. */
const MAX_EVENTS_PER_COMMIT = 4_000;
/** How often a command is decided again because another node was faster. */
const MAX_CONFLICTS = 10;
/** Work in commits of others, in ordinary events, that is folded in one turn, and bytes of chunks held for it. */
const MAX_TAIL_WORK = 5_000;
const MAX_TAIL_BYTES = 16 * 1024 * 1024;
/** How long a journal that cannot be folded is not read again: whoever asks is told what was found. */
const UNFOLDABLE_MS = 10_000;
const NO_CHUNKS: Chunks = new Map();

/** How a command is decided, on whichever node. */
export interface CommandOptions {
  /** Chunks at hand for deciding and folding, by their ids. */
  readonly chunks?: Chunks;
  /** It may fill a whole commit. */
  readonly alone?: boolean;
}

/** How a command is decided here. */
interface ExecuteOptions extends CommandOptions {
  /** It is not decided again if another node was faster. */
  readonly once?: boolean;
}

/** Whom a host tells of what it need not know the answer to. */
export interface HostListener {
  /** The journal has a snapshot that is of no use, and why; it was folded from its beginning. */
  onUselessSnapshot(journal: string, problem: string): void;
  /** So much has been folded since the newest snapshot, or since this was called last: see {@link JournalKind.workOf}. */
  onFolded(journal: string, work: number): void;
}

const NOBODY: HostListener = { onUselessSnapshot: () => undefined, onFolded: () => undefined };

/**
 * The one place where a journal is decided, on this node. Commands that arrive while a commit is being synced
 * wait and share the next one. A command is answered, and its commit published, only once it is synced; reads
 * wait too, so that nobody is shown what a crash could take back. When an append fails, the projection is
 * thrown away and folded anew from the journal: there is no rollback.
 */
export class JournalHost<P extends Projection<E>, E> {
  readonly journal: string;
  readonly #kind: JournalKind<P, E>;
  readonly #store: Store;
  readonly #environment: Environment;
  readonly #listener: HostListener;
  readonly #listeners = new Set<(projection: P) => void>();
  readonly #jobs: Job<P, E>[] = [];
  readonly #reads: Read<P>[] = [];
  /** Commits of others, in order, that the projection may not have yet. */
  readonly #tail: FoldableCommit[] = [];
  readonly #recent = new RecentCommits();
  #following: Promise<void> | null = null;
  /** The newest commit that this host was told of. */
  #heard = 0;
  /** Why the journal cannot be folded, and when that is looked at again. */
  #unfoldable: { readonly error: unknown; readonly until: number } | null = null;
  /** The projection at the newest synced commit; null while it must be loaded first. */
  #projection: P | null = null;
  /** The projection was thrown away; those who follow the journal must hear what it comes to now. */
  #isStale = false;
  /** What was asked of the store last has failed. */
  #isInTrouble = false;
  /** The store does not answer, and nobody is kept waiting for it. */
  #isHeldUp = false;
  /** The newest commit that the listeners have heard of; null before the first load. */
  #published: number | null = null;
  #pumping: Promise<void> | null = null;

  constructor(
    kind: JournalKind<P, E>,
    journal: string,
    store: Store,
    environment: Environment,
    listener = NOBODY,
  ) {
    this.#kind = kind;
    this.#listener = listener;
    this.journal = journal;
    this.#store = store;
    this.#environment = environment;
  }

  /**
   * Decides a command and resolves once what it came to is synced.
   *
   * @param decide gives the command's events, one by one, and at the end its result. It may run several times
   * @param view what the caller gets to see of the result, taken in the same instant
   * @throws {Refusal} what the command was refused with, or STORE_FULL, STORE_UNAVAILABLE
   * @throws {SeqTakenError} `once`, and another node was faster. Nothing was done
   */
  execute<R, V>(
    decide: (projection: P, moment: Moment) => Generator<E, R, void>,
    view: (projection: P, result: R) => V,
    { chunks = NO_CHUNKS, alone = false, once = false }: ExecuteOptions = {},
  ): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.#isHeldUp) return reject(refuse('STORE_UNAVAILABLE', {}));
      function* job(projection: P, moment: Moment): Generator<E, () => void, void> {
        const seen = view(projection, yield* decide(projection, moment));
        return () => resolve(seen);
      }
      this.#jobs.push({ decide: job, chunks, reject, alone, conflicts: 0, isOnce: once });
      this.#pump();
    });
  }

  /** What the projection says at a synced commit. */
  read<R>(look: (projection: P) => R): Promise<R> {
    const projection = this.#projection;
    return new Promise((resolve, reject) => {
      // All that stands in it is synced while nothing is under way: then there is nothing to wait for.
      const isIdle = this.#pumping === null && this.#tail.length === 0;
      if (projection !== null && isIdle) return resolve(look(projection));
      if (this.#isHeldUp) return reject(refuse('STORE_UNAVAILABLE', {}));
      this.#reads.push({ run: (projection) => resolve(look(projection)), reject });
      this.#pump();
    });
  }

  /**
   * Calls back whenever the synced state has moved on, by whomever: after each commit of this host, and when a
   * reload has brought those of others. The listener must not throw, nor keep the projection. The answer ends it.
   */
  onChange(listener: (projection: P) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Looks in the store for what others have appended, and folds it. Commands and reads go on meanwhile, and are
   * answered from the state there is while the store does not answer. It never rejects: if the tail cannot be had,
   * the state stays as it is; if it cannot be folded, whoever asks next is told.
   * @param seq a commit that is known to stand: nothing is done if the state has it
   */
  follow(seq?: number): Promise<void> {
    // What was never asked for is loaded when it is, and so is what was lost.
    if (this.#projection === null) return Promise.resolve();
    if (seq !== undefined) {
      if (this.#projection.seq >= seq) return Promise.resolve();
      this.#heard = Math.max(this.#heard, seq);
    }
    this.#following ??= this.#follow();
    return this.#following;
  }

  /**
   * Resolves when the state has a commit that is known to stand. It is loaded for that if it must be.
   * @throws {Refusal} STORE_UNAVAILABLE: it cannot be had just now
   */
  async reach(seq: number): Promise<void> {
    for (let before = -1; ; ) {
      const reached = await this.read((projection) => projection.seq);
      if (reached >= seq) return;
      // What is appended all the time is reached step by step; where there is no step, the tail cannot be had.
      if (reached === before) throw refuse('STORE_UNAVAILABLE', {});
      before = reached;
      await this.follow(seq);
    }
  }

  /**
   * The commits after a place, up to another one, for who would else read them: all, or none if some are not at hand.
   * Each stands in the store.
   */
  recent(after: number, upTo: number): readonly Commit[] {
    return this.#recent.between(after, upTo);
  }

  /** Takes commits that stand, as {@link recent} has given them, so that they need not be read. */
  hear(commits: readonly Commit[]): void {
    try {
      for (const commit of commits) {
        const events = eventsOf(this.#kind, commit) as readonly StoredValue[];
        this.#tail.push({ commit: { ...commit, events }, chunks: NO_CHUNKS });
      }
    } catch {
      // Of a newer release. Who reads the journal says so.
    }
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while ((this.#pumping ?? this.#following) !== null) await (this.#pumping ?? this.#following);
  }

  async #follow(): Promise<void> {
    const heard = this.#heard;
    try {
      await this.#readTail();
    } catch (error) {
      this.#tail.length = 0;
      // If the tail cannot be folded, whoever asks next is told why.
      if (!(error instanceof StoreUnavailableError || error instanceof Refusal)) this.#projection = null;
      return;
    } finally {
      this.#following = null;
    }
    // What was appended while the end was read may have been missed. Nobody waits for that: a busy journal has no end.
    if (this.#heard > heard) void this.follow(this.#heard);
  }

  async #readTail(): Promise<void> {
    const seq = await this.read((projection) => projection.seq);
    let [work, bytes] = [0, 0];
    for await (const next of foldableTail(this.#store, this.journal, this.#kind, seq)) {
      this.#tail.push(next);
      work += this.#workOf(next.commit.events as readonly E[]);
      for (const chunk of next.chunks.values()) bytes += chunk.length;
      if (work < MAX_TAIL_WORK && bytes < MAX_TAIL_BYTES) continue;
      await this.#foldTail();
      await delay(this.#environment, 0);
      [work, bytes] = [0, 0];
    }
    await this.#foldTail();
  }

  /** Has the tail folded, between two commits of this host. */
  async #foldTail(): Promise<void> {
    if (this.#tail.length > 0) await this.read(() => undefined);
  }

  #pump(): void {
    this.#pumping ??= this.#work().finally(() => {
      this.#pumping = null;
      if (this.#isStale || this.#jobs.length + this.#reads.length > 0) this.#pump();
    });
  }

  async #work(): Promise<void> {
    // Lets everything that arrives in this turn of the event loop share the commit.
    await Promise.resolve();
    let projection: P;
    try {
      this.#isStale = false;
      projection = this.#projection ??= await this.#load();
      this.#isInTrouble = false;
    } catch (error) {
      this.#isInTrouble = true;
      const cause = asRefusal(error);
      for (const { reject } of [...this.#jobs.splice(0), ...this.#reads.splice(0)]) reject(cause);
      return;
    }
    if (!this.#hasCaughtUp(projection)) return;
    this.#publish(projection);
    for (const { run, reject } of this.#reads.splice(0)) {
      try {
        run(projection);
      } catch (error) {
        reject(error);
      }
    }
    const jobs = this.#takeJobs();
    if (jobs.length > 0) await this.#commit(projection, jobs);
  }

  /** Folds the commits of others that were found. If one cannot be folded, the projection must be loaded anew. */
  #hasCaughtUp(projection: P): boolean {
    try {
      for (const next of this.#tail.splice(0)) {
        // What was decided or loaded meanwhile may have it already.
        if (next.commit.seq === projection.seq + 1) foldWhole(this.#kind, this.journal, projection, next);
      }
      return true;
    } catch {
      this.#throwAway();
      return false;
    }
  }

  #takeJobs(): Job<P, E>[] {
    if (this.#jobs[0]?.alone) return this.#jobs.splice(0, 1);
    const next = this.#jobs.findIndex((job) => job.alone);
    return this.#jobs.splice(0, Math.min(next < 0 ? this.#jobs.length : next, MAX_JOBS_PER_COMMIT));
  }

  /** Decides jobs, and commits what they come to. Those that find no room in the commit wait for the next. */
  async #commit(projection: P, jobs: readonly Job<P, E>[]): Promise<void> {
    const seq = projection.seq + 1;
    const time = Math.max(projection.time, this.#environment.now());
    const events: E[] = [];
    const decided: Decided<P, E>[] = [];
    let next = 0;
    for (; next < jobs.length && events.length < MAX_EVENTS_PER_COMMIT; next++) {
      const job = jobs[next] as Job<P, E>;
      const before = events.length;
      try {
        decided.push({ job, answer: this.#decide(projection, job, { seq, time, events }) });
      } catch (fault) {
        job.reject(fault);
        if (events.length === before) continue;
        // Half of it stands in the projection: the others are decided again, against a clean one.
        this.#throwAway();
        this.#jobs.unshift(...decided.map(({ job }) => job), ...jobs.slice(next + 1));
        return;
      }
    }
    this.#jobs.unshift(...jobs.slice(next));
    if (events.length > 0) {
      const commit = { seq, id: newId(this.#environment), time, events: events as StoredValue[] };
      try {
        await this.#inTime(
          appendCommit(this.#store, this.#environment, this.journal, commit),
          decided.map(({ job }) => job),
        );
        if (events.every((event) => this.#kind.chunksToFold(event).length === 0))
          this.#recent.add(commit, this.#workOf(events));
      } catch (error) {
        this.#isInTrouble = true;
        // What was folded is not in the journal.
        this.#throwAway();
        this.#appendFailed(decided, error);
        return;
      }
    }
    for (const { answer } of decided) answer();
    this.#publish(projection);
    if (events.length > 0) this.#listener.onFolded(this.journal, this.#workOf(events));
  }

  /** Decides and folds one job; gives what is to be done once its events are synced. */
  #decide(projection: P, job: Job<P, E>, commit: { seq: number; time: number; events: E[] }): () => void {
    const chunks = (id: string) => {
      const bytes = job.chunks.get(id);
      if (bytes === undefined) throw new Error(`chunk ${id} was not loaded for the command`);
      return bytes;
    };
    const moment: Moment = { now: commit.time, newId: () => newId(this.#environment), chunks };
    const before = commit.events.length;
    const decision = job.decide(projection, moment);
    for (;;) {
      let step: IteratorResult<E, () => void>;
      try {
        step = decision.next();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (commit.events.slice(before).every((event) => this.#kind.isFact(event)))
          return () => job.reject(error);
        // Nothing that was refused may stand by halves.
        throw new Error(`a command was refused after it had been decided: ${error.message}`, {
          cause: error,
        });
      }
      if (step.done) return step.value;
      commit.events.push(step.value);
      projection.fold(step.value, commit.seq, commit.time, chunks);
    }
  }

  #appendFailed(decided: readonly Decided<P, E>[], error: unknown): void {
    const jobs = decided.map(({ job }) => job);
    if (error instanceof SeqTakenError) {
      // Somebody else was faster: against what they did, all of these are decided again.
      const again = jobs.filter((job) => !job.isOnce && ++job.conflicts < MAX_CONFLICTS);
      for (const job of jobs) if (!again.includes(job)) job.reject(job.isOnce ? error : asRefusal(error));
      this.#jobs.unshift(...again);
    } else if (isOfValue(error) && jobs.length > 1) {
      // One of them is to blame, and must not fail the others: each gets a commit of its own.
      for (const job of jobs) job.alone = true;
      this.#jobs.unshift(...jobs);
    } else {
      for (const job of jobs) job.reject(asRefusal(error));
    }
  }

  #throwAway(): void {
    this.#projection = null;
    this.#isStale = true;
  }

  #publish(projection: P): void {
    const { seq } = projection;
    const isNews = this.#published !== null && this.#published !== seq;
    this.#published = seq;
    if (isNews) for (const listener of this.#listeners) listener(projection);
  }

  /**
   * Waits for the store. If it does not answer in time, nobody else goes on waiting: they are told that it is away, and so
   * is whoever asks meanwhile. What becomes of a commit under way is not known to those who gave it, and they may give it
   * again.
   */
  async #inTime<T>(asked: Promise<T>, jobs: readonly Job<P, E>[]): Promise<T> {
    const stop = this.#environment.setTimer(() => {
      this.#isHeldUp = true;
      const waiting = [...jobs, ...this.#jobs.splice(0), ...this.#reads.splice(0)];
      for (const { reject } of waiting) reject(refuse('STORE_UNAVAILABLE', {}));
    }, STORE_PATIENCE_MS);
    try {
      return await asked;
    } finally {
      stop();
      this.#isHeldUp = false;
    }
  }

  async #load(): Promise<P> {
    // What takes long to fold is waited for, unless it is the store that is away.
    return this.#isInTrouble ? this.#inTime(this.#loadOnce(), []) : this.#loadOnce();
  }

  async #loadOnce(): Promise<P> {
    const known = this.#unfoldable;
    if (known !== null && this.#environment.now() < known.until) throw known.error;
    this.#unfoldable = null;
    try {
      return await this.#loadAnew();
    } catch (error) {
      if (error instanceof DamagedJournalError || error instanceof JournalTooNewError) {
        this.#unfoldable = { error, until: this.#environment.now() + UNFOLDABLE_MS };
      }
      throw error;
    }
  }

  async #loadAnew(): Promise<P> {
    let work = 0;
    const projection = await loadProjection(this.#store, this.journal, this.#kind, {
      pause: () => delay(this.#environment, 0),
      onUselessSnapshot: (problem) => this.#listener.onUselessSnapshot(this.journal, problem),
      onCommit: (commit) => {
        work += this.#workOf(commit.events as readonly E[]);
      },
    });
    this.#listener.onFolded(this.journal, work);
    return projection;
  }

  #workOf(events: readonly E[]): number {
    return events.reduce((work, event) => work + this.#kind.workOf(event), 0);
  }
}

/** The store is well, and what it was given is not: too large, or nothing that it can keep. */
function isOfValue(error: unknown): boolean {
  return error instanceof ValueTooLargeError || !(error instanceof StoreError);
}
