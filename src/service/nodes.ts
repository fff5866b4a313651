import type { Holder, Lease, LeaseTable } from '../journal/port.ts';
import { delay, type Environment } from './environment.ts';

/**
 * How long a node that gives no sign of life counts as alive, in milliseconds. So long, at the most and a beat, nobody
 * decides for what a dead node has decided.
 */
export const LEASE_MS = 3_000;
/** How often a node gives a sign of life, and looks for those of the others. */
export const BEAT_MS = 1_000;
/** How much sooner a node doubts itself than the others do, who count with clocks of their own. */
const MARGIN_MS = 500;
/** When what a dead node has left is cleared away. */
const FORGOTTEN_MS = 60_000;

/** A node, as another one sees it. */
interface Seen {
  readonly address: string;
  /** Grows with each sign of life. */
  readonly turn: number;
  /** Since when, by the clock of the one who looks, nothing has come. */
  readonly since: number;
  readonly isGone: boolean;
}

/** Hears of the other nodes. */
export interface NodesObserver {
  /** A node counts as dead, or has left. */
  onGone(node: string): void;
  /** The others have been looked at. */
  onSeen?(): void;
}

/**
 * The nodes over one store. Each renews a lease of its own once a second: a sign of life. Clocks of several machines
 * are never compared. A node is dead for who has seen its lease unchanged for {@link LEASE_MS}, by a clock that runs
 * steadily and on which only the time counts in which it could look; and who could not renew its own for that long,
 * less a margin, is not sure of itself any more.
 */
export class Nodes {
  readonly self: Holder;
  readonly #table: LeaseTable;
  readonly #environment: Environment;
  readonly #observer: NodesObserver;
  readonly #others = new Map<string, Seen>();
  /** The turn of this node's own lease. */
  #turn = 0;
  #sureUntil = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #beating: Promise<void> | null = null;
  #hasFailed = false;
  #stopTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(table: LeaseTable, environment: Environment, self: Holder, observer: NodesObserver) {
    this.self = self;
    this.#table = table;
    this.#environment = environment;
    this.#observer = observer;
    void this.#goOn();
  }

  /** Whether the others still believe that this node is alive: so long it may rely on what it holds. */
  get isSure(): boolean {
    return !this.#isClosed && this.#environment.monotonic() < this.#sureUntil;
  }

  /** The last sign of life could not be given: the store is away. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The others that are alive. */
  get others(): Holder[] {
    const alive = [...this.#others].filter(([, seen]) => this.#isFresh(seen));
    return alive.map(([node, { address }]) => ({ node, address }));
  }

  isAlive(node: string): boolean {
    if (node === this.self.node) return this.isSure;
    const seen = this.#others.get(node);
    return seen !== undefined && this.#isFresh(seen);
  }

  /** Whether a node is alive; who is not known is looked for. */
  async find(node: string): Promise<boolean> {
    if (!this.#others.has(node)) await this.beat();
    return this.isAlive(node);
  }

  /**
   * Gives a sign of life now, and looks for those of the others.
   * @throws {StoreUnavailableError} it cannot be given
   */
  beat(): Promise<void> {
    this.#beating ??= this.#beat()
      .then(
        () => {
          this.#hasFailed = false;
        },
        (error: unknown) => {
          this.#hasFailed = true;
          throw error;
        },
      )
      .finally(() => {
        this.#beating = null;
      });
    return this.#beating;
  }

  /** Leaves: the others need not wait until the lease is over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopTimer();
    await this.#beating?.catch(() => undefined);
    // If it cannot be removed, it runs out.
    await this.#table.remove('node', this.self.node, this.#turn).catch(() => undefined);
  }

  async #goOn(): Promise<void> {
    // A store that is away is noticed by whoever needs it; here it is tried again.
    await this.beat().catch(() => undefined);
    if (this.#isClosed) return;
    this.#stopTimer = this.#environment.setTimer(() => void this.#goOn(), BEAT_MS);
  }

  async #beat(): Promise<void> {
    // From when it was sent: when it has arrived, nobody here can say.
    const sentAt = this.#environment.monotonic();
    await this.#renew();
    this.#sureUntil = sentAt + LEASE_MS - MARGIN_MS;
    this.#see(await this.#table.all('node'), this.#environment.monotonic());
  }

  async #renew(): Promise<void> {
    const { node } = this.self;
    if (!(await this.#table.swap('node', node, this.#turn, this.self))) {
      // One before has arrived without an answer, or this node was taken for dead and cleared away.
      this.#turn = (await this.#table.get('node', node))?.turn ?? 0;
      if (!(await this.#table.swap('node', node, this.#turn, this.self))) {
        await delay(this.#environment, 0);
        return this.#renew();
      }
    }
    this.#turn++;
  }

  #see(leases: readonly Lease[], now: number): void {
    // While nobody could look, nobody could be seen: that time does not count.
    const isLate = now - this.#lookedAt > 2 * BEAT_MS;
    this.#lookedAt = now;
    const there = new Set<string>();
    for (const { name, address, turn } of leases) {
      if (name === this.self.node) continue;
      // Whoever was reached where this node listens is no more.
      if (address === this.self.address) {
        this.#clear(name, turn);
        continue;
      }
      there.add(name);
      const before = this.#others.get(name);
      const since = isLate || before?.turn !== turn ? now : before.since;
      const isGone = now - since >= LEASE_MS;
      this.#others.set(name, { address, turn, since, isGone });
      if (isGone && before?.isGone !== true) this.#observer.onGone(name);
      if (now - since >= FORGOTTEN_MS) this.#clear(name, turn);
    }
    for (const [name, { isGone }] of this.#others) {
      if (there.has(name)) continue;
      this.#others.delete(name);
      if (!isGone) this.#observer.onGone(name);
    }
    this.#observer.onSeen?.();
  }

  #clear(name: string, turn: number): void {
    this.#table.remove('node', name, turn).catch(() => undefined);
  }

  #isFresh({ since }: Seen): boolean {
    return this.#environment.monotonic() - since < LEASE_MS;
  }
}
