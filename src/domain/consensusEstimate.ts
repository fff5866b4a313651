import type { Answer, Answers, DawidSkeneFit } from './dawidSkene.ts';
import { posterior } from './dawidSkene.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** Consensus as Dawid and Skene estimate it: what it is made from, and what it says of a sample. */

/** Why answers do not tell who errs how. */
export type NoEstimateReason =
  /** Fewer than two annotators have an answer that counts. */
  | 'FEWER_THAN_TWO_ANNOTATORS'
  /** No sample has two answers that count: nobody can be held against anybody. */
  | 'NO_JOINTLY_LABELLED_SAMPLE'
  /** Annotators × classes² is more than {@link MAX_CELLS}. */
  | 'TOO_LARGE';

/** So many numbers may the matrices of all annotators have together: 32 MB, a few times over while they are estimated. */
const MAX_CELLS = 4_000_000;

/** Two classes are equally likely, as far as the arithmetic goes. */
const EQUAL = 1e-9;

/**
 * Every answer that counts, and the first ones to gold, by sample. Each as it was given before a suggestion was revealed:
 * the method takes answers to err independently, and those that were changed to what the model says do not. It looks through
 * all assignments once.
 */
export function answersOf(project: Project): Answers {
  const { assignments, samples, policy, labels } = project;
  const fromRandom = policy.consensus.prior === 'RANDOM_DRAW';
  const counted = Uint32Array.from(samples.counted.view());
  const checks = [...project.gold.firstAnswers()].filter(
    ({ sample, row }) => samples.isGold(sample) && !assignments.isCounted(row),
  );
  for (const { sample } of checks) counted[sample] = (counted[sample] as number) + 1;
  const places = new Int32Array(counted.length).fill(NONE);
  const offsets = new Uint32Array(counted.reduce((sum, count) => sum + Number(count > 0), 1));
  let place = 0;
  for (let sample = 0; sample < counted.length; sample++) {
    const count = counted[sample] as number;
    if (count === 0) continue;
    places[sample] = place++;
    offsets[place] = (offsets[place - 1] as number) + count;
  }
  const next = offsets.slice(0, place);
  const annotator = new Uint32Array(offsets[place] as number);
  const label = new Uint16Array(annotator.length);
  const forPrior = new Uint8Array(place);
  for (let row = 0; row < assignments.size; row++) {
    if (!assignments.isCounted(row)) continue;
    const at = places[assignments.sample.get(row)] as number;
    const answer = next[at] as number;
    // The oldest answer's draw is why the sample was asked first.
    if (fromRandom && answer === offsets[at]) forPrior[at] = Number(assignments.draw(row) === 'RANDOM');
    annotator[answer] = assignments.annotator.get(row);
    label[answer] = assignments.firstLabel(row);
    next[at] = answer + 1;
  }
  for (const check of checks) {
    const at = places[check.sample] as number;
    const answer = next[at] as number;
    annotator[answer] = check.annotator;
    label[answer] = check.label;
    next[at] = answer + 1;
  }
  const known = new Int32Array(place).fill(NONE);
  for (const [sample, ruling] of project.rulings) known[places[sample] as number] = ruling.label;
  for (const [sample, answer] of project.gold.known) {
    const at = places[sample] as number;
    if (at !== NONE) known[at] = answer.label;
  }
  const annotators = project.annotators.length;
  return { classes: labels.length, annotators, offsets, annotator, label, known, forPrior };
}

/** Why there is no estimate from these answers; null if there is one. */
export function whyNoEstimate({ classes, annotators, offsets, annotator }: Answers): NoEstimateReason | null {
  if (annotator.every((one) => one === annotator[0])) return 'FEWER_THAN_TWO_ANNOTATORS';
  // As many answers as samples: each has one.
  if (annotator.length === offsets.length - 1) return 'NO_JOINTLY_LABELLED_SAMPLE';
  return annotators * classes ** 2 > MAX_CELLS ? 'TOO_LARGE' : null;
}

/** How likely each class of a sample is, by the answers that it has now, or as it was ruled; null without any. */
export function classesOf(project: Project, fit: DawidSkeneFit, sample: number): Float64Array | null {
  const settled = project.gold.labelOf(sample) ?? project.rulings.get(sample)?.label;
  if (project.samples.counted.get(sample) === 0) return null;
  if (settled !== undefined) return fit.prior.map((_, label) => Number(label === settled));
  const { assignments } = project;
  const answers: Answer[] = [];
  for (const row of project.assignmentsOf(sample)) {
    if (!assignments.isCounted(row)) continue;
    answers.push({ annotator: assignments.annotator.get(row), label: assignments.firstLabel(row) });
  }
  return posterior(fit, answers);
}

/** The likeliest class, and how likely it is; null if another is as likely. */
export function likeliest(
  classes: Float64Array,
): { readonly label: number; readonly confidence: number } | null {
  const confidence = Math.max(...classes);
  const first = classes.filter((share) => share >= confidence - EQUAL);
  return first.length > 1 ? null : { label: classes.indexOf(confidence), confidence };
}
