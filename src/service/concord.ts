import type { Directory, DirectoryEvent } from '../domain/directory.ts';
import type { DirectoryCommand, DirectoryCommands } from '../domain/directoryCommands.ts';
import type { ChunkId, Store, StoredValue } from '../journal/port.ts';
import type { StrategyHost } from '../strategies/host.ts';
import { Attendance } from './attendance.ts';
import { type Calculator, IN_PROCESS } from './calculator.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { type AnyDesk, type Desk, directoryDesk } from './desk.ts';
import { DIRECTORY_JOURNAL, DIRECTORY_KIND } from './directoryKind.ts';
import { type Environment, newId } from './environment.ts';
import { Following } from './following.ts';
import { Hub } from './hub.ts';
import { JournalHost } from './journalHost.ts';
import { decideHere, type Execute, LiveProject } from './liveProject.ts';
import { observed } from './observer.ts';
import { PayloadReader } from './payloads.ts';
import { ReasonReader } from './reasons.ts';
import { ServiceStoppingError } from './stopping.ts';
import { checkStorable } from './storable.ts';
import { OneAtATime } from './strategyInputs.ts';
import { Sweep } from './sweep.ts';
import { DIRECTORY_TOPIC, presenceTopic, STRATEGIES_TOPIC } from './topics.ts';
import type { Upkeep } from './upkeep.ts';

export type { StrategyInfo } from '../strategies/host.ts';

/**
 * The service: the directory and the projects over one store, with a strategy host and a live hub. It knows
 * nothing of GraphQL and HTTP. What it does for each concept stands in the file of that concept, as functions
 * on this object.
 */
export class Concord {
  readonly store: Store;
  readonly strategies: StrategyHost;
  readonly environment: Environment;
  readonly hub: Hub;
  readonly attendance: Attendance;
  readonly payloads: PayloadReader;
  readonly reasons: ReasonReader;
  /** Passes and embeddings are held for one strategy at a time. */
  readonly largeInputs = new OneAtATime();
  readonly directory: JournalHost<Directory, DirectoryEvent>;
  /** When this node last saw each token, by its id: told to who looks after tokens, kept nowhere. */
  readonly tokenUses = new Map<string, number>();
  /** What other nodes append. */
  readonly following: Following;
  /** The other nodes; null: there are none, or each decides by itself and the store tells who was faster. */
  readonly cluster: Cluster | null;
  /** When what people have signed on with here ends, in milliseconds since 1970: the directory does not have it. */
  readonly signOnEnds = new Set<number>();
  readonly #directoryDesk: Desk<Directory, DirectoryEvent>;
  readonly #execute: Execute;
  readonly #projects = new Map<string, LiveProject>();
  readonly #upkeep: Upkeep | null;
  readonly #calculator: Calculator;
  readonly #stopping = new AbortController();
  #closing: Promise<void> | null = null;
  /** Up to when tokens that run out were looked for. */
  #tokensLookedAt: number;
  readonly #sweep = new Sweep(this);

