import type { Holder, StoredValue } from '../journal/port.ts';
import type { Attendance, Present } from './attendance.ts';
import type { Environment } from './environment.ts';

/** How long to wait until others are told of a change, and of those that come meanwhile, in milliseconds. */
const TELL_MS = 200;
/** After how long somebody is told again who could not be told, in milliseconds. */
const AGAIN_MS = 1_000;

/** What a node tells another of who is at it. */
export interface PresenceMessage {
  readonly kind: 'presence';
  readonly node: string;
  /** The projects that are told of; who is not named is not there. */
  readonly rooms: Readonly<Record<string, readonly Present[]>>;
  /** These rooms are all that there are. */
  readonly isAll: boolean;
  /** Who has given a command here, by project. */
  readonly acted: readonly (readonly [project: string, member: string])[];
}

/** Who is to be told what. */
interface Peer {
  /** Projects that have changed; null: it knows nothing yet. */
  changed: Set<string> | null;
  isBeingTold: boolean;
}

/** Tells the other nodes who is at this one, whenever that changes. What they tell goes to {@link Attendance.heard}. */
export class PresenceExchange {
  readonly #attendance: Attendance;
  readonly #environment: Environment;
  readonly #self: string;
  readonly #others: () => readonly Holder[];
  readonly #send: (peer: Holder, message: StoredValue) => Promise<boolean>;
  readonly #peers = new Map<string, Peer>();
  #acted = new Map<string, readonly [string, string]>();
  #stopTimer: (() => void) | null = null;
  #isClosed = false;

  /** @param send tells whether it arrived */
  constructor(
    attendance: Attendance,
    environment: Environment,
    self: string,
    others: () => readonly Holder[],
    send: (peer: Holder, message: StoredValue) => Promise<boolean>,
  ) {
    this.#attendance = attendance;
    this.#environment = environment;
    this.#self = self;
    this.#others = others;
    this.#send = send;
  }

  /** Who is at this node in a project has changed. */
  changed(project: string): void {
    for (const peer of this.#peers.values()) peer.changed?.add(project);
    this.#soon(TELL_MS);
  }

  /** Somebody who is at another node has given a command at this one. */
  acted(project: string, member: string): void {
    this.#acted.set(`${project} ${member}`, [project, member]);
    this.#soon(TELL_MS);
  }

  /** The nodes there are may have changed. */
  look(): void {
    const others = this.#others();
    if (others.some(({ node }) => !this.#peers.has(node))) this.#soon(0);
  }

  /** A node is no more. */
  lost(node: string): void {
    this.#peers.delete(node);
  }

  close(): void {
    this.#isClosed = true;
    this.#stopTimer?.();
  }

  #soon(ms: number): void {
    if (this.#isClosed) return;
    this.#stopTimer ??= this.#environment.setTimer(() => {
      this.#stopTimer = null;
      this.#tellAll();
    }, ms);
  }

  #tellAll(): void {
    const acted = [...this.#acted.values()];
    this.#acted = new Map();
    for (const other of this.#others()) {
      const peer = this.#peers.get(other.node) ?? { changed: null, isBeingTold: false };
      this.#peers.set(other.node, peer);
      void this.#tell(other, peer, acted);
    }
  }

  async #tell(other: Holder, peer: Peer, acted: PresenceMessage['acted']): Promise<void> {
    // One after another: an older word must not come after a newer one.
    if (peer.isBeingTold) return this.#soon(TELL_MS);
    const { changed } = peer;
    if (changed !== null && changed.size === 0 && acted.length === 0) return;
    const projects = changed ?? this.#attendance.rooms();
    const rooms = Object.fromEntries([...projects].map((id) => [id, this.#attendance.here(id)]));
    const message: PresenceMessage = {
      kind: 'presence',
      node: this.#self,
      rooms,
      isAll: changed === null,
      acted,
    };
    peer.changed = new Set();
    peer.isBeingTold = true;
    const isTold = await this.#send(other, message as unknown as StoredValue);
    peer.isBeingTold = false;
    if (isTold) return;
    // It may have heard, or not: it is told everything.
    peer.changed = null;
    this.#soon(AGAIN_MS);
  }
}
