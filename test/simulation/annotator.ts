import type { ProjectEvent } from '../../src/domain/events.ts';
import type { Project } from '../../src/domain/project.ts';
import { claim, endWorkSession, handle, skip } from '../../src/service/queue.ts';
import { assignmentView, type QueueView, queueView } from '../../src/service/views.ts';
import { Client } from './client.ts';
import type { Errand } from './ledger.ts';
import { short, Violation } from './story.ts';
import { LABELS, type Label } from './world.ts';

/** An answer that was sent, whatever became of it. */
interface Sent {
  readonly assignment: string;
  readonly label: Label;
  readonly mark: number;
  readonly errand: Errand;
}

/** What the journal alone says of somebody's queue. */
export function queueOf(project: Project, member: string) {
  return withoutClock(queueView(project, member, 0));
}

/** A queue but for why it is empty, and how far its work session is: that depends on the clock too. */
export function withoutClock({ empty: _, workSession, ...queue }: QueueView) {
  if (workSession === null) return { ...queue, workSession };
  const { state: _state, millisecondsLeft: _left, ...session } = workSession;
  return { ...queue, workSession: session };
}

function assignmentOf(project: Project, assignment: string) {
  const row = project.assignments.ids.indexOf(assignment);
  return row < 0 ? null : assignmentView(project, row);
}

/**
 * Claims, answers, changes answers, skips, gives back, undoes, dawdles; sends answers again, sends others after them, and tries what
 * is not theirs.
 */
export class Annotator extends Client {
  readonly #held = new Set<string>();
  /** What they held once, and were told that they do not any more; never answered. */
  readonly #lost = new Set<string>();
  readonly #sent: Sent[] = [];

  protected async act(): Promise<void> {
    const action = this.dice.weighted({
      claim: 5,
      answer: 10,
      late: 1.5,
      again: 3,
      otherwise: 1,
      skip: 1,
      release: 1,
      renew: 1,
      undo: 2,
      revise: 2,
      meddle: 0.5,
      dawdle: 1.5,
      rest: 0.3,
    });
    switch (action) {
      case 'claim':
        return this.#claim(this.dice.between(1, 4));
      case 'answer':
        return this.#answer();
      case 'late':
        return this.#late();
      case 'again':
        return this.#again();
      case 'otherwise':
        return this.#otherwise();
      case 'skip':
        return this.#skip();
      case 'release':
      case 'renew':
        return this.#handle(action, this.#anyHeld());
      case 'undo':
        return this.#handle(action, this.#sent.at(-1)?.assignment);
      case 'revise':
        return this.#revise();
      case 'meddle':
        return this.#meddle();
      case 'dawdle':
        return this.world.scheduler.pause(this.dice.between(2_000, 12_000));
      case 'rest':
        return this.#rest();
    }
  }

