import { expect } from 'vitest';

/** A call in a trace: where it begins and where it has ended, among the lines. */
interface Call {
  readonly thread: string;
  readonly text: string;
  readonly begins: number;
  readonly ends: number;
}

/** What `strace -f` saw of a store. */
export class Trace {
  readonly #calls: readonly Call[];
  /** The descriptor by which LMDB writes its header: each such write is a sync. */
  readonly #header: string;

  constructor(text: string) {
    this.#calls = callsIn(text);
    const opened = this.#calls.find(({ text }) => /^openat\(.*concord\.mdb", [^)]*O_DSYNC/.test(text));
    this.#header = /= (\d+)$/.exec(opened?.text ?? '')?.[1] ?? 'none';
  }

  /** How many syncs there were since the store was open. */
  get syncs(): number {
    const opened = this.#first(0, (text) => text.startsWith('write(1, "open'));
    return this.#calls.filter(({ text, begins }) => begins > opened.begins && isSync(text)).length;
  }

  /** Fails unless the list of a folder's files was synced before the store was open. */
  expectListed(folder: string): void {
    const opened = this.#first(0, (text) => text.startsWith('write(1, "open'));
    const folders = this.#calls.filter(
      ({ text }) => text.startsWith('openat(') && text.includes(`"${folder}", O_RDONLY`),
    );
    const isSynced = folders.some(({ text, ends }) => {
      const fd = /= (\d+)$/.exec(text)?.[1];
      return this.#calls.some(
        (call) => call.text.startsWith(`fsync(${fd})`) && call.begins > ends && call.ends < opened.begins,
      );
    });
    expect(isSynced, folder).toBe(true);
  }

  /** Fails unless the commit was on disk before the line that acknowledges it was begun. */
  expectDurable(id: string): void {
    const acknowledged = this.#first(0, (text) => text.startsWith(`write(1, "acknowledged ${id}`));
    expect(acknowledged.begins).toBeGreaterThan(this.#headerOf(id).ends);
  }

  /** Which sync of its thread made the pages of a commit durable, counted from 1. */
  ordinalOfSync(id: string): number {
    return this.#ordinal(this.#syncOf(id));
  }

  /** Which `pwrite64` of its thread made a commit count, counted from 1. */
  ordinalOfHeader(id: string): number {
    return this.#ordinal(this.#headerOf(id));
  }

  #syncOf(id: string): Call {
    const written = this.#first(0, (text) => isWriteOfPages(text) && text.includes(id));
    return this.#first(written.ends, isSync);
  }

  #headerOf(id: string): Call {
    return this.#first(this.#syncOf(id).ends, (text) => text.startsWith(`pwrite64(${this.#header},`));
  }

  #ordinal({ thread, text, begins }: Call): number {
    const name = text.slice(0, text.indexOf('('));
    return this.#calls.filter(
      (call) => call.thread === thread && call.begins <= begins && call.text.startsWith(`${name}(`),
    ).length;
  }

  /** The first call that begins after a line and is as it is asked for. */
  #first(after: number, is: (text: string) => boolean): Call {
    const call = this.#calls.find(({ text, begins }) => begins >= after && is(text));
    if (!call) throw new Error(`no such call in the trace: ${is}`);
    return call;
  }
}

function isSync(text: string): boolean {
  return /^(fsync|fdatasync|msync)\(.*= 0$/.test(text);
}

function isWriteOfPages(text: string): boolean {
  return /^(pwrite64|pwritev|writev)\(/.test(text);
}

/** Puts together what strace tore apart where threads cut in: `call(… <unfinished ...>`, `<... call resumed>…`. */
function callsIn(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { text: string; begins: number }>();
  for (const [line, content] of trace.split('\n').entries()) {
    const [, thread = '', said = ''] = /^(\d+) +(.*)$/.exec(content) ?? [];
    const [, start] = /^(.*) <unfinished \.\.\.>$/.exec(said) ?? [];
    const [, rest] = /^<\.\.\. \w+ resumed>(.*)$/.exec(said) ?? [];
    if (start !== undefined) {
      unfinished.set(thread, { text: start, begins: line });
    } else if (rest !== undefined) {
      const { text = '', begins = line } = unfinished.get(thread) ?? {};
      calls.push({ thread, text: text + rest, begins, ends: line });
    } else {
      calls.push({ thread, text: said, begins: line, ends: line });
    }
  }
  return calls.sort((a, b) => a.begins - b.begins);
}
