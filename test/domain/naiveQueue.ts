import { confidenceSequence } from '../../src/domain/confidence.ts';
import type { Draw, ProjectEvent } from '../../src/domain/events.ts';
import { REPEAT_GAP } from '../../src/domain/nextSample.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { decodeVerdicts } from '../../src/domain/verdicts.ts';
import { MINUTE } from './scenario.ts';

/** What is none of the work that is asked in its order. */
const ASIDES: ReadonlySet<Draw> = new Set(['AUDIT', 'EXTRA_OPINION', 'REPEAT', 'GOLD']);

/** A sample in somebody's hands, or what became of it. */
export interface Hand {
  readonly id: string;
  readonly sample: number;
  readonly member: string;
  state: 'HELD' | 'SUBMITTED' | 'SKIPPED' | 'RELEASED' | 'EXPIRED';
  /** Takes up a place of the overlap: held for one, or its answer counts. */
  placed: boolean;
  draw: Draw;
  until: number;
  expiries: number;
  label: number;
  /** The last answer that was given blind, or null. */
  rating: number | null;
  answeredAt: number;
  /** The current run when it was last granted, and what that predicted. */
  run: number;
  predicted: number;
  /** What is suggested (−1: nothing), whether only once there is an answer, and that answer; null: it is not there yet. */
  suggestion: number;
  isKeptBack: boolean;
  first: number | null;
}

/** What measures people: what they said before anything was revealed to them. */
function firstLabel({ first, label }: Hand): number {
  return first ?? label;
}

function knowsSuggestion({ suggestion, isKeptBack, first }: Hand): boolean {
  return suggestion !== -1 && (!isKeptBack || first !== null);
}

interface NaiveSample {
  overlap: number;
  /** Places beyond those that were meant. */
  extra: number;
  ruled: boolean;
  /** What it is known to be; null: it is not gold. */
  gold: number | null;
  givenUp: boolean;
  /** The current run's; NaN: none. */
  confidence: number;
  predicted: number;
}

interface NaiveRound {
  readonly samples: readonly number[];
  /** As announced: the samples, and audits and places for gold (sample −1) among them. */
  readonly announced: readonly { readonly sample: number; readonly isAudit: boolean }[];
  readonly deadline: number | null;
  /** Assignments that have taken its places for gold. */
  readonly takers: (Hand | null)[];
  open: boolean;
}

interface NaiveRun {
  readonly threshold: number | null;
  readonly audits: readonly number[];
  readonly floors: readonly number[];
  readonly errorLimit: number;
  suspended: boolean;
}

interface NaiveMember {
  readonly held: Hand[];
  readonly newestAnswers: Hand[];
  readonly draws: Draw[];
  session: { until: number; breakUntil: number } | null;
  isPaused: boolean;
  /** How many first answers there were when they were last resumed. */
  judgedFrom: number;
}

/** A first answer to gold. */
interface NaiveCheck {
  readonly sample: number;
  readonly member: string;
  readonly label: number;
}

/**
 * The rules of the queue once more, with nothing but lists and loops over everything: slow, and plain enough to
 * be seen to be right. It judges every event before it takes it in, and says what there should be.
 */
export class NaiveQueue {
  readonly samples: NaiveSample[] = [];
  readonly hands: Hand[] = [];
  readonly rounds: NaiveRound[] = [];
  readonly runs: NaiveRun[] = [];
  /** First answers to gold, in time. */
  readonly checks: NaiveCheck[] = [];
  readonly members = new Map<string, NaiveMember>();
  readonly #chunks: ReadonlyMap<string, Uint8Array>;
  #policy: Policy | null = null;

  constructor(chunks: ReadonlyMap<string, Uint8Array>) {
    this.#chunks = chunks;
  }

