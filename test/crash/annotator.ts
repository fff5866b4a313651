import type { Client, Queue, Submission } from '@concord/sdk/client';
import type { Project } from '../../src/domain/project.ts';
import type { Dice } from '../simulation/dice.ts';
import { mustEqual } from './ledger.ts';
import { clientOf, dataOf, localId, repeat, type Scene, think } from './scene.ts';

const HOLD = 3;
/** The longest pause between two commands, and while there is nothing to do; milliseconds. */
const THINK_MS = 6;
const IDLE_MS = 40;

/** An assignment as its annotator is shown it. */
type Hand = Queue['assignments'][number];

/** An answer that stands. */
interface Answer {
  readonly hand: Hand;
  readonly label: string;
}

/** A queue as its annotator is shown it, in what does not depend on the clock. */
export function shownQueue({ answers, assignments }: Queue) {
  const held = assignments.map(({ id, state, label, data }) => ({
    id: localId(id, 'Assignment'),
    state,
    label,
    data,
  }));
  return { answers, held };
}

/** The same from a projection. */
export function queueIn(project: Project, member: string): ReturnType<typeof shownQueue> {
  const annotator = project.annotator(member);
  const { assignments, samples } = project;
  const held = (annotator?.held ?? []).map((row) => ({
    id: assignments.ids.keyAt(row),
    state: assignments.state(row),
    label: project.labels[assignments.label.get(row)] ?? null,
    data: dataOf(samples.keys.keyAt(assignments.sample.get(row))),
  }));
  return { answers: annotator?.answers ?? 0, held };
}

/** Claims, answers, skips, gives back, undoes, and gives once more what was acknowledged before. */
export class Annotator {
  readonly member: string;
  readonly client: Client;
  readonly #scene: Scene;
  readonly #dice: Dice;
  #held: readonly Hand[] = [];
  /** The newest answer, while it stands. */
  #last: Answer | null = null;

  /** @param member as the journal calls them */
  constructor(scene: Scene, dice: Dice, { member, token }: { member: string; token: string }) {
    this.member = member;
    this.client = clientOf(scene, token);
    this.#scene = scene;
    this.#dice = dice;
  }

  live(): Promise<void> {
    return repeat(this.#scene, () => this.#step());
  }

  async #step(): Promise<void> {
    await think(this.#dice, THINK_MS);
    const [hand] = this.#held;
    if (hand === undefined) return this.#claim();
    switch (this.#dice.weighted({ submit: 70, again: 10, undo: 8, skip: 6, release: 6 })) {
      case 'submit':
        return this.#submit(hand, this.#dice.pick(this.#scene.labels));
      case 'again':
        return this.#submitAgain();
      case 'undo':
        return this.#undo();
      case 'skip':
        await this.#ask(hand, 'skipped', (assignment) => this.client.skip({ assignment, reason: 'unclear' }));
        return this.#claim();
      case 'release':
        await this.#ask(hand, 'released', (assignment) => this.client.release({ assignment }));
        return this.#claim();
    }
  }

  async #claim(): Promise<void> {
    const queue = await this.client.claim({ project: this.#scene.project, hold: HOLD });
    this.#see(queue);
    if (queue.assignments.length === 0) await think(this.#dice, IDLE_MS);
  }

  async #submit(hand: Hand, label: string): Promise<void> {
    this.#hear(
      await this.#ask(hand, `submitted ${label}`, (assignment) =>
        this.client.submit({ assignment, label, hold: HOLD }),
      ),
      { hand, label },
    );
  }

  /** The service has said that it has this answer, perhaps before a crash, and must say the same again. */
  async #submitAgain(): Promise<void> {
    if (this.#last === null) return;
    const { hand, label } = this.#last;
    this.#hear(await this.client.submit({ assignment: hand.id, label, hold: HOLD }), this.#last);
  }

  async #undo(): Promise<void> {
    if (this.#last === null) return;
    const { hand } = this.#last;
    this.#last = null;
    await this.#ask(hand, 'undone', (assignment) => this.client.undo({ assignment }));
    return this.#claim();
  }

  /** Asks something of an assignment, until it is acknowledged. */
  async #ask<T>({ id }: Hand, deed: string, command: (assignment: string) => Promise<T>): Promise<T> {
    const acknowledge = this.#scene.ledger.request(localId(id, 'Assignment'), deed);
    const answer = await command(id);
    acknowledge();
    return answer;
  }

  #hear({ assignment, queue }: Submission, answer: Answer): void {
    const { hand, label } = answer;
    const { state, data } = assignment;
    mustEqual('what was told of an answer', [state, assignment.label, data], ['SUBMITTED', label, hand.data]);
    this.#last = answer;
    this.#see(queue);
  }

  #see(queue: Queue): void {
    this.#held = queue.assignments;
    this.#scene.ledger.saw({
      what: 'the queue that came with an answer',
      seq: queue.seq,
      atEnd: false,
      seen: shownQueue(queue),
      look: (project) => queueIn(project, this.member),
    });
  }
}
