import type { Assignment, Queue } from '../client/generated/types.ts';

/**
 * What an annotator holds, and what of it was given to the program. States come from several sides (pushes, and
 * answers to calls) and may overtake each other: the one with the highest `seq` holds.
 */
export class Hands {
  #queue: Queue | null = null;
  /** When each assignment that is held was given out, in milliseconds of `performance.now()`. */
  readonly #given = new Map<string, number>();

  /** The newest state; null before the first. */
  get queue(): Queue | null {
    return this.#queue;
  }

  /** Takes a state in. Returns whether it is news. */
  update(queue: Queue): boolean {
    if (this.#queue !== null && queue.seq < this.#queue.seq) return false;
    this.#queue = queue;
    // What has left the hands may come back into them, by an undo or a later claim: it is then given out anew.
    const held = new Set(queue.assignments.map(({ id }) => id));
    for (const id of this.#given.keys()) if (!held.has(id)) this.#given.delete(id);
    return true;
  }

  /**
   * Gives out the oldest assignment that was not given out; null if there is none.
   * @param isAnswered whether the answer to one is under way
   */
  give(isAnswered: (id: string) => boolean = () => false): Assignment | null {
    const next = this.#queue?.assignments.find(({ id }) => !this.#given.has(id) && !isAnswered(id)) ?? null;
    if (next !== null) this.#given.set(next.id, performance.now());
    return next;
  }

  /** Lets an assignment be given out again, if it is held. */
  forget(id: string): void {
    this.#given.delete(id);
  }

  /** An assignment as it is held; null if it is not. */
  held(id: string): Assignment | null {
    return this.#queue?.assignments.find((assignment) => assignment.id === id) ?? null;
  }

  /** How long ago an assignment was given out, in milliseconds; undefined if it was not, or is not held. */
  age(id: string): number | undefined {
    const since = this.#given.get(id);
    return since === undefined ? undefined : performance.now() - since;
  }
}
