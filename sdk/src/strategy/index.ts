/**
 * What a sampling strategy is written against.
 *
 * `defineStrategy` makes one; `highest` and `draw` choose from a pool in Concord's one order; `randomAt` is the
 * counter-based generator behind `context.random`.
 *
 * @module
 */
export {
  type Asked,
  type Context,
  type FullSelection,
  MAX_REASON,
  MAX_REASONS,
  type ScoreContext,
  type ScoreDefinition,
  type ScoreStrategy,
  type SelectContext,
  type SelectDefinition,
  type Selection,
  type SelectStrategy,
  type Strategy,
} from './contract.ts';
export { defineStrategy, isStrategy, strategyNameProblem } from './define.ts';
export { NearestCentres } from './kernels/centres.ts';
export { type Farthest, type FarthestOptions, farthestFirst } from './kernels/farthest.ts';
export type { Memory } from './kernels/instance.ts';
export { type Clusters, type KMeansOptions, kMeans } from './kernels/kMeans.ts';
export { logarithms } from './kernels/logarithms.ts';
export { type Seat, type SharedMatrices, seatIn, sharedMatrices } from './kernels/resident.ts';
export {
  bald,
  entropy,
  leastConfident,
  margin,
  type Passes,
  type Probabilities,
  voteEntropy,
} from './kernels/scores.ts';
export { UnsoundScoreError } from './kernels/sift.ts';
export { letLie, type Place, Stage, type StageSize, stageKeeper } from './kernels/stage.ts';
export { type Draw, draw, highest, type Top, TopK } from './order.ts';
export { deriveSeed, generator, hashText, randomAt } from './random.ts';
export { type LabelledSamples, NEEDS, type Need, type Pool, type Rows, type Samples } from './samples.ts';
export type { Output, StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';
