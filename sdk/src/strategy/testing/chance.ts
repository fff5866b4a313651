/*
 * What gives another answer at another time, beside what a strategy is given: the engine's chance and its clocks. All
 * that is shared by the modules of a thread is changed here for a while, so nothing else may run in it meanwhile.
 */

type Call = (...args: never[]) => unknown;

interface Source {
  readonly name: string;
  readonly owner: object;
  readonly key: string;
}

const DATE = globalThis.Date;

/** Where there is no such thing, there is nothing to change. */
function sources(): Source[] {
  const { performance, crypto, process } = globalThis as unknown as Readonly<
    Record<string, object | undefined>
  >;
  const all: readonly (readonly [string, object | undefined, string])[] = [
    ['Math.random', Math, 'random'],
    ['performance.now', performance, 'now'],
    ['crypto.getRandomValues', crypto, 'getRandomValues'],
    ['crypto.randomUUID', crypto, 'randomUUID'],
    ['process.hrtime', process, 'hrtime'],
  ];
  return all.flatMap(([name, owner, key]) => (owner && key in owner ? [{ name, owner, key }] : []));
}

/** Runs something while each source is replaced, and puts all back. */
async function replacing<T>(
  replace: (name: string, original: Call) => Call,
  dateOf: (note: (name: string) => void) => typeof Date,
  note: (name: string) => void,
  run: () => T | Promise<T>,
): Promise<T> {
  const changed = sources().map((source) => ({
    ...source,
    before: Object.getOwnPropertyDescriptor(source.owner, source.key),
    original: Reflect.get(source.owner, source.key) as Call,
  }));
  try {
    for (const { name, owner, key, original } of changed) {
      const value = replace(name, original.bind(owner) as Call);
      Object.defineProperty(owner, key, { value, configurable: true, writable: true });
    }
    globalThis.Date = dateOf(note);
    return await run();
  } finally {
    globalThis.Date = DATE;
    for (const { owner, key, before } of changed) {
      if (before === undefined) Reflect.deleteProperty(owner, key);
      else Object.defineProperty(owner, key, before);
    }
  }
}

/** A Date that is asked for the time: with a moment, it is a plain calculation. */
function watchedDate(note: (name: string) => void, shift: number): typeof Date {
  const now = () => {
    note('Date.now');
    return DATE.now() + shift;
  };
  return new Proxy(DATE, {
    construct(target, args, newTarget) {
      if (args.length > 0) return Reflect.construct(target, args, newTarget) as object;
      note('new Date()');
      return Reflect.construct(target, [DATE.now() + shift], newTarget) as object;
    },
    apply() {
      note('Date()');
      return new DATE(DATE.now() + shift).toString();
    },
    get: (target, key, receiver) => (key === 'now' ? now : Reflect.get(target, key, receiver)),
  });
}

/** Runs something in which no chance and no clock may be used; what was used first, or null. */
export async function forbidding(run: () => unknown): Promise<string | null> {
  let used: string | null = null;
  const note = (name: string) => {
    used ??= `${name}; ${ADVICE}`;
    throw new Error(`it used ${used}`);
  };
  const replace = (name: string) => () => note(name);
  try {
    await replacing(replace, (noted) => watchedDate(noted, 0), note, run);
  } catch (error) {
    // What comes of the error above is not what is wrong; a strategy may also have caught it.
    if (used === null) throw error;
  }
  return used;
}

const ADVICE =
  'a round must come out the same whenever it is run again: take chance from context.random, and no time';

/** Some years: whatever is made of the date comes out otherwise. */
const LATER = 5e10;

/**
 * Runs something with other chance and at another time than usual, and says which of both it used first.
 * @param luck where numbers of `Math.random` begin, in tenths of which they fill one: whatever is tossed up with them
 *   comes out one way with 0, the other way with 9
 */
export async function elsewhere<T>(
  luck: number,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly used: string | null }> {
  let used: string | null = null;
  const note = (name: string) => {
    used ??= name;
  };
  const replace =
    (name: string, original: Call) =>
    (...args: never[]) => {
      note(name);
      const value = original(...args);
      return name === 'Math.random' ? (luck + Number(value)) / 10 : value;
    };
  const result = await replacing(replace, (noted) => watchedDate(noted, LATER), note, run);
  return { result, used };
}
