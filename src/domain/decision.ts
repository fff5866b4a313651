import type { ProjectEvent } from './events.ts';
import type { ChunkSource } from './project.ts';

/**
 * A decision: it reads the projection, never changes it, and gives its events one by one. Whoever runs it folds
 * each event before asking for the next, so that a later step sees the earlier ones; claiming five samples is
 * five times claiming one. At the end it returns the command's result, or it throws a `Refusal`. Events given
 * before a refusal are facts of their own (times that have run out), never half of what was refused.
 */
export type Decision<R> = Generator<ProjectEvent, R, void>;

/** What a decision is given from outside, so that the same inputs always come to the same events. */
export interface Moment {
  /** Milliseconds since 1970, never before the journal's newest commit. */
  readonly now: number;
  /** A fresh random id, not to be guessed. */
  readonly newId: () => string;
  /** The chunks that the command names, loaded before. */
  readonly chunks: ChunkSource;
}
