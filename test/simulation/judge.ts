import type { ProjectEvent } from '../../src/domain/events.ts';
import type { Commit } from '../../src/journal/port.ts';
import { NaiveQueue } from '../domain/naiveQueue.ts';
import type { Story } from './story.ts';
import { short, Violation } from './story.ts';

/**
 * Judges every commit in the instant it is synced: the order of commits, and every event of the project by the
 * rules of the queue, which the naive twin knows: exact overlap, nothing in two hands, nothing twice to the same
 * person, the right sample next, a late answer counted only where there is room.
 */
export class Judge {
  readonly #twin: NaiveQueue;
  readonly #story: Story;
  readonly #last = new Map<string, { readonly seq: number; readonly time: number }>();
  readonly #ids = new Set<string>();

  constructor(chunks: ReadonlyMap<string, Uint8Array>, story: Story) {
    this.#twin = new NaiveQueue(chunks);
    this.#story = story;
  }

  /** @throws {Violation} */
  judge(journal: string, { seq, id, time, events }: Commit): void {
    const place = `commit ${seq} of ${journal === 'directory' ? journal : 'the project'}`;
    this.#story.tell('store', () => `${place}: ${events.map((event) => told(event as never)).join('; ')}`);
    const last = this.#last.get(journal) ?? { seq: 0, time: 0 };
    if (seq !== last.seq + 1) throw new Violation(`${place} comes after commit ${last.seq}`);
    if (time < last.time) throw new Violation(`${place} goes back in time by ${last.time - time} ms`);
    if (this.#ids.has(id)) throw new Violation(`${place} stands in a journal twice`);
    this.#ids.add(id);
    this.#last.set(journal, { seq, time });
    if (journal !== 'directory') this.#judgeProject(place, time, events as unknown as ProjectEvent[]);
  }

  #judgeProject(place: string, time: number, events: readonly ProjectEvent[]): void {
    const twin = this.#twin;
    for (const event of events) {
      const problem = this.#problem(event, time);
      if (problem !== null) throw new Violation(`${place}: ${told(event)}: ${problem}`, subjects(event));
      twin.take(event, time);
    }
    for (const hand of twin.hands) {
      if (hand.state === 'HELD' && hand.until <= time) {
        const about = [short(hand.id), `sample ${hand.sample}`];
        throw new Violation(`${place} leaves ${about.join(', ')} in a hand after its time`, about);
      }
    }
    this.#checkPlaces(place, events);
  }

  #problem(event: ProjectEvent, time: number): string | null {
    try {
      return this.#twin.problem(event, time);
    } catch (error) {
      // It speaks of what there is not.
      return String(error);
    }
  }

  /** What must hold whatever the rules say of each event: places are never more than the overlap. */
  #checkPlaces(place: string, events: readonly ProjectEvent[]): void {
    for (const event of events) {
      if (event.type !== 'granted') continue;
      const { sample, member } = event;
      const own = this.#twin.of(sample).filter((hand) => hand.member === member);
      const about = [`sample ${sample}`];
      if (this.#twin.freePlaces(sample) < 0)
        throw new Violation(`${place}: sample ${sample} is in more hands than its overlap`, about);
      if (own.length > 1)
        throw new Violation(`${place}: sample ${sample} is given to one person twice`, about);
    }
  }
}

function subjects(event: ProjectEvent): string[] {
  const assignment = 'assignment' in event ? [short(event.assignment)] : [];
  return 'sample' in event ? [...assignment, `sample ${event.sample} `] : assignment;
}

/** An event in a few words. */
function told(event: ProjectEvent | { readonly type: string }): string {
  const fields = Object.entries(event).flatMap(([name, value]) => {
    if (name === 'assignment') return [short(String(value))];
    if (name === 'sample') return [`sample ${value}`];
    if (name === 'member') return [`to ${short(String(value))}`];
    if (name === 'keys') return [`${(value as string[]).length} samples`];
    if (name === 'samples') return [`samples ${[...(value as Uint32Array)].join(' ')}`];
    if (name === 'counted' || name === 'skip') return value === true ? [name] : [];
    if (name === 'label' || name === 'round' || name === 'reason') return [`${name} ${value}`];
    return [];
  });
  return [event.type, ...fields].join(' ');
}
