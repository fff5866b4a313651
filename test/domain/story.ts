import fc from 'fast-check';
import { expect } from 'vitest';
import type { CommandInput, CommandResult, ProjectCommand } from '../../src/domain/commands.ts';
import type { PolicyChange } from '../../src/domain/policy.ts';
import { type Hand, NaiveQueue } from './naiveQueue.ts';
import { chosen, LABELS, MINUTE, type Outcome, project, type Scenario, SECOND } from './scenario.ts';

const MEMBERS = ['ann', 'bob', 'cy', 'dee', 'eve', 'fay'];

const who = fc.nat({ max: MEMBERS.length - 1 });
/** Picks one of what there is when it comes to it. */
const pick = fc.nat({ max: 1_000 });
const label = fc.constantFrom(...LABELS);
const hold = fc.integer({ min: 1, max: 4 });

const overlap = fc.integer({ min: 1, max: 3 });
const overlapShare = fc.constantFrom(0, 0.5, 1);
const extraOpinions = fc.constantFrom(0, 1, 1, 3);
const skipLimit = fc.integer({ min: 1, max: 3 });
const withoutRound = fc.constantFrom('POOL', 'POOL', 'WAIT');
const autoAcceptThreshold = fc.constantFrom(null, 0.7, 0.9);
const audit = fc.constantFrom(
  { share: 1, cap: 100, errorLimit: 0.3 },
  { share: 0.5, cap: 3, errorLimit: 0.01 },
  { share: 1, cap: 100, errorLimit: 0.9 },
);
const gold = fc.constantFrom(
  { share: 0.1, limit: 0.7, reserve: 2 },
  { share: 0.1, limit: 0.99, reserve: 3 },
  { share: 0, limit: 0.7, reserve: 2 },
);
const suggestions = fc.constantFrom('HIDDEN', 'SHOWN', 'AFTER_FIRST_ANSWER');
const hiddenShare = fc.constantFrom(0.1, 0.5);

const change: fc.Arbitrary<PolicyChange> = fc.oneof(
  fc.record({ overlap, overlapShare }),
  fc.record({ skipLimit }),
  fc.record({ extraOpinions }),
  fc.record({ gold }),
  fc.record({ assignmentMinutes: fc.constantFrom(1, 5, 10) }),
  fc.record({ withoutRound }),
  fc.record({ paused: fc.constantFrom(false, false, true) }),
  fc.record({ autoAcceptThreshold, audit }),
  fc.record({ workSession: fc.record({ minutes: fc.constantFrom(0, 8), breakMinutes: fc.constant(3) }) }),
  fc.record({ suggestions, hiddenShare }),
  fc.record({ repeatShare: fc.constantFrom(0, 0.2) }),
);

/** Something that happens, as an arbitrary of its fields. */
function happens<T extends string, F>(type: T, fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) {
  return fc.record(fields).map((values) => ({ type, ...values }));
}

