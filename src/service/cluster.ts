import { Refusal, type RefusalCode, type RefusalDetails, refuse } from '../domain/refusals.ts';
import {
  type Commit,
  type Holder,
  type LeaseTable,
  SeqTakenError,
  type Store,
  type StoredValue,
} from '../journal/port.ts';
import type { Attendance } from './attendance.ts';
import type { AnyDesk, Desk } from './desk.ts';
import { delay, type Environment, newId } from './environment.ts';
import type { Projection } from './folding.ts';
import { Forwarding, type Link, type Order, type OrdersMessage, type Outcome } from './forwarding.ts';
import type { CommandOptions } from './journalHost.ts';
import { Leases } from './leases.ts';
import { LEASE_MS, Nodes } from './nodes.ts';
import { PresenceExchange, type PresenceMessage } from './presenceExchange.ts';
import { asRefusal, inTime, orRefusal } from './trouble.ts';

/** How long a command waits for a node that decides it, in milliseconds: longer than it takes to replace a dead one. */
const PATIENCE_MS = LEASE_MS + 3_000;
/** How long to wait before a node is asked again that could not be asked, in milliseconds. */
const AGAIN_MS = 100;
/** How often a command is decided again because another node was faster. */
const MAX_CONFLICTS = 10;
/** How long what a command came to is kept for who asks again, in milliseconds. */
const REMEMBERED_MS = 60_000;
const NO_CHUNKS: ReadonlyMap<string, Uint8Array> = new Map();

/** What makes a node one of several. */
export interface ClusterOptions {
  readonly link: Link;
  /** Where the other nodes reach this one. */
  readonly address: string;
  /** Hears of what whoever runs the service should know. */
  readonly onTrouble?: (trouble: string) => void;
}

/** How commands have gone since the start. */
export interface ClusterCounts {
  /** Commands of this node's clients that another node has decided. */
  forwarded: number;
  /** Commands of others' clients that this node has decided. */
  received: number;
  /** Commands that were decided here by the fence alone, because the node to decide them could not be reached. */
  unleased: number;
}

/**
 * This node among others. A journal is decided by the node that holds its lease: a command that comes in elsewhere is
 * sent to it by name, and answered once what it came to has been followed to here, so that whoever gave it reads what
 * they wrote. The lease is advice, and the conditional append the fence: who was overtaken looks again who decides.
 */
export class Cluster {
  readonly nodes: Nodes;
  readonly leases: Leases;
  readonly counts: ClusterCounts = { forwarded: 0, received: 0, unleased: 0 };
  readonly #store: Store;
  readonly #environment: Environment;
  readonly #forwarding: Forwarding;
  readonly #onTrouble: (trouble: string) => void;
  readonly #deskOf: (journal: string) => AnyDesk;
  readonly #attendance: Attendance;
  readonly #presence: PresenceExchange;
  /** What orders came to, by their ids, oldest first. */
  readonly #outcomes = new Map<string, { readonly outcome: Promise<Outcome>; readonly at: number }>();
  /** Up to which commit each node was sent what has happened, by journals. */
  readonly #sent = new Map<string, Map<string, number>>();
  #isClosed = false;

  constructor(
    store: Store,
    leases: LeaseTable,
    environment: Environment,
    { link, address, onTrouble = () => undefined }: ClusterOptions,
    deskOf: (journal: string) => AnyDesk,
    attendance: Attendance,
  ) {
    this.#store = store;
    this.#environment = environment;
    this.#forwarding = new Forwarding(link, environment, onTrouble);
    this.#onTrouble = onTrouble;
    this.#deskOf = deskOf;
    this.#attendance = attendance;
    this.nodes = new Nodes(
      leases,
      environment,
      { node: newId(environment), address },
      {
        onGone: (node) => this.#lose(node),
        onSeen: () => this.#presence.look(),
      },
    );
    const { node } = this.nodes.self;
    const tell = (peer: Holder, message: StoredValue) => this.#forwarding.tell(peer, message);
    this.#presence = new PresenceExchange(attendance, environment, node, () => this.nodes.others, tell);
    attendance.herald = this.#presence;
    this.leases = new Leases(leases, this.nodes, async (journal) =>
      deskOf(journal).host.reach(await store.head(journal)),
    );
  }

