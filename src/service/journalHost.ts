import type { Moment } from '../domain/decision.ts';
import { Refusal, refuse } from '../domain/refusals.ts';
import type { Commit, Store, StoredValue } from '../journal/port.ts';
import { SeqTakenError, StoreFullError, StoreUnavailableError } from '../journal/port.ts';
import { type Environment, newId } from './environment.ts';

/** State that is folded from a journal's events. */
export interface Projection<E> {
  readonly seq: number;
  readonly time: number;
  fold(event: E, seq: number, time: number, chunks: (id: string) => Uint8Array): void;
}

/** A journal of one kind: how its projection begins, and which chunks its events need to be folded. */
export interface JournalKind<P extends Projection<E>, E> {
  empty(): P;
  chunksToFold(event: E): readonly string[];
}

type Chunks = ReadonlyMap<string, Uint8Array>;

interface Job<P, E> {
  readonly decide: (projection: P, moment: Moment) => Generator<E, () => void, void>;
  readonly chunks: Chunks;
  /** It may fill a commit by itself, so it shares none. */
  readonly alone: boolean;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

/** Commands that may share one commit; each gives at most a few hundred bytes a step. */
const MAX_JOBS_PER_COMMIT = 500;
/** How often a command is decided again because another node was faster. */
const MAX_ATTEMPTS = 10;
const NO_CHUNKS: Chunks = new Map();

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
  readonly #listeners = new Set<(commit: Commit, events: readonly E[]) => void>();
  readonly #jobs: Job<P, E>[] = [];
  readonly #reads: { readonly run: (projection: P) => void; readonly reject: (error: unknown) => void }[] =
    [];
  /** The projection at the newest synced commit; null while it must be loaded first. */
  #projection: P | null = null;
  #pumping: Promise<void> | null = null;

  constructor(kind: JournalKind<P, E>, journal: string, store: Store, environment: Environment) {
    this.#kind = kind;
    this.journal = journal;
    this.#store = store;
    this.#environment = environment;
  }

  /**
   * Decides a command and resolves once what it came to is synced.
   *
   * @param decide gives the command's events, one by one, and at the end its result
   * @param view what the caller gets to see of the result, taken in the same instant
   * @param options `chunks`: at hand for deciding and folding; `alone`: may fill a whole commit
   * @throws {Refusal} what the command was refused with, or STORE_FULL, STORE_UNAVAILABLE
   */
  execute<R, V>(
    decide: (projection: P, moment: Moment) => Generator<E, R, void>,
    view: (projection: P, result: R) => V,
    { chunks = NO_CHUNKS, alone = false }: { readonly chunks?: Chunks; readonly alone?: boolean } = {},
  ): Promise<V> {
    return new Promise((resolve, reject) => {
      function* job(projection: P, moment: Moment): Generator<E, () => void, void> {
        const seen = view(projection, yield* decide(projection, moment));
        return () => resolve(seen);
      }
      this.#jobs.push({ decide: job, chunks, alone, reject, attempts: 0 });
      this.#pump();
    });
  }

  /** What the projection says at a synced commit. */
  read<R>(look: (projection: P) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#reads.push({ run: (projection) => resolve(look(projection)), reject });
      this.#pump();
    });
  }

  /** Calls back after each synced commit of this host, in order. The answer ends it. */
  onCommit(listener: (commit: Commit, events: readonly E[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#pumping !== null) await this.#pumping;
  }

  #pump(): void {
    this.#pumping ??= this.#work().finally(() => {
      this.#pumping = null;
      if (this.#jobs.length + this.#reads.length > 0) this.#pump();
    });
  }

  async #work(): Promise<void> {
    // Lets everything that arrives in this turn of the event loop share the commit.
    await Promise.resolve();
    let projection: P;
    try {
      projection = this.#projection ??= await this.#load();
    } catch (error) {
      const cause = asRefusal(error);
      for (const job of this.#jobs.splice(0)) job.reject(cause);
      for (const read of this.#reads.splice(0)) read.reject(cause);
      return;
    }
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

  #takeJobs(): Job<P, E>[] {
    if (this.#jobs[0]?.alone) return this.#jobs.splice(0, 1);
    const next = this.#jobs.findIndex((job) => job.alone);
    return this.#jobs.splice(0, Math.min(next < 0 ? this.#jobs.length : next, MAX_JOBS_PER_COMMIT));
  }

  async #commit(projection: P, jobs: readonly Job<P, E>[]): Promise<void> {
    const seq = projection.seq + 1;
    const time = Math.max(projection.time, this.#environment.now());
    const events: E[] = [];
    const answers: (() => void)[] = [];
    let deciding: Job<P, E> | null = null;
    try {
      for (deciding of jobs) answers.push(this.#decide(projection, deciding, { seq, time, events }));
      deciding = null;
      if (events.length > 0) {
        const id = newId(this.#environment);
        const commit = { seq, id, time, events: events as readonly StoredValue[] };
        await this.#store.append(this.journal, commit);
        for (const answer of answers) answer();
        for (const listener of this.#listeners) listener(commit, events);
      } else for (const answer of answers) answer();
    } catch (error) {
      // What was folded is not in the journal: the projection is of no use any more.
      this.#projection = null;
      for (const job of [...jobs].reverse()) {
        const innocent = deciding === null ? error instanceof SeqTakenError : job !== deciding;
        if (innocent && ++job.attempts < MAX_ATTEMPTS) this.#jobs.unshift(job);
        else job.reject(asRefusal(error));
      }
    }
  }

  /** Decides and folds one command; gives what is to be done once its events are synced. */
  #decide(projection: P, job: Job<P, E>, commit: { seq: number; time: number; events: E[] }): () => void {
    const chunks = (id: string) => {
      const bytes = job.chunks.get(id);
      if (bytes === undefined) throw new Error(`chunk ${id} was not loaded for the command`);
      return bytes;
    };
    const moment: Moment = { now: commit.time, newId: () => newId(this.#environment), chunks };
    const decision = job.decide(projection, moment);
    for (;;) {
      let step: IteratorResult<E, () => void>;
      try {
        step = decision.next();
      } catch (error) {
        if (error instanceof Refusal) return () => job.reject(error);
        throw error;
      }
      if (step.done) return step.value;
      commit.events.push(step.value);
      projection.fold(step.value, commit.seq, commit.time, chunks);
    }
  }

  async #load(): Promise<P> {
    const projection = this.#kind.empty();
    for await (const commit of this.#store.read(this.journal, 0)) {
      const events = commit.events as readonly E[];
      const chunks = await loadChunks(
        this.#store,
        events.flatMap((event) => this.#kind.chunksToFold(event)),
      );
      for (const event of events) {
        projection.fold(event, commit.seq, commit.time, (id) => chunks.get(id) as Uint8Array);
      }
    }
    return projection;
  }
}

/**
 * Chunks by their ids.
 * @throws {Error} naming a chunk that the store lacks
 */
export async function loadChunks(store: Store, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
  const chunks = new Map<string, Uint8Array>();
  for (const id of ids) {
    const bytes = await store.getChunk(id);
    if (bytes === undefined) throw new Error(`chunk ${id} is missing from the store`);
    chunks.set(id, bytes);
  }
  return chunks;
}

/** A store's trouble, as a command's caller is told of it; any other error is a fault and stays one. */
export function asRefusal(error: unknown): unknown {
  if (error instanceof StoreFullError) return refuse('STORE_FULL', {});
  if (error instanceof StoreUnavailableError || error instanceof SeqTakenError)
    return refuse('STORE_UNAVAILABLE', {});
  return error;
}
