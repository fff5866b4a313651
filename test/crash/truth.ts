import { isDeepStrictEqual } from 'node:util';
import { announcedAt, announcedCount } from '../../src/domain/announced.ts';
import { Directory, type DirectoryEvent } from '../../src/domain/directory.ts';
import { chunksNamed, type ProjectEvent } from '../../src/domain/events.ts';
import { Project } from '../../src/domain/project.ts';
import { openStore } from '../../src/journal/open.ts';
import type { Commit, Store } from '../../src/journal/port.ts';
import { mustGetSoundChunk } from '../../src/service/chunks.ts';
import { differences } from '../../src/service/comparing.ts';
import { DIRECTORY_JOURNAL } from '../../src/service/directoryKind.ts';
import { foldFromZero, loadChunks, loadProjection } from '../../src/service/folding.ts';
import { NAMES } from '../../src/service/labels.ts';
import { PROJECT_KIND } from '../../src/service/projectKind.ts';
import { readManifest } from '../../src/service/snapshotFormat.ts';
import { type Ledger, mustEqual, type Sight, Violation } from './ledger.ts';

/** A sample as the feed announces it. */
export interface Announced {
  readonly round: number;
  readonly rank: number;
  readonly key: string;
}

/** What an event did to an assignment; null: nothing that anybody in a run asks for, or needs to be told. */
function deedOf(event: ProjectEvent, labels: readonly string[]): string | null {
  switch (event.type) {
    case 'submitted':
      return `submitted ${labels[event.label]}`;
    case 'skipped':
    case 'released':
    case 'undone':
    // Nobody in a run is so slow: this would be an assignment that its annotator has lost.
    case 'expired':
      return event.type;
    default:
      return null;
  }
}

/** A journal as far as it has been read. */
class Known {
  readonly journal: string;
  seq = 0;
  #time = 0;
  #id = '';
  readonly #ids = new Set<string>();

  constructor(journal: string) {
    this.journal = journal;
  }

