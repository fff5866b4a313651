/** What is told; made only when it is read, for most stories are not. */
type Text = string | (() => string);

interface Line {
  readonly at: number;
  readonly who: string;
  readonly text: Text;
}

/** What is told of a run that went wrong: so many lines before the end, whatever they speak of. */
const LAST_LINES = 25;
/** And at most so many of those before that speak of what went wrong. */
const EARLIER_LINES = 40;

/** Something that must never happen has happened. */
export class Violation extends Error {
  override name = 'Violation';
  /** What it is about, as the story names it: clients, nodes, assignments, rounds. */
  readonly about: readonly string[];

  constructor(message: string, about: readonly string[] = []) {
    super(message);
    this.about = about;
  }
}

/** What happened in a run, line by line, in virtual time. Two runs of one seed tell the same story. */
export class Story {
  readonly #lines: Line[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  tell(who: string, text: Text): void {
    this.#lines.push({ at: Math.floor(this.#now()), who, text });
  }

  /** The whole story. */
  toString(): string {
    return this.#lines.map(printed).join('\n');
  }

  /** The end of the story, and before that what speaks of the same things. */
  about(subjects: readonly string[]): string {
    const lines = this.#lines;
    const lastFrom = Math.max(0, lines.length - LAST_LINES);
    const telling = lines.flatMap((line, i) =>
      i < lastFrom && subjects.some((subject) => printed(line).includes(subject)) ? [i] : [],
    );
    const last = Array.from({ length: lines.length - lastFrom }, (_, i) => lastFrom + i);
    const kept = [...telling.slice(-EARLIER_LINES), ...last];
    const text: string[] = [];
    let next = 0;
    for (const i of kept) {
      if (i > next) text.push(`${' '.repeat(11)}… ${i - next} more`);
      text.push(printed(lines[i] as Line));
      next = i + 1;
    }
    return text.join('\n');
  }
}

function printed({ at, who, text }: Line): string {
  return `${(at / 1_000).toFixed(3).padStart(9)}s  ${who.padEnd(9)} ${typeof text === 'string' ? text : text()}`;
}

/** Enough of a random id to tell it from the others of one run. */
export function short(id: string): string {
  return id.slice(0, 6);
}
