import { createHash } from 'node:crypto';
import {
  type ChunkId,
  type Commit,
  checkName,
  type LeaseTable,
  type Store,
  type StoredChunk,
  type StoredValue,
  StoreFullError,
  StoreUnavailableError,
} from '../../src/journal/port.ts';
import type { Backend } from './backend.ts';
import type { Dice } from './dice.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';

/** How long a node waits for the store's answer, in milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * A node's connection to the store. Each call travels to the store and back, and completes at a time that the seed
 * chooses: so the seed also chooses how the promises of all nodes interleave. On the way it may be lost, held up,
 * or doubled.
 */
export class Connection implements Store {
  readonly #backend: Backend;
  readonly #life: Life;
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  readonly #dice: Dice;
  readonly #tell: (text: string) => void;

  constructor(parts: {
    readonly backend: Backend;
    readonly life: Life;
    readonly scheduler: Scheduler;
    readonly weather: Weather;
    readonly dice: Dice;
    readonly tell: (text: string) => void;
  }) {
    this.#backend = parts.backend;
    this.#life = parts.life;
    this.#scheduler = parts.scheduler;
    this.#weather = parts.weather;
    this.#dice = parts.dice;
    this.#tell = parts.tell;
  }

  append(journal: string, commit: Commit): Promise<void> {
    checkName(journal);
    const what = `append ${commit.seq} to ${named(journal)}`;
    const { appendTwice, appendLate } = this.#weather.rates;
    const arrive = (answer: (problem: Error | null) => void) =>
      this.#backend.append(journal, { commit, answer });
    if (this.#dice.chance(appendLate)) {
      const ms = this.#dice.between(PATIENCE_MS, 6 * PATIENCE_MS);
      this.#tell(`${what}: will arrive late`);
      this.#scheduler.after(ms, () => arrive(() => undefined));
      return this.#giveUp(what);
    }
    let isRefused = false;
    if (this.#dice.chance(appendTwice)) {
      // What was told that nothing is kept is not sent again.
      this.#scheduler.after(this.#dice.between(0, 2 * PATIENCE_MS), () => {
        if (!isRefused) arrive(() => undefined);
      });
    }
    return this.#ask(what, (answer) =>
      arrive((problem) => {
        isRefused = problem instanceof StoreFullError;
        answer(problem, undefined);
      }),
    );
  }

  async *read(journal: string, after: number): AsyncGenerator<Commit, void, void> {
    checkName(journal);
    await this.#do(`read ${named(journal)}`, () => undefined);
    for (let seq = after + 1; ; seq++) {
      const commit = this.#backend.visible(journal)[seq - 1];
      if (commit === undefined) return;
      yield commit;
      // Others go on while a long journal is read.
      if (this.#dice.chance(0.01)) await this.#life.pause(this.#weather.storeDelay(this.#dice));
    }
  }

  head(journal: string): Promise<number> {
    return this.#do(`head of ${named(journal)}`, () => this.#backend.visible(journal).length);
  }

  journals(): Promise<string[]> {
    return this.#do('journals', () => this.#backend.journals());
  }

  putChunk(bytes: Uint8Array, now: number): Promise<ChunkId> {
    const id = createHash('sha256').update(bytes).digest('hex');
    const own = bytes.slice();
    return this.#do('put a chunk', () => {
      this.#backend.putChunk(id, own, now);
      return id;
    });
  }

  renewChunks(ids: readonly ChunkId[], now: number): Promise<ChunkId[]> {
    return this.#do('renew chunks', () => ids.filter((id) => !this.#backend.renewChunk(id, now)));
  }

  async *chunks(): AsyncGenerator<StoredChunk, void, void> {
    yield* await this.#do('list the chunks', () => this.#backend.listChunks());
  }

  deleteChunks(ids: readonly ChunkId[], before: number): Promise<number> {
    return this.#do('delete chunks', () => {
      return ids.filter((id) => this.#backend.deleteChunk(id, before)).length;
    });
  }

  getChunk(id: ChunkId): Promise<Uint8Array | undefined> {
    return this.#do('get a chunk', () => this.#backend.chunks.get(id));
  }

  putDocument(collection: string, id: string, value: StoredValue): Promise<void> {
    return this.#do('put a document', () => void this.#backend.documents.set(`${collection}/${id}`, value));
  }

  getDocument(collection: string, id: string): Promise<StoredValue | undefined> {
    return this.#do('get a document', () => this.#backend.documents.get(`${collection}/${id}`));
  }

  documents(collection: string): Promise<string[]> {
    const start = `${collection}/`;
    return this.#do('list documents', () =>
      [...this.#backend.documents.keys()]
        .filter((key) => key.startsWith(start))
        .map((key) => key.slice(start.length)),
    );
  }

  deleteDocument(collection: string, id: string): Promise<void> {
    return this.#do('delete a document', () => void this.#backend.documents.delete(`${collection}/${id}`));
  }

  watch(onAppend: (journal: string, seq: number) => void, onEnd: () => void = () => {}): () => void {
    const { hintLost, hintsEnd } = this.#weather.rates;
    let isEnded = false;
    const stop = this.#backend.onNews((journal, seq) => {
      if (isEnded || this.#dice.chance(hintLost)) return;
      this.#life.deliver(this.#weather.storeDelay(this.#dice), () => {
        if (!isEnded) onAppend(journal, seq);
        // As a server that has lost the place, and one that has no hints to give.
        if (!this.#dice.chance(hintsEnd) || isEnded) return;
        this.#tell('is told of appends no more');
        end();
        onEnd();
      });
    });
    const forget = this.#life.onEnd(() => stop());
    const end = () => {
      isEnded = true;
      stop();
      forget();
    };
    return end;
  }

  readonly leases: LeaseTable = {
    get: (kind, name) => this.#do('get a lease', () => this.#backend.leases.get(`${kind}/${name}`)),
    all: (kind) =>
      this.#do('list the leases', () => {
        const found = [...this.#backend.leases].filter(([key]) => key.startsWith(`${kind}/`));
        return found.map(([, lease]) => lease);
      }),
    swap: (kind, name, turn, holder) =>
      this.#do('swap a lease', () => this.#backend.swapLease(kind, name, turn, holder)),
    remove: (kind, name, turn) =>
      this.#do('remove a lease', () => {
        const key = `${kind}/${name}`;
        if (this.#backend.leases.get(key)?.turn === turn) this.#backend.leases.delete(key);
      }),
  };

  async close(): Promise<void> {
    // The backend stays: other nodes use it.
  }

  /** A call that the store answers in the instant it arrives. */
  #do<T>(what: string, serve: () => T): Promise<T> {
    return this.#ask(what, (answer) => answer(null, serve()));
  }

  #ask<T>(what: string, serve: (answer: (problem: Error | null, value: T) => void) => void): Promise<T> {
    const { storeRequestLost, storeAnswerLost, storeRequestFails } = this.#weather.rates;
    if (this.#dice.chance(storeRequestFails)) {
      this.#tell(`${what}: fails at once`);
      return this.#failAfter(this.#weather.storeDelay(this.#dice), what);
    }
    if (this.#dice.chance(storeRequestLost)) {
      this.#tell(`${what}: is lost`);
      return this.#giveUp(what);
    }
    const answerIsLost = this.#dice.chance(storeAnswerLost);
    if (answerIsLost) this.#tell(`${what}: the answer is lost`);
    return new Promise((resolve, reject) => {
      const stop = this.#life.deliver(PATIENCE_MS, () => reject(unavailable(what)));
      this.#scheduler.after(this.#weather.storeDelay(this.#dice), () =>
        serve((problem, value) => {
          if (answerIsLost) return;
          this.#life.deliver(this.#weather.storeDelay(this.#dice), () => {
            stop();
            if (problem === null) resolve(value);
            else reject(problem);
          });
        }),
      );
    });
  }

  #giveUp(what: string): Promise<never> {
    return this.#failAfter(PATIENCE_MS, what);
  }

  #failAfter(ms: number, what: string): Promise<never> {
    return new Promise((_, reject) => {
      this.#life.deliver(ms, () => reject(unavailable(what)));
    });
  }
}

function unavailable(what: string): StoreUnavailableError {
  return new StoreUnavailableError(`${what}: no answer`);
}

function named(journal: string): string {
  return journal === 'directory' ? journal : 'the project';
}
