import { expect } from 'vitest';
import type { EmptyClaim } from '../../src/domain/claim.ts';
import {
  type CommandInput,
  type CommandResult,
  decide,
  type ProjectCommand,
} from '../../src/domain/commands.ts';
import type { PredictionPart, ProjectEvent } from '../../src/domain/events.ts';
import { NOMINAL } from '../../src/domain/labelScale.ts';
import type { PolicyChange, PolicyPreset } from '../../src/domain/policy.ts';
import { preAnnotate } from '../../src/domain/predicting.ts';
import { Project } from '../../src/domain/project.ts';
import { Refusal, type RefusalCode } from '../../src/domain/refusals.ts';
import type { Choice } from '../../src/domain/rounds.ts';
import { encodeUncertainties, uncertainties } from '../../src/domain/stopping.ts';
import { encodeVerdicts } from '../../src/domain/verdicts.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
/** When every scenario begins. */
export const START = 1_700_000_000_000;
export const LABELS = ['cat', 'dog', 'owl'] as const;

/** One command's events, as a journal keeps them. */
export interface Commit {
  readonly seq: number;
  readonly time: number;
  readonly events: readonly ProjectEvent[];
}

/** What a command came to. */
export class Outcome<R> {
  readonly events: readonly ProjectEvent[];
  readonly refusal: Refusal | null;
  readonly #results: readonly R[];

  constructor(events: readonly ProjectEvent[], end: { readonly result: R } | { readonly refusal: Refusal }) {
    this.events = events;
    this.refusal = 'refusal' in end ? end.refusal : null;
    this.#results = 'result' in end ? [end.result] : [];
  }

  /** The result. @throws {Refusal} it was refused */
  get result(): R {
    if (this.refusal) throw this.refusal;
    return this.#results[0] as R;
  }

  /** It was done, with exactly these events; of each, the fields that are given. */
  thenEvents(...expected: readonly Partial<ProjectEvent>[]): this {
    expect(this.refusal).toBeNull();
    expect(this.events).toMatchObject(expected);
    expect(this.events).toHaveLength(expected.length);
    return this;
  }

  /** It was done, and that changed nothing. */
  thenNothing(): this {
    return this.thenEvents();
  }

  /** It was refused, and nothing happened but what had run out. */
  thenRefused(code: RefusalCode, details: object = {}, lapsed: readonly Partial<ProjectEvent>[] = []): void {
    expect(this.refusal).toMatchObject({ code, details });
    expect(this.events).toMatchObject(lapsed);
    expect(this.events).toHaveLength(lapsed.length);
  }
}

/**
 * Given, when, then: a project, a clock that is moved by hand, ids that count up, and chunks in memory. A
 * decision is run as the service's host runs it: each event is folded before the next is asked for, and one
 * command's events are one commit.
 */
export class Scenario {
  readonly project = new Project();
  readonly commits: Commit[] = [];
  readonly chunks = new Map<string, Uint8Array>();
  now = START;
  /** Is shown every event just before it is folded. */
  onEvent: (event: ProjectEvent) => void = () => {};
  #ids = 0;

  /** The command has been done. */
  given<C extends ProjectCommand>(command: C, input: CommandInput<C>): this {
    const { refusal } = this.when(command, input);
    if (refusal) throw refusal;
    return this;
  }

  when<C extends ProjectCommand>(command: C, input: CommandInput<C>): Outcome<CommandResult<C>> {
    const { project, chunks } = this;
    const seq = project.seq + 1;
    const time = Math.max(project.time, this.now);
    const events: ProjectEvent[] = [];
    const moment = { now: time, newId: () => `a${++this.#ids}`, chunks: chunkSource(chunks) };
    const decision = decide(project, command, input, moment);
    const done = (end: ConstructorParameters<typeof Outcome<CommandResult<C>>>[1]) => {
      if (events.length > 0) this.commits.push({ seq, time, events });
      return new Outcome(events, end);
    };
    try {
      for (let step = decision.next(); ; step = decision.next()) {
        if (step.done) return done({ result: step.value });
        events.push(step.value);
        this.onEvent(step.value);
        project.fold(step.value, seq, time, moment.chunks);
      }
    } catch (error) {
      if (error instanceof Refusal) return done({ refusal: error });
      throw error;
    }
  }

  /** Time passes. */
  after(milliseconds: number): this {
    this.now += milliseconds;
    return this;
  }

  /** The journal read from the beginning, as after a restart. */
  replay(): Project {
    const project = new Project();
    for (const { seq, time, events } of structuredClone(this.commits)) {
      for (const event of events) project.fold(event, seq, time, chunkSource(this.chunks));
    }
    return project;
  }

  /** `count` more samples, with keys s0, s1 … by their ordinals. */
  imported(count: number): this {
    const first = this.project.samples.size;
    const keys = Array.from({ length: count }, (_, i) => `s${first + i}`);
    const blocks = [{ chunk: `payloads${first}`, count }];
    return this.given('importSamples', { by: 'driver', importId: `i${first}`, part: 0, keys, blocks });
  }

