import { hasWork } from '../domain/nextSample.ts';
import type { Project } from '../domain/project.ts';
import { isExhausted } from '../domain/rounds.ts';
import type { Concord } from './concord.ts';
import { delay } from './environment.ts';
import { finishErasures } from './erasing.ts';
import type { LiveProject } from './liveProject.ts';

/** How often erasures are looked for that were cut short; at the start first. */
const UNFINISHED_EVERY_MS = 3_600_000;
/** For so many annotators it is looked at a time whether there is work. */
const LOOKS = 200;

/**
 * Lets go what has run out, in every project that is used, so that people are told without anybody asking:
 * assignments, rounds (those that nobody can bring on, too), the streams of those whose token has run out, who has become
 * idle, and who has no work left. Now and then it brings erasures to their end that were cut short.
 */
export class Sweep {
  readonly #concord: Concord;
  /** When erasures were last looked for that were cut short. */
  #erasuresLookedAt = Number.NEGATIVE_INFINITY;
  /** At which commit it was last looked whose work has gone to others. */
  readonly #workLookedAt = new WeakMap<LiveProject, number>();

  constructor(concord: Concord) {
    this.#concord = concord;
  }

  /** @throws {AggregateError} some projects could not be swept; the others were */
  async run(): Promise<void> {
    const { hub, attendance, environment } = this.#concord;
    const now = environment.now();
    hub.tick(now);
    attendance.tick(now);
    await this.#concord.endExpired();
    const failures: unknown[] = [];
    try {
      await this.#finishErasures(now);
    } catch (error) {
      failures.push(error);
    }
    for (const project of this.#concord.projectsInUse()) {
      try {
        await this.#sweepProject(project);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some projects could not be swept');
  }

  async #finishErasures(now: number): Promise<void> {
    if (now < this.#erasuresLookedAt + UNFINISHED_EVERY_MS) return;
    await finishErasures(this.#concord);
    this.#erasuresLookedAt = now;
  }

  async #sweepProject(project: LiveProject): Promise<void> {
    const { cluster, environment } = this.#concord;
    // A state that was lost, and could not be had again, is tried anew: somebody may wait for what it comes to.
    await project.read(() => undefined);
    await this.#tellWhoIsOutOfWork(project);
    if (cluster !== null && !(await cluster.decides(project.id))) return;
    // One sweep lets go a bounded number. Nothing, if whoever has decided after all goes by an earlier time.
    for (let before = -1; ; ) {
      const seq = await project.read((state) => (isDue(state, environment.now()) ? state.seq : before));
      if (seq === before) break;
      before = seq;
      await project.execute('sweep', {}, () => undefined);
    }
    await this.#closeExhausted(project);
  }

  /**
   * Wakes those who follow their queue and whose work has all gone to others, of which nothing that was done for them or by
   * them tells. What is asked of each is little, and asked of a few at a time.
   */
  async #tellWhoIsOutOfWork(project: LiveProject): Promise<void> {
    const { hub, environment } = this.#concord;
    const seq = await project.read((state) => state.seq);
    if (this.#workLookedAt.get(project) === seq) return;
    this.#workLookedAt.set(project, seq);
    const followers = hub.interested(project.id).filter(({ interest }) => interest.since >= 0);
    for (let first = 0; first < followers.length; first += LOOKS) {
      if (first > 0) await delay(environment, 0);
      await project.read((state) => {
        for (const follower of followers.slice(first, first + LOOKS)) {
          if (!hasWork(state, follower.interest.member)) hub.ring(follower);
        }
      });
    }
  }

  /** A round that nobody can bring on is closed, so that whoever waits for it can go on. */
  async #closeExhausted(project: LiveProject): Promise<void> {
    const { directory, environment } = this.#concord;
    if (!(await project.read(({ isCreated, openRound }) => isCreated && openRound !== undefined))) return;
    const annotators = await directory.read((state) => state.annotatorsOf(project.id, environment.now()));
    if (!(await project.read((state) => isExhausted(state, annotators)))) return;
    await project.execute('closeExhaustedRound', { annotators }, () => undefined);
  }
}

function isDue(project: Project, now: number): boolean {
  if (!project.isCreated) return false;
  const deadline = project.nextDeadline();
  if (deadline && deadline.until <= now) return true;
  const round = project.openRound;
  return round?.opened.deadline != null && round.opened.deadline <= now;
}
