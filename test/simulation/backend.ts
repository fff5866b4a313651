import { decodeCommit, encodeCommit } from '../../src/journal/codec.ts';
import {
  type ChunkId,
  type Commit,
  type Holder,
  type Lease,
  type LeaseKind,
  SeqTakenError,
  type StoredChunk,
  type StoredValue,
  StoreFullError,
  StoreUnavailableError,
} from '../../src/journal/port.ts';
import type { Dice } from './dice.ts';
import type { Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';

/** Tells who asked how it ended: null for success. */
export type Answer = (problem: Error | null) => void;

/** An append that has arrived. */
export interface Arrival {
  readonly commit: Commit;
  readonly answer: Answer;
}

/** What holds a place in a journal: nothing yet, the same commit, or another. */
export type Place = 'NEXT' | 'STANDING' | 'TAKEN';

/**
 * What all nodes share: the store behind their connections. It works off the appends of a journal one by one; a
 * commit takes a while to be synced, and until then nobody sees it and a failure may lose it.
 *
 * The parts marked as protected are what planted bugs get wrong.
 */
export class Backend {
  readonly chunks = new Map<ChunkId, Uint8Array>();
  readonly #chunkTimes = new Map<ChunkId, number>();
  readonly documents = new Map<string, StoredValue>();
  /** By kind and name. */
  readonly leases = new Map<string, Lease>();
  /** Takes no more. */
  isFull = false;
  /** Is shown every commit in the instant it is synced. */
  onSynced: (journal: string, commit: Commit) => void = () => undefined;
  readonly #news = new Set<(journal: string, seq: number) => void>();
  readonly #synced = new Map<string, Commit[]>();
  /** By journal; the first is being synced. */
  readonly #arrivals = new Map<string, Arrival[]>();
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  readonly #dice: Dice;

  constructor(scheduler: Scheduler, weather: Weather, dice: Dice) {
    this.#scheduler = scheduler;
    this.#weather = weather;
    this.#dice = dice;
  }

  /** Tells of every commit that is synced; the answer ends it. */
  onNews(tell: (journal: string, seq: number) => void): () => void {
    this.#news.add(tell);
    return () => this.#news.delete(tell);
  }

  synced(journal: string): readonly Commit[] {
    return this.#synced.get(journal) ?? [];
  }

  journals(): string[] {
    return [...this.#synced.keys()].sort();
  }

  /** What readers see. */
  visible(journal: string): readonly Commit[] {
    return this.synced(journal);
  }

  putChunk(id: ChunkId, bytes: Uint8Array, now: number): void {
    this.chunks.set(id, bytes);
    this.renewChunk(id, now);
  }

  /** Whether there is such a chunk. */
  renewChunk(id: ChunkId, now: number): boolean {
    if (!this.chunks.has(id)) return false;
    this.#chunkTimes.set(id, Math.max(now, this.#putAt(id)));
    return true;
  }

  listChunks(): StoredChunk[] {
    return [...this.chunks.keys()].sort().map((id) => ({ id, putAt: this.#putAt(id) }));
  }

  /** Whether it was there, and old enough. */
  deleteChunk(id: ChunkId, before: number): boolean {
    return this.#putAt(id) < before && this.chunks.delete(id);
  }

  #putAt(id: ChunkId): number {
    return this.#chunkTimes.get(id) ?? 0;
  }

  /** Whether it was written. */
  swapLease(kind: LeaseKind, name: string, turn: number, { node, address }: Holder): boolean {
    const key = `${kind}/${name}`;
    if ((this.leases.get(key)?.turn ?? 0) !== turn) return false;
    this.leases.set(key, { name, node, address, turn: turn + 1 });
    return true;
  }

  append(journal: string, { commit, answer }: Arrival): void {
    // As a store would give it back: a value of its own.
    const own = decodeCommit(journal, commit.seq, encodeCommit(commit).slice());
    const arrivals = this.#arrivals.get(journal) ?? [];
    this.#arrivals.set(journal, arrivals);
    arrivals.push({ commit: own, answer });
    if (arrivals.length === 1) this.#work(journal);
  }

  /** Power fails: what is being synced is kept or lost, as it happens; the rest is lost. */
  fail(): void {
    for (const [journal, arrivals] of this.#arrivals) {
      const [syncing, ...others] = arrivals.splice(0);
      if (syncing === undefined) continue;
      if (this.#dice.chance(0.5)) this.#land(journal, syncing.commit);
      for (const { answer } of [syncing, ...others]) answer(new StoreUnavailableError('power failed'));
    }
  }

  protected arrivals(journal: string): readonly Arrival[] {
    return this.#arrivals.get(journal) ?? [];
  }

  protected placeOf(journal: string, { seq, id }: Commit): Place {
    const commits = this.synced(journal);
    if (commits[seq - 1]?.id === id) return 'STANDING';
    return seq === commits.length + 1 ? 'NEXT' : 'TAKEN';
  }

  /** An append was found good, and begins to be synced. */
  protected begins(_arrival: Arrival): void {
    // Nobody is told before it is synced.
  }

  #work(journal: string): void {
    const arrivals = this.#arrivals.get(journal) ?? [];
    for (let first = arrivals[0]; first !== undefined; first = arrivals[0]) {
      const { commit, answer } = first;
      const place = this.placeOf(journal, commit);
      if (place === 'NEXT' && !this.isFull) {
        this.begins(first);
        this.#sync(journal, first);
        return;
      }
      arrivals.shift();
      if (place === 'NEXT') answer(new StoreFullError('the store is full'));
      else answer(place === 'STANDING' ? null : new SeqTakenError(journal, commit.seq));
    }
  }

  #sync(journal: string, arrival: Arrival): void {
    this.#scheduler.after(this.#weather.syncDelay(this.#dice), () => {
      if (this.#arrivals.get(journal)?.[0] !== arrival) return;
      this.#land(journal, arrival.commit);
      this.#arrivals.get(journal)?.shift();
      arrival.answer(null);
      this.#work(journal);
    });
  }

  #land(journal: string, commit: Commit): void {
    const commits = this.#synced.get(journal) ?? [];
    this.#synced.set(journal, commits);
    // Its place is where it lies, whatever it was meant for.
    const landed = { ...commit, seq: commits.length + 1 };
    commits.push(landed);
    this.onSynced(journal, landed);
    for (const tell of this.#news) tell(journal, landed.seq);
  }
}
