import { refuse } from '../domain/refusals.ts';

/** What GraphQL's types cannot say of an input. */

/**
 * A seed as given: a uint32, which GraphQL's Int is too small for; null leaves the choice to the service.
 * @throws {Refusal} INVALID_INPUT
 */
export function seedOf(seed: number | null | undefined): number | null {
  if (seed == null) return null;
  if (seed >>> 0 !== seed)
    throw refuse('INVALID_INPUT', { field: 'seed', problem: `${seed} is not a uint32` });
  return seed;
}

/**
 * A text of a length in range, in characters.
 * @throws {Refusal} INVALID_INPUT
 */
export function textOf(field: string, text: string, { from = 1, to }: { from?: number; to: number }): string {
  if (text.length >= from && text.length <= to) return text;
  throw refuse('INVALID_INPUT', { field, problem: `${text.length} characters are not ${from} to ${to}` });
}
