import type { Role } from '../domain/directory.ts';
import { roleOf, type Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import type { Follower } from '../service/hub.ts';
import type { LiveProject } from '../service/liveProject.ts';
import type { Source, Step } from '../service/source.ts';
import { DIRECTORY_TOPIC } from '../service/topics.ts';
import type { Frame } from './frame.ts';
import type { GroupReader } from './groupReader.ts';

export interface GroupOptions {
  readonly concord: Concord;
  readonly live: LiveProject;
  /** The role that its readers have. */
  readonly role: Role;
  readonly source: Source<unknown>;
  /** What is sent of a step. */
  readonly frameOf: (step: Step<unknown, unknown>) => Promise<Frame>;
  /** An error as it may be shown. */
  readonly publicError: (error: unknown) => Error;
  /** Called once, when its last reader has left. */
  readonly onEmpty: () => void;
}

/** Readers at one place. */
interface Waiting {
  readonly readers: Set<GroupReader>;
  /** At which ring there was nothing new for them; below 0: nobody has looked yet. */
  seenAt: number;
}

/**
 * The subscribers of one operation, in one role: what comes next at a place is looked for, executed and serialised
 * once for all who are there. It keeps no history: a reader who falls behind stays where it is, and is given from
 * there what the source has next.
 */
export class Group {
  readonly #options: GroupOptions;
  readonly #follower: Follower;
  readonly #readers = new Set<GroupReader>();
  readonly #waiting = new Map<unknown, Waiting>();
  /** How often something has happened. */
  #rings = 0;
  #isPlanned = false;
  /** While it rests after a look, what happens is coalesced; ends the rest. */
  #endRest: (() => void) | null = null;
  #isDueAfterRest = false;
  /** The directory's newest commit at which every reader was seen to have the role. */
  #directorySeq = Number.POSITIVE_INFINITY;
  /** When the first token of a reader runs out. */
  #expires = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.#follower = options.concord.hub.follow([options.source.topic ?? options.live.id, DIRECTORY_TOPIC]);
    void this.#follow();
  }

  get source(): Source<unknown> {
    return this.#options.source;
  }

  /**
   * Counts a reader in, which is not given anything yet.
   * @param directorySeq the commit of the directory at which they had the role
   */
  admit(reader: GroupReader, { expires }: Viewer, directorySeq: number): void {
    this.#readers.add(reader);
    this.#directorySeq = Math.min(this.#directorySeq, directorySeq);
    this.#expires = Math.min(this.#expires, expires ?? Number.POSITIVE_INFINITY);
  }

  /** A reader waits for what comes next at its place. */
  wait(reader: GroupReader): void {
    if (this.#isOver) {
      reader.end();
      return;
    }
    let waiting = this.#waiting.get(reader.place);
    if (waiting === undefined) {
      waiting = { readers: new Set(), seenAt: reader.seenAt };
      this.#waiting.set(reader.place, waiting);
    }
    waiting.readers.add(reader);
    if (waiting.seenAt === this.#rings) return;
    // Who has just been given the newest can wait for the rest to end.
    if (waiting.seenAt >= 0 && this.#endRest !== null) this.#isDueAfterRest = true;
    else this.#plan();
  }

  leave(reader: GroupReader): void {
    if (!this.#readers.delete(reader)) return;
    const waiting = this.#waiting.get(reader.place);
    if (waiting?.readers.delete(reader) && waiting.readers.size === 0) this.#waiting.delete(reader.place);
    if (this.#readers.size > 0 || this.#isOver) return;
    this.#isOver = true;
    this.#endRest?.();
    this.#follower.close();
    this.#options.onEmpty();
  }

  async #follow(): Promise<void> {
    while (await this.#follower.changed()) {
      this.#rings++;
      if (this.#endRest === null) this.#plan();
      else this.#isDueAfterRest = true;
    }
    for (const reader of [...this.#readers]) reader.end();
  }

  /** What comes up in one turn of the event loop is looked for together. */
  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      this.#look();
    });
  }

  #look(): void {
    for (const [place, { readers, seenAt }] of this.#waiting) {
      // In the rest, only for those for whom nobody has looked yet.
      if (seenAt === this.#rings) continue;
      if (seenAt >= 0 && this.#endRest !== null) {
        this.#isDueAfterRest = true;
        continue;
      }
      this.#waiting.delete(place);
      void this.#serve(place, [...readers]);
    }
  }

  /** Looks for what comes next at a place, and sends it. */
  async #serve(place: unknown, readers: readonly GroupReader[]): Promise<void> {
    const { source, frameOf, publicError } = this.#options;
    const rings = this.#rings;
    try {
      await this.#dismiss();
      const step = await source.next(place);
      this.#rest();
      if (step === null) {
        for (const reader of readers) {
          reader.seenAt = rings;
          if (!reader.isClosed) this.wait(reader);
        }
        return;
      }
      const frame = await frameOf(step);
      for (const reader of readers) {
        reader.place = step.place;
        // A feed may have more in store; a state has been given whole.
        reader.seenAt = source.kind === 'state' ? rings : -1;
        reader.send(frame);
      }
    } catch (error) {
      const shown = publicError(error);
      for (const reader of readers) reader.fail(shown);
    }
  }

  #rest(): void {
    const { pauseMs } = this.#options.source;
    if (pauseMs === 0 || this.#endRest !== null || this.#isOver) return;
    const over = () => {
      this.#endRest = null;
      if (!this.#isDueAfterRest) return;
      this.#isDueAfterRest = false;
      this.#plan();
    };
    this.#endRest = this.#options.concord.environment.setTimer(over, pauseMs);
  }

  /** Ends the streams of those who do not have the role any more, before anything is looked for. */
  async #dismiss(): Promise<void> {
    const { concord, live, role } = this.#options;
    const gone: GroupReader[] = [];
    await concord.directory.read((directory) => {
      if (directory.seq <= this.#directorySeq && concord.environment.now() < this.#expires) return;
      this.#directorySeq = directory.seq;
      this.#expires = Number.POSITIVE_INFINITY;
      for (const reader of this.#readers) {
        const { viewer } = reader;
        if (roleOf(concord, directory, viewer, live.id) !== role) gone.push(reader);
        else this.#expires = Math.min(this.#expires, viewer.expires ?? Number.POSITIVE_INFINITY);
      }
    });
    for (const reader of gone) reader.end();
  }
}
