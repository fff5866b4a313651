import { AgreementCounts, type Rating } from './agreement.ts';
import type { AgreementFigure, UndefinedFigure } from './agreementFigure.ts';
import { Annotator } from './annotator.ts';
import { AssignmentTable } from './assignmentTable.ts';
import { cohensKappa } from './cohensKappa.ts';
import { type Comparison, comparisonsOf } from './comparisons.ts';
import { ContingencyTables } from './contingency.ts';
import { costOf } from './disagreements.ts';
import type { Embeddings } from './embedding.ts';
import {
  type Expired,
  type GoldRemoved,
  type GoldSet,
  type Granted,
  type PredictionsPublished,
  type ProjectCreated,
  type ProjectEvent,
  type Revised,
  type RoundClosed,
  type RoundOpened,
  type SamplesErased,
  type SamplesImported,
  type Skipped,
  type Submitted,
  type Undone,
  UnknownEventError,
} from './events.ts';
import { countAnswer, type FirstAnswer, GoldBook } from './gold.ts';
import { MinHeap } from './heap.ts';
import { Lane } from './lane.ts';
import type { Policy } from './policy.ts';
import { PredictionRun } from './predictionRun.ts';
import { RankedSamples } from './rankedSamples.ts';
import { Round } from './round.ts';
import type { Ruling } from './rulings.ts';
import { NONE, SampleTable } from './sampleTable.ts';
import { decodeVerdicts } from './verdicts.ts';
import type { Work } from './workLog.ts';

/** Looks up a chunk that the fold needs; see {@link chunksToFold}. It throws if it was not loaded before. */
export type ChunkSource = (id: string) => Uint8Array;

/** The chunks that must be at hand before an event is folded. */
export function chunksToFold(event: ProjectEvent): readonly string[] {
  return event.type === 'predictionsPublished' ? event.parts.map((part) => part.verdicts) : [];
}

/** What one part of an import came to. */
export interface ImportedPart {
  /** Ordinal of its first sample; the others follow. */
  readonly first: number;
  readonly count: number;
}

/** What a project knows beside its tables, its annotators, runs and rounds. */
export interface ProjectRecord {
  readonly seq: number;
  readonly time: number;
  readonly created: ProjectCreated | null;
  readonly policy: Policy | null;
  readonly labelled: number;
  readonly answers: number;
  readonly embeddings: Embeddings | null;
}

/** One part of an import, by its names. */
export interface ImportRecord extends ImportedPart {
  readonly importId: string;
  readonly part: number;
}

/** Samples that are counted into the agreement between two turns: some milliseconds' worth. */
const SAMPLES_PER_TURN = 5_000;

/**
 * The projection of one project: a synchronous fold of its journal's events, and what can be read from it at
 * once. Only {@link Project.fold} changes it. It decides nothing: deciders read it and give events.
 */
export class Project {
  /** The newest commit folded, and its time; 0 before the first. */
  seq = 0;
  time = 0;
  readonly samples = new SampleTable();
  readonly assignments = new AssignmentTable();
  readonly annotators: Annotator[] = [];
  /** The `seq` of every commit with something that concerns everybody, and no single annotator, ascending. */
  readonly activity: number[] = [];
  readonly runs: PredictionRun[] = [];
  readonly rounds: Round[] = [];
  /** Samples in the order of import, served while no round is open. */
  readonly pool = new Lane();
  /** The same order, of those of which one more opinion is asked. */
  readonly extraPool = new Lane();
  /** Rows of all assignments in hands. */
  readonly held = new Set<number>();
  /** Rulings that stand, by sample. */
  readonly rulings = new Map<number, Ruling>();
  /** Samples whose answer is known, and how people have answered them. */
  readonly gold = new GoldBook();
  /** Samples whose answers differ, and on which somebody can rule and nobody has, by what that costs: see {@link costOf}. */
  readonly disputed = new RankedSamples();
  /** Samples that have at least one answer that counts. */
  labelled = 0;
  /** Answers that stand, of everybody, surplus included: what labelling has cost. */
  answers = 0;
  /** Those of them to gold: they count for no sample. */
  checks = 0;
  /** The newest vectors of samples; null before the first. */
  embeddings: Embeddings | null = null;

  #created: ProjectCreated | null = null;
  #policy: Policy | null = null;
  #agreement: AgreementCounts | null = null;
  /** By annotator: what they said at first, and when they were asked again. */
  readonly #repeats = new ContingencyTables();
  readonly #imports = new Map<string, Map<number, ImportedPart>>();
  readonly #annotatorIndex = new Map<string, number>();
  readonly #deadlines = new MinHeap();

