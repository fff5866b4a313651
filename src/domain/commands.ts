import {
  type Answered,
  disconnect,
  endWorkSession,
  type OwnAssignment,
  release,
  renew,
  type Submission,
  skip,
  submit,
  undo,
} from './answer.ts';
import { type Claim, claim } from './claim.ts';
import type { Decision, Moment } from './decision.ts';
import { type Embeddings, type NewEmbeddings, publishEmbeddings } from './embedding.ts';
import { type Erasing, eraseSamples } from './erasingSamples.ts';
import { type NewGold, removeGold, resumeAnnotator, setGold } from './goldSet.ts';
import { type ImportPart, importSamples } from './importing.ts';
import type { Policy, PolicyChange } from './policy.ts';
import { type NewPredictionRun, publishPredictions } from './predicting.ts';
import type { PredictionRun } from './predictionRun.ts';
import type { ImportedPart, Project } from './project.ts';
import type { Round } from './round.ts';
import { type Choice, closeExhaustedRound, closeRound, openRound } from './rounds.ts';
import { reopenRuling, rule } from './rulings.ts';
import { settleTime } from './settling.ts';
import { changePolicy, createProject, type NewProject } from './setup.ts';

/** Every command of a project: what it is given, and what it comes to. */
export interface ProjectCommands {
  createProject: { input: NewProject; result: void };
  changePolicy: { input: { by: string; change: PolicyChange }; result: Policy };
  importSamples: { input: ImportPart; result: ImportedPart };
  publishPredictions: { input: NewPredictionRun; result: PredictionRun };
  publishEmbeddings: { input: NewEmbeddings; result: Embeddings };
  openRound: { input: { by: string; choice: Choice; deadline: number | null }; result: Round };
  closeRound: { input: { by: string; number: number }; result: Round };
  closeExhaustedRound: { input: { annotators: readonly string[] }; result: void };
  claim: { input: { by: string; hold: number }; result: Claim };
  submit: { input: Submission; result: Answered };
  skip: { input: OwnAssignment & { reason: string }; result: number };
  release: { input: OwnAssignment; result: number };
  renew: { input: OwnAssignment; result: number };
  undo: { input: OwnAssignment; result: number };
  rule: { input: { by: string; sample: number; label: string; reason: string }; result: number };
  reopenRuling: { input: { by: string; sample: number; reason: string }; result: number };
  setGold: { input: NewGold; result: number };
  removeGold: { input: { by: string; samples: readonly number[] }; result: number };
  resumeAnnotator: { input: { by: string; member: string }; result: string };
  eraseSamples: { input: Erasing; result: number | null };
  endWorkSession: { input: { by: string }; result: void };
  disconnect: { input: { by: string }; result: void };
  /** Only lets go what has run out; any other command does that too, before it decides. */
  sweep: { input: Record<never, never>; result: void };
}

export type ProjectCommand = keyof ProjectCommands;
export type CommandInput<C extends ProjectCommand> = ProjectCommands[C]['input'];
export type CommandResult<C extends ProjectCommand> = ProjectCommands[C]['result'];

const DECIDERS: {
  readonly [C in ProjectCommand]: (
    project: Project,
    input: CommandInput<C>,
    moment: Moment,
  ) => Decision<CommandResult<C>>;
} = {
  createProject,
  changePolicy,
  importSamples,
  publishPredictions,
  publishEmbeddings,
  openRound,
  closeRound,
  closeExhaustedRound,
  claim,
  submit,
  skip,
  release,
  renew,
  undo,
  rule,
  reopenRuling,
  setGold,
  removeGold,
  resumeAnnotator,
  eraseSamples,
  endWorkSession,
  disconnect,
  *sweep() {},
};

/** Decides a command. What has run out by now is let go first, so that no command sees a lapsed claim. */
export function* decide<C extends ProjectCommand>(
  project: Project,
  command: C,
  input: CommandInput<C>,
  moment: Moment,
): Decision<CommandResult<C>> {
  if (project.isCreated) yield* settleTime(project, moment.now);
  else if (command !== 'createProject') throw new Error(`${command} on a project that was never created`);
  return yield* DECIDERS[command](project, input, moment);
}
