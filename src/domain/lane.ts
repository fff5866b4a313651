import { MinHeap } from './heap.ts';

/** Which positions of a lane a claim may take, as things stand now. */
export interface LaneView {
  /** Length of the order; it may grow. */
  readonly length: number;
  /** The position can be given to somebody. */
  readonly hasRoom: (position: number) => boolean;
  /** The annotator who asks has had it and must not get it again. */
  readonly hadBefore: (position: number) => boolean;
}

/** How far one annotator has come. */
interface Reader {
  /** No position below this one fits, but for those that came back. */
  cursor: number;
  /** How much of the log of freed positions has been read. */
  read: number;
  /** Positions that may fit again; what does not is dropped when it comes up. */
  readonly returned: MinHeap;
}

/** Below this length of the log, starting anew is not worth it. */
const MINIMUM_LOG = 1024;

/**
 * An order in which samples are served to many annotators: {@link Lane.find} is the first position that fits
 * somebody, at O(log n) amortised. Each annotator has a cursor that goes over the order once, and a heap of the
 * positions that came back; so has the front, which is everybody: where nobody finds room, no one need look.
 *
 * The lane does not know samples. Whether a position fits is asked anew each time; the lane only remembers what
 * did not fit, and forgets it when told by {@link Lane.freed}. So what it remembers is never seen in what it
 * answers: a projection that was replayed, or that has answered other questions, finds the same.
 */
export class Lane {
  readonly #readers = new Map<number, Reader>();
  #front = newReader();
  /** Positions that have come to fit somebody again, in the order in which that happened. */
  readonly #freed: number[] = [];
  /** The furthest cursor: nobody needs to be told of positions from here on. */
  #passed = 0;

  /** The first position in the order that has room and that the annotator has not had; or undefined. */
  find(annotator: number, view: LaneView): number | undefined {
    if (!this.hasRoom(view)) return undefined;
    let reader = this.#readers.get(annotator);
    if (reader === undefined) {
      reader = newReader();
      this.#readers.set(annotator, reader);
    }
    reader.cursor = Math.max(reader.cursor, this.#front.cursor);
    const { length, hasRoom, hadBefore } = view;
    return this.#next(reader, length, (position) => hasRoom(position) && !hadBefore(position));
  }

  /** Whether any position has room, whoever may take it. */
  hasRoom({ length, hasRoom }: Omit<LaneView, 'hadBefore'>): boolean {
    return this.#next(this.#front, length, hasRoom) !== undefined;
  }

  /** A position has room again, or may be had again by somebody who had it. Once too often does no harm. */
  freed(position: number): void {
    if (position >= this.#passed) return;
    this.#freed.push(position);
    // One who has long been away would have to read all of it; from here on, a new start is cheaper.
    if (this.#freed.length > Math.max(MINIMUM_LOG, this.#passed)) this.reset();
  }

  /** Everybody starts anew: which positions have room has changed throughout. */
  reset(): void {
    this.#readers.clear();
    this.#front = newReader();
    this.#freed.length = 0;
    this.#passed = 0;
  }

  #next(reader: Reader, length: number, fits: (position: number) => boolean): number | undefined {
    while (reader.read < this.#freed.length) {
      const position = this.#freed[reader.read++] as number;
      // Mostly somebody else was quicker. If it comes back once more, the log will say so once more.
      if (fits(position)) reader.returned.push(position, position);
    }
    const returned = firstThatFits(reader.returned, fits);
    const end = Math.min(returned ?? length, length);
    while (reader.cursor < end && !fits(reader.cursor)) reader.cursor++;
    this.#passed = Math.max(this.#passed, reader.cursor);
    return reader.cursor < end ? reader.cursor : returned;
  }
}

function newReader(): Reader {
  return { cursor: 0, read: 0, returned: new MinHeap() };
}

function firstThatFits(heap: MinHeap, fits: (position: number) => boolean): number | undefined {
  for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
    if (fits(first.value)) return first.value;
    heap.pop();
  }
  return undefined;
}
