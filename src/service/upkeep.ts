import type { SweepReport } from './chunkSweep.ts';
import type { Environment } from './environment.ts';
import type { HostListener } from './journalHost.ts';
import type { SnapshotTaken } from './snapshots.ts';

/** What keeps a store in order. It is done beside the deciding thread, by whoever implements this. */
export interface UpkeepTasks {
  /** See `takeSnapshot`. */
  snapshot(journal: string): Promise<SnapshotTaken | null>;
  /** See `sweepChunks`. */
  sweep(): Promise<SweepReport>;
  /** Ends what is under way, which may then reject, and resolves when the store is no longer used. */
  close(): Promise<void>;
}

/** Hears how the upkeep goes. Nothing that it hears of loses anything. */
export interface UpkeepListener {
  onSnapshot(journal: string, taken: SnapshotTaken): void;
  onSweep(report: SweepReport): void;
  /** A task has failed, or a snapshot is of no use; `journal` is null for the sweep. */
  onProblem(journal: string | null, problem: string): void;
}

/**
 * A snapshot is taken after so much was folded since the last, in ordinary events: half a second of a restart.
 */
const WORK_PER_SNAPSHOT = 200_000;
/** A large project is written again only after more, so that an event costs no more than so many bytes of snapshot. */
const BYTES_PER_EVENT = 1_000;
/** Not at the start, when everybody comes at once. */
const FIRST_SWEEP_MS = 10 * 60_000;
const SWEEP_EVERY_MS = 6 * 3_600_000;

interface Progress {
  /** What was folded since the newest snapshot. */
  work: number;
  /** When that is enough for the next. */
  enough: number;
}

/**
 * Decides when a store's upkeep is done: a snapshot when a journal has grown enough, a sweep of unnamed chunks now and
 * then, one after another. None is taken at shutdown: how much a start has to fold is bounded as it is, and whoever
 * stops a service does not want to wait.
 */
export class Upkeep implements HostListener {
  readonly #tasks: UpkeepTasks;
  readonly #environment: Environment;
  readonly #listener: UpkeepListener;
  readonly #progress = new Map<string, Progress>();
  /** Journals that are to have a snapshot. */
  readonly #due = new Set<string>();
  #isSweepDue = false;
  #working: Promise<void> | null = null;
  #stopTimer: () => void;
  #isClosed = false;

  constructor(tasks: UpkeepTasks, environment: Environment, listener: UpkeepListener) {
    this.#tasks = tasks;
    this.#environment = environment;
    this.#listener = listener;
    this.#stopTimer = this.#sweepIn(FIRST_SWEEP_MS);
  }

  onUselessSnapshot(journal: string, problem: string): void {
    this.#listener.onProblem(journal, `its snapshot is of no use, and all commits were folded: ${problem}`);
  }

  onFolded(journal: string, work: number): void {
    const progress = this.#progressOf(journal);
    progress.work += work;
    if (progress.work < progress.enough) return;
    this.#due.add(journal);
    this.#work();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopTimer();
    await this.#tasks.close();
    await this.#working;
  }

  #progressOf(journal: string): Progress {
    let progress = this.#progress.get(journal);
    if (progress === undefined) {
      progress = { work: 0, enough: WORK_PER_SNAPSHOT };
      this.#progress.set(journal, progress);
    }
    return progress;
  }

  #sweepIn(ms: number): () => void {
    return this.#environment.setTimer(() => {
      this.#isSweepDue = true;
      this.#stopTimer = this.#sweepIn(SWEEP_EVERY_MS);
      this.#work();
    }, ms);
  }

  #work(): void {
    this.#working ??= this.#workOff().finally(() => {
      this.#working = null;
    });
  }

  async #workOff(): Promise<void> {
    while (!this.#isClosed) {
      const [journal] = this.#due;
      if (journal !== undefined) {
        this.#due.delete(journal);
        await this.#attempt(journal, () => this.#snapshot(journal));
      } else if (this.#isSweepDue) {
        this.#isSweepDue = false;
        await this.#attempt(null, async () => this.#listener.onSweep(await this.#tasks.sweep()));
      } else return;
    }
  }

  async #snapshot(journal: string): Promise<void> {
    const progress = this.#progressOf(journal);
    // If it fails, it is tried again after as much once more: what is in its way may be there for long.
    progress.work = 0;
    const taken = await this.#tasks.snapshot(journal);
    if (taken === null) return;
    progress.enough = Math.max(WORK_PER_SNAPSHOT, taken.bytes / BYTES_PER_EVENT);
    this.#listener.onSnapshot(journal, taken);
  }

  async #attempt(journal: string | null, task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (this.#isClosed) return;
      this.#listener.onProblem(journal, error instanceof Error ? error.message : String(error));
    }
  }
}
