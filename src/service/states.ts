import { type Audience, followAs, isLive, type ProjectAccess, stillHolds, type Viewer } from './access.ts';
import type { Present } from './attendance.ts';
import type { Concord, StrategyInfo } from './concord.ts';
import type { GoldView } from './goldView.ts';
import type { Interest } from './hub.ts';
import type { PeopleView } from './people.ts';
import { currentQueue } from './queue.ts';
import { sameButSeq, sameShared } from './sharedView.ts';
import { readSource, type Source, stateSource } from './source.ts';
import { DIRECTORY_TOPIC, presenceTopic, STRATEGIES_TOPIC } from './topics.ts';
import type { AgreementView, AuditView, ProgressView, QueueView, WorkSessionView } from './views.ts';

/**
 * The least time between two pushes of one state to one reader, in milliseconds: what changes meanwhile is coalesced. Half of
 * what a push to a thousand takes, so that they can follow each other without a break.
 */
const PAUSE_MS = 5;
/** Before the first commit. */
const EVER = -1;

/** What is much to work out rests so many times as long as that took: it takes a fifth of the time at most. */
const RESTS = 4;
/** But so long at most, in milliseconds, as the machine may have been busy with something else. */
const LONGEST_REST_MS = 250;

/** How long a view rests that takes its time, in milliseconds. */
function restOf({ tookMs }: { readonly tookMs: number }): number {
  return Math.min(LONGEST_REST_MS, Math.max(PAUSE_MS, RESTS * tookMs));
}

/** Live agreement, over the base overlap. It is the more to work out the more people and classes there are. */
export function agreementSource({ live }: Audience): Source<AgreementView, number> {
  const look = () => live.read((project) => live.agreement.of(project));
  return stateSource({ look, same: sameShared, pauseMs: () => restOf(live.agreement) });
}

/** Live progress of the project and its newest round. */
export function progressSource({ live }: Audience): Source<ProgressView, number> {
  const look = () => live.read((project) => live.progress.of(project));
  return stateSource({ look, same: sameShared, pauseMs: PAUSE_MS });
}

/** What audits show of the current run. */
export function auditSource({ live }: Audience): Source<AuditView, number> {
  const look = () => live.read((project) => live.audit.of(project));
  return stateSource({ look, same: sameShared, pauseMs: PAUSE_MS });
}

/** Whoever watches how people work does not watch each answer. */
const PEOPLE_PAUSE_MS = 1_000;

/** How people work. */
export function peopleSource({ live }: Audience): Source<PeopleView, number> {
  const look = () => live.read((project) => live.people.of(project));
  return stateSource({ look, same: Object.is, pauseMs: PEOPLE_PAUSE_MS });
}

/** Of gold: what each annotator has left is looked for among all of it. */
const GOLD_PAUSE_MS = 500;

/** What gold shows of each annotator, and how much of it is left. */
export function goldSource({ live }: Audience): Source<GoldView, number> {
  const look = () => live.read((project) => live.gold.of(project));
  return stateSource({ look, same: sameShared, pauseMs: GOLD_PAUSE_MS });
}

/** A thousand people come and go by the second, and each push has all of them. */
const PRESENCE_PAUSE_MS = 250;

/** Who is in a project, and at work. */
export function presenceSource(
  { attendance }: Concord,
  { live }: Audience,
): Source<readonly Present[], number> {
  return stateSource({
    look: async () => attendance.of(live.id),
    same: Object.is,
    pauseMs: PRESENCE_PAUSE_MS,
    topic: presenceTopic(live.id),
  });
}

/**
 * A submit is mostly followed by a claim, and whoever sends them has the queue in their answers: only other programs of the
 * same person hear of it here first. They are told of both at once.
 */
const QUEUE_SETTLE_MS = 20;

/** The viewer's own queue. While it is followed, its owner counts as connected. */
export function queueStream(concord: Concord, access: ProjectAccess): AsyncIterableIterator<QueueView> {
  const { member } = access.viewer;
  const onEnd = concord.attendance.enter(access.live, member);
  // While there is work for all, what others do moves nobody's queue: a thousand need not look at each answer.
  // When others have taken the last of it, the sweep tells.
  const interest: Interest = { member, since: EVER, due: Number.POSITIVE_INFINITY };
  const look = async () => {
    const queue = await currentQueue(concord, access);
    interest.since = queue.empty === null ? queue.seq : EVER;
    interest.due = nextMinute(queue);
    return queue;
  };
  const same = (a: QueueView, b: QueueView) => sameButSeq(byTheMinute(a), byTheMinute(b));
  const source = stateSource({ look, same, pauseMs: PAUSE_MS, settleMs: QUEUE_SETTLE_MS });
  return stateStream(concord, access, source, { onEnd, interest });
}

const MINUTE_MS = 60_000;

/** A queue as far as it is worth a push: a work session is counted down by the minute. */
function byTheMinute({ workSession, ...queue }: QueueView) {
  if (workSession === null) return { ...queue, workSession };
  return { ...queue, workSession: { ...workSession, millisecondsLeft: minutesLeft(workSession) } };
}

/** When {@link byTheMinute} a queue looks otherwise though nothing happens, in milliseconds since 1970. */
function nextMinute({ workSession }: QueueView): number {
  if (workSession === null || workSession.state === 'OVER') return Number.POSITIVE_INFINITY;
  const { state, until, breakUntil } = workSession;
  return (state === 'RUNNING' ? until : breakUntil) - (minutesLeft(workSession) - 1) * MINUTE_MS;
}

function minutesLeft({ millisecondsLeft }: WorkSessionView): number {
  return Math.ceil(millisecondsLeft / MINUTE_MS);
}

/** A state of a project for one viewer, until they may not see it any more. */
export function stateStream<T>(
  concord: Concord,
  access: ProjectAccess,
  source: Source<T, number>,
  options?: Parameters<typeof followAs>[2],
): AsyncIterableIterator<T> {
  const mayRead = () => stillHolds(concord, access);
  return readSource(concord.environment, followAs(concord, access, options), { source, start: 0, mayRead });
}

/** The strategies that there are, broken ones among them, for whoever has a good token. */
export function strategiesStream(
  concord: Concord,
  viewer: Viewer,
): AsyncIterableIterator<readonly StrategyInfo[]> {
  const until = viewer.expires ?? Number.POSITIVE_INFINITY;
  const follower = concord.hub.follow([STRATEGIES_TOPIC, DIRECTORY_TOPIC], { until, inTurn: true });
  const source = stateSource({
    look: async () => concord.strategies.list(),
    same: (one, other) => JSON.stringify(one) === JSON.stringify(other),
    pauseMs: PAUSE_MS,
  });
  const mayRead = () => isLive(concord, viewer);
  return readSource(concord.environment, follower, { source, start: 0, mayRead });
}
