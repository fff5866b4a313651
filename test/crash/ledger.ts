import { isDeepStrictEqual } from 'node:util';
import type { Project } from '../../src/domain/project.ts';
import type { Truth } from './truth.ts';

/** Something that must never be has been seen. */
export class Violation extends Error {
  override name = 'Violation';
}

/** @throws {Violation} two things differ that must not */
export function mustEqual(what: string, seen: unknown, should: unknown): void {
  if (isDeepStrictEqual(seen, should)) return;
  throw new Violation(`${what}: ${JSON.stringify(seen)} is not ${JSON.stringify(should)}`);
}

/** A state of the project that somebody was shown. */
export interface Sight {
  readonly what: string;
  /** The commit at which it stands. */
  readonly seq: number;
  /** False: it was seen within that commit, where the command was decided whose answer it came with. */
  readonly atEnd: boolean;
  readonly seen: unknown;
  /** The same, taken from a projection. */
  readonly look: (project: Project) => unknown;
}

/** What the service has made for somebody, as it told them. */
interface Receipt {
  readonly what: string;
  readonly told: unknown;
  /** The same, taken from the store. */
  readonly look: (truth: Truth) => unknown;
}

/** What was asked of one assignment: `submitted cat`, `undone` … in the words of `deedOf`. */
interface Request {
  readonly deed: string;
  isAcknowledged: boolean;
}

/** Everything that was asked of the service, and all that it told, taken down as it happens. */
export class Ledger {
  readonly #requests = new Map<string, Request[]>();
  /** Assignments of which something was asked since they were last held against the journal. */
  readonly #touched = new Set<string>();
  readonly #sights = new Map<number, Sight[]>();
  #receipts: Receipt[] = [];
  /** Commands that were answered. */
  acknowledged = 0;
  sights = 0;
  /** Requests that a crash has left without an answer: of them, those that were committed, and that were not. */
  readonly unanswered = { committed: 0, lost: 0 };

  /** Takes down what is asked of an assignment. Call the answer when the service has acknowledged it. */
  request(assignment: string, deed: string): () => void {
    const request: Request = { deed, isAcknowledged: false };
    this.#requests.set(assignment, [...(this.#requests.get(assignment) ?? []), request]);
    this.#touched.add(assignment);
    return () => {
      request.isAcknowledged = true;
      this.acknowledged++;
    };
  }

  received(receipt: Receipt): void {
    this.#receipts.push(receipt);
    this.acknowledged++;
  }

  saw(sight: Sight): void {
    this.#sights.set(sight.seq, [...(this.#sights.get(sight.seq) ?? []), sight]);
    this.sights++;
  }

  /** What was told of the state at a commit since this was last asked. */
  takeSights(seq: number): Sight[] {
    const sights = this.#sights.get(seq) ?? [];
    this.#sights.delete(seq);
    return sights;
  }

  /**
   * Holds what was told against a store that nobody writes to.
   * @param changed assignments to which something was done since the last time
   * @throws {Violation} something acknowledged is not there, something is there twice, or nobody asked for it
   */
  settle(truth: Truth, changed: ReadonlySet<string>): void {
    for (const assignment of new Set([...this.#touched, ...changed])) {
      this.#settleRequests(assignment, truth.historyOf(assignment));
    }
    this.#touched.clear();
    for (const { what, told, look } of this.#receipts) mustEqual(`${what}, in the store`, look(truth), told);
    this.#receipts = [];
    const last = truth.project.seq;
    for (const [seq, [sight]] of this.#sights) {
      if (seq > last)
        throw new Violation(`${sight?.what} stands at commit ${seq}; the journal ends at ${last}`);
      // It came late, of a commit that was looked at before.
      this.#sights.delete(seq);
    }
  }

  /** Each is sent again until it is answered, and only then the next: so at most the last is open. */
  #settleRequests(assignment: string, history: readonly string[]): void {
    const requests = this.#requests.get(assignment) ?? [];
    const asked = requests.map(({ deed }) => deed);
    const isOpen = requests.at(-1)?.isAcknowledged === false;
    if (isDeepStrictEqual(history, asked)) {
      if (isOpen) this.unanswered.committed++;
      return;
    }
    if (isOpen) this.unanswered.lost++;
    const sure = isOpen ? asked.slice(0, -1) : asked;
    if (isDeepStrictEqual(history, sure)) return;
    throw new Violation(
      `of assignment ${assignment} was acknowledged: ${sure.join(', ')}; the journal has: ${history.join(', ')}`,
    );
  }
}
