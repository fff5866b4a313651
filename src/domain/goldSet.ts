import { labelIndex } from './classNames.ts';
import { classesOf, likeliest } from './consensusEstimate.ts';
import type { DawidSkeneFit } from './dawidSkene.ts';
import type { Decision } from './decision.ts';
import { mustNotBeErased } from './erasingSamples.ts';
import type { GoldOrigin } from './events.ts';
import type { Project } from './project.ts';
import { notFound, refuse } from './refusals.ts';
import { settleSample } from './settling.ts';

/** What an owner does with gold: set it, take it back, and let people go on whom it has paused. */

/** The most samples that one command makes gold, or takes out of it. */
export const MAX_GOLD = 1_000;

/** As many people must have said a label that an owner makes gold from consensus. */
const MIN_VOTES = 2;

export interface NewGold {
  readonly by: string;
  /** Samples by ordinal, and what each is known to be. */
  readonly answers: readonly { readonly sample: number; readonly label: string }[];
  /** `CONSENSUS`: the owner confirms what people have said; see {@link goldCandidate}. */
  readonly origin: Exclude<GoldOrigin, 'IMPORT'>;
}

/** Makes samples gold, all of them or none. What is known as that already stays as it is. Gives how many there are. */
export function* setGold(project: Project, { by, answers, origin }: NewGold): Decision<number> {
  checkSamples(
    project,
    answers.map(({ sample }) => sample),
  );
  const changed = answers
    .map(({ sample, label }) => ({ sample, label: labelIndex(project, label) }))
    .filter(({ sample, label }) => project.gold.labelOf(sample) !== label);
  for (const { sample, label } of changed) {
    mustNotBeErased(project, sample);
    const ruling = project.rulings.get(sample);
    if (ruling !== undefined && ruling.label !== label)
      throw wrong(
        `sample ${sample} was ruled to be '${project.labels[ruling.label]}': reopen the ruling first`,
      );
    const votes = project.countedLabels(sample).filter((given) => given === label).length;
    if (origin === 'CONSENSUS' && ruling === undefined && votes < MIN_VOTES)
      throw wrong(
        `sample ${sample} has ${votes} answers '${project.labels[label]}', and it takes ${MIN_VOTES}`,
      );
  }
  if (changed.length > 0) {
    yield {
      type: 'goldSet',
      samples: Uint32Array.from(changed, ({ sample }) => sample),
      labels: Uint32Array.from(changed, ({ label }) => label),
      origin,
      by,
    };
  }
  for (const { sample } of changed) yield* settleSample(project, sample);
  return project.gold.size;
}

/**
 * Makes samples work like any other again. Answers that were given to them as gold count, oldest first, as far as the
 * sample needs any. Gives how many are left.
 */
export function* removeGold(
  project: Project,
  { by, samples }: { readonly by: string; readonly samples: readonly number[] },
): Decision<number> {
  checkSamples(project, samples);
  const removed = samples.filter((sample) => project.samples.isGold(sample));
  if (removed.length > 0) yield { type: 'goldRemoved', samples: Uint32Array.from(removed), by };
  for (const sample of removed) yield* settleSample(project, sample);
  return project.gold.size;
}

/**
 * Lets somebody go on whom gold has paused. They are judged anew, by their answers from here on; figures that are only
 * shown still take in the earlier ones. Nothing happens if they are not paused.
 */
export function* resumeAnnotator(
  project: Project,
  { by, member }: { readonly by: string; readonly member: string },
): Decision<string> {
  const annotator = project.annotator(member);
  if (annotator === undefined) throw notFound('annotator');
  if (annotator.pausedAt !== null) yield { type: 'annotatorResumed', member, by };
  return member;
}

/** A sample that people are sure enough of that an owner may make it gold. */
export interface GoldCandidate {
  readonly sample: number;
  readonly label: number;
  /** Answers for this label, {@link MIN_VOTES} or more, and all that count. */
  readonly votes: number;
  readonly of: number;
  /** How sure it is, 0…1: by an estimate its probability; where all say the same, 1. */
  readonly confidence: number;
}

/** By an estimate, a label is sure enough from this probability on. */
export const SURE = 0.99;
/** Samples that one look goes through: some milliseconds' worth. */
const SAMPLES_PER_LOOK = 10_000;

/**
 * What a sample would be as gold, or null: what an estimate is {@link SURE} of; without an estimate, what all who answered
 * say. {@link MIN_VOTES} at least must have said it.
 */
function goldCandidate(
  project: Project,
  sample: number,
  estimate: DawidSkeneFit | null,
): GoldCandidate | null {
  const { samples } = project;
  if (samples.counted.get(sample) < MIN_VOTES || samples.isGold(sample) || samples.isErased(sample))
    return null;
  const labels = project.countedLabels(sample);
  const found =
    estimate === null ? unanimous(labels) : likeliest(classesOf(project, estimate, sample) ?? NOTHING);
  if (found === null || found.confidence < SURE) return null;
  const ruling = project.rulings.get(sample);
  if (ruling !== undefined && ruling.label !== found.label) return null;
  const votes = labels.filter((label) => label === found.label).length;
  return votes < MIN_VOTES ? null : { sample, votes, of: labels.length, ...found };
}

const NOTHING = new Float64Array();

function unanimous(labels: readonly number[]) {
  const label = labels[0] as number;
  return labels.every((other) => other === label) ? { label, confidence: 1 } : null;
}

/**
 * Candidates from a sample on, in the order of import, at most `count`; and where to look on, for only so many samples are
 * looked at, or null: there are no more.
 */
export function goldCandidates(
  project: Project,
  from: number,
  count: number,
  estimate: DawidSkeneFit | null,
): { readonly found: GoldCandidate[]; readonly next: number | null } {
  const found: GoldCandidate[] = [];
  const end = Math.min(project.samples.size, from + SAMPLES_PER_LOOK);
  let sample = from;
  for (; sample < end && found.length < count; sample++) {
    const candidate = goldCandidate(project, sample, estimate);
    if (candidate !== null) found.push(candidate);
  }
  return { found, next: sample < project.samples.size ? sample : null };
}

function checkSamples(project: Project, samples: readonly number[]): void {
  if (samples.length === 0 || samples.length > MAX_GOLD)
    throw wrong(`${samples.length} are not 1 to ${MAX_GOLD} samples`);
  if (new Set(samples).size < samples.length) throw wrong('a sample comes twice');
  for (const sample of samples) {
    if (!(Number.isInteger(sample) && sample >= 0 && sample < project.samples.size)) throw notFound('sample');
  }
}

function wrong(problem: string) {
  return refuse('INVALID_INPUT', { field: 'samples', problem });
}
