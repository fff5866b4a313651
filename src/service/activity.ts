import type { Role } from '../domain/directory.ts';
import type { ErasureReason } from '../domain/erasure.ts';
import type { GoldOrigin, ProjectEvent, RoundClosed } from '../domain/events.ts';
import type { Policy } from '../domain/policy.ts';
import { firstNotBefore } from '../domain/ranks.ts';
import { refuse } from '../domain/refusals.ts';
import type { Commit } from '../journal/port.ts';
import type { Audience } from './access.ts';
import type { Concord } from './concord.ts';
import { DIRECTORY_JOURNAL, DIRECTORY_KIND } from './directoryKind.ts';
import { eventsOf } from './folding.ts';
import { PROJECT_KIND } from './projectKind.ts';
import type { Source } from './source.ts';
import { orRefusal } from './trouble.ts';

/**
 * The feed of a project's activity: what was decided about it, and what followed from its rounds, audits and gold. What
 * single annotators do is left to progress and presence, which count it.
 *
 * Its events are those of the journals themselves, the project's and the directory's. The projections keep at which
 * commits there are any, so that a reader may come back after years: what it has missed is read from the store.
 */
export type Activity = {
  /** When it was committed, in milliseconds since 1970. */
  readonly at: number;
  /** Who did it; null: it followed by itself. */
  readonly by: string | null;
} & (
  | { readonly kind: 'projectCreated' }
  | { readonly kind: 'policyChanged'; readonly policy: Policy }
  | {
      readonly kind: 'samplesImported';
      readonly importId: string;
      readonly part: number;
      readonly samples: number;
    }
  | {
      readonly kind: 'predictionsPublished';
      readonly run: number;
      readonly model: string;
      readonly rows: number;
      readonly accepted: number;
    }
  | { readonly kind: 'embeddingsPublished'; readonly model: string; readonly rows: number }
  | { readonly kind: 'autoAcceptJudged'; readonly run: number; readonly verdict: 'PROVEN' | 'SUSPENDED' }
  | {
      readonly kind: 'roundOpened';
      readonly round: number;
      readonly size: number;
      readonly strategy: string;
      readonly deadline: number | null;
    }
  | {
      readonly kind: 'roundClosed';
      readonly round: number;
      readonly reason: RoundClosed['reason'];
      readonly withdrawn: number;
    }
  | { readonly kind: 'opinionAsked'; readonly sample: number }
  | {
      readonly kind: 'ruled';
      readonly sample: number;
      readonly label: number;
      readonly reason: string;
    }
  | { readonly kind: 'rulingReopened'; readonly sample: number; readonly reason: string }
  | {
      readonly kind: 'goldSet';
      readonly samples: number;
      readonly origin: GoldOrigin;
    }
  | { readonly kind: 'goldRemoved'; readonly samples: number }
  | { readonly kind: 'goldRanLow'; readonly member: string; readonly left: number }
  | {
      readonly kind: 'annotatorPaused';
      readonly member: string;
      readonly answers: number;
      readonly correct: number;
      readonly limit: number;
    }
  | { readonly kind: 'annotatorResumed'; readonly member: string }
  | { readonly kind: 'roleChanged'; readonly member: string; readonly role: Role | null }
  | { readonly kind: 'samplesErased'; readonly samples: number; readonly reason: ErasureReason }
  | { readonly kind: 'personErased'; readonly member: string; readonly reason: ErasureReason }
);

/** A push of the feed. */
export type ActivityItem =
  | {
      readonly kind: 'events';
      readonly events: readonly Activity[];
      /** Give it as `after` to go on behind these events. */
      readonly cursor: string;
    }
  | { readonly kind: 'reset'; readonly reason: string; readonly cursor: string };

/** The newest commits that a reader has seen of the project and of the directory. */
interface Place {
  readonly project: number;
  readonly directory: number;
}

/** Commits in one push; and of each journal, those with which a reader begins who has seen none. */
const BATCH = 50;

