import type { Decision } from './decision.ts';
import type { JsonRecord, RoundOpened, StrategyOrigin } from './events.ts';
import { goldLeft, hasWork } from './nextSample.ts';
import { MAX_ROUND_SIZE } from './policy.ts';
import type { Project } from './project.ts';
import { hash32, sampleWithoutReplacement, stringSeed, uniform } from './random.ts';
import { notFound, refuse } from './refusals.ts';
import type { Round } from './round.ts';

/** What a strategy may choose from, in the order of ordinals; on memory that workers share. */
export interface CandidatePool {
  /** Unlabelled samples that nobody holds and that are not given up. */
  readonly ordinals: Uint32Array;
  /** 1 where the current run's prediction stands in for people. */
  readonly accepted: Uint8Array;
}

export function candidatePool(project: Project): CandidatePool {
  const { samples, currentRun } = project;
  const isTrusted = currentRun?.autoAccept !== 'SUSPENDED';
  const ordinals = new Uint32Array(new SharedArrayBuffer(4 * samples.size));
  const accepted = new Uint8Array(new SharedArrayBuffer(samples.size));
  let count = 0;
  for (let sample = 0; sample < samples.size; sample++) {
    if (!samples.isUnlabelled(sample)) continue;
    // What people have not labelled is auto-accepted once the run accepts it: see `Project.isAutoAccepted`.
    if (isTrusted && samples.isAccepted(sample)) accepted[count] = 1;
    ordinals[count++] = sample;
  }
  return { ordinals: ordinals.subarray(0, count), accepted: accepted.subarray(0, count) };
}

/** What each strategy keeps, by its name: what the newest round says in which it kept anything. */
export function strategyStates({ rounds }: Project): Readonly<Record<string, JsonRecord>> {
  return Object.assign({}, ...rounds.map(({ opened }) => opened.states));
}

/** The strategy of a round, when whoever opens it names none. */
export function strategyOfPolicy({ policy, currentRun }: Project): {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly origin: StrategyOrigin;
} {
  return currentRun === undefined && policy.coldStart !== null
    ? { ...policy.coldStart, origin: 'COLD_START' }
    : { ...policy.strategy, origin: 'POLICY' };
}

/** What a strategy chose, in labelling order, as the event of its round keeps it. */
export type Choice = Pick<
  RoundOpened,
  | 'readAt'
  | 'requested'
  | 'origin'
  | 'strategy'
  | 'seed'
  | 'run'
  | 'samples'
  | 'scores'
  | 'normalised'
  | 'random'
  | 'inclusionProbability'
  | 'reasons'
  | 'states'
>;

/** At most one of so many announced is an audit or gold. */
const ONE_IN = 5;

const ANNOUNCED_AUDITS_STREAM = stringSeed('announced audits');

/** @throws {Refusal} INVALID_INPUT, ROUND_OPEN: what can be refused before a strategy runs */
export function mayOpenRound(project: Project, size: number, deadline: number | null, now: number): void {
  if (!Number.isInteger(size) || size < 1 || size > MAX_ROUND_SIZE) {
    throw refuse('INVALID_INPUT', {
      field: 'size',
      problem: `${size} is not a whole number from 1 to ${MAX_ROUND_SIZE}`,
    });
  }
  if (deadline !== null && !(deadline > now)) {
    throw refuse('INVALID_INPUT', { field: 'deadline', problem: 'it has passed already' });
  }
  if (project.openRound !== undefined) throw refuse('ROUND_OPEN', { round: project.openRound.number });
}

/**
 * Opens a round with what a strategy has chosen. Samples that were labelled or taken while the strategy ran
 * are left out.
 */
export function* openRound(
  project: Project,
  {
    by,
    choice,
    deadline,
  }: { readonly by: string; readonly choice: Choice; readonly deadline: number | null },
): Decision<Round> {
  if (project.openRound !== undefined) throw refuse('ROUND_OPEN', { round: project.openRound.number });
  const kept: number[] = [];
  choice.samples.forEach((sample, rank) => {
    if (project.samples.isUnlabelled(sample)) kept.push(rank);
  });
  if (kept.length === 0)
    throw refuse('NOTHING_TO_SELECT', { unlabelled: candidatePool(project).ordinals.length });
  const samples = Uint32Array.from(kept, (rank) => choice.samples[rank] as number);
  yield {
    type: 'roundOpened',
    version: 2,
    ...choice,
    round: project.rounds.length + 1,
    samples,
    scores: Float64Array.from(kept, (rank) => choice.scores[rank] as number),
    normalised: Float64Array.from(kept, (rank) => choice.normalised[rank] as number),
    random: Uint8Array.from(kept, (rank) => choice.random[rank] as number),
    priority: project.policy.priority,
    deadline,
    ...announcedAsides(project, samples, choice.seed),
    by,
  };
  return project.rounds.at(-1) as Round;
}

