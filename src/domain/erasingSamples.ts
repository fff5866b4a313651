import type { Decision } from './decision.ts';
import type { ErasureReason } from './erasure.ts';
import type { ReplacedChunk } from './events.ts';
import type { Project } from './project.ts';
import { notFound, refuse } from './refusals.ts';
import { settleSample } from './settling.ts';

/** The most samples that one command erases. */
export const MAX_ERASED = 1_000;

export interface Erasing {
  readonly by: string;
  /** By ordinal. */
  readonly samples: readonly number[];
  /** Blocks without what those held, stored before. */
  readonly replaced: readonly ReplacedChunk[];
  readonly reason: ErasureReason;
}

/**
 * Erases samples, all of them or none: what is in people's hands of them is taken back, and nobody is asked about them
 * again. Answers stay, so every figure that comes of them does. Those erased already stay as they are.
 * @returns how many were erased now; null: a block has been replaced since it was read, so it must be read again
 */
export function* eraseSamples(
  project: Project,
  { by, samples, replaced, reason }: Erasing,
): Decision<number | null> {
  const pending = notErased(project, samples);
  if (pending.length === 0) return 0;
  const standing = new Map(pending.map((sample) => blockOf(project, sample)));
  const fits = replaced.every(({ first, from }) => standing.get(first) === from);
  if (!fits || replaced.length !== standing.size) return null;
  const erased = new Set(pending);
  for (const row of [...project.held]) {
    if (!erased.has(project.assignments.sample.get(row))) continue;
    yield { type: 'released', assignment: project.assignments.ids.keyAt(row) };
  }
  yield { type: 'samplesErased', samples: Uint32Array.from(pending), replaced, reason, by };
  for (const sample of pending) yield* settleSample(project, sample);
  return pending.length;
}

function blockOf({ samples }: Project, sample: number): [first: number, chunk: string] {
  const { chunk, index } = samples.payload(sample);
  return [sample - index, chunk];
}

/**
 * Those of the samples that are not erased yet.
 * @throws {Refusal} NOT_FOUND, INVALID_INPUT
 */
export function notErased(project: Project, samples: readonly number[]): number[] {
  if (samples.length === 0 || samples.length > MAX_ERASED) {
    const problem = `${samples.length} are not 1 to ${MAX_ERASED} samples`;
    throw refuse('INVALID_INPUT', { field: 'samples', problem });
  }
  for (const sample of samples) {
    if (!(Number.isInteger(sample) && sample >= 0 && sample < project.samples.size)) throw notFound('sample');
  }
  return [...new Set(samples)].filter((sample) => !project.samples.isErased(sample));
}

/** @throws {Refusal} ERASED: what it held is gone, so nobody can say anything more of it */
export function mustNotBeErased({ samples }: Project, sample: number): void {
  if (samples.isErased(sample)) throw refuse('ERASED', { what: 'sample' });
}