/** The feed as a source. Without a cursor, a reader begins with what happened last. */
export function activitySource(concord: Concord, { live }: Audience): Source<ActivityItem, string> {
  const { id } = live;
  /** What either journal has behind a place. */
  const behind = async (place: Place) => ({
    project: await live.read(({ seq, activity }) => ({ seq, due: dueOf(activity, place.project) })),
    directory: await concord.directory.read(({ seq, projects }) => ({
      seq,
      due: dueOf(projects.get(id)?.changes ?? [], place.directory),
    })),
  });
  /** Whether a cursor is of a journal that has gone on elsewhere, or of one that was lost. */
  const isLost = async (journal: string, seen: number, seq: number) =>
    seen > seq && seen > (await orRefusal(concord.store.head(journal)));

  return {
    kind: 'feed',
    pauseMs: 0,
    async start(after) {
      if (after !== null) {
        parseCursor(id, after);
        return after;
      }
      return cursorOf(id, {
        project: await live.read(({ activity }) => beforeNewest(activity)),
        directory: await concord.directory.read(({ projects }) =>
          beforeNewest(projects.get(id)?.changes ?? []),
        ),
      });
    },
    async next(cursor) {
      const place = parseCursor(id, cursor);
      const { project, directory } = await behind(place);
      if (
        (await isLost(id, place.project, project.seq)) ||
        (await isLost(DIRECTORY_JOURNAL, place.directory, directory.seq))
      ) {
        const newest = cursorOf(id, { project: project.seq, directory: directory.seq });
        const reason = 'the journal ends before this cursor';
        return {
          event: { kind: 'reset', reason, cursor: newest },
          place: newest,
          key: `${cursor} ${newest}`,
        };
      }
      if (project.due.length + directory.due.length === 0) return null;
      const own = await commitsOf(concord, id, project.due);
      const all = await commitsOf(concord, DIRECTORY_JOURNAL, directory.due);
      const item = merged(id, place, own, all);
      return { event: item, place: item.cursor, key: `${cursor} ${item.cursor}` };
    },
  };
}

/** The next commits of a list behind one, at most {@link BATCH}. */
function dueOf(commits: readonly number[], after: number): number[] {
  const first = firstNotBefore(commits.length, (place) => (commits[place] as number) <= after);
  return commits.slice(first, first + BATCH);
}

function beforeNewest(commits: readonly number[]): number {
  return commits.at(-BATCH - 1) ?? 0;
}

/** The commits with these numbers, which ascend. */
async function commitsOf(
  { store }: Concord,
  journal: string,
  seqs: readonly number[],
): Promise<readonly Commit[]> {
  const commits: Commit[] = [];
  while (commits.length < seqs.length) {
    const first = seqs[commits.length] as number;
    await orRefusal(readRun(store.read(journal, first - 1), seqs, commits));
    if (commits.at(-1)?.seq !== seqs[commits.length - 1])
      throw new Error(`commit ${first} of ${journal} is lost`);
  }
  return commits;
}

/** Reads on as long as what comes is what is wanted. */
async function readRun(
  journal: AsyncIterable<Commit>,
  seqs: readonly number[],
  commits: Commit[],
): Promise<void> {
  for await (const commit of journal) {
    if (commit.seq !== seqs[commits.length]) return;
    commits.push(commit);
    if (commits.length === seqs.length) return;
  }
}

/** The first of what two journals have, in the order of time; either one keeps its own. */
function merged(
  id: string,
  { project, directory }: Place,
  own: readonly Commit[],
  all: readonly Commit[],
): Extract<ActivityItem, { kind: 'events' }> {
  const events: Activity[] = [];
  const seen = { project, directory };
  let [a, b] = [0, 0];
  for (let count = 0; count < BATCH; count++) {
    const [one, other] = [own[a], all[b]];
    if (one !== undefined && (other === undefined || one.time <= other.time)) {
      events.push(...activityIn(one));
      seen.project = one.seq;
      a++;
    } else if (other !== undefined) {
      events.push(...rolesIn(other, id));
      seen.directory = other.seq;
      b++;
    } else break;
  }
  return { kind: 'events', events, cursor: cursorOf(id, seen) };
}

