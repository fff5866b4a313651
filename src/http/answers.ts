import { getHeapStatistics } from 'node:v8';
import { GraphQLError } from 'graphql';
import type { PayloadPlace } from '../domain/sampleTable.ts';
import type { Answer } from '../graphql/builder.ts';
import type { Viewer } from '../service/access.ts';
import type { Concord } from '../service/concord.ts';
import { ByteBudget } from './byteBudget.ts';

/** What all answers under way may hold, in bytes; less where the heap is small, for what is held is there several times. */
const ANSWERS_BYTES = Math.min(64 * 1024 * 1024, Math.floor(getHeapStatistics().heap_size_limit / 16));
/** How many may hold that at most at a time: each member, and all who have not said who they are, has a share. */
const SHARES = 4;
/** What a field of an answer takes, beside payloads, in bytes. */
const BYTES_PER_COST = 32;
/** An operation of this cost or more waits until no other such is executed, and lets others in between. */
const HEAVY = 5_000;
/** From so many bytes on, a member's answers are filled one after the other: none holds what another waits for. */
const LARGE_BYTES = 64 * 1024;
/** How long an answer waits for its room, in milliseconds. */
const WAIT_MS = 5_000;

export interface AnswersOptions {
  readonly bytes?: number;
  readonly waitMs?: number;
}

/** Bounds what answers hold in memory from when they are begun until their readers have them. */
export class Answers {
  readonly #concord: Concord;
  readonly #waitMs: number;
  readonly #all: ByteBudget;
  readonly #turns = new ByteBudget(1);
  readonly #shares = new Map<string, Share>();
  /** What one member's answers may hold. */
  readonly #share: number;

  constructor(concord: Concord, { bytes = ANSWERS_BYTES, waitMs = WAIT_MS }: AnswersOptions = {}) {
    this.#concord = concord;
    this.#waitMs = waitMs;
    this.#all = new ByteBudget(bytes);
    this.#share = Math.floor(bytes / SHARES);
  }

