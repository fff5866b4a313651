import type { CommandInput, CommandResult, ProjectCommand } from '../domain/commands.ts';
import { decide } from '../domain/commands.ts';
import {
  Directory,
  type DirectoryCommand,
  type DirectoryCommands,
  type DirectoryEvent,
  decideDirectory,
} from '../domain/directory.ts';
import type { ProjectEvent } from '../domain/events.ts';
import { chunksToFold, Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import type { Store } from '../journal/port.ts';
import type { StrategyHost } from '../strategies/host.ts';
import { Attendance } from './attendance.ts';
import { type Environment, newId } from './environment.ts';
import { Hub } from './hub.ts';
import { JournalHost } from './journalHost.ts';
import { PayloadReader } from './payloads.ts';
import { ResidentMatrix } from './residentMatrix.ts';

export type { StrategyInfo } from '../strategies/host.ts';

/** The topic of the directory's changes: members, roles, tokens. */
export const DIRECTORY_TOPIC = 'directory';

const DIRECTORY_KIND = { empty: () => new Directory(), chunksToFold: () => [] };
const PROJECT_KIND = { empty: () => new Project(), chunksToFold };

/** One project as this node serves it. */
export class LiveProject {
  readonly id: string;
  readonly host: JournalHost<Project, ProjectEvent>;
  readonly matrix: ResidentMatrix;

  constructor(id: string, store: Store, environment: Environment) {
    this.id = id;
    this.host = new JournalHost(PROJECT_KIND, id, store, environment);
    this.matrix = new ResidentMatrix(store);
  }

  /** Decides a command; see {@link JournalHost.execute}. */
  execute<C extends ProjectCommand, V>(
    command: C,
    input: CommandInput<C>,
    view: (project: Project, result: CommandResult<C>) => V,
    options?: { readonly chunks?: ReadonlyMap<string, Uint8Array>; readonly alone?: boolean },
  ): Promise<V> {
    return this.host.execute((project, moment) => decide(project, command, input, moment), view, options);
  }

  read<R>(look: (project: Project) => R): Promise<R> {
    return this.host.read(look);
  }
}

/**
 * The service: the directory and the projects over one store, with a strategy host and a live hub. It knows
 * nothing of GraphQL and HTTP. What it does for each concept stands in the file of that concept, as functions
 * on this object.
 */
export class Concord {
  readonly store: Store;
  readonly strategies: StrategyHost;
  readonly environment: Environment;
  readonly hub = new Hub();
  readonly attendance = new Attendance();
  readonly payloads: PayloadReader;
  readonly directory: JournalHost<Directory, DirectoryEvent>;
  readonly #projects = new Map<string, LiveProject>();

  constructor(store: Store, strategies: StrategyHost, environment: Environment) {
    this.store = store;
    this.strategies = strategies;
    this.environment = environment;
    this.payloads = new PayloadReader(store);
    this.directory = new JournalHost<Directory, DirectoryEvent>(
      DIRECTORY_KIND,
      'directory',
      store,
      environment,
    );
    this.directory.onCommit(() => this.hub.wake(DIRECTORY_TOPIC));
  }

  newId(): string {
    return newId(this.environment);
  }

  /** Decides a command of the directory. */
  direct<C extends DirectoryCommand, V>(
    command: C,
    input: DirectoryCommands[C]['input'],
    view: (directory: Directory, result: DirectoryCommands[C]['result']) => V,
  ): Promise<V> {
    return this.directory.execute((directory) => decideDirectory(directory, command, input), view);
  }

  /** A project by its id. Whether somebody may see it was checked before. */
  project(id: string): LiveProject {
    let project = this.#projects.get(id);
    if (project === undefined) {
      project = new LiveProject(id, this.store, this.environment);
      project.host.onCommit(() => this.hub.wake(id));
      this.#projects.set(id, project);
    }
    return project;
  }

  /** The projects that were used since the service began. */
  get loaded(): Iterable<LiveProject> {
    return this.#projects.values();
  }

  /** Lets go in every loaded project what has run out, so that people are told without anybody asking. */
  async sweep(): Promise<void> {
    for (const project of this.#projects.values()) {
      const due = await project.read((state) => isDue(state, this.environment.now()));
      if (due) await project.execute('sweep', {}, () => undefined);
    }
  }

  /** Ends the streams, waits for what is under way, and lets go of the workers and the store. */
  async close(): Promise<void> {
    this.attendance.close();
    this.hub.close();
    await this.directory.settled();
    for (const project of this.#projects.values()) await project.host.settled();
    await this.strategies.close();
    await this.store.close();
  }
}

function isDue(project: Project, now: number): boolean {
  if (!project.isCreated) return false;
  const deadline = project.nextDeadline();
  if (deadline && deadline.until <= now) return true;
  const round = project.openRound;
  return round?.opened.deadline != null && round.opened.deadline <= now;
}

/** The refusal for what does not exist or is not to be seen. */
export function notFound(what: string) {
  return refuse('NOT_FOUND', { what });
}