  get policy(): Policy {
    if (this.#policy === null) throw new Error('no policy yet');
    return this.#policy;
  }

  get round(): NaiveRound | undefined {
    return this.rounds.find((round) => round.open);
  }

  get run(): NaiveRun | undefined {
    return this.runs.at(-1);
  }

  member(id: string): NaiveMember {
    let member = this.members.get(id);
    if (member === undefined) {
      member = { held: [], newestAnswers: [], draws: [], session: null, isPaused: false, judgedFrom: 0 };
      this.members.set(id, member);
    }
    return member;
  }

  /** What was asked of it, but for repeats, which count for nothing. */
  of(sample: number): Hand[] {
    return this.hands.filter((hand) => hand.sample === sample && hand.draw !== 'REPEAT');
  }

  counted(sample: number): Hand[] {
    return this.of(sample).filter((hand) => hand.state === 'SUBMITTED' && hand.placed);
  }

  /** Those that stand in the agreement: each person by the last answer that they gave blind. */
  rated(sample: number): (Hand & { rating: number })[] {
    return this.of(sample).filter((hand): hand is Hand & { rating: number } => hand.rating !== null);
  }

  #count(hand: Hand): void {
    const isExtra =
      hand.draw === 'EXTRA_OPINION' ||
      (hand.draw !== 'AUDIT' && hand.draw !== 'GOLD' && this.#isExtraNext(hand.sample));
    hand.placed = true;
    if (hand.rating !== null) return;
    if (isExtra) hand.draw = 'EXTRA_OPINION';
    else if (hand.draw !== 'GOLD') hand.rating = firstLabel(hand);
  }

  #isExtraNext(sample: number): boolean {
    const { overlap, extra } = this.#sample(sample);
    return this.counted(sample).length + this.live(sample).length >= overlap - extra;
  }

  live(sample: number): Hand[] {
    return this.of(sample).filter((hand) => hand.state === 'HELD' && hand.placed);
  }

  surplus(sample: number): Hand[] {
    return this.of(sample).filter((hand) => hand.state === 'SUBMITTED' && !hand.placed);
  }

  /** People who have skipped it, or let it run out twice. */
  skips(sample: number): number {
    return this.of(sample).filter(
      (hand) =>
        hand.draw !== 'GOLD' &&
        (hand.state === 'SKIPPED' || (hand.state === 'EXPIRED' && hand.expiries >= 2)),
    ).length;
  }

  isGold(sample: number): boolean {
    return this.#sample(sample).gold !== null;
  }

  /** First answers to what is gold now, and those that are right; of one member, since a place among them. */
  attention(member: string, from = 0): { answers: number; correct: number } {
    const own = this.checks.filter(
      ({ sample, member: by }, i) => i >= from && by === member && this.isGold(sample),
    );
    const correct = own.filter(({ sample, label }) => this.#sample(sample).gold === label).length;
    return { answers: own.length, correct };
  }

  freePlaces(sample: number): number {
    if (this.isGold(sample)) return 0;
    return this.#sample(sample).overlap - this.counted(sample).length - this.live(sample).length;
  }

  hasRoom(sample: number): boolean {
    return this.freePlaces(sample) > 0 && !this.#sample(sample).givenUp;
  }

  isSettled(sample: number): boolean {
    const { overlap, givenUp } = this.#sample(sample);
    return this.counted(sample).length >= overlap || givenUp || this.isGold(sample);
  }

  isUnlabelled(sample: number): boolean {
    if (this.#sample(sample).givenUp || this.isGold(sample)) return false;
    return this.counted(sample).length + this.live(sample).length === 0;
  }

  isAccepted(sample: number): boolean {
    const { run } = this;
    if (!run || run.suspended || run.threshold === null) return false;
    const { confidence, givenUp } = this.#sample(sample);
    return (
      !this.isGold(sample) && confidence >= run.threshold && this.counted(sample).length === 0 && !givenUp
    );
  }

  hasHad(member: string, sample: number): boolean {
    return this.of(sample).some(
      (hand) =>
        hand.member === member &&
        hand.state !== 'RELEASED' &&
        !(hand.state === 'EXPIRED' && hand.expiries < 2),
    );
  }

  /** What is asked in the main, in its order. */
  asked(): number[] {
    if (this.round) return [...this.round.samples];
    if (this.policy.withoutRound === 'WAIT') return [];
    return [...this.samples.keys()].filter((sample) => !this.isAccepted(sample));
  }

  /** The first in the order that has room and that the member has not had; extra opinions only where nothing else is left. */
  nextMain(member: string): number | undefined {
    return this.#first(member, false) ?? this.#first(member, true);
  }

  #first(member: string, isExtra: boolean): number | undefined {
    return this.asked().find(
      (sample) =>
        this.hasRoom(sample) && this.#isExtraNext(sample) === isExtra && !this.hasHad(member, sample),
    );
  }

  nextAudit(member: string): number | undefined {
    const { run, round } = this;
    if (!run || run.suspended) return undefined;
    const main = this.nextMain(member);
    const ahead = round?.announced.slice(
      0,
      round.announced.findIndex((one) => !one.isAudit && one.sample === main),
    );
    const asked = ahead ? ahead.filter(({ isAudit }) => isAudit).map(({ sample }) => sample) : run.audits;
    return asked.find(
      (sample) =>
        run.audits.includes(sample) &&
        this.isUnlabelled(sample) &&
        !this.hasHad(member, sample) &&
        !this.#knowsSuggestionOf(member, sample),
    );
  }

  #knowsSuggestionOf(member: string, sample: number): boolean {
    return this.of(sample).some((hand) => hand.member === member && knowsSuggestion(hand));
  }

