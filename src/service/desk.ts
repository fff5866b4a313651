import { type CommandInput, type CommandResult, decide, type ProjectCommand } from '../domain/commands.ts';
import type { Moment } from '../domain/decision.ts';
import type { Directory, DirectoryEvent, DirectoryProject } from '../domain/directory.ts';
import {
  type DirectoryCommand,
  type DirectoryCommands,
  decideDirectory,
} from '../domain/directoryCommands.ts';
import type { ProjectEvent } from '../domain/events.ts';
import type { PredictionRun } from '../domain/predictionRun.ts';
import type { Project } from '../domain/project.ts';
import type { Round } from '../domain/round.ts';
import type { StoredValue } from '../journal/port.ts';
import type { Projection } from './folding.ts';
import type { JournalHost } from './journalHost.ts';

/**
 * A journal's commands by their names, so that another node can be asked to decide one. What a command comes to may be
 * part of that node's projection: what is sent back is a **reference**, by which the same is found in one's own.
 */
export interface Desk<P extends Projection<E>, E> {
  readonly host: JournalHost<P, E>;
  decide(projection: P, command: string, input: StoredValue, moment: Moment): Generator<E, unknown, void>;
  refer(command: string, result: unknown): StoredValue;
  find(command: string, projection: P, reference: StoredValue): unknown;
  /**
   * Whether a command that was perhaps decided may be decided again, whatever has happened meanwhile: it stands once, and
   * undoes nothing that came after it.
   */
  isRepeatable(command: string): boolean;
}

/** Any desk: which commands it has is of no interest. */
// biome-ignore lint/suspicious/noExplicitAny: a desk takes back only what it has given
export type AnyDesk = Desk<any, any>;

/** How a result is referred to. */
interface Reference<P, R> {
  refer(result: R): StoredValue;
  find(projection: P, reference: StoredValue): R;
}

/** It is plain data, the same at every node. */
const PLAIN: Reference<unknown, never> = {
  refer: (result) => result as StoredValue,
  find: (_, reference) => reference as never,
};
/** Nobody asks for it. */
const NOTHING: Reference<unknown, never> = { refer: () => null, find: () => undefined as never };
const ROUND: Reference<Project, Round> = {
  refer: ({ number }) => number,
  find: (project, number) => there(project.rounds[Number(number) - 1]),
};
const RUN: Reference<Project, PredictionRun> = {
  refer: ({ number }) => number,
  find: (project, number) => there(project.runs[Number(number) - 1]),
};

function there<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('what another node has decided is not in the journal');
  return found;
}

type ProjectResults = { [C in ProjectCommand]: { result: CommandResult<C> } };

type References<P, C extends string, R extends Record<C, { result: unknown }>> = {
  readonly [K in C]: {
    readonly reference: Reference<P, R[K]['result']> | Reference<unknown, never>;
    readonly isRepeatable: boolean;
  };
};

const PROJECT: References<Project, ProjectCommand, ProjectResults> = {
  createProject: { reference: NOTHING, isRepeatable: true },
  changePolicy: {
    reference: { refer: () => null, find: ({ policy }: Project) => policy },
    isRepeatable: false,
  },
  importSamples: { reference: PLAIN, isRepeatable: true },
  publishPredictions: { reference: RUN, isRepeatable: false },
  publishEmbeddings: { reference: PLAIN, isRepeatable: false },
  openRound: { reference: ROUND, isRepeatable: false },
  closeRound: { reference: ROUND, isRepeatable: true },
  closeExhaustedRound: { reference: NOTHING, isRepeatable: true },
  claim: { reference: PLAIN, isRepeatable: true },
  // Undone meanwhile, it would stand again.
  submit: { reference: PLAIN, isRepeatable: false },
  skip: { reference: PLAIN, isRepeatable: true },
  release: { reference: PLAIN, isRepeatable: true },
  renew: { reference: PLAIN, isRepeatable: true },
  undo: { reference: PLAIN, isRepeatable: false },
  rule: { reference: PLAIN, isRepeatable: false },
  reopenRuling: { reference: PLAIN, isRepeatable: false },
  setGold: { reference: PLAIN, isRepeatable: false },
  removeGold: { reference: PLAIN, isRepeatable: false },
  // Paused again meanwhile, they would be resumed twice.
  resumeAnnotator: { reference: PLAIN, isRepeatable: false },
  eraseSamples: { reference: PLAIN, isRepeatable: true },
  endWorkSession: { reference: NOTHING, isRepeatable: true },
  disconnect: { reference: NOTHING, isRepeatable: true },
  sweep: { reference: NOTHING, isRepeatable: true },
};

const DIRECTORY: References<Directory, DirectoryCommand, DirectoryCommands> = {
  admitServiceOwner: { reference: PLAIN, isRepeatable: true },
  addProject: {
    reference: {
      refer: ({ id }: DirectoryProject) => id,
      find: ({ projects }: Directory, id: StoredValue) => there(projects.get(String(id))),
    },
    isRepeatable: true,
  },
  addMember: { reference: PLAIN, isRepeatable: true },
  grantRole: { reference: NOTHING, isRepeatable: false },
  issueToken: { reference: PLAIN, isRepeatable: true },
  signOn: { reference: PLAIN, isRepeatable: true },
  // The second time it would say that there was none.
  revokeTokens: { reference: PLAIN, isRepeatable: false },
  revokeToken: { reference: NOTHING, isRepeatable: true },
  // Another end may have been set since.
  expireToken: { reference: PLAIN, isRepeatable: false },
  rotateToken: { reference: PLAIN, isRepeatable: true },
  invite: { reference: PLAIN, isRepeatable: true },
  withdrawInvitation: { reference: PLAIN, isRepeatable: true },
  acceptInvitation: { reference: PLAIN, isRepeatable: true },
  eraseMember: { reference: PLAIN, isRepeatable: true },
};

function deskOf<P extends Projection<E>, E>(
  host: JournalHost<P, E>,
  commands: Readonly<Record<string, { reference: object; isRepeatable: boolean }>>,
  decide: Desk<P, E>['decide'],
): Desk<P, E> {
  const of = (command: string) => {
    if (!Object.hasOwn(commands, command)) throw new Error(`there is no command ${command}`);
    return commands[command] as { reference: Reference<P, unknown>; isRepeatable: boolean };
  };
  return {
    host,
    decide,
    refer: (command, result) => of(command).reference.refer(result),
    find: (command, projection, reference) => of(command).reference.find(projection, reference),
    isRepeatable: (command) => of(command).isRepeatable,
  };
}

export function projectDesk(host: JournalHost<Project, ProjectEvent>): Desk<Project, ProjectEvent> {
  return deskOf(host, PROJECT, (project, command, input, moment) =>
    decide(project, command as ProjectCommand, input as CommandInput<ProjectCommand>, moment),
  );
}

export function directoryDesk(host: JournalHost<Directory, DirectoryEvent>): Desk<Directory, DirectoryEvent> {
  return deskOf(host, DIRECTORY, (directory, command, input) =>
    decideDirectory(
      directory,
      command as DirectoryCommand,
      input as DirectoryCommands[DirectoryCommand]['input'],
    ),
  );
}
