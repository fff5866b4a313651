import type { CommandInput, CommandResult, ProjectCommand } from '../domain/commands.ts';
import type { ProjectEvent } from '../domain/events.ts';
import type { Project } from '../domain/project.ts';
import type { Store, StoredValue } from '../journal/port.ts';
import { type Calculator, IN_PROCESS } from './calculator.ts';
import { ConsensusEstimates } from './consensusEstimates.ts';
import { type Desk, projectDesk } from './desk.ts';
import type { Environment } from './environment.ts';
import type { Projection } from './folding.ts';
import { type GoldView, goldView } from './goldView.ts';
import { type CommandOptions, type HostListener, JournalHost } from './journalHost.ts';
import { type Observer, observed } from './observer.ts';
import { PeopleViews } from './people.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { Reports } from './reports.ts';
import { SharedView } from './sharedView.ts';
import { checkStorable } from './storable.ts';
import { ResidentMatrix } from './strategyInputs.ts';
import {
  type AgreementView,
  type AuditView,
  agreementView,
  auditView,
  type ProgressView,
  progressView,
} from './views.ts';

/** Has a command decided; see {@link JournalHost.execute}. */
export type Execute = <P extends Projection<E>, E, V>(
  desk: Desk<P, E>,
  command: string,
  input: StoredValue,
  view: (projection: P, result: unknown) => V,
  options: CommandOptions,
) => Promise<V>;

/** Decides a command at this node. */
export const decideHere: Execute = ({ host, decide }, command, input, view, options) =>
  host.execute((projection, moment) => decide(projection, command, input, moment), view, options);

/** One project as this node serves it. */
export class LiveProject {
  readonly id: string;
  readonly host: JournalHost<Project, ProjectEvent>;
  readonly desk: Desk<Project, ProjectEvent>;
  readonly matrix: ResidentMatrix;
  readonly estimates: ConsensusEstimates;
  readonly reports: Reports;
  readonly agreement: SharedView<AgreementView>;
  readonly audit: SharedView<AuditView>;
  readonly gold: SharedView<GoldView>;
  readonly progress: SharedView<ProgressView>;
  readonly people = new PeopleViews();
  readonly #execute: Execute;
  readonly #observer: Observer | undefined;

  /** @param execute has a command decided, wherever that is; default: here */
  constructor(
    id: string,
    store: Store,
    environment: Environment,
    listener?: HostListener,
    calculator: Calculator = IN_PROCESS,
    execute: Execute = decideHere,
  ) {
    this.id = id;
    this.host = new JournalHost(PROJECT_KIND, id, store, environment, listener);
    this.agreement = new SharedView(agreementView, environment);
    this.audit = new SharedView(auditView, environment);
    this.gold = new SharedView(goldView, environment);
    this.progress = new SharedView(progressView, environment);
    this.desk = projectDesk(this.host);
    this.#execute = execute;
    this.#observer = environment.observer;
    this.matrix = new ResidentMatrix(store);
    this.estimates = new ConsensusEstimates(calculator, (look) => this.read(look));
    this.reports = new Reports(calculator, environment, (look) => this.read(look));
  }

  /**
   * Decides a command; see {@link JournalHost.execute}.
   * @throws {Refusal} INVALID_INPUT too: the input holds what no store can keep
   */
  async execute<C extends ProjectCommand, V>(
    command: C,
    input: CommandInput<C>,
    view: (project: Project, result: CommandResult<C>) => V,
    options: CommandOptions = {},
  ): Promise<V> {
    checkStorable(input);
    const seen = (project: Project, result: unknown) => view(project, result as CommandResult<C>);
    return observed(this.#observer, command, () =>
      this.#execute(this.desk, command, input as unknown as StoredValue, seen, options),
    );
  }

  read<R>(look: (project: Project) => R): Promise<R> {
    return this.host.read(look);
  }
}
