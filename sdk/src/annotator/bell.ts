/** Wakes whoever waits. */
export class Bell {
  readonly #sleepers = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  /**
   * Waits for the next ring, but no longer than some milliseconds, and not beyond the signal's abort.
   *
   * @returns whether the time was up first
   */
  wait(milliseconds = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isTimeUp: boolean) => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve(isTimeUp);
      };
      const wake = () => end(false);
      const timer = Number.isFinite(milliseconds) ? setTimeout(end, milliseconds, true) : undefined;
      this.#sleepers.add(wake);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
    });
  }
}
