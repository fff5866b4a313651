import type { Attention } from './annotator.ts';
import { confidenceSequence } from './confidence.ts';
import { majority } from './consensus.ts';
import type { Decision } from './decision.ts';
import type { Project } from './project.ts';
import { NONE } from './sampleTable.ts';

/** What follows by itself: times run out, surplus answers move up, rounds close, audits come to a verdict. */

/** The most assignments that one command lets go: after a night, thousands may be due, too many for one commit. */
const MAX_EXPIRIES = 1_000;

/**
 * Lets go what has run out by `now`: assignments past their time, a round past its deadline. What is beyond
 * {@link MAX_EXPIRIES} stays in hands until the next command, whose turn it is then.
 */
export function* settleTime(project: Project, now: number): Decision<void> {
  for (let count = 0; count < MAX_EXPIRIES; count++) {
    const first = project.nextDeadline();
    if (first === undefined || first.until > now) break;
    yield* expire(project, first.row);
  }
  const round = project.openRound;
  if (round?.opened.deadline && round.opened.deadline <= now) {
    yield {
      type: 'roundClosed',
      round: round.number,
      reason: 'DEADLINE',
      withdrawn: round.unsettled,
      by: null,
    };
  }
}

function* expire(project: Project, row: number): Decision<void> {
  const { samples, assignments, policy } = project;
  const sample = assignments.sample.get(row);
  const skip = !assignments.isRepeat(row) && assignments.expiries.get(row) + 1 >= 2;
  yield {
    type: 'expired',
    assignment: assignments.ids.keyAt(row),
    skip,
    unanswerable: skip && !assignments.isGold(row) && samples.skips.get(sample) + 1 >= policy.skipLimit,
  };
  yield* settleSample(project, sample);
}

/** After a place of a sample may have become free, or an answer to it began to count, or it is given up. */
export function* settleSample(project: Project, sample: number): Decision<void> {
  do {
    while (project.samples.hasFreePlace(sample)) {
      const oldest = oldestSurplus(project, sample);
      if (oldest === NONE) break;
      yield { type: 'promoted', assignment: project.assignments.ids.keyAt(oldest) };
      yield* judgeAudit(project, oldest);
    }
  } while (yield* askOpinion(project, sample));
  const round = project.openRound;
  if (round?.unsettled === 0)
    yield { type: 'roundClosed', round: round.number, reason: 'SETTLED', withdrawn: 0, by: null };
}

/**
 * Asks one more person about a sample whose answers are all there and give no label more than half of them: if the policy
 * allows one more, nobody has ruled, and the sample is of what is being served, now or once the round has closed.
 */
function* askOpinion(project: Project, sample: number): Decision<boolean> {
  const { samples, policy, rulings, openRound } = project;
  if (samples.extra.get(sample) >= policy.extraOpinions || rulings.has(sample)) return false;
  if (samples.isGold(sample) || samples.isErased(sample)) return false;
  if (samples.isUnanswerable(sample) || samples.counted.get(sample) < samples.overlap.get(sample))
    return false;
  const isOfRound = openRound !== undefined && samples.round.get(sample) === openRound.number;
  if (!isOfRound && policy.withoutRound === 'WAIT') return false;
  const consensus = majority(project.countedLabels(sample));
  if (consensus.kind === 'none' || 2 * consensus.votes > consensus.of) return false;
  yield { type: 'opinionAsked', sample };
  return true;
}

function oldestSurplus(project: Project, sample: number): number {
  const { assignments } = project;
  let oldest = NONE;
  for (const row of project.assignmentsOf(sample)) {
    if (!assignments.isSurplus(row)) continue;
    if (oldest === NONE || assignments.answeredAt.get(row) <= assignments.answeredAt.get(oldest))
      oldest = row;
  }
  return oldest;
}

/**
 * After an audit's answer began to count: judges the run's auto-accept by a confidence sequence, which may be
 * looked at after every answer (a fixed-n interval may not). A suspended run stays so.
 */
export function* judgeAudit(project: Project, row: number): Decision<void> {
  if (project.assignments.draw(row) !== 'AUDIT') return;
  const run = project.runs[project.assignments.run.get(row) - 1];
  if (run === undefined || run.autoAccept === 'SUSPENDED') return;
  const { lower, upper } = confidenceSequence(run.errors, run.audited);
  const { errorLimit } = run.published;
  if (lower > errorLimit) yield { type: 'autoAcceptJudged', run: run.number, verdict: 'SUSPENDED' };
  else if (upper < errorLimit && run.autoAccept === 'PROVISIONAL') {
    yield { type: 'autoAcceptJudged', run: run.number, verdict: 'PROVEN' };
  }
}

/**
 * After somebody's answer to gold: pauses them once a confidence sequence of how often they are right lies below the
 * policy's limit. It holds at all times at once, so whoever is right as often as the limit asks is paused with a chance
 * of at most 5 %, however many gold samples they answer.
 */
export function* judgeAttention(project: Project, row: number): Decision<void> {
  const { id, pausedAt, judged } = project.annotatorOf(row);
  const { limit } = project.policy.gold;
  if (!project.assignments.isGold(row) || pausedAt !== null || !isBelow(judged, limit)) return;
  yield { type: 'annotatorPaused', member: id, ...judged, limit };
}

/** Whether answers have shown, at 95 % however often one looks, that somebody is right less often than a limit. */
export function isBelow({ answers, correct }: Readonly<Attention>, limit: number): boolean {
  return confidenceSequence(correct, answers).upper < limit;
}