  /**
   * The commits that have come since the last time.
   * @throws {Violation} they do not continue what was there, or that has changed
   */
  async *follow(store: Store): AsyncGenerator<Commit> {
    if (this.seq > 0) {
      const { value } = await store
        .read(this.journal, this.seq - 1)
        [Symbol.asyncIterator]()
        .next();
      mustEqual(`commit ${this.seq} of ${this.journal}, as it was before`, value?.id, this.#id);
    }
    for await (const commit of store.read(this.journal, this.seq)) {
      const { seq, id, time, events } = commit;
      const place = `commit ${seq} of ${this.journal}`;
      if (seq !== this.seq + 1) throw new Violation(`${place} comes after ${this.seq}`);
      if (time < this.#time) throw new Violation(`${place} goes back in time`);
      if (events.length === 0) throw new Violation(`${place} is empty`);
      if (this.#ids.has(id)) throw new Violation(`${place} stands there twice`);
      [this.seq, this.#time, this.#id] = [seq, time, id];
      this.#ids.add(id);
      yield commit;
    }
  }
}

/**
 * What is in the store, read from outside while no server runs: a fold of our own, commit by commit as they came, which
 * no crash has interrupted and no snapshot has shortened.
 */
export class Truth {
  readonly project = new Project();
  readonly directory = new Directory();
  /** All that the rounds have announced, in order. */
  readonly announced: Announced[] = [];
  /** Snapshots that were seen to stand. */
  snapshots = 0;
  readonly #location: string;
  readonly #projectJournal: Known;
  readonly #directoryJournal = new Known(DIRECTORY_JOURNAL);
  readonly #histories = new Map<string, string[]>();
  #snapshot = 0;

  /** @param project as the journal calls it */
  constructor(location: string, project: string) {
    this.#location = location;
    this.#projectJournal = new Known(project);
  }

  /** What the journal has of an assignment, in order. */
  historyOf(assignment: string): readonly string[] {
    return this.#histories.get(assignment) ?? [];
  }

  /**
   * Reads what was committed since the last time, and holds it against what was told.
   * @throws {Violation}
   */
  async follow(ledger: Ledger): Promise<void> {
    const store = await openStore(this.#location, 'READ');
    try {
      for await (const { seq, time, events } of this.#directoryJournal.follow(store)) {
        for (const event of events as unknown as DirectoryEvent[]) this.directory.fold(event, seq, time);
      }
      const changed = new Set<string>();
      // Of the state that is known already more may have been shown.
      this.#compare(ledger.takeSights(this.project.seq));
      for await (const commit of this.#projectJournal.follow(store)) {
        await this.#fold(store, commit, ledger, changed);
      }
      ledger.settle(this, changed);
      this.#checkCounts();
      await this.#checkNames(store);
      await this.#checkSnapshot(store);
    } finally {
      await store.close();
    }
  }

  /** @throws {Violation} a fold of all that is in the store differs from the fold of what was seen to come in */
  async checkFromZero(): Promise<void> {
    const store = await openStore(this.#location, 'READ');
    try {
      const { journal } = this.#projectJournal;
      const folded = await foldFromZero(store, journal, PROJECT_KIND, { pause: async () => undefined });
      mustEqual('in what a fold from zero differs', differences(this.project, folded), []);
    } finally {
      await store.close();
    }
  }

  async #fold(
    store: Store,
    { seq, time, events }: Commit,
    ledger: Ledger,
    changed: Set<string>,
  ): Promise<void> {
    const { project } = this;
    let sights = ledger.takeSights(seq);
    for (const event of events as unknown as ProjectEvent[]) {
      for (const chunk of chunksNamed(event)) await this.#checkChunk(store, seq, chunk);
      const chunks = await loadChunks(store, PROJECT_KIND.chunksToFold(event));
      project.fold(event, seq, time, (id) => chunks.get(id) ?? new Uint8Array());
      this.#takeDown(event, changed);
      sights = sights.filter(({ atEnd, seen, look }) => atEnd || !isDeepStrictEqual(seen, look(project)));
    }
    this.#compare(sights);
  }

  #compare(sights: readonly Sight[]): void {
    for (const { what, seq, seen, look } of sights) {
      mustEqual(`${what}, against commit ${seq}`, seen, look(this.project));
    }
  }

  #takeDown(event: ProjectEvent, changed: Set<string>): void {
    const deed = deedOf(event, this.project.labels);
    if (deed !== null && 'assignment' in event) {
      this.#histories.set(event.assignment, [...this.historyOf(event.assignment), deed]);
      changed.add(event.assignment);
    }
    const round = this.project.rounds.at(-1);
    if (event.type !== 'roundOpened' || round === undefined) return;
    for (let rank = 0; rank < announcedCount(round); rank++) {
      const { sample } = announcedAt(round, rank);
      this.announced.push({ round: round.number, rank, key: this.project.samples.keys.keyAt(sample) });
    }
  }

  /** What a commit names was stored before it. */
  async #checkChunk(store: Store, seq: number, chunk: string): Promise<void> {
    try {
      await mustGetSoundChunk(store, chunk);
    } catch (error) {
      throw new Violation(`commit ${seq} names what is not there: ${error}`);
    }
  }

  /** Answers are counted in several places; here once more, from what was done. */
  #checkCounts(): void {
    let answers = 0;
    for (const history of this.#histories.values()) if (history.at(-1)?.startsWith('submitted')) answers++;
    const { project } = this;
    const ofPeople = project.annotators.reduce((sum, annotator) => sum + annotator.answers, 0);
    mustEqual('answers of the project, and of its people', [project.answers, ofPeople], [answers, answers]);
  }

  /** A member's name is a document beside the journal. */
  async #checkNames(store: Store): Promise<void> {
    for (const { id, serviceOwner } of this.directory.members.values()) {
      const isHalf = !serviceOwner && typeof (await store.getDocument(NAMES, id)) !== 'string';
      if (isHalf) throw new Violation(`member ${id} was added, and has no name`);
    }
  }

  /** What a start would load is what all commits come to; no crash leaves a snapshot that is of no use. */
  async #checkSnapshot(store: Store): Promise<void> {
    const { journal } = this.#projectJournal;
    const loaded = await loadProjection(store, journal, PROJECT_KIND, {
      pause: async () => undefined,
      onUselessSnapshot: (problem) => {
        throw new Violation(`a crash has left a snapshot of no use: ${problem}`);
      },
    });
    mustEqual('in what a start would differ', differences(this.project, loaded), []);
    const { seq = 0 } = (await readManifest(store, journal)) ?? {};
    if (seq !== this.#snapshot) this.snapshots++;
    this.#snapshot = seq;
  }
}
