import { followAs, type ProjectAccess, stillHolds } from './access.ts';
import type { Concord } from './concord.ts';
import { stateStream } from './hub.ts';
import { currentQueue } from './queue.ts';
import { sameButSeq, sameShared } from './sharedView.ts';
import type { AgreementView, ProgressView, QueueView } from './views.ts';

/** The least time between two pushes of one state to one reader: what changes meanwhile is coalesced. */
const PAUSE_MS = 20;

/** Live agreement, over the base overlap. */
export function agreementStream(
  concord: Concord,
  access: ProjectAccess,
): AsyncIterableIterator<AgreementView> {
  const { live } = access;
  return follow(concord, access, () => live.read((project) => live.agreement.of(project)), sameShared);
}

/** Live progress of the project and its newest round. */
export function progressStream(concord: Concord, access: ProjectAccess): AsyncIterableIterator<ProgressView> {
  const { live } = access;
  return follow(concord, access, () => live.read((project) => live.progress.of(project)), sameShared);
}

/** The viewer's own queue. While it is followed, its owner counts as connected. */
export function queueStream(concord: Concord, access: ProjectAccess): AsyncIterableIterator<QueueView> {
  const leave = concord.attendance.enter(access.live, access.viewer.member);
  return follow(concord, access, () => currentQueue(concord, access), sameButSeq, leave);
}

/** A state of a project as its viewer may see it, until they may not see it any more. */
function follow<T extends { readonly seq: number }>(
  concord: Concord,
  access: ProjectAccess,
  view: () => Promise<T>,
  same: (a: T, b: T) => boolean,
  onEnd?: () => void,
): AsyncIterableIterator<T> {
  const follower = followAs(concord, access, onEnd);
  return stateStream(concord.environment, follower, {
    look: async () => ((await stillHolds(concord, access)) ? view() : undefined),
    same,
    pauseMs: PAUSE_MS,
  });
}