  /**
   * An answer that is begun for somebody; to be ended, whatever becomes of it.
   * @param viewer null: nobody has said who they are, or the answer is shared by many
   */
  begin(viewer: Viewer | null): HeldAnswer {
    const name = viewer?.member ?? '';
    const share = this.#shares.get(name) ?? {
      reserved: new ByteBudget(this.#share),
      small: new ByteBudget(this.#share / SHARES),
      large: new ByteBudget(this.#share),
      turns: new ByteBudget(1),
      answers: 0,
    };
    share.answers++;
    this.#shares.set(name, share);
    return new HeldAnswer({
      concord: this.#concord,
      limit: this.#share,
      take: (kind, bytes, give) => this.#take([share[kind], this.#all], bytes, give),
      heavyTurn: (give) => this.#take([this.#turns], 1, give),
      largeTurn: (give) => this.#take([share.turns], 1, give),
      ended: () => {
        if (--share.answers === 0) this.#shares.delete(name);
      },
    });
  }

  /** Takes room in each budget, waiting in turn, but not for ever: who waits holds what others wait for. */
  async #take(budgets: readonly ByteBudget[], bytes: number, give: GiveBack): Promise<void> {
    for (const budget of budgets) {
      let isIn = false;
      let enter = () => {
        isIn = true;
      };
      let leave = () => {};
      const back = budget.take(bytes, () => enter());
      give(() => {
        back();
        leave();
      });
      if (isIn) continue;
      await new Promise<void>((resolve, reject) => {
        const impatient = setTimeout(() => leave(), this.#waitMs);
        enter = () => {
          clearTimeout(impatient);
          resolve();
        };
        leave = () => {
          clearTimeout(impatient);
          reject(busy());
        };
      });
    }
  }
}

/** What one member's answers have in common. */
interface Share {
  /** What is reserved at once, before an operation is executed. */
  readonly reserved: ByteBudget;
  /** What is held without a turn; with one, an answer waits only for those that are filled, never for these. */
  readonly small: ByteBudget;
  readonly large: ByteBudget;
  readonly turns: ByteBudget;
  answers: number;
}

type Kind = 'reserved' | 'small' | 'large';

/** Is told how what was taken is given back. */
type GiveBack = (back: () => void) => void;

interface HeldOptions {
  readonly concord: Concord;
  readonly limit: number;
  readonly take: (kind: Kind, bytes: number, give: GiveBack) => Promise<void>;
  readonly heavyTurn: (give: GiveBack) => Promise<void>;
  readonly largeTurn: (give: GiveBack) => Promise<void>;
  readonly ended: () => void;
}

export class HeldAnswer implements Answer {
  readonly #options: HeldOptions;
  readonly #taken: (() => void)[] = [];
  readonly #payloads = new Map<string, Promise<unknown>>();
  #bytes = 0;
  /** Its turn to be filled, once it is a large one. */
  #turn: Promise<void> | null = null;
  readonly #turnsTaken: (() => void)[] = [];
  /** Why it holds nothing more; what fails once fails for every field. */
  #problem: GraphQLError | null = null;
  #isOver = false;
  /** Made when somebody asks for its signal: hardly any answer takes long enough. */
  #abandoning: AbortController | null = null;

  constructor(options: HeldOptions) {
    this.#options = options;
  }

  get signal(): AbortSignal {
    this.#abandoning ??= new AbortController();
    if (this.#isOver) this.#abandoning.abort(unwanted());
    return this.#abandoning.signal;
  }

  /**
   * Waits until an operation of such a cost may be executed.
   * @returns to be called when it has been
   * @throws {GraphQLError} BUSY
   */
  async enter(cost: number): Promise<() => void> {
    await this.#take('reserved', cost * BYTES_PER_COST);
    const leave = () => this.executed();
    if (cost < HEAVY) return leave;
    try {
      await this.#options.heavyTurn((back) => this.#turnsTaken.push(back));
    } catch (error) {
      leave();
      throw error;
    }
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    return leave;
  }

  async payload(place: PayloadPlace): Promise<unknown> {
    const { concord } = this.#options;
    const key = `${place.chunk} ${place.index}`;
    const json = await concord.payloads.json(place);
    await this.#hold(json.length);
    let parsed = this.#payloads.get(key);
    if (parsed === undefined) {
      parsed = this.#parse(json);
      this.#payloads.set(key, parsed);
    }
    return parsed;
  }

  async #parse(json: Buffer): Promise<unknown> {
    await this.#hold(bytesOfStructure(json));
    return JSON.parse(json.toString('utf8'));
  }

  async texts<T extends string | readonly string[]>(texts: T): Promise<T> {
    await this.#hold(
      typeof texts === 'string' ? texts.length : texts.reduce((sum, text) => sum + text.length, 0),
    );
    return texts;
  }

  letGo(): void {
    this.#bytes = 0;
    this.#problem = null;
    this.#payloads.clear();
    this.executed();
    this.#giveBack();
  }

  /** It has been sent, or nobody wants it any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abandoning?.abort(unwanted());
    this.letGo();
    this.#options.ended();
  }

  /** It is filled, or a push of it is: the next one's turn. */
  executed(): void {
    this.#turn = null;
    for (const back of this.#turnsTaken.splice(0)) back();
  }

  #giveBack(): void {
    for (const back of this.#taken.splice(0)) back();
  }

  /** Counts bytes of payloads and texts, and waits until there is room for them. */
  async #hold(bytes: number): Promise<void> {
    this.#check();
    this.#bytes += bytes;
    if (this.#bytes > this.#options.limit) {
      this.#problem = tooLarge(this.#options.limit);
      throw this.#problem;
    }
    if (this.#bytes <= LARGE_BYTES) return this.#take('small', bytes);
    this.#turn ??= this.#options.largeTurn((back) => this.#turnsTaken.push(back));
    try {
      await this.#turn;
    } catch (error) {
      throw this.#failed(error);
    }
    return this.#take('large', bytes);
  }

  async #take(kind: Kind, bytes: number): Promise<void> {
    this.#check();
    try {
      await this.#options.take(kind, bytes, (back) => this.#taken.push(back));
    } catch (error) {
      throw this.#failed(error);
    }
    // It may have ended meanwhile.
    if (this.#isOver) this.#giveBack();
  }

  #check(): void {
    if (this.#isOver) throw unwanted();
    if (this.#problem) throw this.#problem;
  }

  #failed(error: unknown): unknown {
    if (error instanceof GraphQLError) this.#problem = error;
    return error;
  }
}

/** What a JSON text's lists, objects and values take beside its characters, in bytes, roughly. */
function bytesOfStructure(json: Buffer): number {
  let bytes = 0;
  for (let i = 0; i < json.length; i++) {
    const byte = json[i];
    if (byte === COMMA) bytes += 8;
    else if (byte === BRACE || byte === BRACKET) bytes += 32;
  }
  return bytes;
}

const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

function unwanted(): GraphQLError {
  return new GraphQLError('Nobody waits for this answer any more.');
}

function tooLarge(limit: number): GraphQLError {
  const message = `The answer would hold more than ${limit} bytes. Ask for smaller pages, or for fewer payloads at a time.`;
  return new GraphQLError(message, { extensions: { code: 'ANSWER_TOO_LARGE', limit } });
}

function busy(): GraphQLError {
  const message =
    'Too many answers wait to be read, yours or all together. Read them, then do the same again.';
  return new GraphQLError(message, { extensions: { code: 'BUSY', http: { status: 503 } } });
}
