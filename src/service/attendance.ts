import type { Environment } from './environment.ts';
import type { LiveProject } from './liveProject.ts';

interface Presence {
  connections: number;
  /** Calls off their leaving; null while nobody waits for that. */
  stay: (() => void) | null;
}

/**
 * Who is connected to their queue. Who has been away for the project's grace period gives back what they had
 * prefetched; see `disconnect` in the domain.
 */
export class Attendance {
  readonly #present = new Map<string, Presence>();
  readonly #environment: Environment;
  #isClosed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Counts a connection in; the answer counts it out again, once. */
  enter(live: LiveProject, member: string): () => void {
    const key = `${live.id}/${member}`;
    const presence = this.#present.get(key) ?? { connections: 0, stay: null };
    this.#present.set(key, presence);
    presence.connections++;
    presence.stay?.();
    presence.stay = null;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      presence.connections--;
      if (presence.connections > 0) return;
      // A failure is no loss: what they hold runs out by itself.
      this.#leave(live, member, key, presence).catch(() => this.#present.delete(key));
    };
  }

  async #leave(live: LiveProject, member: string, key: string, presence: Presence) {
    const seconds = await live.read((project) => project.policy.graceSeconds);
    // Meanwhile they may have come back, and even left again.
    if (presence.connections > 0 || presence.stay !== null || this.#isClosed) return;
    presence.stay = this.#environment.setTimer(() => {
      this.#present.delete(key);
      live.execute('disconnect', { by: member }, () => undefined).catch(() => undefined);
    }, seconds * 1_000);
  }

  /** Forgets who is leaving, at shutdown: they will come back to another process. */
  close(): void {
    this.#isClosed = true;
    for (const { stay } of this.#present.values()) stay?.();
    this.#present.clear();
  }
}