  #anyHeld(): string | undefined {
    return this.#held.size > 0 ? this.dice.pick([...this.#held]) : undefined;
  }

  #learn(held: readonly { readonly id: string }[]): void {
    for (const id of this.#held) this.#lost.add(id);
    this.#held.clear();
    for (const { id } of held) {
      this.#held.add(id);
      this.#lost.delete(id);
      this.world.hands.set(id, this.person.member);
    }
  }

  async #claim(hold: number): Promise<void> {
    const { member } = this.person;
    const what = `claim of ${hold}`;
    const reply = await this.send(what, this.errand(what), {
      run: (access, concord) => claim(concord, access, hold),
      sight: (seen) => ({
        seq: seen.seq,
        seen: withoutClock(seen),
        look: (project) => queueOf(project, member),
      }),
    });
    if (reply.kind === 'DONE') this.#learn(reply.value.held);
  }

  async #answer(): Promise<void> {
    const assignment = this.#anyHeld();
    if (assignment === undefined) return this.#claim(this.dice.between(1, 4));
    // Whatever becomes of it, one goes on to the next.
    this.#held.delete(assignment);
    await this.#submit(this.#newAnswer(assignment, this.dice.pick(LABELS)));
  }

  #newAnswer(assignment: string, label: Label): Sent {
    const mark = this.world.mark();
    const index = LABELS.indexOf(label);
    const isAsked = (event: ProjectEvent) =>
      (event.type === 'submitted' || event.type === 'revised') &&
      event.assignment === assignment &&
      event.label === index;
    const errand = this.errand(`answer ${label} to ${short(assignment)}`, {
      about: [short(assignment)],
      isOnce: true,
      isMine: (event) => isAsked(event) && event.type === 'submitted' && event.milliseconds === mark,
      isAsked,
    });
    const sent = { assignment, label, mark, errand };
    this.#sent.push(sent);
    return sent;
  }

  /** Answers what is not theirs any more, for its time had passed or it was given back. */
  async #late(): Promise<void> {
    if (this.#lost.size === 0) return this.#answer();
    const assignment = this.dice.pick([...this.#lost]);
    this.#lost.delete(assignment);
    await this.#submit(this.#newAnswer(assignment, this.dice.pick(LABELS)));
  }

  async #again(): Promise<void> {
    if (this.#sent.length > 0) await this.#submit(this.dice.pick(this.#sent.slice(-6)));
  }

  async #otherwise(): Promise<void> {
    if (this.#sent.length === 0) return;
    const { assignment, label } = this.dice.pick(this.#sent);
    const other = LABELS.filter((one) => one !== label);
    await this.#submit(this.#newAnswer(assignment, this.dice.pick(other)));
  }

  /** Gives another answer in place of one of the last. */
  async #revise(): Promise<void> {
    if (this.#sent.length === 0) return;
    const { assignment } = this.dice.pick(this.#sent.slice(-4));
    const label = this.dice.pick(LABELS);
    const errand = this.errand(`revise ${short(assignment)} to ${label}`, { about: [short(assignment)] });
    await this.#submit({ assignment, label, mark: this.world.mark(), errand }, true);
  }

  async #submit({ assignment, label, mark, errand }: Sent, revise = false): Promise<void> {
    const hold = this.dice.chance(0.4) ? this.dice.between(1, 4) : null;
    const { member } = this.person;
    const what = `${revise ? 'other answer' : 'answer'} ${label} to ${short(assignment)}${hold === null ? '' : `, hold ${hold}`}`;
    const reply = await this.send(what, errand, {
      run: ({ live, viewer }) =>
        live.execute(
          'submit',
          { by: viewer.member, assignment, label, milliseconds: mark, hold, revise },
          (project, { row }) => ({
            counted: project.assignments.isCounted(row),
            assignment: assignmentView(project, row),
            queue: queueOf(project, viewer.member),
          }),
        ),
      sight: (seen) => ({
        seq: seen.queue.seq,
        seen,
        look: (project) => ({
          counted: project.assignments.isCounted(project.assignments.ids.indexOf(assignment)),
          assignment: assignmentOf(project, assignment),
          queue: queueOf(project, member),
        }),
      }),
    });
    if (reply.kind === 'DONE' && hold !== null) this.#learn(reply.value.queue.held);
  }

  async #skip(): Promise<void> {
    const assignment = this.#anyHeld();
    if (assignment === undefined) return;
    this.#held.delete(assignment);
    const reason = `reason ${this.world.mark()}`;
    const what = `skip ${short(assignment)}`;
    const errand = this.errand(what, {
      about: [short(assignment)],
      isOnce: true,
      isMine: (event) => event.type === 'skipped' && event.reason === reason,
      isAsked: (event) => event.type === 'skipped' && event.assignment === assignment,
    });
    await this.send(what, errand, { run: (access, concord) => skip(concord, access, assignment, reason) });
  }

  async #handle(command: 'release' | 'renew' | 'undo', assignment: string | undefined): Promise<void> {
    if (assignment === undefined) return;
    const what = `${command} ${short(assignment)}`;
    const reply = await this.send(what, this.errand(what, { about: [short(assignment)] }), {
      run: (access, concord) => handle(concord, access, command, assignment),
    });
    if (reply.kind !== 'DONE') return;
    if (command === 'release') {
      this.#held.delete(assignment);
      this.#lost.add(assignment);
    }
    if (command === 'undo') this.#held.add(assignment);
  }

  /** What is in others' hands is not there. */
  async #meddle(): Promise<void> {
    const others = [...this.world.hands].filter(([, member]) => member !== this.person.member);
    if (others.length === 0) return;
    const [assignment] = this.dice.pick(others);
    const what = `meddling with ${short(assignment)}`;
    const reply = await this.send(what, this.errand(what, { about: [short(assignment)] }), {
      run: (access, concord) =>
        handle(concord, access, this.dice.pick(['release', 'renew', 'undo']), assignment),
    });
    if (reply.kind === 'DONE')
      throw new Violation(`${this.name}'s ${what} was let through`, [short(assignment)]);
  }

  async #rest(): Promise<void> {
    const what = 'end of the work session';
    const { member } = this.person;
    await this.send(what, this.errand(what), {
      run: (access, concord) => endWorkSession(concord, access),
      sight: (seen) => ({
        seq: seen.seq,
        seen: withoutClock(seen),
        look: (project) => queueOf(project, member),
      }),
    });
  }
}