  get isCreated(): boolean {
    return this.#created !== null;
  }

  get created(): ProjectCreated {
    return known(this.#created);
  }

  get labels(): readonly string[] {
    return this.created.labels;
  }

  get policy(): Policy {
    return known(this.#policy);
  }

  /** Agreement over the base overlap: no gold, no extra opinions, no repeats. */
  get agreement(): AgreementCounts {
    return known(this.#agreement);
  }

  /** Cohen's kappa of somebody's answers and their answers to repeats of the same samples. */
  consistencyOf({ index }: Annotator): AgreementFigure | UndefinedFigure {
    return cohensKappa(this.#repeats.cells(index, 0), 'NONE', null);
  }

  get currentRun(): PredictionRun | undefined {
    return this.runs.at(-1);
  }

  get openRound(): Round | undefined {
    const newest = this.rounds.at(-1);
    return newest?.isOpen ? newest : undefined;
  }

  annotator(id: string): Annotator | undefined {
    const index = this.#annotatorIndex.get(id);
    return index === undefined ? undefined : this.annotators[index];
  }

  /** Whether something of an annotator's own, or of everybody's, has changed since a commit. */
  hasMovedFor(id: string, since: number): boolean {
    return (this.activity.at(-1) ?? 0) > since || (this.annotator(id)?.changedAt ?? 0) > since;
  }

  /** The annotator of a row. */
  annotatorOf(row: number): Annotator {
    return known(this.annotators[this.assignments.annotator.get(row)]);
  }

  imported(importId: string, part: number): ImportedPart | undefined {
    return this.#imports.get(importId)?.get(part);
  }

  /** The current run stands in for people on this sample: it is sure of it, and people have not spoken. */
  isAutoAccepted(sample: number): boolean {
    return (
      this.samples.isAccepted(sample) &&
      this.samples.counted.get(sample) === 0 &&
      !this.samples.isUnanswerable(sample) &&
      !this.samples.isGold(sample) &&
      this.currentRun?.autoAccept !== 'SUSPENDED'
    );
  }

  /** The pool has room for somebody on this sample: it is open, and left to people. */
  poolHasRoom(sample: number): boolean {
    return this.samples.hasRoom(sample) && !this.isAutoAccepted(sample);
  }

  /** An audit of the current run can be asked: nobody has answered the sample or holds it. */
  auditHasRoom(run: PredictionRun, position: number): boolean {
    return (
      run.autoAccept !== 'SUSPENDED' && this.samples.isUnlabelled(run.published.audits[position] as number)
    );
  }

  /** The same of an audit that the open round has announced; another run may have come since, and not know it. */
  announcedAuditHasRoom(sample: number): boolean {
    const run = this.currentRun;
    const position = run?.auditPosition(sample);
    return run !== undefined && position !== undefined && this.auditHasRoom(run, position);
  }

  /** The assignment of a sample that an annotator has or had, or {@link NONE}. */
  assignmentOf(sample: number, annotator: number): number {
    let row = this.samples.assignments.get(sample);
    while (row !== NONE && this.assignments.annotator.get(row) !== annotator)
      row = this.assignments.next.get(row);
    return row;
  }

  /** Rows of a sample's assignments, newest first. */
  *assignmentsOf(sample: number): Generator<number> {
    for (let row = this.samples.assignments.get(sample); row !== NONE; row = this.assignments.next.get(row))
      yield row;
  }

  /** The labels that count for a sample, newest assignment first. */
  countedLabels(sample: number): number[] {
    const labels: number[] = [];
    for (const row of this.assignmentsOf(sample)) {
      if (this.assignments.isCounted(row)) labels.push(this.assignments.label.get(row));
    }
    return labels;
  }

  /** The assignment whose time ends first, among those in hands. */
  nextDeadline(): { readonly row: number; readonly until: number } | undefined {
    const first = this.#deadlines.peek();
    return first && { row: first.value, until: first.priority };
  }

  /** See `projectState.ts`, which keeps a project and brings it back. */
  record(): ProjectRecord {
    const { seq, time, labelled, answers, embeddings } = this;
    const own = { created: this.#created, policy: this.#policy };
    return { seq, time, labelled, answers, embeddings, ...own };
  }

  /** Every part of every import, in the order in which the imports began. */
  *importRecords(): Generator<ImportRecord, void, void> {
    for (const [importId, parts] of this.#imports) {
      for (const [part, { first, count }] of parts) yield { importId, part, first, count };
    }
  }

  /**
   * Has this record. Tables, annotators, runs, rounds, {@link held} and {@link activity} have been brought back before; what follows
   * from them is worked out here. It gives way now and then, and the project is of use once that has come to its end.
   */
  *adopt(
    { seq, time, created, policy, labelled, answers, embeddings }: ProjectRecord,
    imports: Iterable<ImportRecord>,
  ): Generator<void, void, void> {
    Object.assign(this, { seq, time, labelled, answers, embeddings });
    this.#created = created;
    this.#policy = policy;
    for (const { importId, part, first, count } of imports)
      this.#keepImport(importId, part, { first, count });
    for (const { id, index } of this.annotators) this.#annotatorIndex.set(id, index);
    for (const row of this.held) this.#deadlines.push(this.assignments.until.get(row), row);
    if (created === null) return;
    this.#agreement = new AgreementCounts(created.labels.length, created.scale);
    for (let sample = 0; sample < this.samples.size; sample++) {
      if (sample % SAMPLES_PER_TURN === 0) yield;
      if (this.samples.assignments.get(sample) === NONE) continue;
      this.#agreement.change([], this.#ratings(sample));
      this.#weighDispute(sample);
    }
    for (const sample of this.gold.known.keys()) {
      if (this.samples.isErased(sample)) this.gold.setErased(sample);
      for (const first of this.gold.answersTo(sample)) this.#countAttention(first, 1);
    }
    for (let row = 0; row < this.assignments.size; row++) {
      if (row % SAMPLES_PER_TURN === 0) yield;
      this.annotatorOf(row).rows.push(row);
      if (this.assignments.isRepeat(row) && this.assignments.state(row) === 'SUBMITTED')
        this.#countRepeat(row, 1);
      const sample = this.assignments.sample.get(row);
      if (this.samples.isGold(sample) && !this.assignments.isRepeat(row))
        this.gold.keepRow(sample, this.assignments.annotator.get(row), row);
      this.#countHad(row, 1);
      this.checks += Number(this.assignments.isGold(row) && this.assignments.state(row) === 'SUBMITTED');
      if (this.assignments.isCounted(row)) this.#countAgainstModel(row, 1);
    }
  }

  /** Moves the projection one event forward. `seq` and `time` are those of the event's commit. */
  fold(event: ProjectEvent, seq: number, time: number, chunks: ChunkSource): void {
    this.seq = seq;
    this.time = time;
    switch (event.type) {
      case 'projectCreated':
        this.#created = event;
        this.#policy = event.policy;
        this.#agreement = new AgreementCounts(event.labels.length, event.scale);
        break;
      case 'policyChanged':
        this.#policy = event.policy;
        break;
      case 'samplesImported':
        this.#samplesImported(event);
        break;
      case 'predictionsPublished':
        this.#predictionsPublished(event, chunks);
        break;
      case 'embeddingsPublished':
        this.embeddings = { published: event, publishedAt: time };
        break;
      case 'autoAcceptJudged':
        known(this.runs[event.run - 1]).autoAccept = event.verdict;
        if (event.verdict === 'SUSPENDED') this.#resetPool();
        break;
      case 'roundOpened':
        this.#roundOpened(event);
        break;
      case 'roundClosed':
        this.#roundClosed(event);
        break;
      case 'workSessionStarted':
        this.#changed(event.member).session = {
          startedAt: time,
          until: event.until,
          breakUntil: event.breakUntil,
          answersBefore: this.#admit(event.member).answers,
        };
        break;
      case 'workSessionEnded': {
        const annotator = this.#changed(event.member);
        const { startedAt, answersBefore } = annotator.session ?? {
          startedAt: time,
          answersBefore: annotator.answers,
        };
        annotator.session = { startedAt, until: time, breakUntil: event.breakUntil, answersBefore };
        break;
      }
      case 'granted':
        this.#granted(event);
        break;
      case 'renewed': {
        const row = this.#row(event.assignment);
        this.assignments.until.set(row, event.until);
        this.#deadlines.push(event.until, row);
        this.annotatorOf(row).changedAt = seq;
        break;
      }
      case 'submitted':
        this.#submitted(event);
        break;
      case 'revised':
        this.#revised(event);
        break;
      case 'promoted': {
        const row = this.#row(event.assignment);
        this.#change(row, () => this.#countIn(row));
        break;
      }
      case 'opinionAsked':
        this.#changeSample(event.sample, () => {
          const { overlap, extra } = this.samples;
          overlap.set(event.sample, overlap.get(event.sample) + 1);
          extra.set(event.sample, extra.get(event.sample) + 1);
          return false;
        });
        break;
      case 'skipped':
        this.#skipped(event);
        break;
      case 'released': {
        const row = this.#row(event.assignment);
        this.#change(row, () => {
          this.#giveUp(row);
          this.assignments.setState(row, 'RELEASED');
        });
        break;
      }
      case 'expired':
        this.#expired(event);
        break;
      case 'undone':
        this.#undone(event);
        break;
      case 'ruled': {
        const { sample, label, reason, by } = event;
        this.#comparing(sample, () => this.rulings.set(sample, { label, reason, by, at: time }));
        this.#weighDispute(sample);
        break;
      }
      case 'rulingReopened':
        this.#comparing(event.sample, () => this.rulings.delete(event.sample));
        this.#weighDispute(event.sample);
        break;
      case 'goldSet':
        this.#goldSet(event);
        break;
      case 'goldRemoved':
        this.#goldRemoved(event);
        break;
      case 'goldRanLow':
        break;
      case 'annotatorPaused':
        this.#changed(event.member).pausedAt = time;
        break;
      case 'annotatorResumed': {
        const annotator = this.#changed(event.member);
        Object.assign(annotator, { pausedAt: null, judgedAfter: seq });
        Object.assign(annotator.judged, { answers: 0, correct: 0 });
        break;
      }
      case 'samplesErased':
        this.#samplesErased(event);
        break;
      default:
        throw new UnknownEventError(event);
    }
    if (concernsEverybody(event) && this.activity.at(-1) !== seq) this.activity.push(seq);
    this.#dropPassedDeadlines();
  }

