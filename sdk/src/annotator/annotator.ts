import { type Client, createClient } from '../client/client.ts';
import { NetworkError, RefusalError } from '../client/errors.ts';
import {
  ForbiddenError,
  NotFoundError,
  StoreFullError,
  StoreUnavailableError,
} from '../client/generated/errors.ts';
import type { EmptyReason } from '../client/generated/schema.ts';
import type {
  Agreement,
  Assignment,
  Presence,
  Project,
  Queue,
  Submission,
} from '../client/generated/types.ts';
import type { ConnectionState } from '../client/live.ts';
import type { CallOptions } from '../client/operation.ts';
import type { ClientOptions } from '../client/options.ts';
import { DEFAULT_RETRY, delayAfter, type RetryPolicy } from '../client/retry.ts';
import { Bell } from './bell.ts';
import { Hands } from './hands.ts';
import {
  type Answer,
  browserStorage,
  Outbox,
  type OutboxStorage,
  type RefusedAnswer,
  type Verdict,
} from './outbox.ts';

/** When the queue says until when it is empty, it is asked again then; clocks differ, so within these bounds (ms). */
const SOONEST_MS = 250;
const LATEST_MS = 60_000;
/** When a claim gave nothing though there was work, it is made again after so long. */
const SURPRISED_MS = 1_000;

export interface AnnotatorOptions extends ClientOptions {
  /** The project's id. */
  readonly project: string;
  /** How many samples to hold at a time, the one that is being looked at included: 1…100. Default: 2. */
  readonly hold?: number | undefined;
  /**
   * Keeps answers until they are recorded, so that what was given while the service was away is sent even when the
   * page is opened again. Default: the `localStorage` of a page; elsewhere, and with null, memory only.
   */
  readonly storage?: OutboxStorage | null | undefined;
}

/** Answers that are under way, and those that came to nothing. */
export interface OutboxState {
  /** Not recorded yet, oldest first: being sent, or waiting for the service to be there. */
  readonly waiting: readonly Answer[];
  /** Refused by the service since work began. */
  readonly refused: readonly RefusedAnswer[];
}

export interface AssignmentsOptions extends CallOptions {
  /**
   * Ends the iteration when the queue is empty for one of these reasons, such as `['DONE', 'NO_ROUND']`.
   * Default: none; it waits until there is work again.
   */
  readonly endOn?: readonly EmptyReason[] | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** How long somebody looked at it. Default: the time since the iterator gave it out. */
  readonly milliseconds?: number | undefined;
}

/** Somebody at work in a project. */
export interface Annotator extends AsyncIterable<Assignment> {
  /** Every operation of the service, for what the annotator has no method for. */
  readonly client: Client;
  /** The project as it was when work began: its labels and guidelines. */
  readonly project: Project;
  /** The newest state of the queue; null before the first has come. */
  readonly queue: Queue | null;
  /** What has become of the answers that were given. */
  readonly outbox: OutboxState;
  /** How the connection is by which the queue is followed. */
  readonly connection: ConnectionState;

  /**
   * What to label, one after another, as long as there is any; then it waits, wakes up when there is work again,
   * such as a new round, and when a break is over. Each assignment is given out once, also to several loops, and
   * again only after it was undone, or released and claimed anew. Losing the connection ends nothing.
   *
   * Asking for the next one before the last is answered gives another, up to `hold` at a time.
   */
  assignments(options?: AssignmentsOptions): AsyncIterableIterator<Assignment, undefined>;

  /**
   * Answers an assignment, and tops the queue up while somebody iterates. The answer lies in the outbox when this
   * returns, and is sent from there: one after another, in the order in which they were given, again and again while
   * the service is away. So it need not be waited for. The same answer again is safe.
   *
   * Where the policy offers suggestions `AFTER_FIRST_ANSWER`, what this resolves to has the suggestion: ask whether the
   * answer shall stay, and {@link revise} it if not. `queue.revealed` has those that may still be changed.
   *
   * @returns what the service says of it, when it has. Aborting the signal ends the waiting, and not the sending
   * @throws {UnknownLabelError} the label is not in the label set
   * @throws {AlreadyAnsweredError} another answer was given: revise it, or undo it first
   */
  submit(assignment: Pick<Assignment, 'id'>, label: string, options?: SubmitOptions): Promise<Submission>;

