import type { Commit, Holder, StoredValue } from '../journal/port.ts';
import type { Environment } from './environment.ts';
import { LEASE_MS } from './nodes.ts';

/** After how long a node that is alive and cannot be reached is tried again, in milliseconds. */
const RETRY_MS = 2_000;
/** The most orders in one message. */
const MAX_ORDERS = 100;
/** Messages of orders for one journal that are under way at a time: while one is decided, the next is brought. */
const MAX_MESSAGES = 2;

/** The request has certainly done nothing: nobody was reached, or whoever was did not take it. */
export class UnreachedError extends Error {
  override name = 'UnreachedError';
}

/** The way to other nodes. */
export interface Link {
  /**
   * Sends a message and gives its answer.
   * @param signal ends the waiting
   * @throws {UnreachedError} it has certainly done nothing
   * @throws {Error} whether it has done something is unknown
   */
  send(address: string, message: StoredValue, signal: AbortSignal): Promise<StoredValue>;
}

/** A command for another node. */
export interface Order {
  /** Of the command: an order that is sent again has the same. */
  readonly id: string;
  readonly journal: string;
  readonly command: string;
  readonly input: StoredValue;
  /** Chunks to be at hand, by their ids: they are in the store. */
  readonly chunks: readonly string[];
  readonly alone: boolean;
  /** The node that gives it, and a commit that it has seen. */
  readonly from: string;
  readonly after: number;
}

/** Orders for one journal; what came of each is answered in their order. */
export interface OrdersMessage {
  readonly kind: 'decide';
  readonly orders: readonly Order[];
}

/** What came of an order. */
export type Outcome =
  | {
      readonly kind: 'DONE';
      readonly seq: number;
      readonly reference: StoredValue;
      /** Commits up to `seq` that whoever gave the order may not have, if they are at hand. */
      readonly commits?: readonly Commit[];
    }
  | { readonly kind: 'REFUSED'; readonly code: string; readonly details: StoredValue }
  /** Nothing was done: the node does not decide this journal. */
  | { readonly kind: 'ELSEWHERE' }
  /** A bug; the node that was asked has logged it. */
  | { readonly kind: 'FAULT'; readonly message: string };

/** What became of an order, as far as whoever gave it knows. */
export type Sent = Outcome | 'LOST' | 'UNREACHED';

/** Orders for one journal to one node. What waits while messages are under way shares the next. */
interface Line {
  readonly holder: Holder;
  readonly waiting: { readonly order: Order; readonly resolve: (sent: Sent) => void }[];
  underWay: number;
}

/**
 * The way of commands, and of what else is to be told, to other nodes. It knows which of them cannot be reached, and
 * decides nothing.
 */
export class Forwarding {
  readonly #link: Link;
  readonly #environment: Environment;
  readonly #onTrouble: (trouble: string) => void;
  /** By node and journal. */
  readonly #lines = new Map<string, Line>();
  /** What is under way to each node; called off when the node is gone. */
  readonly #underWay = new Map<string, Set<AbortController>>();
  /** Nodes that could not be reached: since when, and when that was last tried. */
  readonly #unreached = new Map<string, { readonly since: number; readonly triedAt: number }>();

  constructor(link: Link, environment: Environment, onTrouble: (trouble: string) => void) {
    this.#link = link;
    this.#environment = environment;
    this.#onTrouble = onTrouble;
  }

  /** Gives an order to a node. What waits for the same node and journal shares a message. */
  give(holder: Holder, order: Order): Promise<Sent> {
    const key = `${holder.node} ${order.journal}`;
    const line = this.#lines.get(key) ?? { holder, waiting: [], underWay: 0 };
    this.#lines.set(key, line);
    return new Promise((resolve) => {
      line.waiting.push({ order, resolve });
      this.#sendNext(key, line);
    });
  }

  /** Tells a node something that is no order; whether it has heard it. */
  async tell(holder: Holder, message: StoredValue): Promise<boolean> {
    try {
      return (await this.#send(holder, message)) === true;
    } catch {
      return false;
    }
  }

  /**
   * Whether a node is alive, and was not to be reached for so long that a dead one would have been replaced. It is
   * decided without it then: slower, for each takes the other's places in the journal, and no less safely.
   */
  isGivenUp({ node }: Holder): boolean {
    const unreached = this.#unreached.get(node);
    const now = this.#environment.monotonic();
    return unreached !== undefined && now - unreached.since >= LEASE_MS && now - unreached.triedAt < RETRY_MS;
  }

  /** Waits no longer for a node: it is gone. */
  callOff(node: string): void {
    for (const { holder, waiting } of this.#lines.values()) {
      if (holder.node !== node) continue;
      for (const { resolve } of waiting.splice(0)) resolve('UNREACHED');
    }
    for (const waiting of this.#underWay.get(node) ?? []) waiting.abort();
    this.#underWay.delete(node);
    this.#unreached.delete(node);
  }

  /** Waits no longer for any node. */
  close(): void {
    for (const node of this.#underWay.keys()) this.callOff(node);
  }

  #sendNext(key: string, line: Line): void {
    while (line.underWay < MAX_MESSAGES && line.waiting.length > 0) {
      // What may fill a commit by itself may fill a message.
      const alone = line.waiting.findIndex(({ order }) => order.alone);
      const together = alone < 0 ? MAX_ORDERS : Math.min(MAX_ORDERS, Math.max(1, alone));
      const group = line.waiting.splice(0, together);
      line.underWay++;
      const sending = this.#sendOrders(
        line.holder,
        group.map(({ order }) => order),
      );
      void sending.then((sent) => {
        line.underWay--;
        for (const [i, { resolve }] of group.entries()) resolve(sent[i] ?? 'LOST');
        if (line.underWay === 0 && line.waiting.length === 0) this.#lines.delete(key);
        else this.#sendNext(key, line);
      });
    }
  }

  async #sendOrders(holder: Holder, orders: readonly Order[]): Promise<readonly Sent[]> {
    const { node, address } = holder;
    const message: OrdersMessage = { kind: 'decide', orders };
    try {
      const outcomes = await this.#send(holder, message as unknown as StoredValue);
      this.#unreached.delete(node);
      return outcomes as unknown as Outcome[];
    } catch (error) {
      if (!(error instanceof UnreachedError)) return orders.map(() => 'LOST');
      const now = this.#environment.monotonic();
      const before = this.#unreached.get(node);
      if (before === undefined)
        this.#onTrouble(`node ${node} at ${address} cannot be reached: ${error.message}`);
      this.#unreached.set(node, { since: before?.since ?? now, triedAt: now });
      return orders.map(() => 'UNREACHED');
    }
  }

  /** Sends a message until it is answered, or called off. */
  async #send({ node, address }: Holder, message: StoredValue): Promise<StoredValue> {
    const underWay = this.#underWay.get(node) ?? new Set();
    this.#underWay.set(node, underWay);
    const waiting = new AbortController();
    underWay.add(waiting);
    try {
      return await this.#link.send(address, message, waiting.signal);
    } finally {
      underWay.delete(waiting);
    }
  }
}
