import { isDeepStrictEqual } from 'node:util';
import type { Project } from '../domain/project.ts';
import type { Environment } from './environment.ts';

interface Stood {
  readonly seq: number;
}

/**
 * A view of a project that is the same for everybody: taken once a commit, however many look at it. While it
 * says the same, its parts stay the same objects, so that {@link sameShared} is cheap.
 */
export class SharedView<T extends Stood> {
  readonly #take: (project: Project) => T;
  readonly #environment: Environment;
  /** How long taking it takes, of late, in milliseconds. */
  tookMs = 0;
  #project: Project | null = null;
  #view: T | null = null;

  constructor(take: (project: Project) => T, environment: Environment) {
    this.#take = take;
    this.#environment = environment;
  }

  /** The view of a project as it is now. To be called only between commits, as `JournalHost.read` does. */
  of(project: Project): T {
    const last = this.#view;
    if (last !== null && this.#project === project && last.seq === project.seq) return last;
    const since = this.#environment.monotonic();
    const taken = this.#take(project);
    const view = last !== null && sameButSeq(taken, last) ? { ...last, seq: taken.seq } : taken;
    // One that was interrupted says little of the next.
    this.tookMs = (this.tookMs + this.#environment.monotonic() - since) / 2;
    this.#project = project;
    this.#view = view;
    return view;
  }
}

/** Whether two states would look alike: that the journal has moved on is no news of itself. */
export function sameButSeq<T extends Stood>(a: T, b: T): boolean {
  return isDeepStrictEqual({ ...a, seq: 0 }, { ...b, seq: 0 });
}

/** The same of two views of one {@link SharedView}, whose parts are shared while nothing has changed. */
export function sameShared<T extends Stood>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((field) => field === 'seq' || Object.is(a[field], b[field]));
}