  /**
   * Gives another answer in place of one of one's last ten, through the outbox as {@link submit} does. It counts as given when
   * the first one was.
   *
   * @throws {UnknownLabelError} the label is not in the label set
   * @throws {UndoClosedError} it is not among those
   */
  revise(assignment: Pick<Assignment, 'id'>, label: string, options?: CallOptions): Promise<Submission>;

  /**
   * Declines to answer. It does not come again.
   *
   * @param reason up to 1,000 characters
   */
  skip(assignment: Pick<Assignment, 'id'>, reason?: string, options?: CallOptions): Promise<Assignment>;

  /**
   * Takes back one of one's last ten answers. The iterator gives the assignment out again. An answer that was not sent
   * yet needs no service for that; one that is on its way is recorded first.
   *
   * @throws {UndoClosedError} it is not among those
   */
  undo(assignment: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment>;

  /** Gives an assignment back unanswered. It may come again. */
  release(assignment: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment>;

  /** Keeps an assignment for another full time. */
  renew(assignment: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment>;

  /** Ends the work session before its time; the break begins now. What is in hands may still be answered. */
  endWorkSession(options?: CallOptions): Promise<Queue>;

  /** The queue whenever it changes, for display: what is held, why there is nothing, the work session. */
  watchQueue(): AsyncIterableIterator<Queue, undefined>;

  /** The outbox whenever it changes, for display. */
  watchOutbox(): AsyncIterableIterator<OutboxState, undefined>;

  /** The state of the connection whenever it changes, for display. */
  watchConnection(): AsyncIterableIterator<ConnectionState, undefined>;

  /** Resolves when every answer that was given is recorded or refused; or when the annotator is closed. */
  allRecorded(): Promise<void>;

  /** How far annotators agree, whenever that changes. */
  watchAgreement(options?: CallOptions): AsyncIterable<Agreement>;

  /** How many are at work, whenever that changes. Who they are is for owners and drivers. */
  watchPresence(options?: CallOptions): AsyncIterable<Presence>;

  /**
   * Ends all iterations and closes the connection. What was held and not given out goes back after the grace
   * period of the project's policy; the rest stays until its time has passed, and can be answered by id. Answers that
   * are not recorded yet stay in the storage, and are lost without one: see {@link allRecorded}.
   */
  close(): void;
}

/**
 * Goes to work in a project.
 *
 * ```ts
 * const annotator = await connectAnnotator({ url, token, project });
 * for await (const assignment of annotator) {
 *   await annotator.submit(assignment, await ask(assignment.data, annotator.project.labels));
 * }
 * ```
 *
 * @throws {NotFoundError} there is no such project, or it is not yours to see
 * @throws {ForbiddenError} the token's member does not annotate there
 * @throws {TypeError} an option cannot be used
 */
export async function connectAnnotator(options: AnnotatorOptions): Promise<Annotator> {
  const { hold = 2, retry } = options;
  if (!Number.isInteger(hold) || hold < 1 || hold > 100) throw new TypeError(`hold is 1 to 100, not ${hold}`);
  const client = createClient(options);
  const project = await client.project({ id: options.project });
  if (project === null) {
    throw new NotFoundError('There is no such project, or it is not yours to see.', { what: 'project' });
  }
  if (project.myRole !== 'ANNOTATOR') {
    throw new ForbiddenError('Your role does not allow this. It takes: ANNOTATOR.', {
      allowed: ['ANNOTATOR'],
    });
  }
  const { storage = browserStorage() } = options;
  // Whoever else has used this browser has an outbox of their own.
  const owner = storage === null ? '' : (await client.viewer()).id;
  return new LiveAnnotator(client, project, {
    hold,
    retry: { ...DEFAULT_RETRY, ...retry },
    // The outbox sees to it by itself that an answer is sent again.
    sender: createClient({ ...options, retry: { ...retry, attempts: 1 } }),
    storage,
    outbox: `concord outbox ${options.url} ${project.id} ${owner}`,
  });
}

interface Equipment {
  readonly hold: number;
  readonly retry: RetryPolicy;
  /** Sends answers. */
  readonly sender: Client;
  readonly storage: OutboxStorage | null;
  /** What answers are kept under. */
  readonly outbox: string;
}

class LiveAnnotator implements Annotator {
  readonly client: Client;
  readonly project: Project;
  readonly #hold: number;
  readonly #retry: RetryPolicy;
  readonly #hands = new Hands();
  readonly #bell = new Bell();
  readonly #outbox: Outbox;
  #outboxState: OutboxState | null = null;
  readonly #closing = new AbortController();
  #failure: { readonly error: unknown } | null = null;
  /** How many iterations are going on. */
  #iterations = 0;
  /** The claim that is on its way. */
  #claim: Promise<void> | null = null;
  /** The state that the last claim gave, by its `seq`. */
  #claimedAt = -1;

  constructor(client: Client, project: Project, { hold, retry, sender, storage, outbox }: Equipment) {
    this.client = client;
    this.project = project;
    this.#hold = hold;
    this.#retry = retry;
    client.onConnection(() => this.#bell.ring());
    this.#outbox = new Outbox({
      send: (answer) => this.#send(sender, answer),
      judge,
      // A push says that the service is there again, as the state of the connection does.
      pause: async (failures) => {
        await this.#bell.wait(delayAfter(failures, retry));
      },
      storage,
      name: outbox,
      onChange: () => {
        this.#outboxState = null;
        this.#bell.ring();
      },
    });
    this.#outbox.begin();
    void this.#follow();
  }

  get outbox(): OutboxState {
    const { waiting, refused } = this.#outbox;
    this.#outboxState ??= { waiting, refused };
    return this.#outboxState;
  }

  get connection(): ConnectionState {
    return this.client.connection;
  }

  get queue(): Queue | null {
    return this.#hands.queue;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Assignment, undefined> {
    return this.assignments();
  }

  async *assignments({ endOn = [], signal }: AssignmentsOptions = {}): AsyncGenerator<Assignment, undefined> {
    this.#iterations++;
    try {
      for (;;) {
        const next = await this.#next(endOn, signal);
        if (next === null) return undefined;
        yield next;
      }
    } finally {
      this.#iterations--;
    }
  }

  submit(
    { id: assignment }: Pick<Assignment, 'id'>,
    label: string,
    { milliseconds = this.#hands.age(assignment), signal }: SubmitOptions = {},
  ): Promise<Submission> {
    const recorded = this.#outbox.put({ assignment, label, milliseconds });
    return signal === undefined ? recorded : untilAborted(recorded, signal);
  }

  revise(
    { id: assignment }: Pick<Assignment, 'id'>,
    label: string,
    { signal }: CallOptions = {},
  ): Promise<Submission> {
    const recorded = this.#outbox.put({ assignment, label, revise: true });
    return signal === undefined ? recorded : untilAborted(recorded, signal);
  }

  async skip({ id }: Pick<Assignment, 'id'>, reason?: string, options?: CallOptions): Promise<Assignment> {
    const skipped = await this.client.skip({ assignment: id, reason }, options);
    await this.#look(options);
    return skipped;
  }

  async undo({ id }: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment> {
    const held = this.#hands.held(id);
    if (this.#outbox.takeBack(id) && held !== null) {
      this.#hands.forget(id);
      this.#bell.ring();
      return held;
    }
    const settled = this.#outbox.settled(id);
    await (options?.signal === undefined ? settled : untilAborted(settled, options.signal));
    const undone = await this.client.undo({ assignment: id }, options);
    await this.#look(options);
    return undone;
  }

  async release({ id }: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment> {
    const released = await this.client.release({ assignment: id }, options);
    // If it is held in a state from after the release, then it was claimed anew.
    await this.#look(options, () => this.#hands.forget(id));
    return released;
  }

  renew({ id }: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment> {
    return this.client.renew({ assignment: id }, options);
  }

  async endWorkSession(options?: CallOptions): Promise<Queue> {
    const queue = await this.client.endWorkSession({ project: this.project.id }, options);
    this.#update(queue);
    return queue;
  }

  watchQueue(): AsyncGenerator<Queue, undefined> {
    return this.#watch(() => this.#hands.queue);
  }

  watchOutbox(): AsyncGenerator<OutboxState, undefined> {
    return this.#watch(() => this.outbox);
  }

  watchConnection(): AsyncGenerator<ConnectionState, undefined> {
    return this.#watch(() => this.connection);
  }

  allRecorded(): Promise<void> {
    return this.#outbox.settled();
  }

  watchAgreement(options?: CallOptions): AsyncIterable<Agreement> {
    return this.client.watchAgreement({ project: this.project.id }, options);
  }

  watchPresence(options?: CallOptions): AsyncIterable<Presence> {
    return this.client.watchPresence({ project: this.project.id }, options);
  }

  close(): void {
    this.#closing.abort();
    this.#outbox.close();
    this.client.close();
    this.#bell.ring();
  }

  /** What something is, and again whenever it has become another and the bell has rung. */
  async *#watch<T>(look: () => T | null): AsyncGenerator<T, undefined> {
    let last: T | null = null;
    while (!this.#closing.signal.aborted) {
      if (this.#failure) throw this.#failure.error;
      const now = look();
      if (now !== null && now !== last) {
        last = now;
        yield now;
      } else await this.#bell.wait();
    }
    return undefined;
  }

  async #send(sender: Client, answer: Answer): Promise<Submission> {
    const hold = this.#iterations > 0 ? this.#hold : undefined;
    const submission = await sender.submit({ ...answer, hold }, { signal: this.#closing.signal });
    this.#update(submission.queue);
    return submission;
  }

  /** The next assignment that was not given out, waiting for it; null when the iteration is to end. */
  async #next(endOn: readonly EmptyReason[], signal: AbortSignal | undefined): Promise<Assignment | null> {
    let failures = 0;
    /** Whether what the queue says of itself may be out of date, as its time has come. */
    let isDue = false;
    /** Whether the service was asked just now: a push may be behind what has happened since. */
    let isSure = false;
    for (;;) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      if (this.#closing.signal.aborted) return null;
      const next = this.#hands.give((id) => this.#isAnswered(id));
      if (next !== null) return next;
      const { queue } = this.#hands;
      const isEnd = queue?.empty != null && endOn.includes(queue.empty.reason);
      if (isEnd && isSure) return null;
      if (queue === null || isEnd || isDue || this.#wouldClaim(queue)) {
        try {
          await this.#topUp();
          failures = 0;
          isDue = false;
          isSure = true;
        } catch (error) {
          if (this.#closing.signal.aborted) return null;
          if (!isPassing(error)) throw error;
          await this.#bell.wait(delayAfter(++failures, this.#retry), signal);
        }
        continue;
      }
      isSure = false;
      isDue = await this.#bell.wait(this.#dueIn(queue), signal);
    }
  }

  #isAnswered(id: string): boolean {
    return this.outbox.waiting.some(({ assignment }) => assignment === id);
  }

  #wouldClaim({ empty, assignments, seq }: Queue): boolean {
    return empty === null && assignments.length < this.#hold && seq > this.#claimedAt;
  }

  /** In how many milliseconds a claim is worth a try, if nothing is pushed meanwhile. */
  #dueIn({ empty, assignments }: Queue): number {
    if (assignments.length >= this.#hold) return Number.POSITIVE_INFINITY;
    if (empty === null) return SURPRISED_MS;
    if (empty.until === null) return Number.POSITIVE_INFINITY;
    return Math.min(LATEST_MS, Math.max(SOONEST_MS, Date.parse(empty.until) - Date.now()));
  }

  /** Claims, once at a time however many ask. */
  #topUp(): Promise<void> {
    this.#claim ??= this.client
      .claim({ project: this.project.id, hold: this.#hold }, { signal: this.#closing.signal })
      .then((queue) => {
        this.#claimedAt = queue.seq;
        this.#update(queue);
      })
      .finally(() => {
        this.#claim = null;
      });
    return this.#claim;
  }

  /** Asks for the state as it is after a call that does not tell it. */
  async #look(options?: CallOptions, before?: () => void): Promise<void> {
    const queue = await this.client.queue({ project: this.project.id }, options);
    before?.();
    if (queue !== null) this.#update(queue);
  }

  #update(queue: Queue): void {
    if (this.#hands.update(queue)) this.#bell.ring();
  }

  async #follow(): Promise<void> {
    try {
      for await (const queue of this.client.watchQueue({ project: this.project.id })) this.#update(queue);
    } catch (error) {
      this.#failure = { error };
      this.#bell.ring();
    }
  }
}

/** Whether an error says nothing of what was asked: it passes. */
function isPassing(error: unknown): boolean {
  return error instanceof NetworkError || error instanceof StoreUnavailableError;
}

function judge(error: unknown): Verdict {
  if (isPassing(error)) return 'AGAIN';
  // That the store is full says nothing of the answer.
  return error instanceof RefusalError && !(error instanceof StoreFullError) ? 'REFUSED' : 'TROUBLE';
}

/** What a promise comes to, or the signal's abort. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const outcome = new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
  outcome.catch(() => undefined);
  return outcome;
}