const step = fc.oneof(
  { weight: 8, arbitrary: happens('claim', { who, hold }) },
  { weight: 12, arbitrary: happens('submitHeld', { who, pick, label, hold: fc.option(hold) }) },
  { weight: 2, arbitrary: happens('submitAny', { who, pick, label }) },
  { weight: 6, arbitrary: happens('submitLate', { pick, label }) },
  { weight: 3, arbitrary: happens('overtake', { who, pick, label }) },
  { weight: 2, arbitrary: happens('skip', { who, pick }) },
  { weight: 2, arbitrary: happens('release', { who, pick }) },
  { weight: 1, arbitrary: happens('renew', { who, pick }) },
  { weight: 3, arbitrary: happens('undo', { who, pick }) },
  { weight: 3, arbitrary: happens('revise', { who, pick, label }) },
  { weight: 1, arbitrary: happens('disconnect', { who }) },
  { weight: 1, arbitrary: happens('endWorkSession', { who }) },
  { weight: 1, arbitrary: happens('meddle', { who, pick }) },
  { weight: 6, arbitrary: happens('time', { seconds: fc.integer({ min: 1, max: 700 }) }) },
  { weight: 1, arbitrary: happens('sweep', {}) },
  { weight: 2, arbitrary: happens('policy', { change }) },
  { weight: 1, arbitrary: happens('import', { count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: happens('predict', {
      rows: fc.array(
        fc.record({ label: fc.nat({ max: 2 }), sure: fc.constantFrom(0.5, 0.7, 0.9, 0.95, 0.95) }),
        {
          maxLength: 12,
        },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: happens('open', {
      order: fc.array(pick, { minLength: 1, maxLength: 6 }),
      random: fc.array(fc.constantFrom(0, 1), { minLength: 6, maxLength: 6 }),
      minutes: fc.option(fc.integer({ min: 1, max: 30 })),
    }),
  },
  { weight: 1, arbitrary: happens('close', { pick }) },
  { weight: 1, arbitrary: happens('rule', { pick, label }) },
  { weight: 1, arbitrary: happens('reopen', { pick }) },
  { weight: 3, arbitrary: happens('gold', { pick, label }) },
  { weight: 1, arbitrary: happens('noGold', { pick }) },
  { weight: 1, arbitrary: happens('resume', { who }) },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A project, one to six annotators, and what happens. */
export const story = fc.record({
  policy: fc.record({
    overlap,
    overlapShare,
    extraOpinions,
    gold,
    skipLimit,
    withoutRound,
    autoAcceptThreshold,
    audit,
    suggestions,
    hiddenShare,
  }),
  seed: fc.nat(),
  samples: fc.integer({ min: 1, max: 8 }),
  members: fc.integer({ min: 1, max: MEMBERS.length }),
  steps: fc.array(step, { maxLength: 80, size: 'max' }),
});
export type Story = typeof story extends fc.Arbitrary<infer S> ? S : never;

/** What a refused command may leave behind: what had run out, and what followed from that. */
const LAPSES = ['expired', 'promoted', 'opinionAsked', 'roundClosed', 'autoAcceptJudged'];

/** A project with its naive twin, which judges every event before it is folded. */
export class Tale {
  readonly scenario: Scenario;
  readonly twin: NaiveQueue;
  readonly members: readonly string[];

  constructor({ policy, seed, samples, members }: Omit<Story, 'steps'>) {
    this.members = MEMBERS.slice(0, members);
    this.scenario = project(policy, { seed });
    this.twin = new NaiveQueue(this.scenario.chunks);
    for (const { events, time } of this.scenario.commits) {
      for (const event of events) this.twin.take(event, time);
    }
    this.scenario.onEvent = (event) => {
      const problem = this.twin.problem(event, this.scenario.now);
      if (problem !== null) throw new Error(`${problem}: ${JSON.stringify(event)}`);
      this.twin.take(event, this.scenario.now);
    };
    this.scenario.imported(samples);
  }

  play(step: Step): void {
    const { scenario, twin } = this;
    switch (step.type) {
      case 'claim':
        this.#claim(this.#member(step.who), step.hold);
        break;
      case 'submitHeld': {
        const { held } = twin.member(this.#member(step.who));
        this.#submit(held[step.pick % held.length], step.label, step.hold);
        break;
      }
      case 'submitAny':
        this.#submit(this.#anyOf(step), step.label, null);
        break;
      case 'submitLate':
        this.#submitLate(step.pick, step.label);
        break;
      case 'overtake':
        // Seldom by chance alone: time runs out, somebody else takes all, and then comes a late answer.
        scenario.after(twin.policy.assignmentMinutes * MINUTE);
        this.#claim(this.#member(step.who), 8);
        this.#submitLate(step.pick, step.label);
        break;
      case 'skip':
        this.#withAny(step, (own) => this.#do('skip', { ...own, reason: 'blurred' }));
        break;
      case 'release':
      case 'renew':
      case 'undo':
        this.#withAny(step, (own) => this.#do(step.type, own));
        break;
      case 'revise':
        this.#withAny(step, (own) => {
          const answer = { ...own, label: step.label, milliseconds: null, hold: null, revise: true };
          const { refusal } = this.#do('submit', answer);
          if (!refusal) this.#do('submit', answer).thenNothing();
        });
        break;
      case 'disconnect': {
        const by = this.#member(step.who);
        this.#do('disconnect', { by });
        expect(twin.member(by).held.length).toBeLessThanOrEqual(1);
        break;
      }
      case 'endWorkSession':
        this.#do('endWorkSession', { by: this.#member(step.who) });
        break;
      case 'meddle':
        this.#meddle(this.#member(step.who), step.pick);
        break;
      case 'time':
        scenario.after(step.seconds * SECOND);
        break;
      case 'sweep':
        this.#do('sweep', {});
        break;
      case 'policy':
        this.#do('changePolicy', { by: 'owner', change: step.change });
        break;
      case 'import':
        scenario.imported(step.count);
        break;
      case 'predict': {
        const rows = Object.fromEntries(step.rows.slice(0, twin.samples.length).entries());
        this.#do('publishPredictions', { by: 'driver', model: 'm', parts: [scenario.uploaded(rows)] });
        break;
      }
      case 'open': {
        const { order, random, minutes } = step;
        const samples = [...new Set(order.map((n) => n % twin.samples.length))];
        const choice = chosen(samples, { random: Uint8Array.from(random.slice(0, samples.length)) });
        const deadline = minutes === null ? null : scenario.now + minutes * MINUTE;
        this.#do('openRound', { by: 'driver', choice, deadline });
        break;
      }
      case 'gold': {
        const sample = step.pick % twin.samples.length;
        const { refusal } = this.#do('setGold', {
          by: 'owner',
          answers: [{ sample, label: step.label }],
          origin: 'OWNER',
        });
        if (refusal) expect(scenario.project.rulings.has(sample)).toBe(true);
        break;
      }
      case 'noGold':
        this.#do('removeGold', { by: 'owner', samples: [step.pick % twin.samples.length] });
        break;
      case 'resume':
        this.#do('resumeAnnotator', { by: 'owner', member: this.#member(step.who) });
        break;
      case 'rule':
      case 'reopen': {
        const ruling = { by: 'owner', sample: step.pick % twin.samples.length, reason: 'seen' };
        if (step.type === 'rule') this.#do('rule', { ...ruling, label: step.label });
        else this.#do('reopenRuling', ruling);
        break;
      }
      case 'close':
        if (twin.rounds.length > 0)
          this.#do('closeRound', { by: 'dora', number: 1 + (step.pick % twin.rounds.length) });
        break;
    }
  }

  #claim(by: string, hold: number): void {
    const { held, empty } = this.#do('claim', { by, hold }).result;
    const isShort = held.length < hold;
    if (isShort) expect(this.twin.whyEmpty(by, this.scenario.now)).not.toBeNull();
    expect(empty).toEqual(held.length > 0 ? null : this.twin.whyEmpty(by, this.scenario.now));
    const again = this.#do('claim', { by, hold }).thenNothing();
    expect(again.result.held).toEqual(held);
  }

  #submit(hand: Hand | undefined, label: string, hold: number | null): void {
    if (hand === undefined) return;
    const submission = { by: hand.member, assignment: hand.id, label, milliseconds: 5, hold };
    const { refusal } = this.#do('submit', submission);
    if (refusal) return;
    const again = this.#do('submit', { ...submission, hold: null }).thenNothing();
    expect(again.result.counted).toBe(hand.placed);
    const other = LABELS.find((option) => option !== label) ?? '';
    this.#do('submit', { ...submission, label: other }).thenRefused('ALREADY_ANSWERED', { answer: label });
  }

  #submitLate(pick: number, label: string): void {
    const lost = this.twin.hands.filter(({ state }) => state === 'EXPIRED' || state === 'RELEASED');
    this.#submit(lost[pick % lost.length], label, null);
  }

  /** What is in others' hands is not there, for whoever is not them. */
  #meddle(by: string, pick: number): void {
    const others = this.twin.hands.filter(({ member }) => member !== by);
    const hand = others[pick % others.length];
    if (hand === undefined) return;
    const own = { by, assignment: hand.id };
    const refusals = [
      this.#do('submit', { ...own, label: LABELS[0], milliseconds: null, hold: null }),
      this.#do('skip', { ...own, reason: '' }),
      this.#do('release', own),
      this.#do('renew', own),
      this.#do('undo', own),
    ];
    for (const { refusal } of refusals) expect(refusal?.code).toBe('NOT_FOUND');
  }

  #withAny(
    picked: { readonly who: number; readonly pick: number },
    act: (own: { by: string; assignment: string }) => unknown,
  ): void {
    const hand = this.#anyOf(picked);
    if (hand !== undefined) act({ by: hand.member, assignment: hand.id });
  }

  #anyOf({ who, pick }: { readonly who: number; readonly pick: number }): Hand | undefined {
    const own = this.twin.hands.filter(({ member }) => member === this.#member(who));
    return own[pick % own.length];
  }

  #member(who: number): string {
    return this.members[who % this.members.length] as string;
  }

  #do<C extends ProjectCommand>(command: C, input: CommandInput<C>): Outcome<CommandResult<C>> {
    const outcome = this.scenario.when(command, input);
    if (outcome.refusal) for (const { type } of outcome.events) expect(LAPSES).toContain(type);
    return outcome;
  }
}
