import type { ProjectEvent } from '../../src/domain/events.ts';
import { Project } from '../../src/domain/project.ts';
import { type Commit, SeqTakenError, type Store, StoreUnavailableError } from '../../src/journal/port.ts';
import { Cluster } from '../../src/service/cluster.ts';
import type { Concord } from '../../src/service/concord.ts';
import type { Environment } from '../../src/service/environment.ts';
import type { FeedItem } from '../../src/service/feed.ts';
import { JournalHost } from '../../src/service/journalHost.ts';
import { DIRECTORY_TOPIC } from '../../src/service/topics.ts';
import { type Arrival, Backend, type Place } from './backend.ts';

/**
 * A known bug, to see that the simulation finds it. It is planted around the service, never in it: in the store
 * behind all nodes, in a node's connection to it, in a node, in what a reader is given, or in a class's method.
 */
export interface Bug {
  readonly name: string;
  readonly backend?: typeof Backend;
  readonly store?: (store: Store, environment: Environment) => Store;
  readonly concord?: (concord: Concord) => void;
  readonly feed?: (feed: AsyncIterableIterator<FeedItem>) => AsyncIterableIterator<FeedItem>;
  /** Changes a class for everybody; the answer mends it. */
  readonly plant?: () => () => void;
}

/** The conditional append is not conditional: a commit takes whatever place is next. */
class WithoutFence extends Backend {
  protected override placeOf(journal: string, commit: Commit): Place {
    const place = super.placeOf(journal, commit);
    return place === 'TAKEN' ? 'NEXT' : place;
  }
}

/** An append is a success as soon as it has arrived; the disk will follow. */
class AnswersBeforeSync extends Backend {
  protected override begins({ answer }: Arrival): void {
    answer(null);
  }
}

/** A retried append that had succeeded looks like a rival's. */
class ForgetsIds extends Backend {
  protected override placeOf(journal: string, commit: Commit): Place {
    const place = super.placeOf(journal, commit);
    return place === 'STANDING' ? 'TAKEN' : place;
  }
}

/** Readers see what a failure may still take back. */
class ShowsUnsynced extends Backend {
  override visible(journal: string): readonly Commit[] {
    const [syncing] = this.arrivals(journal);
    const synced = this.synced(journal);
    const isNext = syncing?.commit.seq === synced.length + 1;
    return isNext ? [...synced, syncing.commit] : synced;
  }
}

/** The same store with some of its calls replaced. */
function over(store: Store, calls: Partial<Store>): Store {
  return {
    append: (journal, commit) => store.append(journal, commit),
    read: (journal, after) => store.read(journal, after),
    head: (journal) => store.head(journal),
    journals: () => store.journals(),
    putChunk: (bytes, now) => store.putChunk(bytes, now),
    renewChunks: (ids, now) => store.renewChunks(ids, now),
    chunks: () => store.chunks(),
    deleteChunks: (ids, before) => store.deleteChunks(ids, before),
    getChunk: (id) => store.getChunk(id),
    putDocument: (collection, id, value) => store.putDocument(collection, id, value),
    getDocument: (collection, id) => store.getDocument(collection, id),
    documents: (collection) => store.documents(collection),
    deleteDocument: (collection, id) => store.deleteDocument(collection, id),
    ...(store.leases && { leases: store.leases }),
    ...(store.watch && { watch: store.watch.bind(store) }),
    close: () => store.close(),
    ...calls,
  };
}

/** After a lost append the node goes on with the projection it had, which holds what was never committed. */
function withoutReload(store: Store): Store {
  const believed = new Map<string, Commit[]>();
  const lost = new Set<string>();
  return over(store, {
    async *read(journal, after) {
      const known = believed.get(journal);
      if (lost.delete(journal) && known) return yield* known.slice(after);
      const commits: Commit[] = [];
      for await (const commit of store.read(journal, 0)) commits.push(commit);
      believed.set(journal, commits);
      yield* commits.slice(after);
    },
    async append(journal, commit) {
      try {
        await store.append(journal, commit);
      } catch (error) {
        if (!(error instanceof SeqTakenError)) throw error;
        lost.add(journal);
        believed.get(journal)?.push(commit);
        throw error;
      }
      believed.get(journal)?.push(commit);
    },
  });
}

