import type { Holder, Lease, LeaseTable } from '../journal/port.ts';
import { StoreUnavailableError } from '../journal/port.ts';
import type { Nodes } from './nodes.ts';

/** How often a lease is tried to be taken that others take at the same time. */
const MAX_TRIES = 5;

/**
 * Which node decides which journal. A journal's lease is written when a node takes it and not again: it holds for as
 * long as its node is alive ({@link Nodes}), so that a node with a thousand projects gives one sign of life a second.
 * Whose node is dead, or has left, is free, and the next who needs it takes it.
 */
export class Leases {
  readonly #table: LeaseTable;
  readonly #nodes: Nodes;
  readonly #onTaken: (journal: string) => Promise<void>;
  readonly #known = new Map<string, Lease>();
  readonly #looking = new Map<string, Promise<Holder>>();

  /** @param onTaken called before anything is decided by a lease that was taken, or taken up again */
  constructor(table: LeaseTable, nodes: Nodes, onTaken: (journal: string) => Promise<void>) {
    this.#table = table;
    this.#nodes = nodes;
    this.#onTaken = onTaken;
  }

  /**
   * Who decides a journal: if nobody does, this node from now on.
   * @throws {StoreUnavailableError} that cannot be found out just now
   */
  async holderOf(journal: string): Promise<Holder> {
    const known = this.known(journal);
    if (known !== undefined) return known;
    let looking = this.#looking.get(journal);
    if (looking === undefined) {
      looking = this.#look(journal).finally(() => this.#looking.delete(journal));
      this.#looking.set(journal, looking);
    }
    return looking;
  }

  /** Who decides a journal, as far as is known without looking. */
  known(journal: string): Holder | undefined {
    const known = this.#known.get(journal);
    return known !== undefined && this.#nodes.isAlive(known.node) ? known : undefined;
  }

  /** To be looked for anew. */
  forget(journal: string): void {
    this.#known.delete(journal);
  }

  /** Gives up a journal that came to nothing. */
  async release(journal: string): Promise<void> {
    const known = this.#known.get(journal);
    this.#known.delete(journal);
    if (known?.node !== this.#nodes.self.node) return;
    await this.#table.remove('journal', journal, known.turn).catch(() => undefined);
  }

  async #look(journal: string): Promise<Holder> {
    const { self } = this.#nodes;
    if (!this.#nodes.isSure) await this.#nodes.beat();
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const lease = await this.#table.get('journal', journal);
      if (lease !== undefined && lease.node !== self.node && (await this.#nodes.find(lease.node))) {
        this.#known.set(journal, lease);
        return lease;
      }
      const turn = lease?.turn ?? 0;
      const isMine = lease?.node === self.node;
      if (!isMine && !(await this.#table.swap('journal', journal, turn, self))) continue;
      // Whoever held it before may have committed what this node has not seen.
      await this.#onTaken(journal);
      const mine = { ...self, name: journal, turn: isMine ? turn : turn + 1 };
      this.#known.set(journal, mine);
      return mine;
    }
    throw new StoreUnavailableError(`nodes take the lease of journal ${journal} from each other`);
  }
}
