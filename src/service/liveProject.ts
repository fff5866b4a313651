import { type CommandInput, type CommandResult, decide, type ProjectCommand } from '../domain/commands.ts';
import type { ProjectEvent } from '../domain/events.ts';
import type { Project } from '../domain/project.ts';
import type { Store } from '../journal/port.ts';
import { ConsensusEstimates, type Fitter, IN_PROCESS } from './consensusEstimates.ts';
import type { Environment } from './environment.ts';
import { type HostListener, JournalHost } from './journalHost.ts';
import { PROJECT_KIND } from './projectKind.ts';
import { SharedView } from './sharedView.ts';
import { checkStorable } from './storable.ts';
import { ResidentMatrix } from './strategyInputs.ts';
import { agreementView, auditView, progressView } from './views.ts';

/** One project as this node serves it. */
export class LiveProject {
  readonly id: string;
  readonly host: JournalHost<Project, ProjectEvent>;
  readonly matrix: ResidentMatrix;
  readonly estimates: ConsensusEstimates;
  readonly agreement = new SharedView(agreementView);
  readonly audit = new SharedView(auditView);
  readonly progress = new SharedView(progressView);

  constructor(
    id: string,
    store: Store,
    environment: Environment,
    listener?: HostListener,
    fitter: Fitter = IN_PROCESS,
  ) {
    this.id = id;
    this.host = new JournalHost(PROJECT_KIND, id, store, environment, listener);
    this.matrix = new ResidentMatrix(store);
    this.estimates = new ConsensusEstimates(fitter, (look) => this.read(look));
  }

  /**
   * Decides a command; see {@link JournalHost.execute}.
   * @throws {Refusal} INVALID_INPUT too: the input holds what no store can keep
   */
  async execute<C extends ProjectCommand, V>(
    command: C,
    input: CommandInput<C>,
    view: (project: Project, result: CommandResult<C>) => V,
    options?: { readonly chunks?: ReadonlyMap<string, Uint8Array>; readonly alone?: boolean },
  ): Promise<V> {
    checkStorable(input);
    return this.host.execute((project, moment) => decide(project, command, input, moment), view, options);
  }

  read<R>(look: (project: Project) => R): Promise<R> {
    return this.host.read(look);
  }
}
