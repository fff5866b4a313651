/**
 * For tools that drive labelling, such as a trainer: import samples, publish predictions, run rounds, and fetch
 * what was labelled. Everything of `@concord/sdk/client` is here too.
 *
 * @module
 */
export * from '../client/index.ts';
export type { AnnotatorErrors } from './annotators.ts';
export { connectDriver, type Driver } from './driver.ts';
export type { NewEmbeddings } from './embeddings.ts';
export { type ExistingOptions, ExistingSampleError } from './existing.ts';
export type { ExportOptions, ExportPage } from './exporting.ts';
export type { Imported, ImportOptions, ImportProgress, NewSample } from './importing.ts';
export type { PublishOptions, PublishProgress, RowNames } from './parts.ts';
export type { Predictions } from './predictions.ts';
export type {
  DriverProject,
  NewMember,
  ReplayOptions,
  RoundOptions,
  RoundsOptions,
  TrainingSetOptions,
} from './project.ts';
export type { ClosedRound, RoundProgress } from './rounds.ts';
