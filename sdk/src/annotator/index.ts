/**
 * For programs with which somebody labels: what to label next, as an async iterator over a live queue, and what
 * to do with it. Everything of `@concord/sdk/client` is here too.
 *
 * @module
 */
export * from '../client/index.ts';
export {
  type Annotator,
  type AnnotatorOptions,
  type AssignmentsOptions,
  connectAnnotator,
  type OutboxState,
  type SubmitOptions,
} from './annotator.ts';
export type { Answer, OutboxStorage, RefusedAnswer } from './outbox.ts';
