import { existsSync } from 'node:fs';
import { describe } from 'vitest';

/** What some tests need from outside, by the environment variable that says where it is; and what is so without it. */
export const MISSING = {
  CONCORD_TEST_MONGODB: 'names no server (docs/stores.md)',
  CONCORD_TEST_SECANTUSDB: 'names no server (docs/stores.md)',
  CONCORD_TEST_CHROMIUM: 'names no Chromium, and there is none at /usr/bin/chromium',
  CONCORD_TEST_NGINX: 'names no nginx, and there is none at /usr/sbin/nginx',
  CONCORD_TEST_CADDY: 'names no Caddy, and there is none at /usr/bin/caddy',
  CONCORD_TEST_COMPOSE: 'names no docker-compose, and there is none at /usr/bin/docker-compose',
} as const;

export type Need = keyof typeof MISSING;

/** Where something is that has a usual place. */
const USUAL: Partial<Record<Need, string>> = {
  CONCORD_TEST_CHROMIUM: '/usr/bin/chromium',
  CONCORD_TEST_NGINX: '/usr/sbin/nginx',
  CONCORD_TEST_CADDY: '/usr/bin/caddy',
  CONCORD_TEST_COMPOSE: '/usr/bin/docker-compose',
};

/** How the title of a suite says what it needs; `unrun.ts` reads it. */
export const NEEDS = /\(needs (CONCORD_TEST_\w+)\)/g;

/** What the variable says, or the usual place if there is something; else nothing. */
export function given(need: Need): string {
  const usual = USUAL[need];
  return process.env[need] ?? (usual !== undefined && existsSync(usual) ? usual : '');
}

/** A suite that is skipped, and reported as not run, unless the variable is set, or the thing is in its usual place. */
export function describeNeeding(need: Need, title: string, suite: (given: string) => void): void {
  const what = given(need);
  describe.skipIf(what === '')(`${title} (needs ${need})`, () => suite(what));
}