  /** Why a claim gives nothing to a member who holds nothing, or null. */
  whyEmpty(member: string, now: number): { reason: string; until?: number } | null {
    if (this.policy.paused) return { reason: 'PAUSED' };
    if (this.members.get(member)?.isPaused) return { reason: 'ANNOTATOR_PAUSED' };
    const session = this.members.get(member)?.session;
    if (this.policy.workSession.minutes > 0 && session && session.until <= now && now < session.breakUntil) {
      return { reason: 'WORK_SESSION_OVER', until: session.breakUntil };
    }
    if (this.nextMain(member) !== undefined) return null;
    if (!this.round && this.policy.withoutRound === 'WAIT') return { reason: 'NO_ROUND' };
    if (!this.round && this.nextAudit(member) !== undefined) return null;
    const asked = new Set(this.asked());
    const audits = this.round || this.run?.suspended ? [] : (this.run?.audits ?? []);
    const unsettled = [...new Set([...asked, ...audits])].filter((sample) => !this.isSettled(sample));
    const forMe = unsettled.filter(
      (sample) =>
        !this.hasHad(member, sample) && (asked.has(sample) || !this.#knowsSuggestionOf(member, sample)),
    );
    // None of them has room, or it would be given: each is in the hands of others.
    if (forMe.length > 0) {
      const ends = forMe.flatMap((sample) => this.live(sample).map((hand) => hand.until));
      return { reason: 'ALL_HELD', until: Math.min(...ends) };
    }
    return { reason: unsettled.length > 0 ? 'ALL_HAD_BY_YOU' : 'DONE' };
  }

  /** What is wrong with an event, given all before it; or null. */
  problem(event: ProjectEvent, now: number): string | null {
    switch (event.type) {
      case 'granted':
        return this.#grantProblem(event, now);
      case 'submitted': {
        const { sample, state, placed, draw } = this.#hand(event.assignment);
        if (state === 'SUBMITTED' || state === 'SKIPPED') return `answered when ${state}`;
        const isFree = draw !== 'REPEAT' && this.freePlaces(sample) > 0;
        const counts = (state === 'HELD' && placed) || isFree;
        return event.counted === counts ? null : `counted is not ${counts}`;
      }
      case 'revised': {
        const hand = this.#hand(event.assignment);
        if (hand.state !== 'SUBMITTED' || hand.label === event.label)
          return 'revised what is no other answer';
        if (this.#sample(hand.sample).ruled) return 'revised what was ruled on';
        return this.member(hand.member).newestAnswers.includes(hand) ? null : 'revised an old answer';
      }
      case 'promoted': {
        const hand = this.#hand(event.assignment);
        const surplus = this.surplus(hand.sample);
        if (!surplus.includes(hand)) return 'promoted what is no surplus';
        if (this.freePlaces(hand.sample) <= 0) return 'promoted without a free place';
        return surplus.some((other) => other.answeredAt < hand.answeredAt) ? 'not the oldest' : null;
      }
      case 'opinionAsked': {
        const { overlap, extra, givenUp, ruled } = this.#sample(event.sample);
        const labels = this.counted(event.sample).map(({ label }) => label);
        const most = Math.max(0, ...labels.map((label) => labels.filter((other) => other === label).length));
        if (extra >= this.policy.extraOpinions) return 'more opinions than the policy allows';
        if (givenUp || ruled || this.isGold(event.sample))
          return 'an opinion on what is given up or ruled on';
        if (labels.length < overlap) return 'answers are missing yet';
        if (most * 2 > labels.length) return 'more than half agree';
        const isServed = this.round?.samples.includes(event.sample) || this.policy.withoutRound === 'POOL';
        return isServed ? null : 'nobody would be asked';
      }
      case 'skipped':
        return this.#lostProblem(event.assignment, true, event.unanswerable);
      case 'expired': {
        const hand = this.#hand(event.assignment);
        if (hand.until > now) return 'expired before its time';
        const isSkip = hand.expiries >= 1 && hand.draw !== 'REPEAT';
        if (event.skip !== isSkip) return 'a second expiry is a skip, a first is none';
        return this.#lostProblem(event.assignment, event.skip, event.unanswerable);
      }
      case 'released':
        return this.#lostProblem(event.assignment, false, false);
      case 'renewed': {
        const hand = this.#hand(event.assignment);
        if (hand.state !== 'HELD') return 'renewed what is not held';
        const full = this.policy.assignmentMinutes * MINUTE;
        if (event.until !== now + full) return 'renewed to another time';
        return hand.until - now < full / 2 ? null : 'renewed before half of the time was gone';
      }
      case 'undone': {
        const hand = this.#hand(event.assignment);
        return this.member(hand.member).newestAnswers.includes(hand) ? null : 'undid an old answer';
      }
      case 'roundOpened':
        if (this.round) return 'two rounds at a time';
        return [...event.samples].every((sample) => this.isUnlabelled(sample)) ? null : 'asks what is taken';
      case 'roundClosed': {
        const unsettled = this.rounds[event.round - 1]?.samples.filter((sample) => !this.isSettled(sample));
        if (this.round !== this.rounds[event.round - 1]) return 'closed what was not open';
        if (event.withdrawn !== unsettled?.length) return `withdrew ${event.withdrawn}`;
        const isHeld = unsettled.some((sample) => this.of(sample).some(({ state }) => state === 'HELD'));
        if (event.reason === 'EXHAUSTED' && isHeld) return 'in hands yet';
        return event.reason === 'SETTLED' && event.withdrawn > 0 ? 'not settled' : null;
      }
      case 'annotatorPaused': {
        const member = this.member(event.member);
        const { answers, correct } = this.attention(event.member, member.judgedFrom);
        if (event.answers !== answers || event.correct !== correct) return `not ${correct} of ${answers}`;
        if (member.isPaused) return 'paused twice';
        return confidenceSequence(correct, answers).upper < event.limit ? null : 'paused without need';
      }
      case 'goldRanLow': {
        const left = [...this.samples.keys()].filter(
          (sample) =>
            this.isGold(sample) &&
            !this.hasHad(event.member, sample) &&
            !this.#isRevealed(sample, event.member),
        );
        return event.left === left.length ? null : `not ${left.length}`;
      }
      case 'autoAcceptJudged': {
        const { audited, errors } = this.audits(event.run);
        const { lower, upper } = confidenceSequence(errors, audited);
        const limit = this.runs[event.run - 1]?.errorLimit ?? Number.NaN;
        return (event.verdict === 'SUSPENDED' ? lower > limit : upper < limit) ? null : 'wrong verdict';
      }
      default:
        return null;
    }
  }

  #grantProblem(event: ProjectEvent & { type: 'granted' }, now: number): string | null {
    const { member, sample, draw } = event;
    if (this.policy.paused || this.member(member).isPaused) return 'granted while paused';
    if (draw === 'REPEAT') return this.#repeatProblem(event, now);
    if ((draw === 'GOLD') !== this.isGold(sample))
      return `${draw} of what is${draw === 'GOLD' ? ' not' : ''} gold`;
    if (draw !== 'GOLD' && this.freePlaces(sample) <= 0) return 'no place is free';
    if (this.hasHad(member, sample)) return 'had before';
    if (event.until !== now + this.policy.assignmentMinutes * MINUTE) return 'for another time';
    const earlier = this.of(sample).find((hand) => hand.member === member);
    if (earlier && earlier.id !== event.assignment) return 'a second assignment of one sample';
    if (!earlier && this.hands.some((hand) => hand.id === event.assignment)) return 'an id twice';
    const { session } = this.member(member);
    if (this.policy.workSession.minutes > 0 && !(session && now < session.until)) return 'outside a session';
    const main = this.nextMain(member);
    const isLeft = main === undefined;
    // An audit left in the pool, where there is nothing else.
    if (isLeft && (draw !== 'AUDIT' || this.round || this.policy.withoutRound === 'WAIT'))
      return 'nothing was left';
    const isAfter = event.mode === 'AFTER_FIRST_ANSWER';
    if (earlier && earlier.first !== null) {
      if (draw === 'GOLD' || draw === 'AUDIT') return 'a check of somebody to whom a suggestion was revealed';
      if (!isAfter || event.suggestion !== earlier.suggestion) return 'what was revealed is hidden again';
    } else if ((event.mode ?? 'HIDDEN') !== this.policy.suggestions) return 'in another mode';
    if (event.predicted !== this.#sample(sample).predicted) return 'names another prediction';
    if (draw === 'GOLD') {
      if (!this.round && this.#hadAside(member)) return 'more than one in five';
      if ((event.goldPlace !== undefined) !== (this.round !== undefined)) return 'a place without a round';
      return event.goldPlace === undefined ? null : this.#goldPlaceProblem(event.goldPlace, main as number);
    }
    if (draw !== 'AUDIT') {
      const isRound = draw === 'UNCERTAIN' || draw === 'RANDOM';
      const isExtra = this.#isExtraNext(sample);
      if (isExtra !== (draw === 'EXTRA_OPINION')) return `${draw} for an extra opinion, or for none`;
      if (!isExtra && isRound !== (this.round !== undefined)) return `${draw} out of place`;
      if (this.round && this.nextAudit(member) !== undefined) return 'an audit was announced ahead of it';
      if (isExtra && sample !== main) {
        if (this.#hadAside(member)) return 'more than one in five';
        return sample === this.#first(member, true) ? null : 'not the next extra opinion';
      }
      return sample === main ? null : `not the next, which is ${main}`;
    }
    if (event.suggestion !== -1 && !isAfter) return 'an audit that shows a suggestion';
    if (!this.round && !isLeft && this.#hadAside(member)) return 'more than one audit in five';
    return sample === this.nextAudit(member)
      ? null
      : `not the next audit, which is ${this.nextAudit(member)}`;
  }

  /** One of the five grants to which the next belongs was gold, an audit, a repeat or an extra opinion. */
  #hadAside(member: string): boolean {
    const { draws } = this.member(member);
    const block = draws.slice(Math.floor(draws.length / 5) * 5);
    return block.some((draw) => ASIDES.has(draw));
  }

  /** It was answered long ago, once, and comes with what was suggested then, in one of five turns at most. */
  #repeatProblem(event: ProjectEvent & { type: 'granted' }, now: number): string | null {
    const { member, sample, assignment } = event;
    const { draws, newestAnswers, session } = this.member(member);
    if (this.policy.repeatShare === 0) return 'a repeat that nobody has asked for';
    if (this.hands.some(({ id }) => id === assignment)) return 'a repeat under an id that was used';
    if (event.until !== now + this.policy.assignmentMinutes * MINUTE) return 'for another time';
    if (this.policy.workSession.minutes > 0 && !(session && now < session.until)) return 'outside a session';
    if (this.nextMain(member) === undefined) return 'a repeat where nothing else was left';
    if (this.round && this.nextAudit(member) !== undefined) return 'an audit was announced ahead of it';
    const own = this.hands.filter((hand) => hand.member === member);
    const at = own.findIndex((hand) => hand.sample === sample && hand.draw !== 'REPEAT');
    const original = own[at];
    if (original === undefined || original.state !== 'SUBMITTED') return 'repeats what was not answered';
    if (original.draw === 'GOLD') return 'repeats gold';
    if (newestAnswers.includes(original)) return 'repeats what can be undone';
    if (own.length - at <= REPEAT_GAP) return 'repeats what was asked a moment ago';
    if (own.some((hand) => hand.sample === sample && hand.draw === 'REPEAT')) return 'repeats twice';
    if (event.suggestion !== original.suggestion) return 'shows another suggestion than the first time';
    const asides = draws.filter((draw) => ASIDES.has(draw)).length;
    if (this.#hadAside(member) || 5 * (asides + 1) > draws.length + 1) return 'more than one in five';
    return null;
  }

  /** It is free, and was announced just ahead of what else would be asked. */
  #goldPlaceProblem(place: number, main: number): string | null {
    const { announced, takers } = this.round as NaiveRound;
    if (takers[place] !== null) return 'a place for gold that is taken, or not there';
    const ranks = announced.flatMap(({ sample }, at) => (sample === -1 ? [at] : []));
    const until = announced.findIndex(({ sample, isAudit }) => !isAudit && sample === main);
    const at = ranks[place] as number;
    if (at >= until) return 'gold came before its rank';
    const between = announced.slice(at, until).filter(({ isAudit }) => !isAudit).length;
    return between > 4 ? 'gold came too late' : null;
  }

  #lostProblem(assignment: string, isSkip: boolean, unanswerable: boolean): string | null {
    const { sample, state, draw } = this.#hand(assignment);
    if (state !== 'HELD') return 'lost what was not held';
    const isWork = draw !== 'GOLD' && draw !== 'REPEAT';
    const expected = isSkip && isWork && this.skips(sample) + 1 >= this.policy.skipLimit;
    return unanswerable === expected ? null : `unanswerable is not ${expected}`;
  }

  #isRevealed(sample: number, member: string): boolean {
    return this.of(sample).some((hand) => hand.member === member && hand.first !== null);
  }

  audits(run: number): { audited: number; errors: number } {
    const answers = this.hands.filter(
      (hand) =>
        hand.draw === 'AUDIT' &&
        hand.run === run &&
        hand.state === 'SUBMITTED' &&
        hand.placed &&
        !this.#isFloor(run, hand.sample),
    );
    return {
      audited: answers.length,
      errors: answers.filter((hand) => firstLabel(hand) !== hand.predicted).length,
    };
  }

  /** Drawn for its class alone: the run is not judged by it. */
  #isFloor(run: number, sample: number): boolean {
    const { audits, floors } = this.runs[run - 1] as NaiveRun;
    return floors[audits.indexOf(sample)] === 1;
  }