  #samplesImported({ importId, part, keys, blocks, overlapping, overlap }: SamplesImported): void {
    this.#keepImport(importId, part, { first: this.samples.size, count: keys.length });
    this.samples.add(keys, blocks);
    for (const sample of overlapping) this.samples.overlap.set(sample, overlap);
  }

  #samplesErased({ samples, replaced }: SamplesErased): void {
    for (const chunk of replaced) this.samples.replaceBlock(chunk);
    for (const sample of samples) {
      for (const row of this.assignmentsOf(sample)) this.#countHad(row, -1);
      this.#changeSample(sample, () => {
        this.samples.setErased(sample);
        return false;
      });
      if (this.samples.isGold(sample)) this.gold.setErased(sample);
    }
  }

  #keepImport(importId: string, part: number, imported: ImportedPart): void {
    let parts = this.#imports.get(importId);
    if (parts === undefined) {
      parts = new Map();
      this.#imports.set(importId, parts);
    }
    parts.set(part, imported);
  }

  #predictionsPublished(event: PredictionsPublished, chunks: ChunkSource): void {
    this.runs.push(new PredictionRun(event, this.time));
    this.samples.clearPredictions();
    for (const part of event.parts) {
      const { ordinals, confidences, labels } = decodeVerdicts(chunks(part.verdicts));
      for (let i = 0; i < ordinals.length; i++) {
        const confidence = confidences[i] as number;
        const accepted = event.threshold !== null && confidence >= event.threshold;
        this.samples.predict(ordinals[i] as number, labels[i] as number, confidence, accepted);
      }
    }
    this.#resetPool();
    this.openRound?.auditLane.reset();
  }

  #resetPool(): void {
    this.pool.reset();
    this.extraPool.reset();
  }

  #roundOpened(event: RoundOpened): void {
    this.rounds.push(new Round(event, this.time, this.seq));
    event.samples.forEach((sample, position) => {
      this.samples.round.set(sample, event.round);
      this.samples.position.set(sample, position);
    });
  }

  #roundClosed(event: RoundClosed): void {
    const round = known(this.rounds[event.round - 1]);
    round.closed = event;
    round.closedAt = this.time;
  }

  #granted(event: Granted): void {
    const { sample, until } = event;
    const annotator = this.#admit(event.member);
    const earlier = this.assignments.ids.indexOf(event.assignment);
    const isRepeat = event.draw === 'REPEAT';
    const original = isRepeat ? this.assignmentOf(sample, annotator.index) : NONE;
    const run = this.currentRun?.number ?? 0;
    const round = this.openRound?.number ?? 0;
    const row =
      earlier >= 0
        ? earlier
        : this.assignments.add({
            id: event.assignment,
            sample,
            annotator: annotator.index,
            previous: isRepeat ? NONE : this.samples.assignments.get(sample),
            draw: event.draw,
            until,
            grantedAt: this.time,
            suggestion: event.suggestion,
            mode: event.mode ?? 'HIDDEN',
            round,
            run,
            predicted: event.predicted,
          });
    if (earlier < 0) annotator.rows.push(row);
    annotator.granted(event.draw);
    annotator.work.began(this.time);
    if (this.samples.isGold(sample) && !isRepeat) this.gold.keepRow(sample, annotator.index, row);
    if (earlier < 0 && !isRepeat) this.#countHad(row, 1);
    if (event.goldPlace !== undefined) known(this.openRound).goldTakers[event.goldPlace] = row;
    if (isRepeat) {
      this.assignments.twin.set(row, original);
      this.assignments.twin.set(original, row);
      this.assignments.placed.set(row, 0);
      annotator.changedAt = this.seq;
      this.#hold(row, until);
      return;
    }
    this.#change(row, () => {
      if (earlier >= 0) this.#grantedAgain(row, event, { round, run });
      else this.samples.assignments.set(sample, row);
      const takesPlace = event.draw !== 'GOLD';
      this.assignments.placed.set(row, Number(takesPlace));
      if (takesPlace) this.samples.live.set(sample, this.samples.live.get(sample) + 1);
      this.#hold(row, until);
    });
  }

  /** The purpose of a second grant may be another one: a sample of the last round, now an audit. */
  #grantedAgain(
    row: number,
    { draw, suggestion, mode = 'HIDDEN', predicted }: Granted,
    { round, run }: { readonly round: number; readonly run: number },
  ): void {
    const { assignments } = this;
    assignments.setState(row, 'HELD');
    assignments.setDraw(row, draw);
    assignments.grantedAt.set(row, this.time);
    assignments.suggestion.set(row, suggestion);
    assignments.setMode(row, mode);
    assignments.round.set(row, round);
    assignments.run.set(row, run);
    assignments.predicted.set(row, predicted);
  }

  #submitted(event: Submitted): void {
    const row = this.#row(event.assignment);
    this.#change(row, () => {
      const { assignments } = this;
      if (assignments.state(row) === 'HELD') this.#letGo(row);
      // An expiry that had counted as a skip was none: the answer was only late.
      else if (assignments.isSkipByExpiry(row)) this.#countSkip(row, -1);
      assignments.setState(row, 'SUBMITTED');
      assignments.label.set(row, event.label);
      const keptBack = assignments.suggestion.get(row) !== assignments.offered(row);
      if (keptBack) assignments.first.set(row, event.label);
      assignments.milliseconds.set(row, event.milliseconds ?? Number.NaN);
      assignments.answeredAt.set(row, this.time);
      assignments.placed.set(row, 0);
      this.annotatorOf(row).answered(row);
      this.answers++;
      this.annotatorOf(row).work.acted(this.time, event.milliseconds ?? Number.NaN);
      this.#countWork(row, 1);
      this.checks += Number(assignments.isGold(row));
      this.#keepFirstAnswer(row);
      if (event.counted) this.#countIn(row);
    });
  }

  #revised({ assignment, label }: Revised): void {
    const row = this.#row(assignment);
    this.#change(row, () => {
      const counts = this.assignments.placed.get(row) === 1;
      if (counts) this.#countOut(row);
      this.#countWork(row, -1);
      this.assignments.label.set(row, label);
      this.#countWork(row, 1);
      if (counts) this.#countIn(row);
    });
  }

  #skipped({ assignment, unanswerable }: Skipped): void {
    const row = this.#row(assignment);
    this.#change(row, () => {
      this.#giveUp(row);
      this.assignments.setState(row, 'SKIPPED');
      this.annotatorOf(row).skips++;
      this.annotatorOf(row).work.acted(this.time, Number.NaN);
      this.#workAt(row, this.time).skips++;
      this.#countSkip(row, 1);
      if (unanswerable) this.samples.setUnanswerable(this.assignments.sample.get(row));
    });
  }

  #expired({ assignment, skip, unanswerable }: Expired): void {
    const row = this.#row(assignment);
    this.#change(row, () => {
      this.#giveUp(row);
      this.assignments.setState(row, 'EXPIRED');
      this.assignments.expiries.set(row, this.assignments.expiries.get(row) + 1);
      this.#workAt(row, this.time).expiries++;
      if (skip) this.#countSkip(row, 1);
      if (unanswerable) this.samples.setUnanswerable(this.assignments.sample.get(row));
    });
  }

  #undone({ assignment, until }: Undone): void {
    const row = this.#row(assignment);
    this.#change(row, () => {
      const { assignments, samples } = this;
      const sample = assignments.sample.get(row);
      if (assignments.placed.get(row) === 1) {
        // The place goes from the answer to the hand: it does not become free for others.
        this.#countOut(row);
        assignments.placed.set(row, 1);
        samples.live.set(sample, samples.live.get(sample) + 1);
      }
      this.#countWork(row, -1);
      assignments.setState(row, 'HELD');
      assignments.label.set(row, NONE);
      this.annotatorOf(row).undid(row);
      this.answers--;
      this.checks -= Number(assignments.isGold(row));
      this.#hold(row, until);
    });
  }

  #goldSet(event: GoldSet): void {
    event.samples.forEach((sample, i) => {
      this.#countFirstAnswers(sample, -1);
      for (const row of this.assignmentsOf(sample)) this.#countHad(row, -1);
      this.#changeSample(sample, () => {
        this.gold.set(sample, event, event.labels[i] as number, this.time);
        this.samples.setGold(sample, true);
        return false;
      });
      for (const row of this.assignmentsOf(sample)) {
        this.gold.keepRow(sample, this.assignments.annotator.get(row), row);
        this.#countHad(row, 1);
      }
      this.#countFirstAnswers(sample, 1);
    });
  }

  #goldRemoved({ samples }: GoldRemoved): void {
    for (const sample of samples) {
      this.#countFirstAnswers(sample, -1);
      for (const row of this.assignmentsOf(sample)) this.#countHad(row, -1);
      this.#changeSample(sample, () => {
        this.gold.forget(sample);
        this.samples.setGold(sample, false);
        return true;
      });
    }
  }

  /** Counts a row in, or out again, if by it a gold sample does not come to its annotator any more. */
  #countHad(row: number, by: 1 | -1): void {
    const { assignments, samples } = this;
    const sample = assignments.sample.get(row);
    if (!samples.isGold(sample) || samples.isErased(sample) || assignments.isRepeat(row)) return;
    if (assignments.isSpentAsGold(row)) this.annotatorOf(row).goldHad += by;
  }

  /** The first answer to a gold sample is the one by which attention is judged. */
  #keepFirstAnswer(row: number): void {
    const { assignments, gold } = this;
    const sample = assignments.sample.get(row);
    const annotator = assignments.annotator.get(row);
    if (!(assignments.isGold(row) && this.samples.isGold(sample)) || gold.hasAnswer(sample, annotator))
      return;
    const first = { sample, annotator, row, label: assignments.label.get(row), seq: this.seq, at: this.time };
    gold.keep(first);
    this.#countFirst(first, 1);
  }

  /** Counts the first answers to a sample that is gold in, or out again. */
  #countFirstAnswers(sample: number, by: 1 | -1): void {
    if (this.gold.labelOf(sample) === undefined) return;
    for (const first of this.gold.answersTo(sample)) this.#countFirst(first, by);
  }

  #countFirst(first: FirstAnswer, by: 1 | -1): void {
    const work = this.#workAt(first.row, first.at);
    work.checks += by;
    if (this.#isCorrect(first)) work.correct += by;
    this.#countAttention(first, by);
  }

  #countAttention(first: FirstAnswer, by: 1 | -1): void {
    const { attention, judged, judgedAfter } = known(this.annotators[first.annotator]);
    const isCorrect = this.#isCorrect(first);
    countAnswer(attention, isCorrect, by);
    if (first.seq > judgedAfter) countAnswer(judged, isCorrect, by);
  }

  #isCorrect({ sample, label }: FirstAnswer): boolean {
    return label === this.gold.labelOf(sample);
  }

  /** Carries out a change of one assignment; see {@link #changeSample}. */
  #change(row: number, change: () => void): void {
    this.#changeSample(this.assignments.sample.get(row), () => {
      this.#countHad(row, -1);
      change();
      this.#countHad(row, 1);
      this.annotatorOf(row).changedAt = this.seq;
      // Who has just lost it may get it again, though there may have been room for others all the time.
      return this.assignments.mayComeAgain(row);
    });
  }

  /**
   * Carries out a change of one sample, and brings in step what depends on it: the orders in which it stands, its
   * round's progress, how many are labelled, and whether its answers differ.
   *
   * @param change says whether somebody may get it again who could not before
   */
  #changeSample(sample: number, change: () => boolean): void {
    const before = this.#standing(sample);
    const returned = this.#comparing(sample, change);
    const after = this.#standing(sample);
    const { round } = before;
    const { isExtra } = after;
    const moved = returned || isExtra !== before.isExtra;
    if (round !== undefined) {
      if (after.room && (moved || !before.room))
        (isExtra ? round.extraLane : round.lane).freed(this.samples.position.get(sample));
      round.unsettled += Number(before.settled) - Number(after.settled);
      round.unanswerable += Number(after.unanswerable) - Number(before.unanswerable);
    }
    if (after.pool && (moved || !before.pool)) (isExtra ? this.extraPool : this.pool).freed(sample);
    if (after.unlabelled && (returned || !before.unlabelled)) {
      const position = this.currentRun?.auditPosition(sample);
      if (position !== undefined) this.currentRun?.lane.freed(position);
      const announced = this.openRound?.auditPosition(sample);
      if (announced !== undefined) this.openRound?.auditLane.freed(announced);
    }
    this.labelled += Number(after.labelled) - Number(before.labelled);
    this.#weighDispute(sample);
  }

  /** Carries out a change of one sample, and compares the answers to it anew. */
  #comparing<T>(sample: number, change: () => T): T {
    const before = comparisonsOf(this, sample);
    const result = change();
    this.#countComparisons(before, -1);
    this.#countComparisons(comparisonsOf(this, sample), 1);
    return result;
  }

  #countComparisons(comparisons: readonly Comparison[], by: 1 | -1): void {
    for (const { annotator, at, agrees } of comparisons) {
      const { work } = known(this.annotators[annotator]);
      const stretch = work.at(at);
      stretch.compared += by;
      if (agrees) stretch.agreeing += by;
      work.changedAt = this.seq;
    }
  }

  /** The stretch of a row's annotator at a time, of which a count is to be moved. */
  #workAt(row: number, time: number): Work {
    const { work } = this.annotatorOf(row);
    work.changedAt = this.seq;
    return work.at(time);
  }

  /** Counts an answer into its annotator's work, or out again. */
  #countWork(row: number, by: 1 | -1): void {
    const { assignments } = this;
    const work = this.#workAt(row, assignments.answeredAt.get(row));
    const isShown = assignments.isShown(row);
    const isAccepted = isShown && assignments.label.get(row) === assignments.suggestion.get(row);
    work.answers += by;
    if (isShown) work.shown += by;
    if (isAccepted) work.accepted += by;
    const milliseconds = assignments.milliseconds.get(row);
    if (!Number.isNaN(milliseconds)) work.countTime(milliseconds / 1_000, isAccepted, by);
    if (!assignments.isRepeat(row)) return;
    const [first, again] = this.#countRepeat(row, by);
    work.repeats += by;
    if (first === again) work.same += by;
  }

  #countRepeat(row: number, by: 1 | -1): readonly [first: number, again: number] {
    const { assignments } = this;
    const [first, again] = [assignments.firstLabel(assignments.twin.get(row)), assignments.firstLabel(row)];
    this.#repeats.count(assignments.annotator.get(row), 0, first, again, by);
    return [first, again];
  }

  #weighDispute(sample: number): void {
    const { rulings, samples } = this;
    const isOpen = !(rulings.has(sample) || samples.isGold(sample) || samples.isErased(sample));
    // Most samples have one answer: theirs are not looked for.
    const labels = isOpen && samples.counted.get(sample) > 1 ? this.countedLabels(sample) : [];
    if (labels.some((label) => label !== labels[0]))
      this.disputed.set(sample, costOf(labels, this.created.scale, this.labels.length));
    else this.disputed.delete(sample);
  }

  #standing(sample: number) {
    const { samples, openRound } = this;
    return {
      round:
        openRound !== undefined && samples.round.get(sample) === openRound.number ? openRound : undefined,
      room: samples.hasRoom(sample),
      isExtra: samples.isExtraNext(sample),
      pool: this.poolHasRoom(sample),
      unlabelled: samples.isUnlabelled(sample),
      settled: samples.isSettled(sample),
      unanswerable: samples.isUnanswerable(sample),
      labelled: samples.counted.get(sample) > 0,
    };
  }

  #ratings(sample: number): Rating[] {
    const { assignments } = this;
    const ratings: Rating[] = [];
    for (let row = this.samples.assignments.get(sample); row !== NONE; row = assignments.next.get(row)) {
      const label = assignments.rating.get(row);
      if (label !== NONE) ratings.push({ annotator: assignments.annotator.get(row), label });
    }
    return ratings;
  }

  #hold(row: number, until: number): void {
    this.held.add(row);
    this.annotatorOf(row).held.push(row);
    this.assignments.until.set(row, until);
    this.#deadlines.push(until, row);
  }

  /** Takes an assignment out of its annotator's hands. */
  #letGo(row: number): void {
    const sample = this.assignments.sample.get(row);
    this.held.delete(row);
    this.annotatorOf(row).drops(row);
    if (this.assignments.placed.get(row) === 1)
      this.samples.live.set(sample, this.samples.live.get(sample) - 1);
  }

  /** Takes it out of their hands unanswered: its place for gold is free for others too. */
  #giveUp(row: number): void {
    this.#letGo(row);
    if (this.assignments.isGold(row)) this.openRound?.freeGoldPlace(row);
  }

  /** A submitted answer takes a place. */
  #countIn(row: number): void {
    this.#count(row, 1);
  }

  /** A submitted answer gives its place back. */
  #countOut(row: number): void {
    this.#count(row, -1);
  }

  #count(row: number, by: 1 | -1): void {
    const { assignments, samples } = this;
    const sample = assignments.sample.get(row);
    const before = this.#ratings(sample);
    const isExtra = this.#isExtra(row);
    assignments.placed.set(row, by === 1 ? 1 : 0);
    samples.counted.set(sample, samples.counted.get(sample) + by);
    if (by === 1 && assignments.rating.get(row) === NONE) {
      if (isExtra) assignments.setDraw(row, 'EXTRA_OPINION');
      else if (!assignments.isGold(row)) assignments.rating.set(row, assignments.firstLabel(row));
    }
    // Alone on its sample, the answer has shown nobody anything; else it stays the one that was given blind.
    if (by === -1 && before.length === 1) assignments.rating.set(row, NONE);
    this.agreement.change(before, this.#ratings(sample));
    this.#countAgainstModel(row, by);
  }

  /**
   * An answer was asked as an extra opinion, or comes late to a sample of which as many count as were meant to: agreement
   * leaves it out, for it is only there because others disagree.
   */
  #isExtra(row: number): boolean {
    const draw = this.assignments.draw(row);
    if (draw === 'EXTRA_OPINION') return true;
    return draw !== 'AUDIT' && draw !== 'GOLD' && this.samples.isExtraNext(this.assignments.sample.get(row));
  }

  #countAgainstModel(row: number, by: 1 | -1): void {
    const { assignments } = this;
    const predicted = assignments.predicted.get(row);
    if (predicted === NONE) return;
    this.runs[assignments.run.get(row) - 1]?.count(
      {
        sample: assignments.sample.get(row),
        draw: assignments.draw(row),
        mode: assignments.mode(row),
        suggestion: assignments.suggestion.get(row),
        predicted,
        first: assignments.firstLabel(row),
        label: assignments.label.get(row),
      },
      by,
    );
  }

  /** A sample is given up where people cannot tell what it is. Repeats and gold say nothing of that. */
  #countSkip(row: number, by: 1 | -1): void {
    if (this.assignments.isRepeat(row) || this.assignments.isGold(row)) return;
    const sample = this.assignments.sample.get(row);
    this.samples.skips.set(sample, this.samples.skips.get(sample) + by);
  }

  /** The annotator of this id, of whom something changes. */
  #changed(id: string): Annotator {
    const annotator = this.#admit(id);
    annotator.changedAt = this.seq;
    return annotator;
  }

  /** The annotator of this id, numbered at first sight. */
  #admit(id: string): Annotator {
    const existing = this.annotator(id);
    if (existing !== undefined) return existing;
    const annotator = new Annotator(this.annotators.length, id, this.seq);
    this.annotators.push(annotator);
    this.#annotatorIndex.set(id, annotator.index);
    return annotator;
  }

  #row(assignment: string): number {
    const row = this.assignments.ids.indexOf(assignment);
    if (row < 0) throw new Error(`the journal speaks of assignment ${assignment}, which nobody was granted`);
    return row;
  }

  /** Renewals and answers leave old entries behind; the first entry must be a deadline that holds. */
  #dropPassedDeadlines(): void {
    for (let first = this.#deadlines.peek(); first !== undefined; first = this.#deadlines.peek()) {
      if (this.held.has(first.value) && this.assignments.until.get(first.value) === first.priority) return;
      this.#deadlines.pop();
    }
  }
}

/** An event that names nobody may concern everybody; and so does what becomes of a person by what gold shows. */
function concernsEverybody(event: ProjectEvent): boolean {
  return !('assignment' in event || event.type === 'workSessionStarted' || event.type === 'workSessionEnded');
}

/** What the journal's first event sets, and what later events name. Missing, the journal is damaged. */
function known<T>(value: T | null | undefined): T {
  if (value === null || value === undefined)
    throw new Error('the journal lacks what its later events speak of');
  return value;
}
