import type { ProjectAccess } from './access.ts';
import type { Concord } from './concord.ts';

/**
 * Who is connected to their queue. Who has been away for the project's grace period gives back what they had
 * prefetched; see `disconnect` in the domain.
 */
export class Attendance {
  readonly #connections = new Map<string, number>();
  readonly #leaving = new Map<string, () => void>();

  /** Counts a connection in; the answer counts it out again, once. */
  enter(concord: Concord, { live, viewer }: ProjectAccess): () => void {
    const key = `${live.id}/${viewer.member}`;
    this.#connections.set(key, (this.#connections.get(key) ?? 0) + 1);
    this.#leaving.get(key)?.();
    this.#leaving.delete(key);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const others = (this.#connections.get(key) ?? 1) - 1;
      if (others > 0) {
        this.#connections.set(key, others);
        return;
      }
      this.#connections.delete(key);
      void live
        .read((project) => project.policy.graceSeconds)
        .then(
          (seconds) => {
            if (this.#connections.has(key)) return;
            const cancel = concord.environment.setTimer(() => {
              this.#leaving.delete(key);
              // A failure is no loss: what is held runs out by itself.
              live.execute('disconnect', { by: viewer.member }, () => undefined).catch(() => undefined);
            }, seconds * 1_000);
            this.#leaving.set(key, cancel);
          },
          () => undefined,
        );
    };
  }

  /** Forgets who is leaving, at shutdown: they will come back to another process. */
  close(): void {
    for (const cancel of this.#leaving.values()) cancel();
    this.#leaving.clear();
  }
}
