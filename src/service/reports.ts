import { answerColumns } from '../domain/answerColumns.ts';
import { type PersonFigures, personFigures } from '../domain/personFigures.ts';
import type { Project } from '../domain/project.ts';
import { type ProjectReport, projectReport, standingOf } from '../domain/report.ts';
import type { Calculator } from './calculator.ts';
import { delay, type Environment } from './environment.ts';
import { OneAtATime } from './strategyInputs.ts';

/** People whose work is looked at in one turn: some milliseconds' worth. */
export const PEOPLE_PER_TURN = 10;

/**
 * A project's report, made when it is asked for. All answers are looked through elsewhere, in a copy of their columns;
 * what is done in this thread is done in short turns, so that claims go on.
 */
export class Reports {
  readonly #calculator: Calculator;
  readonly #environment: Environment;
  readonly #read: <T>(look: (project: Project) => T) => Promise<T>;
  readonly #turns = new OneAtATime();
  #kept: ProjectReport | null = null;
  /** What those get who ask while another one is being made. */
  #next: Promise<ProjectReport> | null = null;

  constructor(
    calculator: Calculator,
    environment: Environment,
    read: <T>(look: (project: Project) => T) => Promise<T>,
  ) {
    this.#calculator = calculator;
    this.#environment = environment;
    this.#read = read;
  }

  /**
   * As the project stands; made anew if that has moved. Figures of people may be some commits ahead: each is as it is when
   * its turn comes.
   */
  upToDate(): Promise<ProjectReport> {
    this.#next ??= this.#turns.run(() => {
      this.#next = null;
      return this.#make();
    });
    return this.#next;
  }

  async #make(): Promise<ProjectReport> {
    const kept = this.#kept;
    const begun = await this.#read((project) =>
      kept?.seq === project.seq ? null : { standing: standingOf(project), columns: answerColumns(project) },
    );
    if (begun === null) return kept as ProjectReport;
    const tallying = this.#calculator.tally(begun.columns);
    const [tallies, people] = await Promise.all([tallying, this.#people()]);
    this.#kept = projectReport(begun.standing, tallies, people);
    return this.#kept;
  }

  async #people(): Promise<PersonFigures[]> {
    const people: PersonFigures[] = [];
    for (;;) {
      const first = people.length;
      const some = await this.#read((project) =>
        project.annotators
          .slice(first, first + PEOPLE_PER_TURN)
          .map((annotator) => personFigures(project, annotator)),
      );
      people.push(...some);
      if (some.length < PEOPLE_PER_TURN) return people;
      await delay(this.#environment, 0);
    }
  }
}
