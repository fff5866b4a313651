import { answersOf, type NoEstimateReason, whyNoEstimate } from '../domain/consensusEstimate.ts';
import type { Answers, DawidSkeneFit } from '../domain/dawidSkene.ts';
import type { Project } from '../domain/project.ts';
import type { Calculator } from './calculator.ts';
import { OneAtATime } from './strategyInputs.ts';

/** Consensus as it was estimated at one commit. */
export interface ConsensusEstimate {
  /** The newest commit at which these were the answers. */
  readonly seq: number;
  /** From how many answers, to how many samples. */
  readonly answers: number;
  readonly samples: number;
  /** By annotator's number: answers of theirs among them. */
  readonly answersOf: Uint32Array;
  /** Null: there is none, for the reason beside. */
  readonly fit: DawidSkeneFit | null;
  readonly undefined: NoEstimateReason | null;
}

/**
 * A project's consensus as Dawid and Skene estimate it, made when it is asked for. It is derived from the answers alone,
 * so that no event and no ruling depends on it, and kept until the answers have changed.
 */
export class ConsensusEstimates {
  readonly #calculator: Calculator;
  readonly #read: <T>(look: (project: Project) => T) => Promise<T>;
  readonly #turns = new OneAtATime();
  #kept: { readonly from: Answers; readonly estimate: ConsensusEstimate } | null = null;
  /** What those get who ask while another one is being made. */
  #next: Promise<ConsensusEstimate> | null = null;

  constructor(calculator: Calculator, read: <T>(look: (project: Project) => T) => Promise<T>) {
    this.#calculator = calculator;
    this.#read = read;
  }

  /** From the answers that there are, made anew if those have changed. */
  upToDate(): Promise<ConsensusEstimate> {
    this.#next ??= this.#turns.run(() => {
      this.#next = null;
      return this.#estimate();
    });
    return this.#next;
  }

  /** The newest that was made, be it from fewer answers; made if there is none, or none was to be had then. */
  async newest(): Promise<ConsensusEstimate> {
    const kept = this.#kept?.estimate;
    return kept?.fit ? kept : this.upToDate();
  }

  async #estimate(): Promise<ConsensusEstimate> {
    const { seq, seed, from } = await this.#read((project) => {
      const isSame = this.#kept?.estimate.seq === project.seq;
      const from = isSame ? null : answersOf(project);
      return { seq: project.seq, seed: project.created.seed, from };
    });
    const kept = this.#kept;
    if (kept !== null && (from === null || areSame(from, kept.from))) {
      this.#kept = { from: kept.from, estimate: { ...kept.estimate, seq } };
      return this.#kept.estimate;
    }
    const answers = from as Answers;
    const reason = whyNoEstimate(answers);
    const answersOfEach = new Uint32Array(answers.annotators);
    for (const one of answers.annotator) answersOfEach[one] = (answersOfEach[one] as number) + 1;
    const estimate = {
      seq,
      answers: answers.annotator.length,
      samples: answers.offsets.length - 1,
      answersOf: answersOfEach,
      fit: reason === null ? await this.#calculator.fit(answers, { seed }) : null,
      undefined: reason,
    };
    this.#kept = { from: answers, estimate };
    return estimate;
  }
}

function areSame(a: Answers, b: Answers): boolean {
  const isEqual = (one: ArrayBufferView, other: ArrayBufferView) =>
    Buffer.from(one.buffer, one.byteOffset, one.byteLength).equals(
      Buffer.from(other.buffer, other.byteOffset, other.byteLength),
    );
  return (
    a.annotators === b.annotators &&
    isEqual(a.offsets, b.offsets) &&
    isEqual(a.annotator, b.annotator) &&
    isEqual(a.label, b.label) &&
    isEqual(a.known, b.known) &&
    isEqual(a.forPrior, b.forPrior)
  );
}
