import { type Client, createClient } from '../client/client.ts';
import { NetworkError } from '../client/errors.ts';
import { ForbiddenError, NotFoundError, StoreUnavailableError } from '../client/generated/errors.ts';
import type { EmptyReason } from '../client/generated/schema.ts';
import type {
  Agreement,
  Assignment,
  Presence,
  Project,
  Queue,
  Submission,
} from '../client/generated/types.ts';
import type { CallOptions } from '../client/operation.ts';
import type { ClientOptions } from '../client/options.ts';
import { DEFAULT_RETRY, delayAfter, type RetryPolicy } from '../client/retry.ts';
import { Bell } from './bell.ts';
import { Hands } from './hands.ts';

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

  /**
   * What to label, one after another, as long as there is any; then it waits, wakes up when there is work again,
   * such as a new round, and when a break is over. Each assignment is given out once, also to several loops, and
   * again only after it was undone, or released and claimed anew. Losing the connection ends nothing.
   *
   * Asking for the next one before the last is answered gives another, up to `hold` at a time.
   */
  assignments(options?: AssignmentsOptions): AsyncIterableIterator<Assignment, undefined>;

  /**
   * Answers an assignment, and tops the queue up while somebody iterates. The same answer again is safe.
   *
   * @throws {UnknownLabelError} the label is not in the label set
   * @throws {AlreadyAnsweredError} another answer was given: undo it first
   */
  submit(assignment: Pick<Assignment, 'id'>, label: string, options?: SubmitOptions): Promise<Submission>;

  /**
   * Declines to answer. It does not come again.
   *
   * @param reason up to 1,000 characters
   */
  skip(assignment: Pick<Assignment, 'id'>, reason?: string, options?: CallOptions): Promise<Assignment>;

  /**
   * Takes back one of one's last ten answers. The iterator gives the assignment out again.
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

  /** How far annotators agree, whenever that changes. */
  watchAgreement(options?: CallOptions): AsyncIterable<Agreement>;

  /** How many are at work, whenever that changes. Who they are is for owners and drivers. */
  watchPresence(options?: CallOptions): AsyncIterable<Presence>;

  /**
   * Ends all iterations and closes the connection. What was held and not given out goes back after the grace
   * period of the project's policy; the rest stays until its time has passed, and can be answered by id.
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
  return new LiveAnnotator(client, project, hold, { ...DEFAULT_RETRY, ...retry });
}

class LiveAnnotator implements Annotator {
  readonly client: Client;
  readonly project: Project;
  readonly #hold: number;
  readonly #retry: RetryPolicy;
  readonly #hands = new Hands();
  readonly #bell = new Bell();
  readonly #closing = new AbortController();
  #failure: { readonly error: unknown } | null = null;
  /** How many iterations are going on. */
  #iterations = 0;
  /** The claim that is on its way. */
  #claim: Promise<void> | null = null;
  /** The state that the last claim gave, by its `seq`. */
  #claimedAt = -1;

  constructor(client: Client, project: Project, hold: number, retry: RetryPolicy) {
    this.client = client;
    this.project = project;
    this.#hold = hold;
    this.#retry = retry;
    void this.#follow();
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

  async submit(
    { id }: Pick<Assignment, 'id'>,
    label: string,
    { milliseconds = this.#hands.age(id), signal }: SubmitOptions = {},
  ): Promise<Submission> {
    const hold = this.#iterations > 0 ? this.#hold : undefined;
    const submission = await this.client.submit({ assignment: id, label, milliseconds, hold }, { signal });
    this.#update(submission.queue);
    return submission;
  }

  async skip({ id }: Pick<Assignment, 'id'>, reason?: string, options?: CallOptions): Promise<Assignment> {
    const skipped = await this.client.skip({ assignment: id, reason }, options);
    await this.#look(options);
    return skipped;
  }

  async undo({ id }: Pick<Assignment, 'id'>, options?: CallOptions): Promise<Assignment> {
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

  async *watchQueue(): AsyncGenerator<Queue, undefined> {
    let last: Queue | null = null;
    while (!this.#closing.signal.aborted) {
      if (this.#failure) throw this.#failure.error;
      const { queue } = this.#hands;
      if (queue !== null && queue !== last) {
        last = queue;
        yield queue;
      } else await this.#bell.wait();
    }
    return undefined;
  }

  watchAgreement(options?: CallOptions): AsyncIterable<Agreement> {
    return this.client.watchAgreement({ project: this.project.id }, options);
  }

  watchPresence(options?: CallOptions): AsyncIterable<Presence> {
    return this.client.watchPresence({ project: this.project.id }, options);
  }

  close(): void {
    this.#closing.abort();
    this.client.close();
    this.#bell.ring();
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
      const next = this.#hands.give();
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
