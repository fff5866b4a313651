interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/** Lets so many bytes in at a time; whoever comes after that waits, in turn. */
export class ByteBudget {
  #free: number;
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();

  constructor(limit: number) {
    this.#free = limit;
    this.#limit = limit;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `enter` when there is room, at once if there is. Who asks for more than there can ever be gets all.
   * @returns gives the room back, or the place in the queue; to be called when it is not needed any more
   */
  take(wanted: number, enter: () => void): () => void {
    const bytes = Math.min(wanted, this.#limit);
    const waiting = { bytes, enter };
    this.#waiting.add(waiting);
    this.#admit();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const hadRoom = !this.#waiting.delete(waiting);
      if (hadRoom) this.#free += bytes;
      this.#admit();
    };
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (waiting.bytes > this.#free) return;
      this.#free -= waiting.bytes;
      this.#waiting.delete(waiting);
      waiting.enter();
    }
  }
}
