import { isDeepStrictEqual } from 'node:util';
import { type ProjectAccess, stillHolds } from './access.ts';
import { type Concord, DIRECTORY_TOPIC } from './concord.ts';
import { stateStream } from './hub.ts';
import { currentQueue } from './queue.ts';
import {
  type AgreementView,
  agreementView,
  type ProgressView,
  progressView,
  type QueueView,
} from './views.ts';

/** The least time between two pushes of one state to one reader: what changes meanwhile is coalesced. */
const PAUSE_MS = 20;

/** Live agreement, over the base overlap. */
export function agreementStream(
  concord: Concord,
  access: ProjectAccess,
): AsyncIterableIterator<AgreementView> {
  return follow(concord, access, () => access.live.read(agreementView));
}

/** Live progress of the project and its newest round. */
export function progressStream(concord: Concord, access: ProjectAccess): AsyncIterableIterator<ProgressView> {
  return follow(concord, access, () => access.live.read(progressView));
}

/** The viewer's own queue. While it is followed, its owner counts as connected. */
export function queueStream(concord: Concord, access: ProjectAccess): AsyncIterableIterator<QueueView> {
  const leave = concord.attendance.enter(concord, access);
  return follow(concord, access, () => currentQueue(concord, access), leave);
}

/** A state of a project as its viewer may see it, until they may not see it any more. */
function follow<T extends { readonly seq: number }>(
  concord: Concord,
  access: ProjectAccess,
  view: () => Promise<T>,
  onEnd?: () => void,
): AsyncIterableIterator<T> {
  const follower = concord.hub.follow([access.live.id, DIRECTORY_TOPIC], onEnd);
  return stateStream(concord.environment, follower, {
    look: async () => ((await stillHolds(concord, access)) ? view() : undefined),
    // That the journal has moved on is no news of itself.
    same: (a, b) => isDeepStrictEqual({ ...a, seq: 0 }, { ...b, seq: 0 }),
    pauseMs: PAUSE_MS,
  });
}
