import type { Submission } from '../client/generated/types.ts';

/** An answer on its way to the service. */
export interface Answer {
  /** The assignment's id. */
  readonly assignment: string;
  readonly label: string;
  /** How long somebody looked at it; undefined: nobody knows. */
  readonly milliseconds?: number | undefined;
  /** It takes the place of an answer that was given before. */
  readonly revise?: true | undefined;
}

/** An answer that the service has refused, and that is sent no more. */
export interface RefusedAnswer extends Answer {
  readonly error: unknown;
}

/** Where answers are kept until they are recorded: the part of a browser's `Storage` that it takes. */
export type OutboxStorage = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem'>;

/**
 * What an error says of an answer: `AGAIN` nothing, it passes; `REFUSED` the service will not have it; `TROUBLE` whoever
 * waits for it should know, though it may be taken later.
 */
export type Verdict = 'AGAIN' | 'REFUSED' | 'TROUBLE';

export interface OutboxOptions {
  /** Sends an answer. */
  readonly send: (answer: Answer) => Promise<Submission>;
  readonly judge: (error: unknown) => Verdict;
  /** Waits before it is sent again; resolves early when that may be worth a try. */
  readonly pause: (failures: number) => Promise<void>;
  /** Null: answers are kept in memory only. */
  readonly storage: OutboxStorage | null;
  /** What the names begin with under which they are kept: of one service, project and member. */
  readonly name: string;
  /** Called whenever what is under way has changed. */
  readonly onChange: () => void;
}

interface Entry {
  readonly answer: Answer;
  /** What it is kept under: each has a name of its own, so that no other takes its place, nor goes with it. */
  readonly name: string;
  /** Whether it may have reached the service. */
  wasSent: boolean;
  /** Who waits to hear what became of it. */
  readonly settle: ((outcome: Promise<Submission>) => void)[];
}