  /** A round of these samples in this order. */
  opened(samples: readonly number[], choice: Partial<Choice> = {}, deadline: number | null = null): this {
    return this.given('openRound', { by: 'driver', choice: chosen(samples, choice), deadline });
  }

  /** A prediction run: for each sample named, how sure the model is of which class. */
  predicted(rows: Readonly<Record<number, { readonly label?: number; readonly sure: number }>>): this {
    const parts = [this.uploaded(rows)];
    return this.given('publishPredictions', { by: 'driver', model: 'model', parts });
  }

  /** Stores one part of a prediction run. */
  uploaded(
    rows: Readonly<Record<number, { readonly label?: number; readonly sure: number }>>,
  ): PredictionPart {
    const ordinals = Uint32Array.from(Object.keys(rows), Number);
    const classes = this.project.labels.length;
    const matrix = new Float32Array(ordinals.length * classes);
    Object.values(rows).forEach(({ label = 0, sure }, row) => {
      matrix.fill((1 - sure) / (classes - 1), row * classes, (row + 1) * classes);
      matrix[row * classes + label] = sure;
    });
    const verdicts = `verdicts${this.chunks.size}`;
    this.chunks.set(verdicts, encodeVerdicts(preAnnotate(ordinals, matrix, classes)));
    const unsure = `uncertainties${this.chunks.size}`;
    this.chunks.set(unsure, encodeUncertainties(uncertainties(matrix, classes)));
    const matrixId = `matrix of ${verdicts}`;
    return { matrix: matrixId, verdicts, uncertainties: unsure, passes: [], rows: ordinals.length };
  }

  /** Tops up what somebody holds, and answers the samples they hold, oldest first. */
  claims(by: string, hold = 1): number[] {
    return this.when('claim', { by, hold }).result.held.map((row) => this.sampleOf(row));
  }

  /** Why somebody's claim gives nothing. */
  emptyFor(by: string): EmptyClaim | null {
    return this.when('claim', { by, hold: 1 }).result.empty;
  }

  /** Somebody's assignment of a sample, however it ended. */
  idOf(by: string, sample: number): string {
    const { project } = this;
    const row = project.assignmentOf(sample, project.annotator(by)?.index ?? -1);
    if (row < 0) throw new Error(`${by} has never had sample ${sample}`);
    return project.assignments.ids.keyAt(row);
  }

  sampleOf(row: number): number {
    return this.project.assignments.sample.get(row);
  }

  /** Somebody answers a sample that they have or had. */
  submits(by: string, sample: number, label: string = LABELS[0], hold: number | null = null) {
    const assignment = this.idOf(by, sample);
    return this.when('submit', { by, assignment, label, milliseconds: null, hold });
  }

  /** Somebody claims one sample and answers it; its ordinal. */
  labels(by: string, label: string = LABELS[0]): number {
    const [sample] = this.claims(by);
    if (sample === undefined) throw new Error(`there is nothing for ${by}`);
    expect(this.submits(by, sample, label).refusal).toBeNull();
    return sample;
  }
}

/** What a strategy might have chosen. */
export function chosen(samples: readonly number[], choice: Partial<Choice> = {}): Choice {
  return {
    readAt: 1,
    requested: samples.length,
    origin: 'POLICY',
    strategy: { name: 'margin', version: 'v1', parameters: {}, asked: [] },
    seed: 7,
    run: null,
    samples: Uint32Array.from(samples),
    scores: Float64Array.from(samples, (_, rank) => -rank),
    normalised: Float64Array.from(samples, (_, rank) => 1 - rank / samples.length),
    random: new Uint8Array(samples.length),
    inclusionProbability: null,
    reasons: null,
    states: {},
    ...choice,
  };
}

/** A policy without surprises: one label a sample, no audits, no work sessions. */
const PLAIN: PolicyChange = {
  overlap: 2,
  overlapShare: 0,
  autoAcceptThreshold: null,
  workSession: { minutes: 0, breakMinutes: 0 },
  hiddenShare: 0.1,
};

/** A new project with some samples, which waits for rounds. */
export function project(
  policy: PolicyChange = {},
  { samples = 0, preset = 'ACTIVE_LEARNING' as PolicyPreset, seed = 1 } = {},
): Scenario {
  const scenario = new Scenario().given('createProject', {
    by: 'owner',
    labels: LABELS,
    scale: NOMINAL,
    guidelines: '',
    preset,
    policy: { ...PLAIN, ...policy },
    seed,
  });
  return samples > 0 ? scenario.imported(samples) : scenario;
}

/** A new project that serves its samples in the order of import. */
export function pool(samples: number, policy: PolicyChange = {}): Scenario {
  return project({ withoutRound: 'POOL', ...policy }, { samples });
}

function chunkSource(chunks: ReadonlyMap<string, Uint8Array>) {
  return (id: string): Uint8Array => {
    const bytes = chunks.get(id);
    if (bytes === undefined) throw new Error(`no chunk ${id}`);
    return bytes;
  };
}