/** Shifts the rank in every cursor. */
function shifted(feed: AsyncIterableIterator<FeedItem>, by: number): AsyncIterableIterator<FeedItem> {
  const shift = (item: FeedItem): FeedItem => {
    const [project, round, rank] = Buffer.from(item.cursor, 'base64url').toString('latin1').split('/');
    const cursor = `${project}/${round}/${Math.max(0, Number(rank) + by)}`;
    return { ...item, cursor: Buffer.from(cursor).toString('base64url') };
  };
  return {
    async next() {
      const step = await feed.next();
      return step.done ? step : { done: false, value: shift(step.value) };
    },
    async return() {
      return (await feed.return?.()) ?? { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Drops some of a hub's wake-ups. */
function deaf(drops: (topic: string) => boolean): (concord: Concord) => void {
  return ({ hub }) => {
    const wake = hub.wake.bind(hub);
    hub.wake = (topic) => {
      if (!drops(topic)) wake(topic);
    };
  };
}

/** Replaces a method of a class, until it is mended. */
function replace<T extends object, K extends keyof T>(prototype: T, method: K, by: (original: T[K]) => T[K]) {
  return () => {
    const original = prototype[method];
    prototype[method] = by(original);
    return () => {
      prototype[method] = original;
    };
  };
}

type Execute = (this: unknown, decide: Decide, view: unknown, options: unknown) => Promise<unknown>;
type Decide = (projection: unknown, moment: unknown) => Generator<ProjectEvent, unknown, void>;

type Follow = (this: unknown, seq?: number) => Promise<void>;

type Receive = (
  this: unknown,
  message: { readonly orders?: readonly { readonly id: string }[] },
) => Promise<unknown>;

/** Changes the events that commands come to. */
function deciding(change: (event: ProjectEvent) => ProjectEvent) {
  const changed = (execute: Execute): Execute =>
    function (decide, view, options) {
      function* changing(projection: unknown, moment: unknown): Generator<ProjectEvent, unknown, void> {
        const decision = decide(projection, moment);
        for (let step = decision.next(); ; step = decision.next()) {
          if (step.done) return step.value;
          yield change(step.value);
        }
      }
      return execute.call(this, changing, view, options);
    };
  return replace(JournalHost.prototype as unknown as { execute: Execute }, 'execute', changed);
}

/** Every so many wake-ups. */
function everyNth(n: number): () => boolean {
  let count = 0;
  return () => ++count % n === 0;
}

/** Whose leases are in force is believed, and the append takes whatever place is next. */
function trusting(store: Store): Store {
  const append = async (journal: string, commit: Commit): Promise<void> => {
    try {
      await store.append(journal, commit);
    } catch (error) {
      if (!(error instanceof SeqTakenError)) throw error;
      await append(journal, { ...commit, seq: (await store.head(journal)) + 1 });
    }
  };
  return over(store, { append });
}

export const BUGS: readonly Bug[] = [
  { name: 'an append without the fence', backend: WithoutFence },
  { name: 'an append that is acknowledged before it is synced', backend: AnswersBeforeSync },
  { name: 'a retried append that is not known by its id', backend: ForgetsIds },
  { name: 'readers who see what is not synced', backend: ShowsUnsynced },
  { name: 'a lost append after which nothing is reloaded', store: withoutReload },
  {
    name: 'an append of unknown outcome that is taken for a success',
    store: (store) =>
      over(store, {
        append: (journal, commit) =>
          store.append(journal, commit).catch((error: unknown) => {
            if (!(error instanceof StoreUnavailableError)) throw error;
          }),
      }),
  },
  {
    name: "commits that bear the node's own time",
    store: (store, environment) =>
      over(store, {
        append: (journal, commit) => store.append(journal, { ...commit, time: environment.now() }),
      }),
  },
  { name: 'a hub that drops wake-ups', concord: (concord) => deaf(everyNth(3))(concord) },
  {
    name: 'a hub that is deaf to the directory',
    concord: deaf((topic) => topic === DIRECTORY_TOPIC),
  },
  {
    // As the feed was once: whoever came from a node that was further was sent back to the round's beginning.
    name: 'a feed that does not ask whether its node lags',
    store: (store) => over(store, { head: async () => 0 }),
  },
  {
    name: 'a node that trusts the hints alone',
    plant: replace(
      JournalHost.prototype as unknown as { follow: Follow },
      'follow',
      (follow) =>
        function (seq) {
          return seq === undefined ? Promise.resolve() : follow.call(this, seq);
        },
    ),
  },
  { name: 'a node that trusts its lease, and appends wherever the journal ends', store: trusting },
  {
    name: 'a node that answers before it has what another has decided for it',
    plant: replace(
      JournalHost.prototype as unknown as { reach: Follow },
      'reach',
      () => () => Promise.resolve(),
    ),
  },
  {
    name: 'a node that does again what it was asked for again',
    plant: replace(Cluster.prototype as unknown as { receive: Receive }, 'receive', (receive) => {
      let asked = 0;
      return function (message) {
        const again = message.orders?.map((order) => ({ ...order, id: `${order.id} ${asked++}` }));
        return receive.call(this, again ? { ...message, orders: again } : message);
      };
    }),
  },
  { name: 'a cursor one too far', feed: (feed) => shifted(feed, 1) },
  { name: 'a cursor one too near', feed: (feed) => shifted(feed, -1) },
  {
    name: 'claims that do not let go what has run out',
    plant: replace(Project.prototype, 'nextDeadline', () => () => undefined),
  },
  {
    name: 'a late answer that always counts',
    plant: deciding((event) => (event.type === 'submitted' ? { ...event, counted: true } : event)),
  },
];