/**
 * Answers that are not recorded yet, sent one after another in the order in which they were given. One that finds no
 * service is sent again, for as long as it takes: the same answer again is safe. They are written down before anything
 * is sent, so that a page that is closed meanwhile sends them when it is opened again.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #entries: Entry[] = [];
  #isSending = false;
  /** When the newest was given, in milliseconds since 1970. */
  #newest = 0;
  #isClosed = false;
  #refused: readonly RefusedAnswer[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    for (const { answer, name } of this.#stored()) {
      this.#entries.push({ answer, name, wasSent: true, settle: [] });
    }
  }

  /** What is not recorded yet, oldest first. */
  get waiting(): readonly Answer[] {
    return this.#entries.map(({ answer }) => answer);
  }

  /** What the service has refused since this began. */
  get refused(): readonly RefusedAnswer[] {
    return this.#refused;
  }

  /** Begins to send what was left from before. */
  begin(): void {
    if (this.#entries.length > 0) void this.#send();
  }

  /**
   * Takes an answer in, and has kept it when this returns; the promise tells what the service says of it. One that is given
   * after the end is only kept.
   */
  put(answer: Answer): Promise<Submission> {
    return this.#outcome((settle) => {
      const known = this.#entries.findLast(({ answer: { assignment } }) => assignment === answer.assignment);
      if (known !== undefined && isSame(known.answer, answer)) {
        known.settle.push(settle);
        return;
      }
      const entry = { answer, name: this.#keep(answer), wasSent: false, settle: [settle] };
      this.#entries.push(entry);
      this.#options.onChange();
      if (this.#isClosed) this.#tell(entry, Promise.reject(closed()));
      else void this.#send();
    });
  }

  /**
   * Takes an answer back, and what it was changed to, as far as that cannot have reached the service.
   * @returns whether that was the answer itself; if not, it is the service that must take it back
   */
  takeBack(assignment: string): boolean {
    const unsent = this.#entries.filter(
      ({ answer, wasSent }) => answer.assignment === assignment && !wasSent,
    );
    for (const entry of unsent) {
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      this.#tell(entry, Promise.reject(aborted('The answer was taken back before it was sent.')));
      this.#letGo(entry);
    }
    return unsent.some(({ answer }) => !answer.revise);
  }

  /** Resolves when no answer to an assignment is under way, or to any if none is named; or when it is closed. */
  async settled(assignment?: string): Promise<void> {
    for (;;) {
      const entry = this.#entries.findLast(
        ({ answer }) => assignment === undefined || answer.assignment === assignment,
      );
      if (entry === undefined || this.#isClosed) return;
      await this.#outcome((settle) => entry.settle.push(settle)).catch(() => undefined);
    }
  }

  /** Sends no more. What is kept is sent by whoever opens it next. */
  close(): void {
    this.#isClosed = true;
    for (const entry of this.#entries) this.#tell(entry, Promise.reject(closed()));
  }

  #outcome(ask: (settle: (outcome: Promise<Submission>) => void) => void): Promise<Submission> {
    const outcome = new Promise<Submission>((resolve) => ask(resolve));
    // Whoever gave it need not wait for it.
    outcome.catch(() => undefined);
    return outcome;
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let failures = 0; !this.#isClosed; ) {
      const [entry] = this.#entries;
      if (entry === undefined) break;
      try {
        entry.wasSent = true;
        const submission = await this.#options.send(entry.answer);
        this.#done(entry, Promise.resolve(submission));
        failures = 0;
      } catch (error) {
        if (this.#isClosed) break;
        const verdict = this.#options.judge(error);
        if (verdict === 'REFUSED') {
          this.#refused = [...this.#refused, { ...entry.answer, error }];
          this.#done(entry, Promise.reject(error));
          failures = 0;
          continue;
        }
        if (verdict === 'TROUBLE') this.#tell(entry, Promise.reject(error));
        await this.#options.pause(++failures);
      }
    }
    this.#isSending = false;
  }

  #done(entry: Entry, outcome: Promise<Submission>): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    this.#tell(entry, outcome);
    this.#letGo(entry);
  }

  #tell({ settle }: Entry, outcome: Promise<Submission>): void {
    outcome.catch(() => undefined);
    for (const one of settle.splice(0)) one(outcome);
  }

  /** Writes an answer down. Returns the name that it has there. */
  #keep(answer: Answer): string {
    const { storage } = this.#options;
    // Browsers blur their clocks: what is given later must be later.
    this.#newest = Math.max(performance.timeOrigin + performance.now(), this.#newest + 0.01);
    const kept: Kept = { ...answer, at: this.#newest };
    const name = `${this.#options.name} ${answer.assignment} ${this.#newest}`;
    try {
      storage?.setItem(name, JSON.stringify(kept));
    } catch {
      // There is no room: it stays in memory.
    }
    return name;
  }

  #letGo({ name }: Entry): void {
    this.#options.storage?.removeItem(name);
    this.#options.onChange();
  }

  /** What was kept, oldest first, and under which name. */
  #stored(): readonly Pick<Entry, 'answer' | 'name'>[] {
    const { storage, name } = this.#options;
    const names = Array.from({ length: storage?.length ?? 0 }, (_, i) => storage?.key(i) ?? '');
    return names
      .filter((one) => one.startsWith(`${name} `))
      .flatMap((one) => {
        const kept = readKept(storage?.getItem(one));
        return kept === null ? [] : { kept, name: one };
      })
      .sort((a, b) => a.kept.at - b.kept.at)
      .map(({ kept: { at: _, ...answer }, name: one }) => ({ answer, name: one }));
  }
}

/** An answer as it is kept, and when it was given, in milliseconds since 1970. */
interface Kept extends Answer {
  readonly at: number;
}

/** Null: it cannot be read, whoever wrote it. */
function readKept(text: string | null | undefined): Kept | null {
  try {
    const kept = JSON.parse(text ?? 'null') as Partial<Kept> | null;
    const isWhole = typeof kept?.assignment === 'string' && typeof kept.label === 'string';
    return isWhole && typeof kept.at === 'number' ? (kept as Kept) : null;
  } catch {
    return null;
  }
}

function isSame(one: Answer, other: Answer): boolean {
  return one.assignment === other.assignment && one.label === other.label && one.revise === other.revise;
}

function closed(): DOMException {
  return aborted('Closed before the answer was recorded.');
}

function aborted(message: string): DOMException {
  return new DOMException(message, 'AbortError');
}

/** Where a browser keeps what a page shall find when it is opened again; null elsewhere, or where it may not. */
export function browserStorage(): OutboxStorage | null {
  try {
    return (globalThis as { window?: { localStorage?: OutboxStorage } }).window?.localStorage ?? null;
  } catch {
    return null;
  }
}
