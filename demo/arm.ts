import { setTimeout as sleep } from 'node:timers/promises';
import { type Annotator, connectAnnotator } from '@concord/sdk/annotator';
import { type Agreement, connectDriver, type DriverProject, type Round } from '@concord/sdk/driver';
import { type SharedAnswers, type SimulatedAnnotator, simulateAnnotator } from './annotator.ts';
import type { CurvePoint } from './learning-curve.ts';
import { CLASSES, type Example, fitModel, heldOutAccuracy, type Study } from './study.ts';

/** Those who label, and how often each of them errs. */
export const PEOPLE = [
  { name: 'Ada', errorRate: 0.02 },
  { name: 'Ben', errorRate: 0.03 },
  { name: 'Cyd', errorRate: 0.05 },
] as const;

/** Mails drawn at random for the first model, the same in both arms. */
export const SEED_ROUND = 60;

export interface ArmOptions {
  readonly url: string;
  readonly ownerToken: string;
  readonly name: string;
  readonly strategy: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly rounds: number;
  readonly roundSize: number;
  readonly paceMs: number;
  readonly seed: number;
  /** Shared by the arms that are compared. */
  readonly answers: SharedAnswers;
  /** Called while mails are imported, and while a round is labelled. */
  readonly onProgress?: (what: string, done: number, of: number) => void;
}

/** How things stand after a round, with the model that was learnt from all labels so far. */
export interface ArmState extends CurvePoint {
  readonly round: number;
  readonly agreement: Agreement;
  /** Mails that the predictions before this round had auto-accepted. */
  readonly accepted: number;
  /** Audits answered so far, over all prediction runs, and those that found an error. */
  readonly audited: number;
  readonly auditErrors: number;
}

/**
 * One way of choosing what to label, from an empty project to the last round: a driver opens rounds, three
 * annotators label from their live queues, and a model learns from their consensus. All of it through the SDK.
 */
export async function* runArm(study: Study, options: ArmOptions): AsyncGenerator<ArmState, void, undefined> {
  const { url, ownerToken, rounds, onProgress = () => {} } = options;
  const driver = connectDriver({ url, token: ownerToken });
  const staff: Annotator[] = [];
  try {
    const project = await driver.createProject({
      name: options.name,
      labels: [...CLASSES],
      guidelines: 'Spam is what the reader never asked for and somebody wants money from. All else is ham.',
      seed: options.seed,
      policy: {
        roundSize: options.roundSize,
        strategy: options.strategy,
        strategyParameters: options.parameters,
        suggestions: 'HIDDEN',
        auditCap: 4,
        workSessionMinutes: 0,
      },
    });
    await project.importSamples(
      study.pool.map(({ mail: { key, subject, from, text } }) => ({ key, data: { subject, from, text } })),
      { onProgress: ({ samples }) => onProgress('importing mails', samples, study.pool.length) },
    );
    const answers = options.answers.forRun();
    for (const [i, person] of PEOPLE.entries()) {
      const { token } = await project.addMember({ name: person.name, role: 'ANNOTATOR', kind: 'PERSON' });
      const annotator = await connectAnnotator({ url, token, project: project.id });
      staff.push(annotator);
      const { paceMs, seed } = options;
      const simulated = simulateAnnotator({ ...person, classes: CLASSES, paceMs, seed: seed * 10 + i });
      void work(annotator, simulated, study, answers);
    }
    const trainer = new Trainer(project, study);
    let opened = await project.openRound({
      strategy: 'random',
      parameters: {},
      size: SEED_ROUND,
      seed: options.seed,
    });
    for (let round = 0; ; round++) {
      await labelled(project, opened, (settled, total) => onProgress(`round ${round}`, settled, total));
      const state = await trainer.learn(round);
      yield state;
      if (round === rounds) return;
      await trainer.publish(round + 1);
      opened = await project.openRound({ seed: options.seed + round + 1 });
    }
  } finally {
    for (const annotator of staff) annotator.close();
    driver.close();
  }
}

/** One person at work, until the connection is closed. */
async function work(
  annotator: Annotator,
  person: SimulatedAnnotator,
  study: Study,
  answer: ReturnType<SharedAnswers['forRun']>,
): Promise<void> {
  // Who labels sees the mail and nothing else: the truth must be known by what it says.
  const truths = new Map(study.pool.map(({ mail }) => [essence(mail), mail]));
  for await (const assignment of annotator) {
    await sleep(person.thinkingTime());
    const mail = truths.get(essence(assignment.data as { subject: string; text: string }));
    if (mail === undefined) throw new Error('the service sent a mail that was never imported');
    await annotator.submit(assignment, answer(person, mail.key, mail.label));
  }
}

function essence({ subject, text }: { readonly subject: string; readonly text: string }): string {
  return `${subject}\n${text}`;
}

async function labelled(
  project: DriverProject,
  round: Round,
  onProgress: (settled: number, total: number) => void,
) {
  for await (const progress of project.roundProgress(round)) {
    onProgress(progress.round.settled, progress.round.total);
  }
}

/** Learns from the consensus, and tells the service what the model thinks of the pool. */
class Trainer {
  readonly #project: DriverProject;
  readonly #study: Study;
  readonly #byKey: ReadonlyMap<string, Example>;
  #model: ReturnType<typeof fitModel> | null = null;
  #audited = 0;
  #auditErrors = 0;

  constructor(project: DriverProject, study: Study) {
    this.#project = project;
    this.#study = study;
    this.#byKey = new Map(study.pool.map((example) => [example.mail.key, example]));
  }

  async learn(round: number): Promise<ArmState> {
    const examples: [Example, string][] = [];
    for await (const { sample, label, source } of this.#project.trainingSet()) {
      const example = this.#byKey.get(sample.key);
      // The model's own opinions would teach it nothing, and the two arms are compared by people's labels.
      if (example && source === 'CONSENSUS') examples.push([example, label]);
    }
    this.#model = fitModel(examples);
    const [progress, agreement, run] = await Promise.all([
      this.#project.progress(),
      this.#project.agreement(),
      this.#project.predictionRun(),
    ]);
    this.#audited += run?.audited ?? 0;
    this.#auditErrors += run?.errors ?? 0;
    return {
      round,
      labels: progress.answers,
      accuracy: heldOutAccuracy(this.#model, this.#study.test),
      agreement,
      accepted: run?.accepted ?? 0,
      audited: this.#audited,
      auditErrors: this.#auditErrors,
    };
  }

  async publish(version: number): Promise<void> {
    if (this.#model === null) throw new Error('there is no model before the first round');
    await this.#project.publishPredictions({
      model: `logistic-${version}`,
      keys: this.#study.pool.map(({ mail }) => mail.key),
      probabilities: this.#model.probabilities(this.#study.pool.map(({ row }) => row)),
    });
  }
}
