import type { Environment } from './environment.ts';
import type { LiveProject } from './liveProject.ts';

/** Whoever has given no command for so long is idle, in milliseconds. */
export const IDLE_MS = 120_000;

/**
 * How somebody is there: `ACTIVE` at work; `IDLE` connected, and silent for {@link IDLE_MS}; `AWAY` without a
 * connection, while the grace period lasts in which they may come back to what they hold.
 */
export type PresenceState = 'ACTIVE' | 'IDLE' | 'AWAY';

/** Somebody who is there. */
export interface Present {
  readonly member: string;
  readonly state: PresenceState;
  /** Since when they are so, in milliseconds since 1970. */
  readonly since: number;
}

interface Person {
  connections: number;
  state: PresenceState;
  since: number;
  /** When they gave their newest command, or came. */
  actedAt: number;
  /** Calls off their leaving; null while nobody waits for that. */
  stay: (() => void) | null;
}

/** The people of one project, in the order in which they came. */
interface Room {
  readonly people: Map<string, Person>;
  /** What they look like; null: something has changed since. */
  view: readonly Present[] | null;
}

const NOBODY: readonly Present[] = [];

/**
 * Who is connected to their queue, in each project. It is kept in memory only: where somebody was a minute ago is no
 * part of a project's history. Who has been away for the project's grace period gives back what they had prefetched;
 * see `disconnect` in the domain.
 */
export class Attendance {
  readonly #rooms = new Map<string, Room>();
  readonly #environment: Environment;
  readonly #onChange: (project: string) => void;
  #isClosed = false;

  /** @param onChange called whenever {@link of} a project would say something else */
  constructor(environment: Environment, onChange: (project: string) => void) {
    this.#environment = environment;
    this.#onChange = onChange;
  }

  /** Counts a connection in; the answer counts it out again, once. */
  enter(live: LiveProject, member: string): () => void {
    const room = this.#rooms.get(live.id) ?? { people: new Map<string, Person>(), view: null };
    this.#rooms.set(live.id, room);
    const person = room.people.get(member) ?? this.#newcomer();
    room.people.set(member, person);
    person.connections++;
    person.stay?.();
    person.stay = null;
    if (person.state === 'AWAY') {
      person.actedAt = this.#environment.now();
      this.#become(live.id, person, 'ACTIVE');
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      person.connections--;
      if (person.connections > 0) return;
      this.#become(live.id, person, 'AWAY');
      // A failure is no loss: what they hold runs out by itself.
      this.#leave(live, member, person).catch(() => this.#forget(live.id, member, person));
    };
  }

  /** Somebody has given a command, which a program does not give by itself. */
  acted({ id }: LiveProject, member: string): void {
    const person = this.#rooms.get(id)?.people.get(member);
    if (person === undefined) return;
    person.actedAt = this.#environment.now();
    if (person.state === 'IDLE') this.#become(id, person, 'ACTIVE');
  }

  /** Who is in a project. The same array as long as nothing has changed. */
  of(project: string): readonly Present[] {
    const room = this.#rooms.get(project);
    if (room === undefined) return NOBODY;
    room.view ??= [...room.people].map(([member, { state, since }]) => ({ member, state, since }));
    return room.view;
  }

  /** To be called now and then: whoever has been silent for long is idle. */
  tick(now: number): void {
    for (const [project, { people }] of this.#rooms) {
      for (const person of people.values()) {
        if (person.state === 'ACTIVE' && now - person.actedAt >= IDLE_MS)
          this.#become(project, person, 'IDLE');
      }
    }
  }

  /** Forgets who is leaving, at shutdown: they will come back to another process. */
  close(): void {
    this.#isClosed = true;
    for (const { people } of this.#rooms.values()) for (const { stay } of people.values()) stay?.();
    this.#rooms.clear();
  }

  #newcomer(): Person {
    const now = this.#environment.now();
    return { connections: 0, state: 'AWAY', since: now, actedAt: now, stay: null };
  }

  #become(project: string, person: Person, state: PresenceState): void {
    person.state = state;
    person.since = this.#environment.now();
    this.#changed(project);
  }

  #changed(project: string): void {
    const room = this.#rooms.get(project);
    if (room === undefined) return;
    room.view = null;
    this.#onChange(project);
  }

  async #leave(live: LiveProject, member: string, person: Person): Promise<void> {
    const seconds = await live.read((project) => project.policy.graceSeconds);
    // Meanwhile they may have come back, and even left again.
    if (person.connections > 0 || person.stay !== null || this.#isClosed) return;
    person.stay = this.#environment.setTimer(() => {
      this.#forget(live.id, member, person);
      live.execute('disconnect', { by: member }, () => undefined).catch(() => undefined);
    }, seconds * 1_000);
  }

  #forget(project: string, member: string, person: Person): void {
    const room = this.#rooms.get(project);
    // Somebody of that name may have come anew.
    if (room?.people.get(member) !== person || person.connections > 0) return;
    room.people.delete(member);
    this.#changed(project);
    if (room.people.size === 0) this.#rooms.delete(project);
  }
}