  /**
   * @param upkeep snapshots and sweeps of the store; null: somebody else sees to them, or nobody
   * @param calculator works out what takes long; default: in this thread, which meanwhile does nothing else
   * @param cluster the way to the other nodes. It is left alone where the store has no leases
   */
  constructor(
    store: Store,
    strategies: StrategyHost,
    environment: Environment,
    upkeep: Upkeep | null = null,
    calculator: Calculator = IN_PROCESS,
    cluster: ClusterOptions | null = null,
  ) {
    this.store = store;
    this.#upkeep = upkeep;
    this.#calculator = calculator;
    this.strategies = strategies;
    this.environment = environment;
    this.hub = new Hub(environment);
    this.#tokensLookedAt = environment.now();
    this.attendance = new Attendance(environment, (project) => this.hub.wake(presenceTopic(project)));
    this.payloads = new PayloadReader(store, (chunk) => this.#successorOf(chunk));
    this.reasons = new ReasonReader(store);
    this.directory = new JournalHost(DIRECTORY_KIND, DIRECTORY_JOURNAL, store, environment);
    this.#directoryDesk = directoryDesk(this.directory);
    this.cluster =
      cluster && store.leases
        ? new Cluster(
            store,
            store.leases,
            environment,
            cluster,
            (journal) => this.#deskOf(journal),
            this.attendance,
          )
        : null;
    this.#execute = this.cluster?.execute.bind(this.cluster) ?? decideHere;
    this.directory.onChange(() => this.hub.wake(DIRECTORY_TOPIC));
    strategies.onChange(() => this.hub.wake(STRATEGIES_TOPIC));
    const hosts = { all: () => this.#hosts(), of: (journal: string) => this.#hostOf(journal) };
    this.following = new Following(store, environment, hosts);
  }

  newId(): string {
    return newId(this.environment);
  }

  /** Decides a command of the directory. */
  async direct<C extends DirectoryCommand, V>(
    command: C,
    input: DirectoryCommands[C]['input'],
    view: (directory: Directory, result: DirectoryCommands[C]['result']) => V,
  ): Promise<V> {
    checkStorable(input);
    const seen = (directory: Directory, result: unknown) =>
      view(directory, result as DirectoryCommands[C]['result']);
    return observed(this.environment.observer, command, () =>
      this.#execute(this.#directoryDesk, command, input as unknown as StoredValue, seen, {}),
    );
  }

  /** A project by its id. Whether somebody may see it was checked before. */
  project(id: string): LiveProject {
    let project = this.#projects.get(id);
    if (project === undefined) {
      const { store, environment } = this;
      const upkeep = this.#upkeep ?? undefined;
      project = new LiveProject(id, store, environment, upkeep, this.#calculator, this.#execute);
      project.host.onChange((state) =>
        this.hub.wake(id, (member, since) => state.hasMovedFor(member, since)),
      );
      let forgotten = 0;
      project.host.onChange(({ samples: { replaced } }) => {
        if (replaced.size === forgotten) return;
        forgotten = replaced.size;
        for (const chunk of replaced.keys()) this.payloads.forget(chunk);
      });
      this.#projects.set(id, project);
    }
    return project;
  }

  /** The block in the place of one that something was erased from, as far as a project in use knows. */
  async #successorOf(chunk: ChunkId): Promise<ChunkId | undefined> {
    for (const project of this.#projects.values()) {
      // Another node has erased it, perhaps just now.
      await project.host.follow();
      const successor = await project.read(({ samples }) => samples.successorOf(chunk));
      if (successor !== undefined) return successor;
    }
    return undefined;
  }

  /** How many projects are in use here. */
  get loadedProjects(): number {
    return this.#projects.size;
  }

  /** The projects that are in use here. */
  projectsInUse(): Iterable<LiveProject> {
    return this.#projects.values();
  }

  /** Samples of the projects in use here by how far they have come, and those in people's hands. */
  async depths(): Promise<Readonly<Record<'unlabelled' | 'labelled' | 'held' | 'inRound', number>>> {
    const sum = { unlabelled: 0, labelled: 0, held: 0, inRound: 0 };
    for (const project of this.#projects.values()) {
      // One whose journal cannot be read is told of elsewhere.
      await project
        .read(({ samples, labelled, held, openRound }) => {
          sum.unlabelled += samples.size - labelled;
          sum.labelled += labelled;
          sum.held += held.size;
          if (openRound) sum.inRound += openRound.unsettled;
        })
        .catch(() => undefined);
    }
    return sum;
  }

  *#hosts() {
    yield this.directory;
    for (const { host } of this.#projects.values()) yield host;
  }

  #hostOf(journal: string) {
    return journal === DIRECTORY_JOURNAL ? this.directory : this.#projects.get(journal)?.host;
  }

  #deskOf(journal: string): AnyDesk {
    return journal === DIRECTORY_JOURNAL ? this.#directoryDesk : this.project(journal).desk;
  }

  /** Forgets a project that came to nothing. */
  forget({ id }: LiveProject): void {
    this.#projects.delete(id);
    void this.cluster?.leases.release(id);
  }

  /**
   * Ends the streams of those whose token has run out since this was last called. To be called often: nobody reads on
   * for longer than that with a token that is dead.
   */
  async endExpired(): Promise<void> {
    const now = this.environment.now();
    const since = this.#tokensLookedAt;
    let hasEnded = await this.directory.read((directory) => directory.hasTokenEnded(since, now));
    // Only now: what could not be looked for is looked for next time.
    this.#tokensLookedAt = now;
    for (const end of this.signOnEnds) {
      if (end > now) continue;
      this.signOnEnds.delete(end);
      hasEnded = true;
    }
    if (hasEnded) this.hub.wake(DIRECTORY_TOPIC);
  }

  /** What must be done though nobody asks for it: see {@link Sweep}. To be called often. */
  sweep(): Promise<void> {
    return this.#sweep.run();
  }

  /**
   * A signal for something that may take long: aborted when nobody waits for it any more, or when the service stops.
   * @param abandoned aborted when nobody waits for it any more
   * @throws the signal's reason, if it is aborted already
   */
  untilStopped(abandoned: AbortSignal): AbortSignal {
    const signal = AbortSignal.any([this.#stopping.signal, abandoned]);
    signal.throwIfAborted();
    return signal;
  }

  /** Has what may take long be given up: the choosing of a strategy. Whoever asked for it is told that the service stops. */
  giveUp(): void {
    this.#stopping.abort(new ServiceStoppingError());
  }

  /** Ends the streams, waits for what is under way, and lets go of the workers and the store. */
  close(): Promise<void> {
    this.#closing ??= this.#letGo();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    this.giveUp();
    this.following.close();
    this.attendance.close();
    this.hub.close();
    await this.directory.settled();
    for (const project of this.#projects.values()) await project.host.settled();
    await this.cluster?.close();
    await this.#calculator.close();
    await this.strategies.close();
    await this.#upkeep?.close();
    await this.store.close();
  }
}
