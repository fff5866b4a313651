import type { Commit } from '../journal/port.ts';

/** Work in the commits that are kept, in ordinary events; see `JournalKind.workOf`. */
const MAX_WORK = 1_000;

/** The newest commits of a host that fold without chunks, for who would else read them from the store. */
export class RecentCommits {
  /** Oldest first. */
  readonly #kept: { readonly commit: Commit; readonly work: number }[] = [];
  #work = 0;

  add(commit: Commit, work: number): void {
    this.#kept.push({ commit, work });
    this.#work += work;
    while (this.#work > MAX_WORK) this.#work -= this.#kept.shift()?.work ?? 0;
  }

  /** Those after a place, up to another one: all, or none if some are not at hand. */
  between(after: number, upTo: number): readonly Commit[] {
    const found = this.#kept.filter(({ commit: { seq } }) => seq > after && seq <= upTo);
    return found.length === upTo - after ? found.map(({ commit }) => commit) : [];
  }
}
