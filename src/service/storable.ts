import { refuse } from '../domain/refusals.ts';

/**
 * Checks that a store can keep what somebody has sent, as it is: text in UTF-8, and no key `__proto__`. It is
 * asked before a command is decided, so that one person's odd text fails no one else's commit.
 *
 * @param at the place of the value in the input, for the message
 * @throws {Refusal} INVALID_INPUT, naming the field
 */
export function checkStorable(value: unknown, at = ''): void {
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw wrong(at, 'it holds half a surrogate pair, which no text may');
  } else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__') throw wrong(at, 'it has a key named __proto__');
      const inside = at === '' ? key : `${at}.${key}`;
      if (!Array.isArray(value)) checkStorable(key, inside);
      checkStorable(item, inside);
    }
  }
}

function wrong(at: string, problem: string) {
  return refuse('INVALID_INPUT', { field: at === '' ? 'input' : at, problem });
}
