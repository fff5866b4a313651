import type { Collection } from 'mongodb';
import type { Part } from './causality.ts';
import { isDuplicate } from './mongoFormat.ts';
import { idOf } from './places.ts';
import type { Holder, Lease, LeaseKind, LeaseTable } from './port.ts';

/** A lease as MongoDB keeps it. */
export interface LeaseDocument extends Lease {
  /** See `idOf`: the kind, and the name. */
  readonly _id: string;
  readonly kind: LeaseKind;
}

/** Does something with the server. */
type Use = <T>(operation: (session: Part['options']) => Promise<T>) => Promise<T>;

/** Each lease is a document, and each step a write of one document, which the server does at once or not at all. */
export class MongoLeases implements LeaseTable {
  readonly #leases: Collection<LeaseDocument>;
  readonly #use: Use;

  constructor(leases: Collection<LeaseDocument>, use: Use) {
    this.#leases = leases;
    this.#use = use;
  }

  async get(kind: LeaseKind, name: string): Promise<Lease | undefined> {
    const _id = idOf(kind, name);
    const found = await this.#use((session) => this.#leases.findOne({ _id }, session));
    return found === null ? undefined : leaseOf(found);
  }

  async all(kind: LeaseKind): Promise<Lease[]> {
    // What begins with the kind and a slash: nothing sorts between that and the kind with the character after a slash.
    const below = { _id: { $gte: `${kind}/`, $lt: `${kind}0` } };
    const found = await this.#use((session) => this.#leases.find(below, session).toArray());
    return found.map(leaseOf);
  }

  async swap(kind: LeaseKind, name: string, turn: number, { node, address }: Holder): Promise<boolean> {
    const _id = idOf(kind, name);
    const next = { kind, name, node, address, turn: turn + 1 };
    return this.#use(async (session) => {
      if (turn > 0) {
        const { matchedCount } = await this.#leases.updateOne({ _id, turn }, { $set: next }, session);
        return matchedCount === 1;
      }
      try {
        await this.#leases.insertOne({ _id, ...next }, session);
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    });
  }

  async remove(kind: LeaseKind, name: string, turn: number): Promise<void> {
    const _id = idOf(kind, name);
    await this.#use((session) => this.#leases.deleteOne({ _id, turn }, session));
  }
}

function leaseOf({ name, node, address, turn }: LeaseDocument): Lease {
  return { name, node, address, turn };
}
