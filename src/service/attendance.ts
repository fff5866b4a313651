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

/** The people of one project at this node, in the order in which they came. */
interface Room {
  readonly people: Map<string, Person>;
}

const NOBODY: readonly Present[] = [];

/** The more somebody is there, the greater. */
const RANK: Readonly<Record<PresenceState, number>> = { AWAY: 0, IDLE: 1, ACTIVE: 2 };

/** Whoever tells other nodes of what happens at this one. */
export interface Herald {
  /** Who is at this node in a project has changed. */
  changed(project: string): void;
  /** Somebody has given a command here who is at another node. */
  acted(project: string, member: string): void;
}

/**
 * Who is connected to their queue, in each project. It is kept in memory only: where somebody was a minute ago is no
 * part of a project's history. Nodes tell each other. Who has been away for the project's grace period gives back what they had prefetched;
 * see `disconnect` in the domain.
 */
export class Attendance {
  readonly #rooms = new Map<string, Room>();
  readonly #environment: Environment;
  readonly #onChange: (project: string) => void;
  /** What other nodes have told, by node and project. */
  readonly #elsewhere = new Map<string, Map<string, readonly Present[]>>();
  /** What projects look like; without those where something has changed since. */
  readonly #views = new Map<string, readonly Present[]>();
  /** Null: there are no other nodes. */
  herald: Herald | null = null;
  #isClosed = false;

  /** @param onChange called whenever {@link of} a project would say something else */
  constructor(environment: Environment, onChange: (project: string) => void) {
    this.#environment = environment;
    this.#onChange = onChange;
  }

  /** Counts a connection in; the answer counts it out again, once. */
  enter(live: LiveProject, member: string): () => void {
    const room = this.#rooms.get(live.id) ?? { people: new Map<string, Person>() };
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
    if (this.#isElsewhere(id, member)) this.herald?.acted(id, member);
    this.#acted(id, member);
  }

  #acted(id: string, member: string): void {
    const person = this.#rooms.get(id)?.people.get(member);
    if (person === undefined) return;
    person.actedAt = this.#environment.now();
    if (person.state === 'IDLE') this.#become(id, person, 'ACTIVE');
  }

  /** Who is in a project. The same array as long as nothing has changed. */
  of(project: string): readonly Present[] {
    let view = this.#views.get(project);
    if (view === undefined) {
      view = this.#look(project);
      this.#views.set(project, view);
    }
    return view;
  }

  /** Who is in a project at this node. */
  here(project: string): readonly Present[] {
    const people = this.#rooms.get(project)?.people ?? [];
    return [...people].map(([member, { state, since }]) => ({ member, state, since }));
  }

  /** The projects that somebody is in at this node. */
  rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  /** Another node has told who is at it: in some projects, or in all. */
  heard(
    node: string,
    rooms: Readonly<Record<string, readonly Present[]>>,
    isAll: boolean,
    acted: readonly (readonly [project: string, member: string])[],
  ): void {
    const known = this.#elsewhere.get(node) ?? new Map<string, readonly Present[]>();
    this.#elsewhere.set(node, known);
    const gone = isAll ? [...known.keys()].filter((project) => !(project in rooms)) : [];
    for (const project of gone) known.delete(project);
    for (const [project, people] of Object.entries(rooms)) {
      if (people.length === 0) known.delete(project);
      else known.set(project, people);
    }
    for (const project of [...gone, ...Object.keys(rooms)]) this.#looksOther(project);
    for (const [project, member] of acted) this.#acted(project, member);
  }

  /** A node is no more, and nobody is at it. */
  lost(node: string): void {
    const projects = [...(this.#elsewhere.get(node)?.keys() ?? [])];
    this.#elsewhere.delete(node);
    for (const project of projects) this.#looksOther(project);
  }

  #isElsewhere(project: string, member: string): boolean {
    for (const rooms of this.#elsewhere.values()) {
      if (rooms.get(project)?.some((present) => present.member === member && present.state !== 'AWAY'))
        return true;
    }
    return false;
  }

  /** Who is here and elsewhere at once is there as much as they are anywhere. */
  #look(project: string): readonly Present[] {
    const all = new Map<string, Present>();
    const told = [...this.#elsewhere.values()].map((rooms) => rooms.get(project) ?? NOBODY);
    for (const present of [this.here(project), ...told].flat()) {
      const known = all.get(present.member);
      const by = known === undefined ? 1 : RANK[present.state] - RANK[known.state];
      if (by > 0 || (by === 0 && known && present.since < known.since)) all.set(present.member, present);
    }
    return all.size === 0 ? NOBODY : [...all.values()];
  }

  #looksOther(project: string): void {
    this.#views.delete(project);
    this.#onChange(project);
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
    this.#views.clear();
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
    this.herald?.changed(project);
    this.#looksOther(project);
  }

  async #leave(live: LiveProject, member: string, person: Person): Promise<void> {
    const seconds = await live.read((project) => project.policy.graceSeconds);
    // Meanwhile they may have come back, and even left again.
    if (person.connections > 0 || person.stay !== null || this.#isClosed) return;
    person.stay = this.#environment.setTimer(() => {
      this.#forget(live.id, member, person);
      // They have come back at another node.
      if (this.#isElsewhere(live.id, member)) return;
      live.execute('disconnect', { by: member }, () => undefined).catch(() => undefined);
    }, seconds * 1_000);
  }

  #forget(project: string, member: string, person: Person): void {
    const room = this.#rooms.get(project);
    // Somebody of that name may have come anew.
    if (room?.people.get(member) !== person || person.connections > 0) return;
    room.people.delete(member);
    if (room.people.size === 0) this.#rooms.delete(project);
    this.#changed(project);
  }
}
