import { type AnnouncedSample, announcedAt, announcedCount } from '../domain/announced.ts';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import { NONE, type PayloadPlace } from '../domain/sampleTable.ts';
import type { Audience } from './access.ts';
import type { Concord } from './concord.ts';
import type { LiveProject } from './liveProject.ts';
import type { Source } from './source.ts';
import { orRefusal } from './trouble.ts';

/**
 * The feed of newly prioritized samples: every announced sample of every round, once and in order. A reader's
 * place is its cursor alone, and what it has not read lies in the projection, so a slow reader costs nothing.
 */
export type FeedItem =
  | {
      readonly kind: 'samples';
      readonly round: number;
      readonly samples: readonly (AnnouncedSample & {
        /** Null for gold: which sample it is, is said when somebody comes to it. */
        readonly payload: PayloadPlace | null;
        readonly key: string | null;
        /**
         * Its round has places for gold, so those who label are told of no data: the places could be told by having
         * none, and whoever was asked what was never announced would know it for gold.
         */
        readonly isVeiled: boolean;
        /** The chunk of its round's reasons. */
        readonly reasons: string | null;
      })[];
      /** Give it as `after` to go on behind these samples. */
      readonly cursor: string;
    }
  | {
      /** What lies between the reader's cursor and `cursor` is not kept any more: begin anew. */
      readonly kind: 'reset';
      readonly reason: string;
      readonly cursor: string;
    };

/** The next place of a reader: a round, and a rank among its announced samples. */
interface Place {
  readonly round: number;
  readonly rank: number;
}

/** Samples in one push. */
const BATCH = 50;
/** How many rounds back a reader may resume. */
const RETAINED_ROUNDS = 100;

/** The feed as a source. Without a cursor, a reader begins with the open round. */
export function prioritizedSource(concord: Concord, { live }: Audience): Source<FeedItem, string> {
  return {
    kind: 'feed',
    pauseMs: 0,
    async start(after) {
      if (after === null) return cursorOf(live.id, await live.read(newestPlace));
      parseCursor(live.id, after);
      return after;
    },
    async next(cursor) {
      const place = parseCursor(live.id, cursor);
      const next = await live.read((project) => readFrom(project, live.id, place));
      if (next === null || (next.item.kind === 'reset' && (await isBehind(concord, live, next.seq))))
        return null;
      const { item } = next;
      return { event: item, place: item.cursor, key: `${cursor} ${item.cursor}` };
    },
  };
}

/**
 * Whether the store has commits that were not seen here at `seq`: then a reader who comes from another node may be
 * ahead of this one, with a cursor that is good. What it waits for comes with those commits.
 */
async function isBehind({ store }: Concord, live: LiveProject, seq: number): Promise<boolean> {
  return seq < (await orRefusal(store.head(live.id)));
}

/** What comes next, and the commit at which that is so; null: nothing yet. */
function readFrom(
  project: Project,
  id: string,
  from: Place,
): { readonly item: FeedItem; readonly seq: number } | null {
  const { seq } = project;
  const rounds = project.rounds.length;
  const current = project.rounds[from.round - 1];
  const isAhead = from.round > rounds + 1 || from.rank > (current ? announcedCount(current) : 0);
  const lost = isAhead
    ? 'the journal ends before this cursor'
    : from.round <= rounds - RETAINED_ROUNDS
      ? `only the newest ${RETAINED_ROUNDS} rounds can be resumed`
      : null;
  if (lost !== null) {
    const place = newestPlace(project);
    return { seq, item: { kind: 'reset', reason: lost, cursor: cursorOf(id, place) } };
  }
  let { round: number, rank } = from;
  let round = project.rounds[number - 1];
  while (round && rank >= announcedCount(round)) {
    round = project.rounds[number];
    number++;
    rank = 0;
  }
  if (round === undefined) return null;
  const end = Math.min(rank + BATCH, announcedCount(round));
  const samples = [];
  for (let next = rank; next < end; next++) {
    const announced = announcedAt(round, next);
    const { sample } = announced;
    samples.push({
      ...announced,
      payload: sample === NONE ? null : project.samples.payload(sample),
      key: sample === NONE ? null : project.samples.keys.keyAt(sample),
      isVeiled: round.opened.goldRanks.length > 0,
      reasons: round.opened.reasons,
    });
  }
  const place = { round: number, rank: end };
  return { seq, item: { kind: 'samples', round: number, samples, cursor: cursorOf(id, place) } };
}

function newestPlace(project: Project): Place {
  return { round: project.openRound?.number ?? project.rounds.length + 1, rank: 0 };
}

function cursorOf(project: string, { round, rank }: Place): string {
  return Buffer.from(`${project}/${round}/${rank}`).toString('base64url');
}

function parseCursor(project: string, cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, of, round, rank] = /^([\w-]+)\/(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  if (of === undefined) throw refuse('BAD_CURSOR', { problem: 'it is malformed' });
  if (round === '0') throw refuse('BAD_CURSOR', { problem: 'it is malformed' });
  if (of !== project) throw refuse('BAD_CURSOR', { problem: 'it belongs to another project' });
  return { round: Number(round), rank: Number(rank) };
}