  /**
   * Has a command decided, wherever that is; see `JournalHost.execute`. `view` looks at this node's projection,
   * at the commit or a later one.
   * @throws {Refusal} STORE_UNAVAILABLE, too: the node that decides could not be reached, or was lost meanwhile
   */
  async execute<P extends Projection<E>, E, V>(
    desk: Desk<P, E>,
    command: string,
    input: StoredValue,
    view: (projection: P, result: unknown) => V,
    options: CommandOptions = {},
  ): Promise<V> {
    /** The node that may have decided it already. */
    const asked: { node: string | null } = { node: null };
    try {
      return await this.#execute(desk, command, input, view, options, asked);
    } catch (error) {
      // What it was refused by another node says nothing of that.
      if (error instanceof Refusal && asked.node !== null) throw refuse('STORE_UNAVAILABLE', {});
      throw error;
    }
  }

  async #execute<P extends Projection<E>, E, V>(
    desk: Desk<P, E>,
    command: string,
    input: StoredValue,
    view: (projection: P, result: unknown) => V,
    options: CommandOptions,
    asked: { node: string | null },
  ): Promise<V> {
    const { journal } = desk.host;
    const id = newId(this.#environment);
    const until = this.#environment.monotonic() + PATIENCE_MS;
    for (let conflicts = 0; ; ) {
      const holder = await this.#holderOf(journal);
      const isOwn = holder.node === this.nodes.self.node;
      const isHere = isOwn || this.#forwarding.isGivenUp(holder);
      // Only the node that was asked knows the command's id.
      const isElsewhere = isHere || holder.node !== asked.node;
      if (asked.node !== null && isElsewhere && !desk.isRepeatable(command))
        throw refuse('STORE_UNAVAILABLE', {});
      if (isHere) {
        if (!isOwn) this.counts.unleased++;
        const decided = await this.#decide(desk, command, input, view, { ...options, once: isOwn });
        if (decided !== null) return decided.value;
        if (++conflicts === MAX_CONFLICTS) throw refuse('STORE_UNAVAILABLE', {});
        this.leases.forget(journal);
        continue;
      }
      const after = await desk.host.read(({ seq }) => seq);
      const chunks = [...(options.chunks ?? NO_CHUNKS).keys()];
      const alone = options.alone ?? false;
      const from = this.nodes.self.node;
      const order: Order = { id, journal, command, input, chunks, alone, from, after };
      const outcome = await this.#forwarding.give(holder, order);
      if (outcome === 'LOST') asked.node = holder.node;
      else if (outcome === 'UNREACHED' || outcome.kind === 'ELSEWHERE') {
        this.leases.forget(journal);
        await this.nodes.beat().catch(() => undefined);
      } else {
        this.counts.forwarded++;
        // It has answered after all, and once for all.
        if (asked.node === holder.node) asked.node = null;
        return this.#answer(desk, command, outcome, view);
      }
      if (this.#environment.monotonic() >= until) throw refuse('STORE_UNAVAILABLE', {});
      await delay(this.#environment, AGAIN_MS);
    }
  }

  /** Whether this node decides a journal. If nobody does, it does from now on. */
  async decides(journal: string): Promise<boolean> {
    return (await this.#holderOf(journal)).node === this.nodes.self.node;
  }

  /** @throws {Refusal} STORE_UNAVAILABLE: it cannot be found out just now; nobody is kept waiting while the store is away */
  async #holderOf(journal: string): Promise<Holder> {
    const known = this.leases.known(journal);
    if (known !== undefined) return known;
    if (this.nodes.hasFailed) throw refuse('STORE_UNAVAILABLE', {});
    return orRefusal(inTime(this.#environment, this.leases.holderOf(journal)));
  }

  /** Answers another node. What it says is trusted: it has shown the secret that nodes share. */
  async receive(message: StoredValue): Promise<StoredValue> {
    const told = message as unknown as OrdersMessage | PresenceMessage;
    if (told.kind === 'presence') {
      // What comes late of a node that is gone is not listened to: nobody would take it back.
      const isHeard = await this.nodes.find(told.node).catch(() => false);
      if (isHeard) this.#attendance.heard(told.node, told.rooms, told.isAll, told.acted);
      return isHeard;
    }
    const outcomes = await Promise.all(told.orders.map((order) => this.#receiveOrder(order)));
    return outcomes as unknown as StoredValue;
  }

  async #receiveOrder(order: Order): Promise<Outcome> {
    this.#forgetOutcomes();
    let known = this.#outcomes.get(order.id);
    if (known === undefined) {
      known = { outcome: this.#carryOut(order), at: this.#environment.monotonic() };
      this.#outcomes.set(order.id, known);
    }
    const outcome = await known.outcome;
    // It was not decided: asked again, it may be.
    if (outcome.kind === 'ELSEWHERE') this.#outcomes.delete(order.id);
    if (outcome.kind !== 'DONE') return outcome;
    return { ...outcome, commits: this.#newsFor(order, outcome.seq) };
  }

  /**
   * What the node that has given an order was not sent before: of many orders that wait for one commit, the first to be
   * answered brings it. What is lost on the way is read from the store.
   */
  #newsFor({ journal, from, after }: Order, seq: number): readonly Commit[] {
    const sent = this.#sent.get(from) ?? new Map<string, number>();
    this.#sent.set(from, sent);
    const known = Math.max(after, sent.get(journal) ?? 0);
    if (seq <= known) return [];
    sent.set(journal, seq);
    return this.#deskOf(journal).host.recent(known, seq);
  }

  /** Decides nothing for others any more, waits for what is being decided, and lets the others know. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#presence.close();
    this.#forwarding.close();
    await Promise.allSettled([...this.#outcomes.values()].map(({ outcome }) => outcome));
    await this.nodes.close();
  }

  /** Decides a command here; null: another node was faster. */
  async #decide<P extends Projection<E>, E, V>(
    desk: Desk<P, E>,
    command: string,
    input: StoredValue,
    view: (projection: P, result: unknown) => V,
    options: CommandOptions & { readonly once: boolean },
  ): Promise<{ readonly value: V } | null> {
    try {
      const value = await desk.host.execute(
        (projection, moment) => desk.decide(projection, command, input, moment),
        view,
        options,
      );
      return { value };
    } catch (error) {
      if (error instanceof SeqTakenError) return null;
      throw error;
    }
  }

  async #answer<P extends Projection<E>, E, V>(
    { host, find }: Desk<P, E>,
    command: string,
    outcome: Exclude<Outcome, { kind: 'ELSEWHERE' }>,
    view: (projection: P, result: unknown) => V,
  ): Promise<V> {
    if (outcome.kind === 'FAULT') throw new Error(`another node has failed: ${outcome.message}`);
    if (outcome.kind === 'REFUSED') {
      throw new Refusal(
        outcome.code as RefusalCode,
        outcome.details as unknown as RefusalDetails[RefusalCode],
      );
    }
    host.hear(outcome.commits ?? []);
    await host.reach(outcome.seq);
    return host.read((projection) => view(projection, find(command, projection, outcome.reference)));
  }

  async #carryOut(order: Order): Promise<Outcome> {
    const { journal, command, input, alone, after } = order;
    try {
      if (this.#isClosed) return { kind: 'ELSEWHERE' };
      const desk = this.#deskOf(journal);
      if ((await this.leases.holderOf(journal)).node !== this.nodes.self.node) return { kind: 'ELSEWHERE' };
      await desk.host.reach(after);
      const chunks = await this.#chunksOf(order);
      const look = ({ seq }: { readonly seq: number }, result: unknown) => ({
        seq,
        reference: desk.refer(command, result),
      });
      const decided = await this.#decide(desk, command, input, look, { chunks, alone, once: true });
      if (decided === null) {
        this.leases.forget(journal);
        return { kind: 'ELSEWHERE' };
      }
      this.counts.received++;
      return { kind: 'DONE', ...decided.value };
    } catch (error) {
      const cause = asRefusal(error);
      if (cause instanceof Refusal)
        return { kind: 'REFUSED', code: cause.code, details: cause.details as unknown as StoredValue };
      const message = cause instanceof Error ? cause.message : String(cause);
      this.#onTrouble(`a command of another node has failed: ${message}`);
      return { kind: 'FAULT', message };
    }
  }

  async #chunksOf({ chunks }: Order): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    for (const id of chunks) {
      const bytes = await this.#store.getChunk(id);
      if (bytes !== undefined) found.set(id, bytes);
    }
    return found;
  }

  #lose(node: string): void {
    this.#forwarding.callOff(node);
    this.#sent.delete(node);
    this.#presence.lost(node);
    this.#attendance.lost(node);
  }

  #forgetOutcomes(): void {
    const old = this.#environment.monotonic() - REMEMBERED_MS;
    for (const [id, { at }] of this.#outcomes) {
      if (at > old) return;
      this.#outcomes.delete(id);
    }
  }
}
