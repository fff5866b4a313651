import { describe } from 'vitest';

/** What some tests need from outside, by the environment variable that says where it is. */
export type Need = 'CONCORD_TEST_MONGODB' | 'CONCORD_TEST_SECANTUSDB';

/** How the title of a suite says what it needs; `unrun.ts` reads it. */
export const NEEDS = /\(needs (CONCORD_TEST_\w+)\)/;

/** A suite that is skipped, and reported as not run, unless the variable is set. */
export function describeNeeding(need: Need, title: string, suite: (given: string) => void): void {
  const given = process.env[need] ?? '';
  describe.skipIf(given === '')(`${title} (needs ${need})`, () => suite(given));
}
