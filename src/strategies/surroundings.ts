/** What every module in a thread shares: globals, the methods of built-in classes, and who hears of the process's events. */
export type Surroundings = ReadonlyMap<string, unknown>;

/** Set by what is put before each plugin, and by zod, which plugins are given: the same for all. */
const OWN = new Set(['require', '__zod_globalConfig', '__zod_globalRegistry']);

/** What stands there now. Nothing is called: what Node makes of a global when it is first used is not made here. */
export function surroundings(): Surroundings {
  const seen = new Map<string, unknown>();
  for (const name of Reflect.ownKeys(globalThis)) {
    if (OWN.has(String(name))) continue;
    const { value, get } = Object.getOwnPropertyDescriptor(globalThis, name) ?? {};
    seen.set(String(name), value ?? get);
    if (
      typeof value === 'function' ||
      (typeof value === 'object' && value !== null && value !== globalThis)
    ) {
      look(seen, String(name), value);
      if (typeof value.prototype === 'object' && value.prototype !== null)
        look(seen, `${String(name)}.prototype`, value.prototype);
    }
  }
  for (const event of process.eventNames())
    seen.set(`on ${String(event)}`, process.listenerCount(String(event)));
  return seen;
}

function look(seen: Map<string, unknown>, at: string, object: object): void {
  for (const name of Reflect.ownKeys(object)) {
    const { value, get } = Object.getOwnPropertyDescriptor(object, name) ?? {};
    if (typeof (value ?? get) === 'function') seen.set(`${at}.${String(name)}`, value ?? get);
  }
}

/** What differs, by its name; null: nothing does. */
export function changeIn(before: Surroundings, after: Surroundings): string | null {
  for (const [name, value] of after) if (!Object.is(before.get(name), value)) return name;
  for (const name of before.keys()) if (!after.has(name)) return name;
  return null;
}
