import { type AnnouncedSample, announcedAt, announcedCount } from '../domain/announced.ts';
import type { Project } from '../domain/project.ts';
import { refuse } from '../domain/refusals.ts';
import type { PayloadPlace } from '../domain/sampleTable.ts';
import { followAs, type ProjectAccess, stillHolds } from './access.ts';
import type { Concord } from './concord.ts';
import { handWritten } from './hub.ts';
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
        readonly payload: PayloadPlace;
        readonly key: string;
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

/**
 * The feed from a cursor on, or without one from the beginning of the open round.
 * @throws {Refusal} BAD_CURSOR: it is no cursor of this feed
 */
export async function prioritizedFeed(
  concord: Concord,
  access: ProjectAccess,
  after: string | null,
): Promise<AsyncIterableIterator<FeedItem>> {
  const { live } = access;
  // Follows before it looks, so that nothing can fall in between.
  const follower = followAs(concord, access);
  try {
    let place = after === null ? await live.read(newestPlace) : parseCursor(live.id, after);
    return handWritten(follower, async () => {
      for (;;) {
        if (!(await stillHolds(concord, access))) return undefined;
        const next = await live.read((project) => readFrom(project, live.id, place));
        if (next !== null && !(next.item.kind === 'reset' && (await isBehind(concord, access, next.seq)))) {
          place = next.place;
          return next.item;
        }
        if (!(await follower.changed())) return undefined;
      }
    });
  } catch (error) {
    follower.close();
    throw error;
  }
}

/**
 * Whether the store has commits that were not seen here at `seq`: then a reader who comes from another node may be
 * ahead of this one, with a cursor that is good. What it waits for comes with those commits.
 */
async function isBehind({ store }: Concord, { live }: ProjectAccess, seq: number): Promise<boolean> {
  return seq < (await orRefusal(store.head(live.id)));
}

/** What comes next, the place behind it, and the commit at which that is so; null: nothing yet. */
function readFrom(
  project: Project,
  id: string,
  from: Place,
): { readonly item: FeedItem; readonly place: Place; readonly seq: number } | null {
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
    return { seq, place, item: { kind: 'reset', reason: lost, cursor: cursorOf(id, place) } };
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
      payload: project.samples.payload(sample),
      key: project.samples.keys.keyAt(sample),
      reasons: round.opened.reasons,
    });
  }
  const place = { round: number, rank: end };
  return { seq, place, item: { kind: 'samples', round: number, samples, cursor: cursorOf(id, place) } };
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
