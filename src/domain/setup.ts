import type { Decision } from './decision.ts';
import { type LabelScale, scaleProblem } from './labelScale.ts';
import {
  changedPolicy,
  POLICY_PRESETS,
  type Policy,
  type PolicyChange,
  type PolicyPreset,
} from './policy.ts';
import type { Project } from './project.ts';
import { refuse } from './refusals.ts';

/** The most classes a label set may have. */
const MAX_CLASSES = 1_000;

export interface NewProject {
  readonly by: string;
  readonly labels: readonly string[];
  readonly scale: LabelScale;
  readonly guidelines: string;
  readonly preset: PolicyPreset;
  /** Laid over the preset. */
  readonly policy: PolicyChange;
  /** Seeds the project's draws; uint32. */
  readonly seed: number;
}

/** Begins a project's journal. */
export function* createProject(project: Project, input: NewProject): Decision<void> {
  if (project.isCreated) return;
  const { by, labels, scale, guidelines, seed } = input;
  const wrong = (problem: string) => refuse('INVALID_INPUT', { field: 'labels', problem });
  if (labels.length < 2 || labels.length > MAX_CLASSES) {
    throw wrong(`a label set has 2 to ${MAX_CLASSES} labels, not ${labels.length}`);
  }
  for (const label of labels) {
    if (label.trim() !== label || label === '' || label.length > 200) {
      throw wrong(`'${label.slice(0, 200)}' is empty, over 200 characters, or begins or ends with a space`);
    }
  }
  if (new Set(labels).size < labels.length) throw wrong('the same label comes twice');
  const problem = scaleProblem(scale, labels.length);
  if (problem !== null) throw refuse('INVALID_INPUT', { field: 'scale', problem });
  if (guidelines.length > 100_000) {
    throw refuse('PAYLOAD_TOO_LARGE', { what: 'guidelines', bytes: guidelines.length, limit: 100_000 });
  }
  const policy = changedPolicy(POLICY_PRESETS[input.preset], input.policy);
  yield { type: 'projectCreated', version: 2, labels, scale, guidelines, policy, seed, by };
}

/** Changes some fields of the policy and answers the whole. */
export function* changePolicy(
  project: Project,
  { by, change }: { readonly by: string; readonly change: PolicyChange },
): Decision<Policy> {
  yield { type: 'policyChanged', version: 2, policy: changedPolicy(project.policy, change), by };
  return project.policy;
}
