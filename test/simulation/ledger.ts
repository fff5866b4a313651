import { inspect, isDeepStrictEqual } from 'node:util';
import type { ProjectEvent } from '../../src/domain/events.ts';
import type { Project } from '../../src/domain/project.ts';
import type { RefusalCode } from '../../src/domain/refusals.ts';
import type { Commit } from '../../src/journal/port.ts';
import { Violation } from './story.ts';

/** What a node has told somebody of a project's state. */
export interface Sight {
  readonly seq: number;
  /** It stood at a commit's end; else within the commit, where its command was decided. */
  readonly atEnd: boolean;
  readonly seen: unknown;
  /** The same, taken from a projection. */
  readonly look: (project: Project) => unknown;
  readonly what: string;
  readonly about: readonly string[];
}

/** How one try of a command ended, as its node knew it; none yet: nobody knows. */
export type Ending = 'DONE' | 'UNKNOWN' | 'UNAUTHENTICATED' | RefusalCode;

/** One command as its client means it, however often it is sent. */
export class Errand {
  readonly what: string;
  /** Whether an event is this command's doing; null if events do not say. */
  readonly isMine: ((event: ProjectEvent) => boolean) | null;
  /** Whether an event is what this command asks for, be it another command's doing; as `isMine` if not given. */
  readonly isAsked: ((event: ProjectEvent) => boolean) | null;
  /** Sent again it does nothing more; else each time counts. */
  readonly isOnce: boolean;
  readonly about: readonly string[];
  readonly endings: Ending[] = [];

  constructor(
    what: string,
    {
      isMine = null,
      isAsked = isMine,
      isOnce = false,
      about = [],
    }: Partial<Pick<Errand, 'isMine' | 'isAsked' | 'isOnce' | 'about'>> = {},
  ) {
    this.what = what;
    this.isMine = isMine;
    this.isAsked = isAsked;
    this.isOnce = isOnce;
    this.about = about;
  }
}

/** Everything that was told to anybody, to be compared with the journal in the end. */
export class Ledger {
  readonly errands: Errand[] = [];
  readonly #sights = new Map<number, Sight[]>();
  readonly #synced: () => number;
  sights = 0;

  constructor(synced: () => number) {
    this.#synced = synced;
  }

  /**
   * Takes down what a node tells just now.
   * @throws {Violation} it stands on what is not synced
   */
  saw(sight: Sight): void {
    if (sight.seq > this.#synced()) {
      throw new Violation(
        `${sight.what} stands at commit ${sight.seq}, and only ${this.#synced()} are synced`,
        sight.about,
      );
    }
    const sights = this.#sights.get(sight.seq) ?? [];
    this.#sights.set(sight.seq, sights);
    sights.push(sight);
    this.sights++;
  }

  /**
   * Compares what was told with the journal: every sight is what the fold says at that place, every command that
   * was acknowledged stands there once, and none that was refused.
   *
   * @param empty the projection before the first event; it is moved to the end
   * @throws {Violation}
   */
  settle(empty: Project, commits: readonly Commit[], chunks: (id: string) => Uint8Array): void {
    for (const { seq, time, events } of commits) {
      let open = [...(this.#sights.get(seq) ?? [])];
      for (const event of events) {
        empty.fold(event as unknown as ProjectEvent, seq, time, chunks);
        open = open.filter((sight) => sight.atEnd || !isDeepStrictEqual(sight.seen, sight.look(empty)));
      }
      const wrong = open.find((sight) => !isDeepStrictEqual(sight.seen, sight.look(empty)));
      if (wrong === undefined) continue;
      throw new Violation(
        `${wrong.what} is not what the journal says at commit ${seq}:\n${printed(wrong.seen)}\nis not\n${printed(wrong.look(empty))}`,
        wrong.about,
      );
    }
    for (const errand of this.errands) this.#settle(errand, commits);
  }

  #settle({ what, about, isMine, isAsked, isOnce, endings }: Errand, commits: readonly Commit[]): void {
    if (isMine === null || endings.length === 0) return;
    let times = 0;
    let isThere = false;
    let undone = 0;
    let assignment: string | null = null;
    for (const { events } of commits) {
      for (const event of events as unknown as ProjectEvent[]) {
        if (isAsked?.(event)) isThere = true;
        if (isMine(event)) {
          times++;
          if ('assignment' in event) assignment = event.assignment;
        } else if (event.type === 'undone' && event.assignment === assignment) undone++;
      }
    }
    const count = (wanted: (ending: Ending) => boolean) => endings.filter(wanted).length;
    const done = count((ending) => ending === 'DONE');
    const unknown = count((ending) => ending === 'UNKNOWN');
    if (done > 0 && !isThere)
      throw new Violation(`${what} was acknowledged, and is not in the journal`, about);
    // An answer that was taken back may be given again, be it by a message that came late.
    const most = isOnce ? Math.min(done + unknown, 1 + undone) : done + unknown;
    if (times <= most) return;
    throw new Violation(
      done + unknown === 0
        ? `${what} was refused (${endings.join(', ')}), and is in the journal`
        : `${what} stands in the journal ${times} times, not ${most} (${endings.join(', ')})`,
      about,
    );
  }
}

function printed(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 110 });
}