  take(event: ProjectEvent, now: number): void {
    switch (event.type) {
      case 'projectCreated':
      case 'policyChanged':
        this.#policy = event.policy;
        break;
      case 'samplesImported':
        for (const _ of event.keys) {
          const overlap = event.overlapping.includes(this.samples.length) ? event.overlap : 1;
          this.samples.push({
            overlap,
            extra: 0,
            ruled: false,
            gold: null,
            givenUp: false,
            confidence: Number.NaN,
            predicted: -1,
          });
        }
        break;
      case 'predictionsPublished': {
        const { threshold, errorLimit } = event;
        this.runs.push({
          threshold,
          errorLimit,
          audits: [...event.audits],
          floors: [...event.floors],
          suspended: false,
        });
        for (const sample of this.samples) Object.assign(sample, { confidence: Number.NaN, predicted: -1 });
        for (const part of event.parts) {
          const { ordinals, confidences, labels } = decodeVerdicts(
            this.#chunks.get(part.verdicts) as Uint8Array,
          );
          ordinals.forEach((sample, row) => {
            Object.assign(this.#sample(sample), { confidence: confidences[row], predicted: labels[row] });
          });
        }
        break;
      }
      case 'autoAcceptJudged':
        if (event.verdict === 'SUSPENDED') (this.runs[event.run - 1] as NaiveRun).suspended = true;
        break;
      case 'roundOpened':
        this.rounds.push({
          samples: [...event.samples],
          announced: announcedBy(event),
          deadline: event.deadline,
          takers: Array.from(event.goldRanks, () => null),
          open: true,
        });
        break;
      case 'roundClosed':
        (this.rounds[event.round - 1] as NaiveRound).open = false;
        break;
      case 'workSessionStarted':
        this.member(event.member).session = { until: event.until, breakUntil: event.breakUntil };
        break;
      case 'workSessionEnded':
        this.member(event.member).session = { until: now, breakUntil: event.breakUntil };
        break;
      case 'granted':
        this.#granted(event);
        break;
      case 'renewed':
        this.#hand(event.assignment).until = event.until;
        break;
      case 'submitted': {
        const hand = this.#hand(event.assignment);
        this.#leave(hand, 'SUBMITTED');
        Object.assign(hand, { label: event.label, placed: false, answeredAt: now });
        if (hand.isKeptBack && hand.suggestion !== -1) hand.first ??= event.label;
        const { sample, member } = hand;
        const isFirst = !this.checks.some((check) => check.sample === sample && check.member === member);
        if (hand.draw === 'GOLD' && this.isGold(sample) && isFirst)
          this.checks.push({ sample, member, label: event.label });
        if (event.counted) this.#count(hand);
        const { newestAnswers } = this.member(hand.member);
        newestAnswers.push(hand);
        if (newestAnswers.length > 10) newestAnswers.shift();
        break;
      }
      case 'revised': {
        const hand = this.#hand(event.assignment);
        const { placed } = hand;
        // As taken back and given anew.
        if (placed && this.rated(hand.sample).length === 1) hand.rating = null;
        Object.assign(hand, { label: event.label, placed: false });
        if (placed) this.#count(hand);
        break;
      }
      case 'promoted':
        this.#count(this.#hand(event.assignment));
        break;
      case 'opinionAsked': {
        const sample = this.#sample(event.sample);
        sample.overlap++;
        sample.extra++;
        break;
      }
      case 'goldSet':
        event.samples.forEach((sample, i) => {
          this.#sample(sample).gold = event.labels[i] as number;
        });
        break;
      case 'goldRemoved':
        for (const sample of event.samples) this.#sample(sample).gold = null;
        break;
      case 'annotatorPaused':
        this.member(event.member).isPaused = true;
        break;
      case 'annotatorResumed':
        Object.assign(this.member(event.member), { isPaused: false, judgedFrom: this.checks.length });
        break;
      case 'ruled':
        this.#sample(event.sample).ruled = true;
        break;
      case 'rulingReopened':
        this.#sample(event.sample).ruled = false;
        break;
      case 'skipped':
      case 'expired': {
        const hand = this.#hand(event.assignment);
        this.#leave(hand, event.type === 'skipped' ? 'SKIPPED' : 'EXPIRED');
        if (event.type === 'expired') hand.expiries++;
        if (event.unanswerable) this.#sample(hand.sample).givenUp = true;
        break;
      }
      case 'released':
        this.#leave(this.#hand(event.assignment), 'RELEASED');
        break;
      case 'undone': {
        const hand = this.#hand(event.assignment);
        const { held, newestAnswers } = this.member(hand.member);
        newestAnswers.splice(newestAnswers.indexOf(hand), 1);
        if (hand.placed && this.rated(hand.sample).length === 1) hand.rating = null;
        Object.assign(hand, { state: 'HELD', until: event.until, label: -1 });
        held.push(hand);
        break;
      }
    }
  }

  #granted(event: ProjectEvent & { type: 'granted' }): void {
    const { assignment: id, sample, member, draw, until, predicted, suggestion } = event;
    const isKeptBack = event.mode === 'AFTER_FIRST_ANSWER';
    const placed = draw !== 'GOLD' && draw !== 'REPEAT';
    let hand = this.hands.find((earlier) => earlier.id === id);
    if (hand === undefined) {
      hand = {
        id,
        sample,
        member,
        state: 'HELD',
        placed,
        rating: null,
        draw,
        until,
        expiries: 0,
        label: -1,
        answeredAt: 0,
        run: 0,
        predicted,
        suggestion,
        isKeptBack,
        first: null,
      };
      this.hands.push(hand);
    }
    const run = this.runs.length;
    if (event.goldPlace !== undefined && this.round) this.round.takers[event.goldPlace] = hand;
    const granted = { placed, draw, until, predicted, run, suggestion, isKeptBack };
    Object.assign(hand, { state: 'HELD', ...granted });
    this.member(member).held.push(hand);
    this.member(member).draws.push(draw);
  }

  #leave(hand: Hand, state: Hand['state']): void {
    const { held } = this.member(hand.member);
    if (hand.state === 'HELD') held.splice(held.indexOf(hand), 1);
    hand.state = state;
    const { round } = this;
    if (state !== 'SUBMITTED' && round?.takers.includes(hand))
      round.takers[round.takers.indexOf(hand)] = null;
  }

  #sample(ordinal: number): NaiveSample {
    const sample = this.samples[ordinal];
    if (sample === undefined) throw new Error(`no sample ${ordinal}`);
    return sample;
  }

  #hand(id: string): Hand {
    const hand = this.hands.find((other) => other.id === id);
    if (hand === undefined) throw new Error(`no assignment ${id}`);
    return hand;
  }
}

function announcedBy({ samples, audits, auditRanks, goldRanks }: ProjectEvent & { type: 'roundOpened' }) {
  const chosen = [...samples];
  return Array.from({ length: samples.length + audits.length + goldRanks.length }, (_, rank) => {
    const audit = auditRanks.indexOf(rank);
    if (goldRanks.includes(rank)) return { sample: -1, isAudit: true };
    const sample = (audit < 0 ? chosen.shift() : audits[audit]) as number;
    return { sample, isAudit: audit >= 0 };
  });
}