/**
 * The audits that this round asks, and its places for gold, at seeded ranks among the announced: together at most one in
 * every five ranks, and never the last, which would not be reached. Nothing else is asked as an audit while the round is
 * open. There are no more places for gold than annotators have gold left, with one who is new among them.
 */
function announcedAsides(project: Project, samples: Uint32Array, seed: number) {
  const run = project.currentRun;
  const chosen = new Set(samples);
  const pending = [...(run?.published.audits ?? [])].filter(
    (sample, position) => run && project.auditHasRoom(run, position) && !chosen.has(sample),
  );
  // The project's seed too: that of a round may be a small number, which anybody could guess.
  const secret = hash32(hash32(project.created.seed, ANNOUNCED_AUDITS_STREAM), seed, project.rounds.length);
  const most = Math.floor(samples.length / (ONE_IN - 1));
  const { share } = project.policy.gold;
  // Of all that is announced; what falls short of a whole place is one by chance.
  const wanted = Math.floor((share / (1 - share)) * samples.length + uniform(secret, samples.length, 2));
  const gold = Math.min(most, share === 0 ? 0 : wanted, goldLeftToAll(project));
  const audits = Uint32Array.from(pending.slice(0, most - gold));
  const asides = audits.length + gold;
  const total = samples.length + asides;
  const blocks = sampleWithoutReplacement(secret, Math.floor(total / ONE_IN), asides);
  const ranks = blocks.map((block) =>
    Math.min(block * ONE_IN + (hash32(secret, block, 1) % ONE_IN), total - 2),
  );
  const goldPlaces = new Set(sampleWithoutReplacement(hash32(secret, 3), asides, gold));
  return {
    audits,
    auditRanks: ranks.filter((_, place) => !goldPlaces.has(place)),
    goldRanks: ranks.filter((_, place) => goldPlaces.has(place)),
  };
}

function goldLeftToAll(project: Project): number {
  return project.annotators.reduce((sum, { index }) => sum + goldLeft(project, index), project.gold.askable);
}

/**
 * Whether nobody can bring the open round on: what is left of it is in nobody's hands, and everybody who may label has
 * had it. So it is when fewer people are in a project than a sample's overlap, or the skips that give it up, ask for.
 * Without anybody, a round waits: they may yet be invited.
 *
 * @param annotators the ids of those who may label
 */
export function isExhausted(project: Project, annotators: readonly string[]): boolean {
  const round = project.openRound;
  if (round === undefined || annotators.length === 0) return false;
  for (const row of project.held) {
    const sample = project.assignments.sample.get(row);
    if (project.samples.round.get(sample) === round.number && !project.samples.isSettled(sample))
      return false;
  }
  return !annotators.some((annotator) => hasWork(project, annotator));
}

/** Closes the open round if it {@link isExhausted}. */
export function* closeExhaustedRound(
  project: Project,
  { annotators }: { readonly annotators: readonly string[] },
): Decision<void> {
  const round = project.openRound;
  if (round === undefined || !isExhausted(project, annotators)) return;
  yield {
    type: 'roundClosed',
    round: round.number,
    reason: 'EXHAUSTED',
    withdrawn: round.unsettled,
    by: null,
  };
}

/** Closes a round: what is unsettled is withdrawn and goes back to the pool. A closed round stays as it is. */
export function* closeRound(
  project: Project,
  { by, number }: { readonly by: string; readonly number: number },
): Decision<Round> {
  const round = project.rounds[number - 1];
  if (round === undefined) throw notFound('round');
  if (round.isOpen) {
    yield { type: 'roundClosed', round: number, reason: 'WITHDRAWN', withdrawn: round.unsettled, by };
  }
  return round;
}