function activityIn(commit: Commit): Activity[] {
  return eventsOf(PROJECT_KIND, commit).flatMap((event) => activityOf(event, commit.time) ?? []);
}

function activityOf(event: ProjectEvent, at: number): Activity | null {
  switch (event.type) {
    case 'projectCreated':
      return { at, by: event.by, kind: event.type };
    case 'policyChanged':
      return { at, by: event.by, kind: event.type, policy: event.policy };
    case 'samplesImported': {
      const { by, importId, part, keys } = event;
      return { at, by, kind: event.type, importId, part, samples: keys.length };
    }
    case 'predictionsPublished': {
      const { by, run, model, parts, accepted } = event;
      return { at, by, kind: event.type, run, model, rows: rowsOf(parts), accepted };
    }
    case 'embeddingsPublished':
      return { at, by: event.by, kind: event.type, model: event.model, rows: rowsOf(event.parts) };
    case 'autoAcceptJudged':
      return { at, by: null, kind: event.type, run: event.run, verdict: event.verdict };
    case 'roundOpened': {
      const { by, round, samples, strategy, deadline } = event;
      return { at, by, kind: event.type, round, size: samples.length, strategy: strategy.name, deadline };
    }
    case 'roundClosed': {
      const { by, round, reason, withdrawn } = event;
      return { at, by, kind: event.type, round, reason, withdrawn };
    }
    case 'opinionAsked':
      return { at, by: null, kind: event.type, sample: event.sample };
    case 'ruled': {
      const { by, sample, label, reason } = event;
      return { at, by, kind: event.type, sample, label, reason };
    }
    case 'rulingReopened': {
      const { by, sample, reason } = event;
      return { at, by, kind: event.type, sample, reason };
    }
    case 'goldSet': {
      const { by, samples, origin } = event;
      return { at, by, kind: event.type, samples: samples.length, origin };
    }
    case 'goldRemoved':
      return { at, by: event.by, kind: event.type, samples: event.samples.length };
    case 'goldRanLow':
      return { at, by: null, kind: event.type, member: event.member, left: event.left };
    case 'annotatorPaused': {
      const { member, answers, correct, limit } = event;
      return { at, by: null, kind: event.type, member, answers, correct, limit };
    }
    case 'samplesErased': {
      const { by, samples, reason } = event;
      return { at, by, kind: event.type, samples: samples.length, reason };
    }
    case 'annotatorResumed':
      return { at, by: event.by, kind: event.type, member: event.member };
    default:
      return null;
  }
}

function rowsOf(parts: readonly { readonly rows: number }[]): number {
  return parts.reduce((sum, { rows }) => sum + rows, 0);
}

/** Who was given which role in a project, or was erased while in it. Its creator is its owner from the beginning. */
function rolesIn(commit: Commit, project: string): Activity[] {
  const { time: at } = commit;
  const events = eventsOf(DIRECTORY_KIND, commit);
  const concerned = new Set(
    events.flatMap((event) =>
      event.type === 'roleGranted' && event.project === project ? [event.member] : [],
    ),
  );
  return events.flatMap((event): Activity[] => {
    if (event.type === 'memberErased' && concerned.has(event.member)) {
      const { by, member, reason } = event;
      return [{ at, by, kind: 'personErased', member, reason }];
    }
    if (event.type !== 'roleGranted' || event.project !== project) return [];
    return [{ at, by: event.by, kind: 'roleChanged', member: event.member, role: event.role }];
  });
}

function cursorOf(id: string, { project, directory }: Place): string {
  return Buffer.from(`${id}/${project}/${directory}`).toString('base64url');
}

/** @throws {Refusal} BAD_CURSOR */
function parseCursor(id: string, cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, of, project, directory] = /^([\w-]+)\/(\d{1,15})\/(\d{1,15})$/.exec(text) ?? [];
  if (of === undefined) throw refuse('BAD_CURSOR', { problem: 'it is malformed' });
  if (of !== id) throw refuse('BAD_CURSOR', { problem: 'it belongs to another project' });
  return { project: Number(project), directory: Number(directory) };
}
